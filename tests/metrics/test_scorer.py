"""Scorers: any outlier detector, pickling, cross-validation, routing, errors."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn import metrics as sk
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.covariance import EllipticEnvelope
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import RidgeClassifier, SGDOneClassSVM
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import AutoencoderDetector, metrics
from skanomaly.metrics import anomaly_scorer, mass_volume_loss
from skanomaly.model_selection import StratifiedAnomalyKFold

OF_SCORES = ["roc_auc", "average_precision", "precision_at_n"]
OF_PREDICTIONS = ["f1", "precision", "recall", "balanced_accuracy", "matthews_corrcoef"]
LABELLED = OF_SCORES + OF_PREDICTIONS


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    anomaly = np.arange(90) % 9 == 4
    X = rng.normal(size=(90, 3)) + 4 * anomaly[:, None]
    return X, anomaly


@pytest.fixture(scope="module")
def forest(data):
    return IsolationForest(n_estimators=10, random_state=0).fit(data[0])


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
        return 1 - np.square(np.asarray(X) - self.reconstruct(X)).sum(axis=1)

    def predict(self, X):
        return np.where(self.decision_function(X) < 0, -1, 1)


DETECTORS = [
    IsolationForest(n_estimators=5, random_state=0),
    LocalOutlierFactor(novelty=True),
    OneClassSVM(gamma="auto"),
    SGDOneClassSVM(random_state=0),
    EllipticEnvelope(random_state=0, support_fraction=1.0),
    make_pipeline(StandardScaler(), OneClassSVM()),
    PcaDetector(),
]


def as_scikit_learn_does(names):
    """Return the scorer that a search makes of a dict of scorers."""
    return sk.check_scoring(scoring={name: getattr(metrics, f"{name}_scorer") for name in names})


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: type(d).__name__)
def test_scorers_take_any_outlier_detector(data, detector):
    X, anomaly = data
    detector = sklearn.clone(detector).fit(X)
    scores, y_pred = detector.decision_function(X), detector.predict(X)
    for name in LABELLED:
        metric = getattr(metrics, name if name == "matthews_corrcoef" else f"{name}_score")
        expected = metric(anomaly, scores if name in OF_SCORES else y_pred)
        assert getattr(metrics, f"{name}_scorer")(detector, X, anomaly) == pytest.approx(expected)
    for scorer in (metrics.excess_mass_scorer, metrics.neg_mass_volume_scorer):
        assert np.isfinite(scorer(detector, X))
        assert scorer(detector, X) == scorer(detector, X, anomaly)


@pytest.mark.parametrize("many", [anomaly_scorer, as_scikit_learn_does])
def test_many_metrics_ask_the_detector_once(data, forest, many):
    X, anomaly = data

    class Counting(IsolationForest):
        calls = 0

        def score_samples(self, X):
            type(self).calls += 1
            return super().score_samples(X)

    scorer = many(["roc_auc", "average_precision", "precision_at_n"])
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
    assert repr(anomaly_scorer(["f1", "recall"])) == "anomaly_scorer(['f1', 'recall'])"


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
        assert metrics.roc_auc_score(y, search.score_samples(X), anomaly_label="bad") > 0.9
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


@pytest.mark.parametrize("told", [[3], ["kind"], [False, False, False, True]])
def test_categories_keep_their_columns_where_a_few_are_drawn(told):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc")).assign(
        kind=rng.integers(0, 3, 60)
    )
    detector = AutoencoderDetector("plain", epochs=1, categorical_features=told, random_state=0)
    detector.fit(X)
    scorer = anomaly_scorer("excess_mass", n_uniform=100, max_features=2, n_draws=4)
    seen = []

    class Kept(type(detector)):
        """Remembers which columns are categories."""

        def fit(self, X, y=None):
            super().fit(X)
            mask = self.is_categorical_
            seen.append((list(X.columns), [] if mask is None else list(X.columns[mask])))
            return self

    detector.__class__ = Kept
    scorer(detector, X)
    assert any("kind" in columns for columns, _ in seen)
    assert all(found == [c for c in columns if c == "kind"] for columns, found in seen)


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
        expected.append(-mass_volume_loss(fitted.score_samples(part), fitted.score_samples(box)))
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
        metrics.reconstruction_score(Z, pipeline[1].reconstruct(Z))
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
        metrics.reconstruction_score(X[kept], detector.reconstruct(X[kept]))
    )


def test_reconstruction_scorer_leaves_categories_out():
    a = np.random.default_rng(0).random(80)
    frame = pd.DataFrame({"a": a, "f": a > 0.5, "b": 2 * a, "y": np.where(a > 0.2, "u", "v")})
    detector = AutoencoderDetector("plain", epochs=5, random_state=0).fit(frame)
    expected = metrics.reconstruction_score(
        frame[["a", "b"]], detector.reconstruct(frame)[:, [0, 2]]
    )
    labels = np.zeros(80)
    for rows in (frame, frame.astype({"f": object})):
        assert metrics.reconstruction_scorer(detector, rows) == pytest.approx(expected)
    assert metrics.reconstruction_scorer(detector, frame, labels) == pytest.approx(expected)
    coded = AutoencoderDetector("plain", epochs=1, categorical_features=[0], random_state=0)
    X = np.c_[np.arange(80) % 3, a]
    assert metrics.reconstruction_scorer(coded.fit(X), X.tolist()) == pytest.approx(
        metrics.reconstruction_score(X[:, 1:], coded.reconstruct(X)[:, 1:])
    )
    with pytest.raises(ValueError, match="all columns of X are categories"):
        metrics.reconstruction_scorer(detector.fit(frame[["f", "y"]]), frame[["f", "y"]])


@pytest.mark.parametrize(
    ("estimator", "scorer", "match"),
    [
        (RidgeClassifier(), metrics.roc_auc_scorer, "is a classifier"),
        (RidgeClassifier(), metrics.f1_scorer, "is a classifier"),
        (
            make_pipeline(StandardScaler(), RidgeClassifier()),
            metrics.matthews_corrcoef_scorer,
            "classifier",
        ),
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


def test_densities_are_scores(data):
    X, anomaly = data
    density = GaussianMixture(random_state=0).fit(X)
    expected = metrics.roc_auc_score(anomaly, density.score_samples(X))
    assert metrics.roc_auc_scorer(density, X, anomaly) == expected


def test_labels_are_needed_and_named(data, forest):
    with pytest.raises(ValueError, match="needs labels, got y=None"):
        metrics.f1_scorer(forest, data[0])


@pytest.mark.parametrize(
    ("metric", "params", "error", "match"),
    [
        ("auc", {}, ValueError, "metric must be one of"),
        ("roc_auc", {"n": 3}, TypeError, "roc_auc_score has no parameter"),
        ("excess_mass", {"mass_range": (0.5, 0.9)}, TypeError, "it has .'min_mass'"),
        ("excess_mass", {"n_uniform": 0}, ValueError, "n_uniform must be an integer"),
        ("neg_mass_volume", {"max_features": 0.5}, ValueError, "max_features must be"),
        (["roc_auc", "nope"], {}, ValueError, "got 'nope'"),
        (["roc_auc", "f1"], {"n": 3}, TypeError, "several metrics share no parameters"),
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
    with sklearn.config_context(enable_metadata_routing=True):
        weighted = plain.set_score_request(sample_weight=True)
        assert weighted is not plain
        detector.set_fit_request(sample_weight=False)
        options = {"cv": cv, "params": {"sample_weight": weight}}
        got = cross_val_score(detector, X, anomaly, scoring=weighted, **options)
        with pytest.raises((TypeError, ValueError), match="sample_weight"):  # not requested
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
        metrics.precision_at_n_scorer(forest, X, anomaly, sample_weight=weight)
    with pytest.raises(TypeError, match="takes no sample_weight"):
        metrics.excess_mass_scorer.set_score_request(sample_weight=True)


def test_functions_are_refused_by_what_makes_them_scorers():
    with pytest.raises(TypeError, match=r"got a function\. .*make_scorer"):
        anomaly_scorer(lambda y_true, scores: 1.0)


@pytest.mark.parametrize(
    ("metric", "params"),
    [
        ("excess_mass", {"min_mass": 2}),
        ("neg_mass_volume", {"mass_range": (0.9, 0.8)}),
        ("neg_mass_volume", {"mass_range": 0.9}),
    ],
)
def test_values_of_parameters_are_refused_at_once(metric, params):
    with pytest.raises(ValueError, match=f"{next(iter(params))} must be"):
        anomaly_scorer(metric, **params)
