"""The detector inside a WindowedDetector."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import (
    AutoencoderDetector,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
    WindowedDetector,
)
from skanomaly.meta._inner import naming_empty_channels, new_detector

pytestmark = pytest.mark.core


def test_a_forest_in_windows_loads_no_keras():
    code = (
        "import sys, numpy as np; from sklearn.ensemble import IsolationForest;"
        "from skanomaly import WindowedDetector, explain;"
        "X = np.sin(np.arange(300) / 5)[:, None];"
        "d = WindowedDetector(IsolationForest(n_estimators=5)).fit(X);"
        "d.events(X); explain(d, X);"
        "assert not {'keras', 'jax', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_autoencoder_left_at_auto_learns_windows_by_the_fast_recipe():
    for given, size, said in (("auto", 20, "fast"), ("auto", 1, "auto"), ("plain", 20, "plain")):
        inner = make_pipeline(StandardScaler(), AutoencoderDetector(given))
        detector = new_detector(inner, size, 2, 0)
        assert detector[-1].recipe == said
        assert inner[-1].recipe == given
    for own in ({"model": lambda n_features: None}, {"architecture": "conv1d"},
                {"hidden_layer_sizes": 8}, {"anomaly_score": "latent"}):  # fmt: skip
        # whoever asks for networks wants them in the score: "fast" has none there
        assert new_detector(AutoencoderDetector(**own), 20, 2, 0).recipe == "auto"
    assert new_detector(AutoencoderDetector(max_steps=9), 20, 2, 0).recipe == "fast"
    assert new_detector(NeuralAnomalyClassifier(), 20, 2, 0).recipe == "auto"


def test_every_detector_that_names_the_anomaly_learns_the_labels_of_windows():
    X = np.random.default_rng(0).normal(size=(200, 1))
    X[100:120] += 5
    words = np.repeat(["fine", "bad", "fine"], [100, 20, 80]).astype(object)
    words[150:160] = "?"
    inner = NeuralAnomalyClassifier(
        "plain", epochs=20, early_stopping=False, anomaly_label="bad", unlabeled_label="?"
    )
    for said in ("bad", "auto"):
        around = ThresholdedDetector(inner, "f1", cv=None, anomaly_label=said)
        detector = WindowedDetector(around, 5, random_state=0).fit(X, words)
        assert roc_auc_score(words == "bad", -detector.score_samples(X)) > 0.8
        assert set(detector.estimator_.labels_) == {-1, 0, 1}


def test_channels_without_a_value_are_named():
    channels = np.array([[1.0, np.nan], [2.0, np.nan]])
    for X, notes in ((channels, 1), (channels[:, :1], 0)):
        with pytest.raises(ValueError, match="no") as caught, naming_empty_channels(None, X):
            raise ValueError("no")
        told = getattr(caught.value, "__notes__", [])
        assert len(told) == notes
        assert all("Channels without any value: 1" in note for note in told)
