"""Tools for classifiers must not fit outlier detectors, and nothing else is kept from it."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import BaggingClassifier, IsolationForest
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skanomaly import NeuralAnomalyClassifier, ThresholdedDetector

FOREST = ThresholdedDetector(IsolationForest(n_estimators=3, random_state=0), "f1", cv=2)
FOLDS = StratifiedKFold(2)
TOOLS = {
    "bagging": lambda d: BaggingClassifier(d, n_estimators=2),
    "bagging in processes": lambda d: BaggingClassifier(d, n_estimators=2, n_jobs=2),
    "one against the rest": OneVsRestClassifier,
    "one against one": OneVsOneClassifier,
    "chain": ClassifierChain,
    "several outputs": MultiOutputClassifier,
    "self-training": SelfTrainingClassifier,
}


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_tools_for_classifiers_are_refused(labelled, tool):
    X, y = labelled
    kind = tool(FOREST)
    y = np.where(np.arange(len(y)) < 5, -1, y) if tool is SelfTrainingClassifier else y
    y = np.c_[y, y] if isinstance(kind, (ClassifierChain, MultiOutputClassifier)) else y
    with pytest.raises(TypeError, match=r"AnomalyClassifier\(ThresholdedDetector\(\.\.\.\)\)"):
        kind.fit(X, y)


def test_the_classifier_is_refused_in_a_pipeline_too(labelled):
    detector = make_pipeline(StandardScaler(), NeuralAnomalyClassifier())
    with pytest.raises(TypeError, match="would come out upside down"):
        OneVsRestClassifier(detector).fit(*labelled)


@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_recoded_labels_are_refused(labelled, method):
    X, y = labelled
    for labels in (np.where(y == 1, -1, 1), np.where(y == 1, "bad", "good")):
        with pytest.raises(TypeError, match='method="predict"'):
            cross_val_predict(FOREST, X, labels, cv=FOLDS, method=method)
    assert len(cross_val_predict(FOREST, X, y, cv=FOLDS, method=method)) == len(X)
    signs = np.where(y == 1, -1, 1)
    assert len(cross_val_predict(FOREST, X, signs, cv=FOLDS, method="predict")) == len(X)


class Own(ClassifierMixin, BaseEstimator):
    """Somebody's own classifier, with a detector inside."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.detector_ = ThresholdedDetector(FOREST.estimator, cv=2).fit(X)
        return self

    def predict(self, X):
        return self.classes_[(self.detector_.predict(X) == -1).astype(int)]


def test_somebodys_own_classifier_answers_for_itself(labelled):
    bagged = BaggingClassifier(Own(), n_estimators=2, random_state=0).fit(*labelled)
    assert bagged.score(*labelled) > 0.7
