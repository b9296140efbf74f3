"""Tests of metrics, criteria without labels, and scorers."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.covariance import EllipticEnvelope
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import RidgeClassifier, SGDOneClassSVM
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import metrics
from skanomaly.metrics import anomaly_report, anomaly_scorer, excess_mass, mass_volume
from skanomaly.model_selection import StratifiedAnomalyKFold

OF_SCORES = ["roc_auc", "average_precision", "precision_at_n"]
OF_PREDICTIONS = ["f1", "precision", "recall", "balanced_accuracy", "mcc"]
LABELLED = OF_SCORES + OF_PREDICTIONS
CODINGS = [
    lambda anomaly: np.where(anomaly, -1, 1),
    lambda anomaly: anomaly.astype(int),
    lambda anomaly: anomaly,
    lambda anomaly: pd.Series(anomaly).astype("boolean"),
    lambda anomaly: list(np.where(anomaly, 1.0, 0.0)),
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    anomaly = np.arange(90) % 9 == 4
    X = rng.normal(size=(90, 3)) + 4 * anomaly[:, None]
    return X, anomaly


@pytest.fixture(scope="module")
def forest(data):
    return IsolationForest(n_estimators=10, random_state=0).fit(data[0])


binary = st.lists(
    st.tuples(st.booleans(), st.integers(-4, 4), st.sampled_from([-1, 1])), min_size=2, max_size=25
).filter(lambda rows: len({row[0] for row in rows}) == 2)


@settings(max_examples=80, deadline=None)
@given(binary)
def test_metrics_equal_scikit_learns_on_the_anomaly_class(rows):
    anomaly, scores, y_pred = (np.array(column) for column in zip(*rows, strict=True))
    found = y_pred == -1
    expected = {
        "roc_auc": sk.roc_auc_score(anomaly, -scores),
        "average_precision": sk.average_precision_score(anomaly, -scores),
        "f1": sk.f1_score(anomaly, found, zero_division=0),
        "precision": sk.precision_score(anomaly, found, zero_division=0),
        "recall": sk.recall_score(anomaly, found, zero_division=0),
        "balanced_accuracy": sk.balanced_accuracy_score(anomaly, found),
        "mcc": sk.matthews_corrcoef(anomaly, found),
    }
    for name, value in expected.items():
        answer = scores if name in OF_SCORES else y_pred
        got = getattr(metrics, name)(anomaly, answer)
        assert type(got) is float
        assert got == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("name", LABELLED)
def test_any_coding_and_unlabelled_rows(data, forest, coding, name):
    X, anomaly = data
    answer = forest.score_samples(X) if name in OF_SCORES else forest.predict(X)
    metric = getattr(metrics, name)
    expected = metric(np.where(anomaly, -1, 1), answer)
    assert metric(coding(anomaly), answer) == expected
    names = np.where(anomaly, "bad", "good").astype(object)
    assert metric(names, answer, anomaly_label="bad") == expected
    unknown = np.arange(len(X)) % 4 == 0
    holes = np.where(unknown, None, coding(anomaly))
    kept = metric(anomaly[~unknown], answer[~unknown])
    assert metric(holes, answer) == kept
    assert metric(holes, np.where(unknown, -answer, answer)) == kept


@pytest.mark.parametrize("name", [n for n in LABELLED if n != "precision_at_n"])
def test_integer_weights_are_repetitions(data, forest, name):
    X, anomaly = data
    answer = forest.score_samples(X) if name in OF_SCORES else forest.predict(X)
    weight = np.arange(len(X)) % 3
    metric = getattr(metrics, name)
    y = np.where(np.arange(len(X)) == 7, None, np.where(anomaly, -1, 1))
    assert metric(y, answer, sample_weight=weight) == pytest.approx(
        metric(np.repeat(y, weight), np.repeat(answer, weight))
    )


def test_precision_at_n_counts_from_the_most_anomalous():
    y, scores = [1, 0, 1, 0, 0], [0.1, 0.2, 0.3, 0.8, 0.9]
    assert [metrics.precision_at_n(y, scores, n=n) for n in (1, 2, 3, 5)] == [1, 0.5, 2 / 3, 0.4]
    assert metrics.precision_at_n(y, scores) == 0.5  # two anomalies


@settings(max_examples=60, deadline=None)
@given(binary, st.integers(1, 25), st.randoms(use_true_random=False))
def test_precision_at_n_ignores_the_order_of_rows(rows, n, random):
    n = min(n, len(rows))
    shuffled = random.sample(rows, len(rows))
    values = []
    for some in (rows, shuffled):
        anomaly, scores, _ = (np.array(column) for column in zip(*some, strict=True))
        values.append(metrics.precision_at_n(anomaly, scores, n=n))
        # With ties broken at random, the mean over both extremes bounds the value.
        best = np.lexsort((~anomaly, scores))[:n]
        worst = np.lexsort((anomaly, scores))[:n]
        assert np.mean(anomaly[worst]) - 1e-12 <= values[-1] <= np.mean(anomaly[best]) + 1e-12
    assert values[0] == pytest.approx(values[1])


def test_no_alarm_gives_zero_without_a_warning():
    for name in ("f1", "precision", "recall", "mcc"):
        assert getattr(metrics, name)([0, 1], [1, 1]) == 0


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize(
    ("y", "answer", "error", "match"),
    [
        ([0, 0], [1, -1], ValueError, "0 anomalies and 2 normal rows"),
        ([-1, None], [1, -1], ValueError, "1 anomalies and 0 normal rows"),
        ([0, 1, 1], [1, -1], ValueError, "same length, got 3 labels and 2"),
        ([0, 1], [np.nan, -1], ValueError, "finite numbers"),
        ([0, 1], [[1], [-1]], ValueError, "finite numbers of shape"),
        (None, [1, -1], TypeError, "got None"),
    ],
)
def test_bad_input(name, y, answer, error, match):
    with pytest.raises(error, match=match):
        getattr(metrics, name)(y, answer)


@pytest.mark.parametrize("name", OF_PREDICTIONS)
def test_predictions_must_be_signs(name):
    with pytest.raises(ValueError, match="y_pred must hold -1"):
        getattr(metrics, name)([0, 1], [0, 1])


@pytest.mark.parametrize("n", [0, 4, 1.5, -1])
def test_bad_n(n):
    with pytest.raises(ValueError, match="integer from 1 to 3"):
        metrics.precision_at_n([0, 1, 1, None], [1, 2, 3, 4], n=n)


def test_weights_must_fit():
    with pytest.raises(ValueError, match="2 labels and 3 values"):
        metrics.roc_auc([0, 1], [1, 2], sample_weight=[1, 1, 1])


def test_report_figures(data, forest):
    X, anomaly = data
    y = np.where(np.arange(90) == 0, None, anomaly)
    scores, y_pred = forest.score_samples(X), forest.predict(X)
    report = anomaly_report(y, y_pred, scores, output_dict=True)
    assert report["anomaly"]["precision"] == metrics.precision(y, y_pred)
    assert report["anomaly"]["f1-score"] == metrics.f1(y, y_pred)
    assert report["normal"]["recall"] == np.mean(y_pred[1:][~anomaly[1:]] == 1)
    assert report["anomaly"]["support"] == 10
    assert report["ROC AUC"] == metrics.roc_auc(y, scores)
    assert report["precision at n"] == metrics.precision_at_n(y, scores)
    assert report["share of anomalies"] == 10 / 89
    assert report["rows without a label"] == 1
    assert "ROC AUC" not in anomaly_report(y, y_pred, output_dict=True)


def test_report_text_shows_all_figures(data, forest):
    X, anomaly = data
    text = anomaly_report(anomaly, forest.predict(X), forest.score_samples(X), digits=2)
    report = anomaly_report(anomaly, forest.predict(X), forest.score_samples(X), output_dict=True)
    lines = {line[:19].strip(): line[19:].split() for line in text.splitlines()}
    for name, value in report.items():
        if isinstance(value, float):
            assert lines[name] == [f"{value:.2f}"]
    assert "without a label" not in text
    assert len({len(line) for line in text.splitlines()[:3]}) == 1  # aligned columns


# ------------------------------------------------------------------------- without labels


def test_criteria_have_their_closed_form():
    # Scores that rank a box of length 1 from its centre: a set of mass m has volume m.
    box = -np.abs(np.linspace(0, 1, 20_001) - 0.5)
    assert excess_mass(box, box) == pytest.approx(0.1 - 0.1**2 / 2, rel=1e-3)
    assert mass_volume(box, box) == pytest.approx((0.999**2 - 0.9**2) / 2, rel=1e-3)
    # Data in the inner half of the box: a set of mass m has volume m / 2.
    inner = -np.abs(np.linspace(0.25, 0.75, 20_001) - 0.5)
    assert excess_mass(inner, box) == pytest.approx(0.2 - 0.2**2 / 4, rel=1e-3)
    assert mass_volume(inner, box) == pytest.approx((0.999**2 - 0.9**2) / 4, rel=1e-3)


def test_volume_is_a_unit():
    rng = np.random.default_rng(0)
    scores, uniform = rng.normal(size=300), rng.normal(size=800) - 1
    assert mass_volume(scores, uniform, volume=8) == pytest.approx(
        8 * mass_volume(scores, uniform)
    )
    assert excess_mass(scores, uniform, volume=8) == pytest.approx(
        excess_mass(scores, uniform) / 8
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=30),
    st.lists(st.integers(-20, 20), min_size=1, max_size=30),
)
def test_criteria_depend_on_the_order_of_scores_only(scores, uniform):
    scores, uniform = np.array(scores, float), np.array(uniform, float)
    for criterion in (excess_mass, mass_volume):
        value = criterion(scores, uniform)
        assert value > 0
        assert criterion(np.exp(scores / 4), np.exp(uniform / 4)) == pytest.approx(value)
        assert criterion(scores[::-1], uniform[::-1]) == value
    # Scoring empty space lower can only help.
    assert excess_mass(scores, uniform - 5) >= excess_mass(scores, uniform) - 1e-9
    assert mass_volume(scores, uniform - 5) <= mass_volume(scores, uniform) + 1e-9


@pytest.mark.parametrize("criterion", [excess_mass, mass_volume])
@pytest.mark.parametrize(
    ("scores", "uniform", "params", "match"),
    [
        ([], [1.0], {}, "must not be empty"),
        ([1.0], [np.inf], {}, "uniform_scores must be finite"),
        ([[1.0]], [1.0], {}, "scores must be finite numbers of shape"),
        ([1.0], [1.0], {"volume": 0}, "volume must be a positive"),
        ([1.0], [1.0], {"volume": np.inf}, "volume must be a positive"),
    ],
)
def test_criteria_refuse(criterion, scores, uniform, params, match):
    with pytest.raises(ValueError, match=match):
        criterion(scores, uniform, **params)


def test_criteria_refuse_their_ranges():
    with pytest.raises(ValueError, match="min_mass must be"):
        excess_mass([1.0], [1.0], min_mass=1)
    with pytest.raises(ValueError, match="two rising numbers"):
        mass_volume([1.0], [1.0], mass_range=(0.9, 0.5))


def test_reconstruction_is_the_mean_r2():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) * [1, 10, 100, 0]
    back = X + rng.normal(size=X.shape) * [0.1, 5, 20, 1]
    expected = sk.r2_score(X[:, :3], back[:, :3], multioutput="uniform_average")
    assert metrics.reconstruction(X, back) == pytest.approx(expected)
    mean = np.tile(X.mean(axis=0), (50, 1))
    assert metrics.reconstruction(X, mean) == pytest.approx(0, abs=1e-12)


def test_reconstruction_leaves_missing_entries_out():
    X = np.array([[1.0, 1.0], [2.0, 5.0], [np.nan, 3.0], [4.0, np.nan]])
    back = np.array([[1.5, 1.0], [2.0, 4.0], [9.0, 3.0], [4.0, 9.0]])
    columns = [metrics.reconstruction(X[:3, 1:], back[:3, 1:])]
    columns.append(metrics.reconstruction(X[[0, 1, 3], :1], back[[0, 1, 3], :1]))
    assert metrics.reconstruction(X, back) == pytest.approx(np.mean(columns))


def test_reconstruction_refuses():
    with pytest.raises(ValueError, match="same shape"):
        metrics.reconstruction([[1.0]], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="only constant features"):
        metrics.reconstruction([[1.0], [1.0]], [[1.0], [1.0]])


# ---------------------------------------------------------------------------------- scorers


class PcaDetector(OutlierMixin, BaseEstimator):
    """A detector with ``reconstruct``, as small as it gets."""

    def __init__(self, n_components=1):
        self.n_components = n_components

    def fit(self, X, y=None):
        self.pca_ = PCA(self.n_components).fit(X)
        return self

    def reconstruct(self, X):
        return self.pca_.inverse_transform(self.pca_.transform(X))

    def decision_function(self, X):
        return -np.square(np.asarray(X) - self.reconstruct(X)).sum(axis=1)

    def predict(self, X):
        return np.where(self.decision_function(X) < -1, -1, 1)


DETECTORS = [
    IsolationForest(n_estimators=5, random_state=0),
    LocalOutlierFactor(novelty=True),
    OneClassSVM(gamma="auto"),
    SGDOneClassSVM(random_state=0),
    EllipticEnvelope(random_state=0, support_fraction=1.0),
    make_pipeline(StandardScaler(), OneClassSVM()),
    PcaDetector(),
]


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: type(d).__name__)
def test_scorers_take_any_outlier_detector(data, detector):
    X, anomaly = data
    detector = sklearn.clone(detector).fit(X)
    scores, y_pred = detector.decision_function(X), detector.predict(X)
    for name in LABELLED:
        expected = getattr(metrics, name)(anomaly, scores if name in OF_SCORES else y_pred)
        assert getattr(metrics, f"{name}_scorer")(detector, X, anomaly) == pytest.approx(expected)
    for scorer in (metrics.excess_mass_scorer, metrics.neg_mass_volume_scorer):
        assert np.isfinite(scorer(detector, X))
        assert scorer(detector, X) == scorer(detector, X, anomaly)


def test_one_scorer_of_many_metrics_asks_the_detector_once(data, forest):
    X, anomaly = data

    class Counting(IsolationForest):
        calls = 0

        def score_samples(self, X):
            type(self).calls += 1
            return super().score_samples(X)

    scorer = anomaly_scorer(["roc_auc", "average_precision", "precision_at_n"])
    counting = Counting(n_estimators=10, random_state=0).fit(X)
    Counting.calls = 0
    answer = scorer(counting, X, anomaly)
    assert Counting.calls == 1
    assert answer == {
        name: getattr(metrics, f"{name}_scorer")(forest, X, anomaly) for name in answer
    }
    assert list(answer) == ["roc_auc", "average_precision", "precision_at_n"]


@pytest.mark.parametrize("name", [*LABELLED, "excess_mass", "neg_mass_volume", "reconstruction"])
def test_every_scorer_pickles_and_shows_itself(data, name):
    X, anomaly = data
    scorer = getattr(metrics, f"{name}_scorer")
    detector = PcaDetector().fit(X)
    copy = pickle.loads(pickle.dumps(scorer))
    assert copy(detector, X, anomaly) == scorer(detector, X, anomaly)
    assert repr(scorer) == f"anomaly_scorer('{name}')"
    assert callable(sk.check_scoring(detector, scorer))


def test_scorer_shows_its_parameters():
    scorer = anomaly_scorer("precision_at_n", anomaly_label="bad", n=3)
    assert repr(scorer) == "anomaly_scorer('precision_at_n', anomaly_label='bad', n=3)"
    assert repr(anomaly_scorer(["f1", "mcc"])) == "anomaly_scorer(['f1', 'mcc'])"


def test_grid_search_in_two_processes_equals_one(data):
    X, anomaly = data
    y = np.where(anomaly, "bad", "good")
    results = []
    for n_jobs in (1, 2):
        search = GridSearchCV(
            make_pipeline(StandardScaler(), IsolationForest(random_state=0)),
            {"isolationforest__n_estimators": [2, 5]},
            scoring={
                name: anomaly_scorer(name, anomaly_label="bad") for name in ("roc_auc", "f1")
            },
            refit="roc_auc",
            cv=StratifiedAnomalyKFold(2, anomaly_label="bad"),
            n_jobs=n_jobs,
        ).fit(X, y)
        results.append(search.cv_results_)
        assert metrics.roc_auc(y, search.score_samples(X), anomaly_label="bad") > 0.9
    for key in ("mean_test_roc_auc", "mean_test_f1"):
        assert np.isfinite(results[0][key]).all()
        np.testing.assert_array_equal(results[0][key], results[1][key])


def test_cross_validation_without_labels_prefers_the_better_detector(data):
    X = data[0][~data[1]]
    good = OneClassSVM(gamma=0.1, nu=0.1)
    bad = OneClassSVM(gamma=500.0, nu=0.9)
    for scorer in (metrics.excess_mass_scorer, metrics.neg_mass_volume_scorer):
        scores = [cross_val_score(d, X, scoring=scorer, cv=2).mean() for d in (good, bad)]
        assert scores[0] > scores[1]


def test_cross_validate_takes_the_dict_of_many(data):
    X, anomaly = data
    results = cross_validate(
        IsolationForest(n_estimators=5, random_state=0),
        X,
        anomaly,
        scoring=anomaly_scorer(["f1", "excess_mass"]),
        cv=StratifiedAnomalyKFold(2),
    )
    assert np.isfinite(results["test_f1"]).all()
    assert np.isfinite(results["test_excess_mass"]).all()


def test_frames_keep_their_columns(data):
    X = pd.DataFrame(data[0], columns=["a", "b", "c"])
    detector = IsolationForest(n_estimators=5, random_state=0).fit(X)
    scorer = anomaly_scorer("excess_mass", n_uniform=500)
    assert scorer(detector, X) > 0  # a box without column names would warn
    assert anomaly_scorer("excess_mass", n_uniform=200, max_features=2, n_draws=2)(detector, X) > 0


def test_uniform_points_depend_on_the_seed_only(data, forest):
    X = data[0]
    values = [
        anomaly_scorer("excess_mass", n_uniform=50, random_state=s)(forest, X) for s in (0, 0, 1)
    ]
    assert values[0] == values[1] != values[2]


def test_feature_subsets_refit_clones(data):
    X = data[0]
    scorer = anomaly_scorer("neg_mass_volume", n_uniform=300, max_features=1, n_draws=3)
    detector = OneClassSVM().fit(X)
    expected = []
    rng = np.random.default_rng(0)
    for _ in range(3):
        columns = rng.choice(3, 1, replace=False)
        part = X[:, columns]
        fitted = OneClassSVM().fit(part)
        box = rng.uniform(part.min(axis=0), part.max(axis=0), size=(300, 1))
        expected.append(-mass_volume(fitted.score_samples(part), fitted.score_samples(box)))
    assert scorer(detector, X) == pytest.approx(np.mean(expected))
    assert detector.n_features_in_ == 3


def test_warns_when_there_are_too_many_features():
    X = np.random.default_rng(0).normal(size=(60, 120))
    detector = OneClassSVM(gamma=0.01).fit(X)
    for name in ("excess_mass", "neg_mass_volume"):
        with pytest.warns(UserWarning, match="max_features=5"):
            anomaly_scorer(name, n_uniform=500)(detector, X)
        assert anomaly_scorer(name, n_uniform=500, max_features=5, n_draws=2)(detector, X) != 0


def test_warns_when_the_box_is_empty_space():
    X = np.outer(np.linspace(0, 1, 40), np.ones(4))  # a line in a box of four dimensions
    detector = PcaDetector().fit(X)
    with pytest.warns(UserWarning, match="max_features=5"):
        metrics.excess_mass_scorer(detector, X)
    scorer = anomaly_scorer("excess_mass", n_uniform=500, max_features=1, n_draws=2)
    assert scorer(detector, X) > 0


def test_reconstruction_scorer_works_on_the_scale_of_the_detector(data):
    X = data[0]
    pipeline = make_pipeline(StandardScaler(), PcaDetector(2)).fit(X)
    Z = pipeline[0].transform(X)
    assert metrics.reconstruction_scorer(pipeline, X) == pytest.approx(
        metrics.reconstruction(Z, pipeline[1].reconstruct(Z))
    )
    search = GridSearchCV(
        pipeline,
        {"pcadetector__n_components": [1, 2]},
        scoring=metrics.reconstruction_scorer,
        cv=2,
    ).fit(X)
    assert search.best_params_ == {"pcadetector__n_components": 2}
    assert metrics.reconstruction_scorer(search, X) == pytest.approx(
        metrics.reconstruction_scorer(pipeline, X)
    )


def test_reconstruction_scorer_leaves_known_anomalies_out(data):
    X, anomaly = data
    detector = PcaDetector().fit(X)
    y = np.where(np.arange(90) < 30, None, anomaly)
    kept = ~(y == True)  # noqa: E712
    assert metrics.reconstruction_scorer(detector, X, y) == pytest.approx(
        metrics.reconstruction(X[kept], detector.reconstruct(X[kept]))
    )


@pytest.mark.parametrize(
    ("estimator", "scorer", "match"),
    [
        (RidgeClassifier(), metrics.roc_auc_scorer, "is a classifier"),
        (RidgeClassifier(), metrics.f1_scorer, "is a classifier"),
        (make_pipeline(StandardScaler(), RidgeClassifier()), metrics.mcc_scorer, "classifier"),
        (LocalOutlierFactor(), metrics.roc_auc_scorer, "novelty=True"),
        (LocalOutlierFactor(), metrics.f1_scorer, "novelty=True"),
        (IsolationForest(n_estimators=2), metrics.reconstruction_scorer, "method reconstruct"),
    ],
)
def test_scorers_refuse_what_they_cannot_judge(data, estimator, scorer, match):
    X, anomaly = data
    with pytest.raises(TypeError, match=match):
        scorer(estimator.fit(X, anomaly), X, anomaly)


def test_scores_of_other_libraries_are_not_taken_upside_down(data):
    class Foreign:  # like PyOD: decision_function grows with abnormality
        def decision_function(self, X):
            return np.square(X).sum(axis=1)

    X, anomaly = data
    with pytest.raises(TypeError, match="no score_samples"):
        metrics.roc_auc_scorer(Foreign(), X, anomaly)


def test_labels_are_needed_and_named(data, forest):
    with pytest.raises(ValueError, match="needs labels, got y=None"):
        metrics.f1_scorer(forest, data[0])


@pytest.mark.parametrize(
    ("metric", "params", "error", "match"),
    [
        ("auc", {}, ValueError, "metric must be one of"),
        ("roc_auc", {"n": 3}, TypeError, "roc_auc has no parameter"),
        ("excess_mass", {"mass_range": (0.5, 0.9)}, TypeError, "it has .'min_mass'"),
        ("excess_mass", {"n_uniform": 0}, ValueError, "n_uniform must be an integer"),
        ("neg_mass_volume", {"max_features": 0.5}, ValueError, "max_features must be"),
        (["roc_auc", "nope"], {}, ValueError, "got 'nope'"),
    ],
)
def test_factory_refuses(metric, params, error, match):
    with pytest.raises(error, match=match):
        anomaly_scorer(metric, **params)


def test_weights_reach_the_scorer_by_routing(data):
    X, anomaly = data[0], np.roll(data[1], 1)  # hard to guess
    weight = np.where(np.arange(90) % 2, 1.0, 0.0)
    detector = OneClassSVM(gamma=0.01)
    cv = StratifiedAnomalyKFold(2)
    plain = metrics.roc_auc_scorer
    weighted = plain.set_score_request(sample_weight=True)
    assert weighted is not plain
    with sklearn.config_context(enable_metadata_routing=True):
        detector.set_fit_request(sample_weight=False)
        options = {"cv": cv, "params": {"sample_weight": weight}}
        got = cross_val_score(detector, X, anomaly, scoring=weighted, **options)
        with pytest.raises(ValueError, match="sample_weight"):  # not requested
            cross_val_score(detector, X, anomaly, scoring=plain, **options)
    expected = [
        plain(detector.fit(X[train]), X[test], anomaly[test], sample_weight=weight[test])
        for train, test in cv.split(X, anomaly)
    ]
    np.testing.assert_allclose(got, expected)
    assert not np.allclose(got, cross_val_score(detector, X, anomaly, scoring=plain, cv=cv))


def test_weights_reach_only_metrics_that_take_them(data, forest):
    X, anomaly = data
    weight = np.linspace(0, 1, 90)
    scorer = anomaly_scorer(["roc_auc", "precision_at_n"])
    answer = scorer(forest, X, anomaly, sample_weight=weight)
    assert answer["roc_auc"] == metrics.roc_auc_scorer(forest, X, anomaly, sample_weight=weight)
    assert answer["precision_at_n"] == metrics.precision_at_n_scorer(forest, X, anomaly)
    with pytest.raises(TypeError, match="takes no sample_weight"):
        metrics.excess_mass_scorer.set_score_request(sample_weight=True)


def test_public_names_exist():
    assert sorted(metrics.__all__) == metrics.__all__
    assert all(hasattr(metrics, name) for name in metrics.__all__)


def test_import_is_light():
    code = (
        "import sys, skanomaly.metrics, skanomaly.model_selection;"
        "sys.exit(any(m in sys.modules for m in ('keras', 'jax', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
