"""The pictures of the gallery: each function returns a display."""

import functools

import numpy as np
import pandas as pd
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from skanomaly import AutoencoderDetector
from skanomaly.display import (
    ContributionsDisplay,
    DetectorComparisonDisplay,
    LatentDisplay,
    PrecisionRecallDisplay,
    ReconstructionDisplay,
    RocCurveDisplay,
    ScoreDistributionDisplay,
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
)
