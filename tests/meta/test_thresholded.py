"""ThresholdedDetector: thresholds that hold for new rows, changed without a refit."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import NeuralAnomalyClassifier, ThresholdedDetector, thresholds
from skanomaly.metrics import f1_score, f1_scorer, roc_auc_score


def normal_rows(n, seed, width=12):
    return np.random.default_rng(seed).normal(size=(n, width))


@pytest.fixture(scope="module")
def mixed():
    """Return 300 rows, 30 of them anomalies that overlap with the others, and labels 0/1."""
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(300, 3)), np.repeat([0, 1], [270, 30])
    X[y == 1] *= 2.5
    order = rng.permutation(300)
    return X[order], y[order]


@pytest.mark.parametrize("cv", [0.3, 5])
def test_rate_of_false_alarms_holds_on_new_rows(distance, cv):
    """With 12 columns and 60 rows, distances of training rows are far too small."""
    rates, optimistic = [], []
    for seed in range(200):
        rows, new = normal_rows(60, seed), normal_rows(100, 10_000 + seed)
        detector = ThresholdedDetector(distance, "fpr", level=0.1, cv=cv, random_state=seed)
        rates.append((detector.fit(rows).predict(new) == -1).mean())
        if seed < 20:
            optimistic.append((detector.set_params(cv=None).fit(rows).predict(new) == -1).mean())
    error = 3 * np.std(rates) / np.sqrt(len(rates))
    assert np.mean(rates) < 0.1 + error
    if cv == 0.3:
        assert np.mean(rates) > 1 / 19 - error  # 18 rows held out: one of 19 ranks
    assert np.mean(optimistic) > 0.25


def test_the_share_held_out_does_not_train(distance):
    X = normal_rows(100, 0)
    detector = ThresholdedDetector(distance, cv=0.3, random_state=0).fit(X)
    assert len(detector.scores_) == 30
    assert not np.isin(detector.scores_, clone(distance).fit(X).score_samples(X)).any()
    assert np.isin(detector.scores_, detector.score_samples(X)).all()


def test_scores_are_out_of_fold_and_the_detector_sees_all_rows(distance):
    X = normal_rows(50, 0)
    detector = ThresholdedDetector(distance, cv=KFold(5)).fit(X)
    by_hand = [
        clone(distance).fit(X[train]).score_samples(X[test]) for train, test in KFold(5).split(X)
    ]
    np.testing.assert_allclose(detector.scores_, np.concatenate(by_hand))
    np.testing.assert_allclose(detector.score_samples(X), clone(distance).fit(X).score_samples(X))
    assert detector.offset_ == thresholds.robust_threshold(detector.scores_)


def test_splits_that_leave_rows_out(distance):
    X = normal_rows(50, 0)
    y = np.arange(50) % 10 == 0
    cv = ShuffleSplit(2, test_size=10, random_state=0)
    detector = ThresholdedDetector(distance, cv=cv).fit(X, y)
    assert len(detector.scores_) == len(detector.labels_) == 20


@pytest.mark.parametrize(
    "inner",
    [
        IsolationForest(n_estimators=10, random_state=0),
        OneClassSVM(),
        make_pipeline(StandardScaler(), OneClassSVM()),
    ],
    ids=lambda e: type(e).__name__,
)
def test_any_outlier_detector(mixed, inner):
    frame = pd.DataFrame(mixed[0], columns=["a", "b", "c"])
    detector = ThresholdedDetector(inner, "contamination", level=0.1, cv=None).fit(frame)
    assert (detector.predict(frame) == -1).sum() == 30
    assert detector.n_features_in_ == 3
    assert detector.feature_names_in_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(
        detector.decision_function(frame), detector.score_samples(frame) - detector.offset_
    )
    with pytest.raises(ValueError, match="feature names should match"):
        detector.predict(frame.rename(columns={"a": "z"}))


def test_neighbours_do_not_count_themselves(mixed):
    """LocalOutlierFactor's scores of its training rows mean little: it must not see them."""
    X, _ = mixed
    detector = ThresholdedDetector(LocalOutlierFactor(novelty=True), "fpr", level=0.1)
    new = np.random.default_rng(0).normal(size=(500, 3))
    assert (detector.fit(X).predict(new) == -1).mean() < 0.15


def test_frozen_detectors_get_a_threshold_alone(mixed, distance):
    X, y = mixed
    fitted = clone(distance).fit(X[:100])
    frozen = ThresholdedDetector(FrozenEstimator(fitted), "f1").fit(X[100:], y[100:])
    np.testing.assert_array_equal(frozen.scores_, fitted.score_samples(X[100:]))
    assert frozen.offset_ == thresholds.f1_threshold(frozen.scores_, y[100:])
    assert frozen.predict_proba(X).shape == (300, 2)


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("auto", {}),
        ("contamination", {"level": 0.2}),
        ("fpr", {"level": 0.05}),
        ("pot", {"level": 0.001}),
        ("f1", {}),
        ("precision", {"level": 0.8}),
        ("recall", {"level": 0.8}),
        ("cost", {"cost_fp": 1.0, "cost_fn": 20.0}),
        (lambda scores, codes: np.median(scores[codes == -1]), {}),
    ],
)
def test_set_threshold_is_what_fit_would_have_found(mixed, distance, rule, options):
    X, y = mixed
    direct = ThresholdedDetector(distance, rule, random_state=0, **options).fit(X, y)
    later = ThresholdedDetector(distance, random_state=0).fit(X, y)
    inner, proba = later.estimator_, later.predict_proba(X)
    assert later.set_threshold(rule, **options) is later
    assert later.offset_ == direct.offset_
    assert later.estimator_ is inner
    np.testing.assert_array_equal(later.predict(X), direct.predict(X))
    np.testing.assert_array_equal(later.predict_proba(X), proba)


def test_set_threshold_on_other_rows_or_by_hand(mixed, distance):
    X, y = mixed
    detector = ThresholdedDetector(distance, random_state=0).fit(X[:150])
    detector.set_threshold("recall", X[150:], y[150:], level=1.0)
    assert (detector.predict(X[150:])[y[150:] == 1] == -1).all()
    assert detector.set_threshold(-2.5).offset_ == -2.5
    with pytest.raises(ValueError, match="got y=None"):
        detector.set_threshold("f1")
    assert detector.offset_ == -2.5
    assert clone(detector).fit(X[:150]).offset_ != -2.5
    with pytest.raises(NotFittedError):
        clone(detector).set_threshold(-1.0)


def test_known_anomalies_do_not_count_as_false_alarms(mixed, distance):
    X, y = mixed
    detector = ThresholdedDetector(distance, "fpr", level=0.1, random_state=0).fit(X, y)
    scores, labels = detector.scores_, detector.labels_
    assert np.mean(scores[labels == 1] < detector.offset_) == pytest.approx(0.1, abs=0.005)
    assert detector.offset_ > thresholds.fpr_threshold(scores, 0.1)


def test_labels_reach_detectors_that_learn_from_them(mixed, distance):
    X, y = mixed
    words = pd.Series(np.where(y == 1, "bad", "good"), dtype=object)
    words[:40] = None
    detector = ThresholdedDetector(distance, anomaly_label="bad", random_state=0).fit(X, words)
    expected = np.where(words.isna(), np.nan, np.where(y == 1, -1, 1))
    np.testing.assert_array_equal(detector.estimator_.labels_seen_, expected)
    assert sorted(set(detector.labels_)) == [-1, 0, 1]
    # who names the anomaly himself gets the labels as they are
    own = NeuralAnomalyClassifier("plain", epochs=2, random_state=0, anomaly_label="bad")
    detector = ThresholdedDetector(own, cv=0.3, anomaly_label="bad", random_state=0)
    assert np.isfinite(detector.fit(X, words).offset_)


def test_folds_hold_anomalies_in_proportion(mixed, distance):
    X, y = mixed
    detector = ThresholdedDetector(distance, cv=10, random_state=0).fit(X, y)
    counts = (detector.labels_.reshape(10, 30) == -1).sum(axis=1)
    assert counts.tolist() == [3] * 10


def test_weights_are_cut_with_the_rows(mixed, distance):
    X, _ = mixed
    weight = np.linspace(0.1, 2, 300)
    detector = ThresholdedDetector(distance, random_state=0).fit(X, sample_weight=weight)
    whole = clone(distance).fit(X, sample_weight=weight)
    np.testing.assert_allclose(detector.score_samples(X), whole.score_samples(X))
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(distance).set_fit_request(sample_weight=True)
        routed = ThresholdedDetector(routed, random_state=0).fit(X, sample_weight=weight)
    np.testing.assert_array_equal(routed.scores_, detector.scores_)


def test_search_over_the_rule(mixed):
    X, y = mixed
    forest = IsolationForest(n_estimators=10, random_state=0)
    search = GridSearchCV(
        ThresholdedDetector(forest, random_state=0),
        [{"rule": ["auto", "f1"]}, {"rule": ["fpr"], "level": [0.01, 0.2]}],
        scoring=f1_scorer,
        cv=3,
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert f1_score(y, search.predict(X)) > 0.2


def test_it_pickles_and_repeats(mixed, distance):
    X, y = mixed
    one = ThresholdedDetector(distance, "f1", random_state=3).fit(X, y)
    other = clone(one).fit(X, y)
    assert one.offset_ == other.offset_
    forest = ThresholdedDetector(IsolationForest(n_estimators=5, random_state=0)).fit(X, y)
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict_proba(X), forest.predict_proba(X))


# Probabilities


@pytest.mark.parametrize("probability", ["sigmoid", "isotonic"])
def test_probabilities_are_calibrated_on_new_rows(distance, probability):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4_000, 3)), rng.uniform(size=4_000) < 0.2
    X[y] *= 2
    detector = ThresholdedDetector(distance, probability=probability, random_state=0)
    proba = detector.fit(X[:2_000], y[:2_000]).predict_proba(X[2_000:])
    assert detector.classes_.tolist() == [-1, 1]
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    anomaly, truth = proba[:, 0], y[2_000:]
    assert roc_auc_score(truth, -anomaly) == pytest.approx(
        roc_auc_score(truth, detector.score_samples(X[2_000:])), abs=0.01
    )
    for part in np.array_split(np.argsort(anomaly), 4):
        # four standard errors of a group of 500 rows, and what a logistic curve cannot follow
        assert truth[part].mean() == pytest.approx(anomaly[part].mean(), abs=0.11)


def test_no_probabilities_where_nothing_was_calibrated(mixed, distance):
    X, y = mixed
    for detector, labels in (
        (ThresholdedDetector(distance), None),
        (ThresholdedDetector(distance), np.zeros(300)),
        (ThresholdedDetector(distance, cv=None), y),
    ):
        assert hasattr(detector, "predict_proba")  # not known before fit
        detector.fit(X, labels)
        assert not hasattr(detector, "predict_proba")
        with pytest.raises(AttributeError) as caught:
            detector.predict_proba(X)
        assert "needs a fit with labels of both classes" in str(caught.value)


def test_another_fit_leaves_nothing_of_the_last(mixed, distance):
    X, y = mixed
    detector = ThresholdedDetector(distance, random_state=0).fit(X, y)
    assert hasattr(detector, "classes_")
    detector.fit(X)
    assert detector.labels_ is None
    assert not hasattr(detector, "classes_")
    assert not hasattr(detector, "predict_proba")
    with pytest.raises(ValueError, match="at least 999"):
        detector.set_params(rule="fpr", level=0.001).fit(X, y)
    assert detector.labels_ is None  # a failed fit changes nothing


# What it refuses


@pytest.mark.parametrize(
    ("parameters", "y", "match"),
    [
        ({"rule": "best"}, None, "'rule' parameter of ThresholdedDetector must be"),
        ({"rule": "fpr"}, None, r"'fpr' needs a level in \(0, 1\)"),
        ({"rule": "fpr", "level": 1.5}, None, r"'level' .* \(0.0, 1.0\]. Got 1.5"),
        ({"rule": "fpr", "level": 0.001}, None, "at least 999"),
        ({"rule": "f1"}, None, "got y=None"),
        ({"rule": "f1"}, np.zeros(300), "got 0 anomalies and 300 normal rows"),
        ({"rule": "precision", "level": 1.0}, "random", "cannot be reached"),
        ({"cv": 1}, None, "'cv' parameter"),
        ({"cv": 0.001}, None, "leaves none to hold out"),
        ({"cv": 301}, None, "301 folds need at least as many rows, got n_samples=300"),
        ({"anomaly_label": "bad"}, np.zeros(300), "one of the values of y, got 'bad'"),
        ({"estimator": LocalOutlierFactor()}, None, "'estimator' parameter"),
    ],
)
def test_refusals(mixed, distance, parameters, y, match):
    if isinstance(y, str):
        y = np.arange(300) % 2
    detector = ThresholdedDetector(**{"estimator": distance, "random_state": 0, **parameters})
    with pytest.raises(ValueError, match=match):
        detector.fit(mixed[0], y)
    assert not [name for name in vars(detector) if name.endswith("_")]


def test_equal_scores_are_refused(distance):
    with pytest.raises(ValueError, match="all scores are equal"):
        ThresholdedDetector(OneClassSVM()).fit(np.ones((20, 2)))


def test_classifiers_are_refused(mixed):
    with pytest.raises(TypeError, match="is a classifier or regressor"):
        ThresholdedDetector(LogisticRegression()).fit(*mixed)


def test_weights_of_a_detector_that_is_not_fitted_again_are_said_to_have_no_effect(distance, blob):
    detector = ThresholdedDetector(FrozenEstimator(clone(distance).fit(blob)))
    with pytest.warns(UserWarning, match="sample_weight would be passed .* no effect"):
        detector.fit(blob, sample_weight=np.ones(len(blob)))
