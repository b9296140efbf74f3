"""Draws the pictures of the page about decisions; `_pictures` calls it."""

import warnings

import numpy as np
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator

from skanomaly import (
    AutoencoderDetector,
    ConformalDetector,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
)
from skanomaly.display import ReliabilityDisplay

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
LEVELS = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3])
N_REPEATS = 200


def halves():
    """Return breast cancer rows and labels (1 is malignant), cut into two halves."""
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    X, y = X[order], (y[order] == 0).astype(int)
    return X[:300], y[:300], X[300:], y[300:]


def thresholds(ax):
    """Show where the rules cut the scores of rows held out."""
    X, y, X_test, y_test = halves()
    fitted = AutoencoderDetector(random_state=0).fit(X[y == 0])
    detector = ThresholdedDetector(FrozenEstimator(fitted)).fit(X_test, y_test)
    scores, labels = np.maximum(detector.scores_, -11), detector.labels_
    bins = np.linspace(-11, scores.max(), 51)
    for label, colour, name in ((1, BLUE, "benign"), (-1, ORANGE, "malignant")):
        ax.hist(scores[labels == label], bins, color=colour, alpha=0.65, label=name)
    top = ax.get_ylim()[1]
    rules = [
        ("pot", {"level": 1e-3}, "pot 0.001"),
        ("fpr", {"level": 0.05}, "fpr 0.05"),
        ("f1", {}, "f1"),
        ("recall", {"level": 0.97}, "recall 0.97"),
    ]
    for step, (rule, options, name) in enumerate(rules):
        offset = detector.set_threshold(rule, **options).offset_
        height = top * (1.02 + 0.09 * (step % 2))
        ax.plot([offset, offset], [0, height], color="black", linewidth=1)
        ax.annotate(name, (offset, height), ha="center", va="bottom", fontsize=10)
    ax.set_ylim(0, top * 1.25)
    ax.set(xlabel="score_samples (rows left of a line are anomalies)", ylabel="rows held out")
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2)


def draw_rows(n, seed, shift=0.0, n_anomalies=0):
    """Return rows of twelve columns, the anomalies among them last."""
    X = np.random.default_rng(seed).normal(shift, 1, size=(n + n_anomalies, 12))
    X[n:] *= 1.9
    return X


def detector(**options):
    """Return the conformal detector of these pictures."""
    inner = EllipticEnvelope(support_fraction=1.0, random_state=0)
    return ConformalDetector(inner, calibration_size=0.5, random_state=0, **options)


def error_rates(axes):
    """Show false-positive rate and false discovery rate against their levels."""
    positives, optimistic, discoveries, power = [], [], [], []
    for seed in range(N_REPEATS):
        fitted = detector().fit(draw_rows(200, seed))
        known, tested = draw_rows(200, seed), draw_rows(160, 10_000 + seed, n_anomalies=40)
        p_values = fitted.p_values(tested)
        positives.append([(p_values[:160] <= level).mean() for level in LEVELS])
        inner = EllipticEnvelope(support_fraction=1.0, random_state=0).fit(known)
        cuts = np.quantile(inner.score_samples(known), LEVELS)
        optimistic.append((inner.score_samples(tested[:160])[:, None] < cuts).mean(axis=0))
        found = [_select(fitted, tested, level) for level in LEVELS]
        discoveries.append([f[:160].sum() / max(f.sum(), 1) for f in found])
        power.append([f[160:].mean() for f in found])
    _against_level(axes[0], optimistic, ORANGE, "quantile of training scores", "s")
    _against_level(axes[0], positives, BLUE, "p-value ≤ alpha", "o")
    axes[0].set(xlabel="alpha", ylabel="false-positive rate")
    _against_level(axes[1], power, GREEN, "anomalies found", "^")
    _against_level(axes[1], discoveries, BLUE, "false discovery rate", "o")
    axes[1].set(xlabel="fdr", ylabel="share")
    for ax in axes:
        ax.plot([0, 0.32], [0, 0.32], color=GREY, linestyle="--", linewidth=1, zorder=0)
        ax.set(xlim=(0, 0.32), ylim=(0, None))
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1))


def _select(fitted, rows, level):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # low levels may find nothing
        return fitted.set_params(fdr=level).predict(rows) == -1


def _against_level(ax, values, colour, label, marker):
    values = np.asarray(values)
    error = 1.96 * values.std(axis=0) / np.sqrt(len(values))
    ax.errorbar(LEVELS, values.mean(axis=0), error, color=colour, marker=marker, label=label)


def void_guarantee(axes):
    """Show what drift and contaminated calibration rows do to the rates at alpha = 0.05."""
    shifts, shares = np.linspace(0, 0.6, 4), np.linspace(0, 0.1, 5)
    rates = np.array([[_rates(seed, shift, 0) for shift in shifts] for seed in range(20)])
    _line(axes[0], shifts, rates[..., 0], BLUE, "false positives", "o")
    axes[0].set(
        xlabel="drift of all columns (standard deviations)", ylabel="share at alpha = 0.05"
    )
    rates = np.array([[_rates(seed, 0, share) for share in shares] for seed in range(20)])
    _line(axes[1], shares, rates[..., 1], GREEN, "anomalies found", "^")
    _line(axes[1], shares, rates[..., 0], BLUE, "false positives", "o")
    axes[1].set(xlabel="share of anomalies among the rows of fit")
    for ax in axes:
        ax.axhline(0.05, color=GREY, linestyle="--", linewidth=1, zorder=0)
        ax.set_ylim(0, None)
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2)


def _rates(seed, shift, share):
    dirty = round(share * 300)
    fitted = detector().fit(draw_rows(300 - dirty, seed, n_anomalies=dirty))
    tested = draw_rows(200, 10_000 + seed, shift=shift, n_anomalies=100)
    found = fitted.predict(tested) == -1
    return found[:200].mean(), found[200:].mean()


def _line(ax, across, values, colour, label, marker):
    ax.plot(across, values.mean(axis=0), color=colour, marker=marker, label=label)


def reliability(ax):
    """Show the probabilities of a classifier and of a forest with a sigmoid."""
    X, y, X_test, y_test = halves()
    classifier = NeuralAnomalyClassifier(random_state=0).fit(X, y)
    ReliabilityDisplay.from_estimator(classifier, X_test, y_test, n_bins=6, ax=ax)
    forest = IsolationForest(random_state=0)
    forest = ThresholdedDetector(forest, probability="isotonic", random_state=0).fit(X, y)
    name = "IsolationForest, isotonic"
    ReliabilityDisplay.from_estimator(forest, X_test, y_test, n_bins=6, name=name, ax=ax)


PICTURES = (
    ("decision_thresholds", thresholds, (1, 1), (7, 3.8)),
    ("decision_error_rates", error_rates, (1, 2), (8, 4)),
    ("decision_void", void_guarantee, (1, 2), (8, 3.6)),
    ("decision_reliability", reliability, (1, 1), (5.4, 5.6)),
)
