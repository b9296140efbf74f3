"""AnomalyClassifier: the user's own labels, and a place in scikit-learn's tools."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    IsolationForest,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.inspection import PartialDependenceDisplay
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, RocCurveDisplay
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.semi_supervised import SelfTrainingClassifier

from skanomaly import AnomalyClassifier, NeuralAnomalyClassifier, ThresholdedDetector

FOREST = IsolationForest(n_estimators=20, max_samples=16, random_state=0)
#: Around a detector that trains in no time: what is tested here does not depend on it.
CHEAP = AnomalyClassifier(ThresholdedDetector(FOREST, cv=2, random_state=0))
PLAIN = NeuralAnomalyClassifier("plain", epochs=8, learning_rate=0.02, random_state=0)
CODINGS = {
    "0 and 1": (0, 1),
    "1 and 0": (1, 0),
    "1 and -1": (1, -1),
    "words": ("ok", "bad"),
    "booleans": (False, True),
    "numbers": (3.0, 7.0),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_answers_come_in_the_labels_given(labelled, coding):
    X, y = labelled
    normal, anomaly = coding
    labels = np.where(y == 1, anomaly, normal)
    classifier = clone(CHEAP).set_params(anomaly_label=anomaly).fit(X, labels)
    assert classifier.classes_.tolist() == sorted(coding)
    assert classifier.anomaly_label_ == anomaly
    assert is_classifier(classifier)
    answers, odds = classifier.predict(X), classifier.decision_function(X)
    assert np.mean(answers == labels) > 0.9
    np.testing.assert_array_equal(answers, classifier.classes_[(odds > 0).astype(int)])
    probability = classifier.predict_proba(X)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_allclose(np.log(probability[:, 1] / probability[:, 0]), odds, atol=1e-6)
    place = classifier.classes_.tolist().index(anomaly)
    assert probability[y == 1, place].mean() > probability[y == 0, place].mean() + 0.4


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("labels", "anomaly"),
    [((0, 1), 1), ((1, -1), -1), ((False, True), True), (("z", "a"), "a"), ((8, 9), 9)],
)
def test_the_anomaly_is_found_without_a_warning(labelled, labels, anomaly):
    X, y = labelled
    assert clone(CHEAP).fit(X, np.array(labels)[y]).anomaly_label_ == anomaly


def test_the_detectors_own_anomaly_label_counts(labelled):
    X, y = labelled
    detector = clone(CHEAP.estimator).set_params(anomaly_label=0)
    classifier = AnomalyClassifier(detector).fit(X, y)
    assert classifier.anomaly_label_ == 0
    assert detector.anomaly_label == 0
    with pytest.raises(ValueError, match="one of the values of y, got 'bad'"):
        AnomalyClassifier(detector, anomaly_label="bad").fit(X, y)


def test_the_network_is_the_default(labelled):
    X, y = labelled
    names = np.where(y == 1, "bad", "ok")
    classifier = AnomalyClassifier(clone(PLAIN)).fit(X, names)
    assert classifier.score(X, names) > 0.85
    assert classifier.n_features_in_ == 4
    few = AnomalyClassifier().set_params(estimator=None)
    assert few.fit.__self__.estimator is None
    assert few.__sklearn_tags__().input_tags.allow_nan


def test_log_odds_tell_apart_what_probabilities_do_not(labelled):
    X, y = labelled
    classifier = clone(CHEAP).fit(X, y)
    classifier.estimator_._map.slope *= 1e4
    assert len(np.unique(classifier.predict_proba(X)[:, 1])) < 60
    assert len(np.unique(classifier.decision_function(X))) > 100


@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([0, 1, 2] * 40, "Only binary classification is supported.*OneVsRestClassifier"),
        ([1] * 120, "needs rows of two classes in y, got rows of one class: .1."),
        (np.linspace(0, 1, 120), "Unknown label type: continuous"),
        ([0, np.nan] * 60, "NaN"),
        (None, "requires y to be passed"),
    ],
)
def test_labels_that_are_not_of_two_classes(blob, y, match):
    classifier = clone(CHEAP)
    with pytest.raises(ValueError, match=match):
        classifier.fit(blob, y)
    assert not hasattr(classifier, "classes_")


def test_a_seed_reaches_the_detector(labelled):
    X, y = labelled
    detector = clone(CHEAP.estimator).set_params(random_state=None, estimator__random_state=None)
    one, other = (AnomalyClassifier(detector, random_state=3).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(one.decision_function(X), other.decision_function(X))
    assert one.estimator_.estimator.random_state == 3
    assert detector.random_state is None


def test_rows_of_weight_zero_are_no_class(labelled):
    X, y = labelled
    with pytest.raises(ValueError, match=r"got rows of one class: \[0\]"):
        clone(CHEAP).fit(X, y, sample_weight=1 - y)


def test_a_detector_without_probabilities_is_refused(labelled):
    detector = ThresholdedDetector(FOREST, cv=None)
    with pytest.raises(ValueError, match="has no predict_proba after a fit"):
        AnomalyClassifier(detector).fit(*labelled)


TOOLS = {
    "bagging": lambda c: BaggingClassifier(c, n_estimators=2, random_state=0),
    "boosting": lambda c: AdaBoostClassifier(c, n_estimators=2, random_state=0),
    "voting": lambda c: VotingClassifier([("a", c), ("b", c)], voting="soft"),
    "stacking": lambda c: StackingClassifier([("a", c), ("b", LogisticRegression())], cv=2),
    "one against the rest": OneVsRestClassifier,
    "one against one": OneVsOneClassifier,
    "calibrated": lambda c: CalibratedClassifierCV(c, cv=2),
    "calibrated once": lambda c: CalibratedClassifierCV(c, cv=2, ensemble=False),
    "tuned": lambda c: TunedThresholdClassifierCV(c, cv=2),
    "fixed": lambda c: FixedThresholdClassifier(c, threshold=0.4),
}


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@pytest.mark.parametrize("coding", [(0, 1), (1, -1), ("ok", "bad")], ids=str)
def test_tools_for_classifiers(labelled, tool, coding):
    X, y = labelled
    labels = np.array(coding)[y]
    fitted = tool(clone(CHEAP)).fit(X, labels)
    assert fitted.classes_.tolist() == sorted(coding)
    assert np.mean(fitted.predict(X) == labels) > 0.85


def test_several_outputs(labelled):
    X, y = labelled
    both = np.c_[y, 1 - y]
    for tool in (MultiOutputClassifier, ClassifierChain):
        assert np.mean(tool(clone(CHEAP)).fit(X, both).predict(X) == both) > 0.85


def test_self_training(labelled):
    X, y = labelled
    partly = np.where(np.arange(len(y)) % 3 == 0, -1, y)
    assert SelfTrainingClassifier(clone(CHEAP)).fit(X, partly).score(X, y) > 0.85


def test_several_classes_by_one_against_the_rest():
    X, y = load_iris(return_X_y=True)
    assert OneVsRestClassifier(clone(PLAIN_FACE)).fit(X, y).score(X, y) > 0.6


PLAIN_FACE = AnomalyClassifier(PLAIN)


def test_scikit_learns_scorers_and_searches(labelled):
    X, y = labelled
    names = ["roc_auc", "average_precision", "f1", "accuracy", "balanced_accuracy"]
    scores = cross_validate(clone(CHEAP), X, y, cv=2, scoring=names, error_score="raise")
    assert all(np.mean(scores[f"test_{name}"]) > 0.6 for name in names)
    words = np.where(y == 1, "bad", "ok")  # sorted: the anomaly comes first
    probability = cross_val_predict(clone(CHEAP), X, words, cv=2, method="predict_proba")
    assert probability[y == 1, 0].mean() > probability[y == 0, 0].mean()
    search = GridSearchCV(clone(CHEAP), {"estimator__probability": ["sigmoid", "isotonic"]}, cv=2)
    assert search.fit(X, y).best_score_ > 0.85


def test_displays(labelled):
    X, y = labelled
    classifier = clone(CHEAP).fit(X, y)
    assert RocCurveDisplay.from_estimator(classifier, X, y).roc_auc > 0.9
    ConfusionMatrixDisplay.from_estimator(classifier, X, y)
    PartialDependenceDisplay.from_estimator(classifier, X, [0], grid_resolution=5)
    plt.close("all")


def test_lazy_tables_are_collected():
    pl = pytest.importorskip("polars", reason="needs polars")
    X = np.random.default_rng(0).normal(size=(60, 2))
    table, y = pl.DataFrame(X, schema=list("ab")), (X[:, 0] > 1).astype(int)
    lazy = clone(CHEAP).fit(table.lazy(), y).predict_proba(table.lazy())
    np.testing.assert_array_equal(lazy, clone(CHEAP).fit(table, y).predict_proba(table))
