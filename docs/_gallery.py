"""The pictures of the gallery: each function returns a display."""

import functools

import numpy as np
import pandas as pd
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from skanomaly import AutoencoderDetector, WindowedDetector
from skanomaly.display import (
    ContributionsDisplay,
    DetectorComparisonDisplay,
    LatentDisplay,
    PrecisionRecallDisplay,
    ReconstructionDisplay,
    RocCurveDisplay,
    ScoreDistributionDisplay,
    SeriesDisplay,
    TrainingCurveDisplay,
)
from skanomaly.model_selection import (
    NormalOnlySplit,
    StratifiedAnomalyKFold,
    compare_detectors,
)


@functools.cache
def tumours():
    """Return a detector of benign tumours, rows held out, and 1 for the malignant ones."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    benign, malignant = X[y == 1], X[y == 0]
    detector = AutoencoderDetector(random_state=0).fit(benign[:250])
    rows = pd.concat([benign[250:], malignant])
    return detector, rows, np.repeat([0, 1], [len(benign) - 250, len(malignant)])


@functools.cache
def wrong_row():
    """Return a benign row with two wrong values."""
    row = tumours()[1].iloc[[3]].copy()
    row["mean texture"] += 22
    row["smoothness error"] *= 4
    return row


def display_scores():
    detector, rows, labels = tumours()
    return ScoreDistributionDisplay.from_estimator(detector, rows, labels)


def display_roc():
    return _curves(RocCurveDisplay)


def display_precision_recall():
    return _curves(PrecisionRecallDisplay)


def _curves(kind):
    detector, rows, labels = tumours()
    X, y = load_breast_cancer(return_X_y=True)
    display = kind.from_estimator(detector, rows, labels)
    for peer in (LocalOutlierFactor(novelty=True), IsolationForest(random_state=0)):
        peer.fit(X[y == 1][:250])
        kind.from_estimator(peer, rows.to_numpy(), labels, ax=display.ax_)
    return display


def display_contributions():
    return ContributionsDisplay.from_estimator(tumours()[0], wrong_row(), k=8)


def display_rows():
    detector, rows, _ = tumours()
    return ReconstructionDisplay.from_estimator(detector, pd.concat([rows[:1], wrong_row()]))


def display_images():
    X, digit = load_digits(return_X_y=True)
    layers = {"hidden_layer_sizes": (128, 64), "latent_dim": 12, "standardize": False}
    detector = AutoencoderDetector("plain", epochs=150, random_state=0, **layers)
    detector.fit(X[digit < 5])
    shown = np.vstack([X[digit == 3][:1], X[digit == 7][:1]])
    return ReconstructionDisplay.from_estimator(detector, shown, kind="image")


def display_sequences():
    rng = np.random.default_rng(0)
    steps = np.arange(64) + rng.uniform(0, 32, size=(600, 1))
    waves = np.sin(np.pi * steps / 16) + rng.normal(scale=0.1, size=steps.shape)
    layers = {"hidden_layer_sizes": (64,), "latent_dim": 4, "epochs": 80}
    detector = AutoencoderDetector("plain", random_state=0, **layers).fit(waves[2:])
    waves[1, 28:36] = waves[1, 27] - 0.8
    return ReconstructionDisplay.from_estimator(detector, waves[:2], kind="sequence")


def display_series():
    rng = np.random.default_rng(0)
    hours = np.arange(24 * 30)
    load = np.sin(2 * np.pi * hours / 24) + rng.normal(scale=0.08, size=len(hours))
    heat = 20 + 3 * np.sin(2 * np.pi * (hours - 3) / 24) + rng.normal(scale=0.3, size=len(hours))
    heat[24 * 25 : 24 * 26] = heat[24 * 25]
    series = pd.DataFrame({"load": load, "heat": heat})
    detector = WindowedDetector(window_size=24, random_state=0).fit(series[: 24 * 20])
    return SeriesDisplay.from_estimator(detector, series[24 * 20 :])


def display_latent():
    detector, rows, labels = tumours()
    return LatentDisplay.from_estimator(detector, rows, labels)


def display_training():
    X, y = load_breast_cancer(return_X_y=True)
    options = {"early_stopping": True, "epochs": 150, "random_state": 0}
    detector = AutoencoderDetector("plain", learning_rate=3e-3, **options)
    return TrainingCurveDisplay.from_estimator(detector.fit(X[y == 1]))


def display_ranks():
    X, y = load_breast_cancer(return_X_y=True)
    detectors = {
        "AutoencoderDetector": AutoencoderDetector(random_state=0),
        "IsolationForest": IsolationForest(random_state=0),
        "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
        "EllipticEnvelope": EllipticEnvelope(random_state=0),
        "OneClassSVM": OneClassSVM(gamma="auto"),
    }
    folds = StratifiedAnomalyKFold(10, shuffle=True, random_state=0, anomaly_label=0)
    cv = NormalOnlySplit(folds, anomaly_label=0)
    results = compare_detectors(detectors, X, y, cv=cv, anomaly_label=0, scoring="roc_auc")
    return DetectorComparisonDisplay.from_results(results)


ALL = (
    display_scores,
    display_roc,
    display_precision_recall,
    display_contributions,
    display_rows,
    display_images,
    display_sequences,
    display_latent,
    display_training,
    display_ranks,
    display_series,
)

#: Of the API's pages: what stands on top, below `generated/`, and what it shows.
PAGES = {
    "ScoreDistributionDisplay": (
        "pictures/display_scores.png",
        "Scores of benign and malignant tumours, with the threshold between them.",
    ),
    "RocCurveDisplay": (
        "pictures/display_roc.png",
        "Three detectors on the same rows; dots are their thresholds.",
    ),
    "PrecisionRecallDisplay": (
        "pictures/display_precision_recall.png",
        "Three detectors on the same rows; dots are their thresholds.",
    ),
    "DetectorComparisonDisplay": (
        "pictures/display_ranks.png",
        "Mean ranks of five detectors; bars join those that do not differ.",
    ),
    "ContributionsDisplay": (
        "pictures/display_contributions.png",
        "A benign tumour with two wrong values.",
    ),
    "ReconstructionDisplay": (
        "pictures/display_rows.png",
        "Two rows, and what the network expects of them.",
    ),
    "LatentDisplay": ("pictures/display_latent.png", "Tumours in the plane of the inner codes."),
    "TrainingCurveDisplay": (
        "pictures/display_training.png",
        "The loss by epoch, of training rows and of rows held out.",
    ),
    "ReliabilityDisplay": (
        "pictures/decision_reliability.png",
        "How often rows are anomalies that have a probability.",
    ),
    "SeriesDisplay": (
        "pictures/display_series.png",
        "Two channels, one of which stands still for a while.",
    ),
    "Report": ("../_static/report.png", "The first screen of a report."),
    "report": ("../_static/report.png", "The first screen of a report."),
}
