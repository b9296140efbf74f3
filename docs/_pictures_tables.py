"""Draws the pictures of the page about real tables; `_pictures` calls it."""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
SHARES = (0, 0.2, 0.4, 0.6, 0.8)


def _shuffled(seed):
    """Return breast cancer rows and labels (1 is malignant) in random order."""
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    return X[order], (y[order] == 0).astype(int)


def missing(ax):
    """Show what holes cost, with the detector's own way and with mean values."""
    results = np.empty((3, len(SHARES), 2))
    for seed in range(len(results)):
        X, y = _shuffled(seed)
        train = np.flatnonzero(y == 0)[:250]
        test = np.setdiff1d(np.arange(len(y)), train)
        for k, share in enumerate(SHARES):
            holes = np.random.default_rng(seed).random(X.shape) < share
            holed = np.where(holes, np.nan, X)
            detector = AutoencoderDetector(random_state=seed)
            for j, model in enumerate((detector, make_pipeline(SimpleImputer(), detector))):
                scores = model.fit(holed[train]).score_samples(holed[test])
                results[seed, k, j] = roc_auc_score(y[test], -scores)
    ours, filled = results.mean(axis=0).T
    percent = 100 * np.array(SHARES)
    ax.plot(percent, ours, "o-", color=BLUE, label="AutoencoderDetector")
    ax.plot(percent, filled, "s--", color=ORANGE, label="behind SimpleImputer")
    ax.set(xlabel="entries missing (%)", ylabel="ROC AUC, held-out rows")
    ax.legend(loc="lower left")


def stream(ax):
    """Show how detectors get better with every chunk."""
    X, y = _shuffled(0)
    benign, malignant = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    train = np.random.default_rng(0).permutation(np.r_[benign[:225], malignant[:25]])
    test = np.r_[benign[225:], malignant[25:]]
    for make, colour in ((AutoencoderDetector, BLUE), (NeuralAnomalyClassifier, ORANGE)):
        detector, curve = make(random_state=0), []
        for rows in np.split(train, 10):
            detector.partial_fit(X[rows], y[rows])
            curve.append(roc_auc_score(y[test], -detector.score_samples(X[test])))
        ax.plot(np.arange(25, 251, 25), curve, "o-", color=colour, label=make.__name__)
        whole = make(random_state=0).fit(X[train], y[train])
        level = roc_auc_score(y[test], -whole.score_samples(X[test]))
        ax.axhline(level, color=colour, linestyle=":", linewidth=1)
    ax.plot([], [], ":", color=GREY, linewidth=1, label="fit on all 250 rows")
    ax.set(xlabel="rows seen", ylabel="ROC AUC, held-out rows")
    ax.legend(loc="lower right")


PICTURES = (
    ("tables_missing", missing, (1, 1), (6.4, 3.4)),
    ("tables_stream", stream, (1, 1), (6.4, 3.4)),
)
