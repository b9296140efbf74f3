"""set_threshold of detectors that keep no scores (ThresholdedDetector has tests of its own)."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier, ThresholdedDetector


def test_networks_change_their_threshold(autoencoder, blob):
    detector = pickle.loads(pickle.dumps(autoencoder))
    scores = detector.score_samples(blob)
    assert detector.set_threshold("contamination", blob, level=0.25) is detector
    assert (detector.predict(blob) == -1).sum() == 30
    assert detector.set_threshold("fpr", blob, level=0.1).offset_ == np.sort(scores)[11]
    y = np.arange(120) < 20
    detector.set_threshold("recall", blob, y, level=1.0)
    assert (detector.predict(blob)[:20] == -1).all()
    assert detector.set_threshold(-1).offset_ == -1.0
    with pytest.raises(ValueError, match="needs rows to look at, got X=None"):
        detector.set_threshold("auto")
    with pytest.raises(ValueError, match="got y=None"):
        detector.set_threshold("f1", blob)
    assert detector.offset_ == -1.0
    with pytest.raises(NotFittedError):
        clone(detector).set_threshold(0.0)


def test_classifiers_read_their_own_labels(labelled):
    X, y = labelled
    words = np.where(y == 1, "bad", "good")
    detector = NeuralAnomalyClassifier("plain", epochs=2, anomaly_label="bad", random_state=0)
    detector.fit(X, words)
    proba = detector.predict_proba(X)
    detector.set_threshold("recall", X, words, level=1.0)
    assert (detector.predict(X)[y == 1] == -1).all()
    np.testing.assert_array_equal(detector.predict_proba(X), proba)


def test_all_detectors_have_the_same_method():
    owners = [AutoencoderDetector, NeuralAnomalyClassifier, ThresholdedDetector]
    assert len({owner.set_threshold for owner in owners}) == 1


def test_the_name_of_no_rule_is_refused_without_rows(autoencoder):
    with pytest.raises(ValueError, match=r"rule must be one of .* got 'x'"):
        autoencoder.set_threshold("x")
