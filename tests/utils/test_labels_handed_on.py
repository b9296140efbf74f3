"""Labels in a coding that the detector inside was told, handed on by what stands around it."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import (
    AnomalyClassifier,
    ConformalDetector,
    NeuralAnomalyClassifier,
    PyODEstimator,
    ThresholdedDetector,
)
from skanomaly.metrics import roc_auc_score
from skanomaly.model_selection import StratifiedAnomalyKFold, compare_detectors
from skanomaly.utils import read_labels
from skanomaly.utils._labels import label_codes
from skanomaly.utils._labels_handed_on import labels_for, labels_handed_to, recode

pytestmark = pytest.mark.core
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
X[:60] += 3.0
Y = np.r_[np.ones(60), np.zeros(240)].astype(int)
MARK = np.where(np.arange(300) < 30, 1, 0)  # 30 known anomalies, 0 for rows nobody looked at
WORDS = np.where(Y == 1, "ok", "bad")  # the anomalies are the many


class Spy(OutlierMixin, BaseEstimator):
    """A detector of labels that remembers what it has read."""

    seen = []

    def __init__(self, anomaly_label="auto", unlabeled_label=None):
        self.anomaly_label = anomaly_label
        self.unlabeled_label = unlabeled_label

    def fit(self, X, y=None):
        codes = label_codes(y, len(X), self.anomaly_label, self.unlabeled_label)
        Spy.seen.append([(codes == value).sum() for value in (-1, 0, 1)])
        self.offset_ = -9.0
        return self

    def score_samples(self, X):
        return -np.abs(X).max(axis=1)

    def decision_function(self, X):
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        return np.where(self.decision_function(X) < 0, -1, 1)


@pytest.mark.parametrize(
    ("spy", "y", "unlabelled", "wanted"),
    [
        (Spy(unlabeled_label=0), MARK, True, [30, 270, 0]),
        (Spy(unlabeled_label=-1), np.where(MARK == 1, 1, -1), True, [30, 270, 0]),
        (Spy(anomaly_label="bad"), WORDS, False, [240, 0, 60]),
        (Spy("bad", "ok"), WORDS, True, [240, 60, 0]),
    ],
)
@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.filterwarnings("ignore:.*calibration rows are too few")
def test_the_detector_inside_reads_labels_as_it_was_told(spy, y, unlabelled, wanted, piped):
    given = spy.anomaly_label, spy.unlabeled_label
    detector = make_pipeline(StandardScaler(), spy) if piped else spy
    Spy.seen = []
    ThresholdedDetector(detector, rule="fpr", level=0.1, cv=2, random_state=0).fit(X, y)
    assert Spy.seen[-1] == wanted  # the last fit is that on all rows
    for seen in Spy.seen[:-1]:
        assert np.abs(2 * np.array(seen) - wanted).max() <= 2
    Spy.seen = []
    ConformalDetector(detector, random_state=0).fit(X, y)
    assert all(bool(seen[1]) == unlabelled for seen in Spy.seen)
    if wanted[2]:  # figures need normal rows
        Spy.seen = []
        compare_detectors([detector, IsolationForest()], X, y, cv=2, scoring="average_precision")
        assert all(bool(seen[1]) == unlabelled for seen in Spy.seen)
    assert (spy.anomaly_label, spy.unlabeled_label) == given  # the user's own stays as it was


def test_a_classifier_around_pipelines_is_the_right_way_round():
    inner = NeuralAnomalyClassifier("plain", epochs=20, random_state=0, anomaly_label=1)
    for detector in (
        make_pipeline(StandardScaler(), inner),
        ThresholdedDetector(inner, cv=2, random_state=0),
    ):
        classifier = AnomalyClassifier(detector).fit(X, Y)
        assert classifier.anomaly_label_ == 1
        assert classifier.score(X, Y) > 0.9
        assert roc_auc_score(Y, classifier.estimator_.score_samples(X)) > 0.9
    words = make_pipeline(StandardScaler(), inner).set_params(
        neuralanomalyclassifier__anomaly_label="bad"
    )
    assert AnomalyClassifier(words).fit(X, WORDS).anomaly_label_ == "bad"


def test_rules_and_figures_outside_use_the_label_named_inside():
    inner = NeuralAnomalyClassifier("plain", epochs=20, random_state=0, anomaly_label="bad")
    around = ThresholdedDetector(inner, rule="f1", cv=2, random_state=0).fit(X, WORDS)
    assert (around.labels_ == -1).sum() > 200
    table = compare_detectors({"a": inner}, X, WORDS, cv=2, scoring="roc_auc")
    assert table["mean"][0] > 0.9
    other = NeuralAnomalyClassifier("plain", epochs=1, anomaly_label="ok")
    with pytest.raises(ValueError, match="read labels in different ways: anomaly_label is 'bad'"):
        compare_detectors({"a": inner, "b": other}, X, WORDS, cv=2)


def test_codes_need_no_guess_in_any_part():
    for labels in ([-1, 0, 1], [1, 1, 0], [-1, 0, 0], [-1, 1, 1], [1, 1, 1]):
        coded = recode(np.array(labels))
        assert read_labels(coded).tolist() == labels
        kept = np.array(labels) != -1
        if kept.any() and 0 in np.array(labels)[kept]:
            assert read_labels(coded[kept]).tolist() == np.array(labels)[kept].tolist()


def test_a_class_without_auto_gets_labels_as_they_came():
    class Own(Spy):
        def __init__(self, anomaly_label=1):
            self.anomaly_label = anomaly_label

    assert labels_handed_to(Own(), MARK, np.where(MARK == 1, -1, 1)) is MARK
    assert labels_handed_to(Own(), None, None) is None


def test_the_rest_beside_unlabelled_rows():
    assert label_codes([-1, 1, -1], 3, unlabeled_label=-1).tolist() == [0, -1, 0]
    assert label_codes([0, 1, 0], 3, unlabeled_label=0).tolist() == [0, -1, 0]
    assert label_codes([0, 1, 0], 3, unlabeled_label=1).tolist() == [1, 0, 1]
    assert label_codes([-1, 0, 1], 3, unlabeled_label=0).tolist() == [-1, 0, 1]
    masked = np.ma.array(MARK, mask=MARK == 0)
    assert label_codes(masked, 300, unlabeled_label=9).tolist() == np.where(MARK, -1, 0).tolist()
    with pytest.warns(UserWarning, match="'fraud' is taken as the mark"):
        assert label_codes(["fraud", "?", "?"], 3, unlabeled_label="?").tolist() == [-1, 0, 0]
    with pytest.raises(ValueError, match="unlabeled_label must be one of the values of y"):
        label_codes([0, 1], 2, unlabeled_label="0")
    with pytest.raises(ValueError, match="unlabeled_label must be one of the values of y"):
        label_codes(["0", "1"], 2, unlabeled_label=0)


@pytest.mark.parametrize(
    "y",
    [np.ma.array(MARK, mask=MARK == 0), ["bad" if mark else np.nan for mark in MARK]],
    ids=["masked", "words"],
)
def test_chunks_read_missing_labels_as_fit_does(y):
    name = {} if isinstance(y, np.ma.MaskedArray) else {"anomaly_label": "bad"}
    detector = NeuralAnomalyClassifier("plain", epochs=2, random_state=0, **name)
    assert not hasattr(detector.partial_fit(X, y), "predict_proba")
    fitted = NeuralAnomalyClassifier("plain", epochs=2, random_state=0, **name).fit(X, y)
    assert not hasattr(fitted.partial_fit(X[:40], y[:40]), "predict_proba")


def test_detectors_that_know_no_unlabelled_rows_refuse_them():
    class Supervised(BaseEstimator):
        def fit(self, X, y):
            self.decision_scores_ = np.abs(X).max(axis=1)
            return self

        def decision_function(self, X):
            return np.abs(X).max(axis=1)

    assert PyODEstimator(Supervised()).fit(X, Y)
    with pytest.raises(ValueError, match="got 270 rows without a label"):
        PyODEstimator(Supervised()).fit(X, np.where(MARK == 1, 1.0, np.nan))


NAMED, CODES = ["bad", "ok", "ok"], np.array([-1, 1, 1])


@pytest.mark.parametrize(
    "consumer",
    [
        NeuralAnomalyClassifier(anomaly_label="bad"),
        make_pipeline(NeuralAnomalyClassifier(anomaly_label="bad")),
        StratifiedAnomalyKFold(2, anomaly_label="bad"),
        NeuralAnomalyClassifier(anomaly_label=0),
    ],
)
def test_who_names_the_anomaly_gets_labels_as_they_came(consumer):
    assert labels_for(consumer, NAMED, CODES) is NAMED


@pytest.mark.parametrize(
    "consumer", [NeuralAnomalyClassifier(), StratifiedAnomalyKFold(2), IsolationForest(), KFold(2)]
)
def test_everybody_else_gets_codes(consumer):
    assert labels_for(consumer, NAMED, CODES) is CODES


def test_rows_without_a_label_stay_so():
    np.testing.assert_array_equal(recode(np.array([-1, 0, 1])), [1, np.nan, 0])
    assert recode(CODES) is CODES
