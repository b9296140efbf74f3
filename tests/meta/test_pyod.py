"""PyODEstimator: detectors whose scores grow with abnormality, turned round."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_outlier_detector
from sklearn.ensemble import IsolationForest

from skanomaly import (
    ConformalDetector,
    PyODEstimator,
    ThresholdedDetector,
    WindowedDetector,
    explain,
)
from skanomaly.display import RocCurveDisplay, ScoreDistributionDisplay
from skanomaly.metrics import f1_scorer, roc_auc_scorer
from skanomaly.model_selection import compare_detectors


@pytest.fixture
def wrapped(grows):
    return PyODEstimator(grows)


def test_scores_and_labels_are_turned(labelled, wrapped):
    X, y = labelled
    detector = wrapped.fit(X)
    inside = detector.estimator_
    np.testing.assert_array_equal(detector.score_samples(X), -inside.decision_function(X))
    np.testing.assert_array_equal(detector.predict(X), np.where(inside.predict(X) == 1, -1, 1))
    np.testing.assert_array_equal(detector.decision_function(X) < 0, inside.predict(X) == 1)
    assert is_outlier_detector(detector)
    assert roc_auc_scorer(detector, X, y) > 0.9
    assert f1_scorer(detector, X, y) > 0.4


def test_the_detector_given_stays_as_it_was(blob, grows):
    PyODEstimator(grows).fit(blob)
    assert not hasattr(grows, "decision_scores_")
    assert clone(PyODEstimator(grows)).get_params()["estimator__contamination"] == 0.1


def test_all_meta_estimators_take_it(labelled, wrapped):
    X, y = labelled
    normal, far = X[y == 0], X[y == 1]
    for meta in (
        ThresholdedDetector(wrapped, cv=3, random_state=0),
        ConformalDetector(wrapped, alpha=0.1, random_state=0),
    ):
        detector = meta.fit(normal)
        assert np.mean(detector.predict(normal) == -1) < 0.3
        assert np.mean(detector.predict(far) == -1) > 0.5
    series = WindowedDetector(wrapped, window_size=2).fit(normal)
    assert series.score_samples(np.r_[normal[:10], far]).argmin() >= 9


def test_explanations_comparisons_and_displays_take_it(labelled, wrapped):
    X, y = labelled
    detector = wrapped.fit(X[y == 0])
    strange = X[y == 0][:1].copy()
    strange[0, 2] += 100
    explanation = explain(detector, strange)
    assert explanation.score.iloc[0] > 0
    assert explanation.top(1)["feature"].tolist() == ["x2"]
    table = compare_detectors({"it": detector, "forest": IsolationForest(n_estimators=5)}, X, y)
    assert (table["mean"] > 0.2).all()
    RocCurveDisplay.from_estimator(detector, X, y)
    ScoreDistributionDisplay.from_estimator(detector, X, y)
    plt.close("all")


class Bare:
    """No parameters, no threshold: the least there can be."""

    def fit(self, X):
        self.centre = X.mean(axis=0)

    def decision_function(self, X):
        return np.linalg.norm(X - self.centre, axis=1)


def test_a_detector_without_threshold_or_parameters(labelled):
    X, y = labelled
    detector = PyODEstimator(Bare()).fit(X)
    assert np.mean(detector.predict(X[y == 0]) == -1) < 0.1
    assert roc_auc_scorer(detector, X, y) > 0.7


class ByRule(Bare):
    """Its contamination is a rule, whose threshold is on another scale than the scores."""

    contamination = object()

    def fit(self, X, y=None):
        super().fit(X)
        self.decision_scores_ = self.decision_function(X)
        self.labels_ = (self.decision_scores_ > np.sort(self.decision_scores_)[-8]).astype(int)
        self.threshold_ = 0.5


def test_a_threshold_by_a_rule(labelled):
    detector = PyODEstimator(ByRule()).fit(labelled[0])
    assert np.sum(detector.predict(labelled[0]) == -1) == 7


class Supervised(Bare, BaseEstimator):
    def fit(self, X, y):
        self.seen_ = y
        return super().fit(X)


def test_labels_reach_a_detector_that_demands_them(labelled):
    X, y = labelled
    detector = PyODEstimator(Supervised()).fit(X, np.where(y == 1, -1, 1))
    np.testing.assert_array_equal(detector.estimator_.seen_, y)
    with pytest.raises(ValueError, match="learns from labels, got y=None"):
        PyODEstimator(Supervised()).fit(X)


def test_detectors_of_this_convention_are_not_turned(blob):
    with pytest.raises(TypeError, match="without PyODEstimator"):
        PyODEstimator(IsolationForest()).fit(blob)


class NotFinite(Bare):
    def decision_function(self, X):
        return np.full(len(X), np.nan)


class TwoScores(Bare):
    def decision_function(self, X):
        return np.zeros((len(X), 2))


@pytest.mark.parametrize(("detector", "match"), [(NotFinite, "NaN"), (TwoScores, "one score")])
def test_unusable_scores_are_refused_and_nothing_is_fitted(blob, detector, match):
    wrapped = PyODEstimator(detector())
    with pytest.raises(ValueError, match=match):
        wrapped.fit(blob)
    assert not hasattr(wrapped, "estimator_")
