"""Answers of foreign detectors: what cannot be told apart is refused, wherever it enters."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDOneClassSVM
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import ConformalDetector, ThresholdedDetector, WindowedDetector, explain
from skanomaly.display import (
    ReliabilityDisplay,
    RocCurveDisplay,
    ScoreDistributionDisplay,
)
from skanomaly.metrics import excess_mass_scorer, f1_scorer, roc_auc_scorer
from skanomaly.model_selection import compare_detectors
from skanomaly.utils._response import (
    check_labels,
    predictions_method,
    refuse_other_kinds,
    scores_method,
    scores_of,
)

DOORS = {
    "scorer of scores": lambda d, X, y: roc_auc_scorer(d, X, y),
    "scorer of labels": lambda d, X, y: f1_scorer(d, X, y),
    "scorer without labels": lambda d, X, y: excess_mass_scorer(d, X),
    "thresholded": lambda d, X, y: ThresholdedDetector(clone(d), cv=2).fit(X),
    "thresholded, frozen": lambda d, X, y: ThresholdedDetector(FrozenEstimator(d)).fit(X),
    "conformal": lambda d, X, y: ConformalDetector(clone(d)).fit(X),
    "windowed": lambda d, X, y: WindowedDetector(clone(d), window_size=2).fit(X),
    "explain": lambda d, X, y: explain(d, X[:1], background=X),
    "comparison": lambda d, X, y: compare_detectors({"it": d}, X, y, error_score="raise"),
    "curve": lambda d, X, y: RocCurveDisplay.from_estimator(d, X, y),
    "distribution": lambda d, X, y: ScoreDistributionDisplay.from_estimator(d, X),
    "calibration": lambda d, X, y: ReliabilityDisplay.from_estimator(d, X, y),
}


class Turned(OutlierMixin, BaseEstimator):
    """Declared as scikit-learn's, and yet scores that grow; nothing of PyOD's names."""

    def fit(self, X, y=None):
        self.centre_ = np.mean(X, axis=0)
        return self

    def score_samples(self, X):
        return np.linalg.norm(X - self.centre_, axis=1)

    def predict(self, X):
        return np.where(self.score_samples(X) > np.median(self.score_samples(X)), -1, 1)

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


class ZeroOne(Turned):
    def score_samples(self, X):
        return -super().score_samples(X)

    def predict(self, X):
        return (self.score_samples(X) < -5).astype(int)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_other_conventions_are_refused_at_every_door(grows, labelled, door):
    with pytest.raises(TypeError, match=r"skanomaly\.PyODEstimator"):
        door(clone(grows).fit(labelled[0]), *labelled)


@pytest.mark.parametrize("kind", [Turned, ZeroOne])
@pytest.mark.parametrize(
    "door", [d for d in DOORS if d not in ("scorer of labels", "calibration")]
)
def test_contradictions_are_refused_whatever_the_detector_says_of_itself(labelled, kind, door):
    with pytest.raises(TypeError, match="does not follow scikit-learn's convention"):
        DOORS[door](kind().fit(labelled[0]), *labelled)


@pytest.mark.parametrize(
    "around",
    [
        lambda d, X: make_pipeline(StandardScaler(), d).fit(X),
        lambda d, X: FrozenEstimator(d.fit(X)),
        lambda d, X: GridSearchCV(d, {"contamination": [0.1]}, scoring=lambda *_: 0.0, cv=2).fit(
            X
        ),
    ],
)
def test_refused_inside_other_estimators(grows, labelled, around):
    X, y = labelled
    with pytest.raises(TypeError, match="Grows does not follow"):
        roc_auc_scorer(around(clone(grows), X), X, y)


def test_refused_before_any_fit(grows, blob):
    class Named(type(grows)):
        """As if it came from PyOD."""

        def fit(self, X, y=None):
            raise AssertionError("fitted")

    Named.__module__ = "pyod.models.knn"
    for meta in (ThresholdedDetector, ConformalDetector, WindowedDetector):
        with pytest.raises(TypeError, match="PyODEstimator"):
            meta(Named()).fit(blob)
    with pytest.raises(TypeError, match="PyODEstimator"):
        compare_detectors({"it": Named()}, blob)


@pytest.mark.parametrize(
    "detector",
    [
        IsolationForest(n_estimators=5),
        OneClassSVM(),
        KernelDensity(),
        GaussianMixture(2),
        make_pipeline(StandardScaler(), IsolationForest(n_estimators=5)),
    ],
)
def test_those_of_scikit_learn_are_taken(blob, detector):
    assert scores_of(detector.fit(blob), blob).shape == (len(blob),)


class Falls(Turned):
    """A detector of somebody else's with decision_function alone."""

    score_samples = None

    def __getattribute__(self, name):
        if name == "score_samples":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def decision_function(self, X):
        return 2.0 - np.abs(X - self.centre_).max(axis=1)

    def predict(self, X):
        return np.where(self.decision_function(X) < 0, -1, 1)


class Rises(Falls):
    def predict(self, X):
        return np.where(self.decision_function(X) < 0, 1, -1)


@pytest.mark.parametrize("shift", [0.0, 100.0, -100.0], ids=["both", "all below", "all above"])
def test_signs_tell_what_a_decision_function_means(blob, shift):
    rows = (blob - blob.mean(axis=0)) / blob.std(axis=0)
    falls, rises = Falls().fit(rows), Rises().fit(rows)
    falls.centre_ = rises.centre_ = falls.centre_ + abs(shift)
    np.testing.assert_array_equal(scores_of(falls, rows), falls.decision_function(rows))
    with pytest.raises(TypeError, match=r"skanomaly\.PyODEstimator"):
        scores_of(rises, rows)


def test_predictions_of_other_codings_are_refused(blob):
    detector = ZeroOne().fit(blob)
    labels = detector.predict(blob)
    with pytest.raises(TypeError, match=r"predict answers \[0(, 1)?\] instead of -1 and 1"):
        check_labels(detector, labels)


def test_classifiers_are_refused():
    with pytest.raises(TypeError, match="is a classifier or regressor"):
        refuse_other_kinds(LogisticRegression())


class DecisionAlone:
    """Of another library: nobody knows which way its values point."""

    def decision_function(self, X):
        return np.zeros(len(X))


def test_scores_are_those_of_score_samples_where_there_are_any(blob):
    forest = IsolationForest(n_estimators=5, random_state=0).fit(blob)
    np.testing.assert_array_equal(scores_of(forest, blob), forest.score_samples(blob))
    assert (scores_method(forest), predictions_method(forest)) == ("score_samples", "predict")


def test_outlier_detectors_without_score_samples_give_their_decision(blob):
    class Decision(SGDOneClassSVM):
        score_samples = property()

    detector = Decision(random_state=0).fit(blob)
    np.testing.assert_array_equal(scores_of(detector, blob), detector.decision_function(blob))


@pytest.mark.parametrize("estimator", [LogisticRegression(), LinearRegression()])
@pytest.mark.parametrize("ask", [scores_method, predictions_method])
def test_classifiers_and_regressors_are_refused(ask, estimator):
    with pytest.raises(TypeError, match="is a classifier or regressor"):
        ask(estimator)


@pytest.mark.parametrize(
    ("ask", "estimator", "message"),
    [
        (scores_method, DecisionAlone(), "has no score_samples for new rows"),
        (scores_method, LocalOutlierFactor(), "novelty=True"),
        (predictions_method, DecisionAlone(), "has no predict for new rows"),
    ],
)
def test_what_has_no_answer_for_new_rows_is_refused(ask, estimator, message):
    with pytest.raises(TypeError, match=message):
        ask(estimator)
