"""Scores and predictions of any outlier detector; anything else is refused."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDOneClassSVM
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.utils._response import predictions_method, scores_method, scores_of


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
