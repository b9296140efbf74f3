"""Answers from scores and a threshold, whatever the detector."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skanomaly.base import DecisionMixin, ProbabilityMixin


class FirstColumn(ProbabilityMixin, DecisionMixin, BaseEstimator):
    """Scores rows by their first column; labels make it calibrated."""

    _needs_for_probabilities = "labels."

    def fit(self, X, y=None, offset=0.0):
        self._map = None if y is None else (lambda scores: scores / 4)
        self.offset_ = offset
        return self

    def score_samples(self, X):
        return X[:, 0]


X = np.array([[0.0], [1.0], [2.0]])


def test_a_row_on_the_threshold_is_normal():
    detector = FirstColumn().fit(X, offset=1.0)
    np.testing.assert_array_equal(detector.decision_function(X), [-1, 0, 1])
    np.testing.assert_array_equal(detector.predict(X), [-1, 1, 1])
    np.testing.assert_array_equal(FirstColumn().fit_predict(X, offset=1.5), [-1, -1, 1])


def test_probabilities_where_labels_calibrate():
    assert hasattr(FirstColumn(), "predict_proba")  # not known before fit
    detector = FirstColumn().fit(X, y=[1, 0, 0])
    np.testing.assert_array_equal(detector.predict_proba(X), [[0, 1], [0.25, 0.75], [0.5, 0.5]])
    detector.fit(X)
    assert not hasattr(detector, "predict_proba")
    with pytest.raises(AttributeError) as raised:
        detector.predict_proba(X)
    assert str(raised.value).endswith("no attribute 'predict_proba', which needs labels.")


def test_tags_tell_outlier_detectors_with_probabilities():
    tags = get_tags(FirstColumn())
    assert tags.estimator_type == "outlier_detector"
    assert tags.classifier_tags.multi_class is False
