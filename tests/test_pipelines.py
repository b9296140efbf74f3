"""Detectors inside scikit-learn's tools: pipelines, searches, scorers, calibration."""

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone, is_outlier_detector
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import IsolationForest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.impute import SimpleImputer
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skanomaly
from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

# hardly trained networks call many rows anomalies that carry no label
pytestmark = pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning")

DETECTORS = [
    AutoencoderDetector("plain", epochs=2, random_state=0),
    AutoencoderDetector(hidden_layer_sizes=(8,), latent_dim=2, max_steps=5, random_state=0),
    NeuralAnomalyClassifier("plain", epochs=2, random_state=0),
    NeuralAnomalyClassifier(max_steps=2, random_state=0),
]
each_detector = pytest.mark.parametrize("detector", DETECTORS, ids=str)
PLAIN = [DETECTORS[0], DETECTORS[2]]
each_plain = pytest.mark.parametrize("detector", PLAIN, ids=str)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def signed(labelled):
    """Return rows and scikit-learn's own coding of outlier labels."""
    return labelled[0], np.where(labelled[1] == 1, -1, 1)


@pytest.fixture(scope="module")
def table(labelled):
    """Return a table with missing values and a column of words."""
    frame = pd.DataFrame(labelled[0], columns=["a", "b", "c", "d"])
    frame.loc[::7, "b"] = np.nan
    frame["word"] = np.where(frame["a"] > 0, "up", "down")
    return frame


# Pipelines


@pytest.mark.core
@each_detector
def test_pipeline_with_imputer_and_scaler(labelled, table, detector):
    X, y = table.drop(columns="word"), labelled[1]
    pipe = Pipeline(
        [("fill", SimpleImputer()), ("scale", StandardScaler()), ("detect", clone(detector))]
    )
    assert set(pipe.fit(X, y).predict(X)) <= {-1, 1}
    np.testing.assert_allclose(
        pipe.decision_function(X), pipe.score_samples(X) - pipe["detect"].offset_
    )
    np.testing.assert_array_equal(pipe.fit_predict(X, y), pipe.predict(X))
    assert is_outlier_detector(pipe)
    by_hand = clone(detector).fit(pipe[:-1].fit_transform(X), y)
    np.testing.assert_array_equal(by_hand.predict(pipe[:-1].transform(X)), pipe.predict(X))


@each_plain
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_column_transformer_before_it(labelled, table, detector, output):
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("words", OneHotEncoder(sparse_output=False), ["word"]),
        ]
    )
    pipe = make_pipeline(columns, clone(detector)).set_output(transform=output)
    pipe.fit(table, labelled[1])
    assert pipe.score_samples(table).shape == (140,)
    assert pipe[-1].n_features_in_ == 6
    names = getattr(pipe[-1], "feature_names_in_", None)
    assert (names is not None) == (output == "pandas")
    if output == "pandas":
        assert names[-1] == "words__word_up"


@pytest.mark.core
@each_plain
def test_pandas_and_numpy_input_give_the_same_model(labelled, detector):
    X, y = labelled
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(len(X))[::-1])
    from_numpy, from_pandas = clone(detector).fit(X, y), clone(detector).fit(frame, pd.Series(y))
    np.testing.assert_array_equal(from_pandas.score_samples(frame), from_numpy.score_samples(X))
    assert from_pandas.feature_names_in_.tolist() == list("abcd")
    assert not hasattr(from_numpy, "feature_names_in_")
    from_list = clone(detector).fit(X.tolist(), y.tolist())
    np.testing.assert_array_equal(from_list.score_samples(X.tolist()), from_numpy.score_samples(X))


@each_plain
def test_other_columns_are_refused(labelled, detector):
    frame = pd.DataFrame(labelled[0], columns=list("abcd"))
    fitted = clone(detector).fit(frame, labelled[1])
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(frame[list("dcba")])
    with pytest.raises(ValueError, match=r"3 features, but .* is expecting 4"):
        clone(detector).fit(labelled[0], labelled[1]).predict(labelled[0][:, :3])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        fitted.predict(labelled[0])


@pytest.mark.core
def test_autoencoder_takes_the_place_of_isolation_forest(labelled):
    """The same lines of code, with one name changed."""
    X, _ = labelled
    answers = []
    for detector in (
        IsolationForest(contamination=0.1, random_state=0),
        AutoencoderDetector(contamination=0.1, random_state=0, max_steps=5),
    ):
        labels = detector.fit_predict(X)
        scores = detector.score_samples(X)
        decision = detector.decision_function(X)
        np.testing.assert_allclose(decision, scores - detector.offset_)
        answers.append([type(labels), labels.dtype, scores.dtype, decision.shape, labels.sum()])
    assert answers[0] == answers[1]


# Parameters


@pytest.mark.core
@pytest.mark.parametrize("detector", DETECTORS, ids=str)
def test_clone_and_set_params(detector):
    twin = clone(detector)
    assert twin is not detector
    assert twin.get_params() == detector.get_params()
    assert twin.set_params(epochs=7, contamination=0.2) is twin
    assert (twin.epochs, twin.contamination) == (7, 0.2)
    with pytest.raises(ValueError, match=r"Invalid parameter 'epoch' .*epochs"):
        twin.set_params(epoch=3)


@pytest.mark.parametrize("Detector", [AutoencoderDetector, NeuralAnomalyClassifier])
def test_the_constructor_stores_and_nothing_else(Detector):
    marker = object()
    parameters = dict.fromkeys(Detector().get_params(), marker)
    assert vars(Detector(**parameters)) == parameters


@each_plain
def test_html_representation(labelled, detector):
    pipe = make_pipeline(StandardScaler(), clone(detector))
    for thing in (pipe, pipe.fit(*labelled)):
        html = thing._repr_html_()
        assert type(detector).__name__ in html
    assert "fitted" in html
    assert "_trainer" not in html


@pytest.mark.core
@each_plain
def test_metadata_routing_of_sample_weight(labelled, detector):
    X, y = labelled
    weight = np.arange(len(X)) % 3
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(detector).set_fit_request(sample_weight=True)
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), routed)
        pipe.fit(X, y, sample_weight=weight)
    scaled = StandardScaler().fit(X, sample_weight=weight).transform(X)
    direct = clone(detector).fit(scaled, y, sample_weight=weight)
    np.testing.assert_array_equal(pipe.score_samples(X), direct.score_samples(scaled))


@each_plain
def test_metadata_routing_through_cross_validation_and_search(signed, detector):
    """Weights reach the fits of every fold; a weight of zero leaves a row out."""
    X, y = signed
    weight = (np.arange(len(X)) % 4 > 0).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(detector).set_fit_request(sample_weight=True)
        scorer = make_scorer(
            lambda y, s: roc_auc_score(y == -1, -s), response_method="decision_function"
        ).set_score_request(sample_weight=False)
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), routed)
        given = {"sample_weight": weight}
        scores = cross_val_score(pipe, X, y, scoring=scorer, cv=FOLDS, params=given)
        search = GridSearchCV(routed, {"epochs": [1, 2]}, scoring=scorer, cv=FOLDS)
        search.fit(X, y, sample_weight=weight)
        partial = clone(detector).set_partial_fit_request(sample_weight=True)
        assert partial.get_metadata_routing().partial_fit.requests["sample_weight"] is True
    by_hand = []
    for train, test in FOLDS.split(X, y):
        scaler = StandardScaler().fit(X[train])
        kept = train[weight[train] > 0]
        fitted = clone(detector).fit(scaler.transform(X[kept]), y[kept])
        by_hand.append(
            roc_auc_score(y[test] == -1, -fitted.score_samples(scaler.transform(X[test])))
        )
    np.testing.assert_allclose(scores, by_hand, atol=1e-6)
    direct = clone(search.best_estimator_).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(search.best_estimator_.score_samples(X), direct.score_samples(X))


# Model selection


@pytest.mark.core
@each_plain
def test_grid_search_in_processes_and_threads_gives_equal_results(signed, detector):
    pipe = make_pipeline(StandardScaler(), clone(detector))
    name = pipe.steps[-1][0]
    grid = {f"{name}__learning_rate": [1e-4, 1e-2]}

    def search(n_jobs):
        found = GridSearchCV(pipe, grid, scoring="roc_auc", cv=FOLDS, n_jobs=n_jobs)
        return found.fit(*signed)

    alone, processes = search(1), search(2)
    with joblib.parallel_backend("threading"):
        threads = search(2)
    for other in (processes, threads):
        for key in ("mean_test_score", "split0_test_score", "rank_test_score"):
            np.testing.assert_allclose(other.cv_results_[key], alone.cv_results_[key])
        assert other.best_params_ == alone.best_params_
    assert np.isfinite(alone.cv_results_["mean_test_score"]).all()
    assert len(set(alone.cv_results_["mean_test_score"])) > 1


def test_nested_search(signed):
    inner = GridSearchCV(PLAIN[1], {"epochs": [1, 5]}, scoring="roc_auc", cv=FOLDS)
    scores = cross_val_score(inner, *signed, scoring="roc_auc", cv=FOLDS)
    assert len(scores) == 3
    assert np.isfinite(scores).all()


def test_search_without_labels(blob):
    """A scorer of the user's own needs no y."""

    def mean_score(detector, X, y=None):
        return detector.score_samples(X).mean()

    search = GridSearchCV(PLAIN[0], {"epochs": [1, 30]}, scoring=mean_score, cv=3).fit(blob)
    assert search.best_params_ == {"epochs": 30}


def test_halving_search_over_epochs(signed):
    search = HalvingGridSearchCV(
        PLAIN[1],
        {"learning_rate": [1e-4, 1e-3, 1e-2, 1e-1]},
        resource="epochs",
        min_resources=1,
        max_resources=4,
        scoring="roc_auc",
        cv=FOLDS,
        random_state=0,
    ).fit(*signed)
    assert search.best_estimator_.epochs >= 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_comparison_under_the_same_scoring(signed):
    """Names of scorers mean the same for these detectors and scikit-learn's own."""
    X, y = signed
    candidates = [
        *DETECTORS,
        IsolationForest(random_state=0),
        LocalOutlierFactor(novelty=True),
    ]
    scorings = ("roc_auc", "average_precision", "balanced_accuracy", "f1")
    results = [
        cross_validate(make_pipeline(StandardScaler(), c), X, y, scoring=scorings, cv=FOLDS)
        for c in candidates
    ]
    for scoring in scorings:
        scores = [result[f"test_{scoring}"] for result in results]
        assert np.shape(scores) == (6, 3)
        assert (np.array(scores) >= 0).all()
        assert (np.mean(scores, axis=1)[:2] >= 0.5).all()  # hardly trained, 40 rows


def test_scorers_by_name_point_the_right_way(signed):
    """With labels of -1 and 1, scikit-learn's scorers need no help."""
    X, y = signed
    detector = NeuralAnomalyClassifier("plain", epochs=12, learning_rate=0.02, random_state=0)
    names = ["roc_auc", "average_precision", "neg_brier_score", "neg_log_loss", "f1_macro"]
    results = cross_validate(detector, X, y, scoring=names, cv=FOLDS)
    assert results["test_roc_auc"].mean() > 0.7
    assert results["test_average_precision"].mean() > 0.9
    assert results["test_neg_brier_score"].mean() > -0.15
    assert results["test_f1_macro"].mean() > 0.6
    anomalies_first = make_scorer(
        lambda y, s: roc_auc_score(y == -1, -s), response_method="decision_function"
    )
    same = cross_val_score(detector, X, y, scoring=anomalies_first, cv=FOLDS)
    np.testing.assert_allclose(same, results["test_roc_auc"])


def test_missing_values_inside_cross_validation(labelled, table):
    X, y = table.drop(columns="word"), labelled[1]
    pipe = make_pipeline(SimpleImputer(), StandardScaler(), clone(PLAIN[1]))
    scores = cross_val_predict(pipe, X, y, cv=FOLDS, method="decision_function")
    assert np.isfinite(scores).all()


# Calibration and thresholds: what scikit-learn allows, and what it refuses


def test_calibrated_classifier(signed):
    X, y = signed
    detector = NeuralAnomalyClassifier("plain", epochs=12, learning_rate=0.02, random_state=0)
    for method in ("sigmoid", "isotonic"):
        calibrated = CalibratedClassifierCV(detector, cv=FOLDS, method=method).fit(X, y)
        assert calibrated.classes_.tolist() == [-1, 1]
        anomaly = calibrated.predict_proba(X)[:, 0]
        assert roc_auc_score(y == -1, anomaly) > 0.85
        assert anomaly.mean() == pytest.approx(np.mean(y == -1), abs=0.1)


def test_cross_val_predict_recodes_labels(labelled, signed):
    """scikit-learn turns labels into 0 and 1 there; with these from the start all is well."""
    X, y = labelled
    detector = NeuralAnomalyClassifier("plain", epochs=12, learning_rate=0.02, random_state=0)
    for method, sign in (("decision_function", -1), ("predict_proba", 1)):
        scores = cross_val_predict(detector, X, y, cv=FOLDS, method=method)
        anomalous = sign * (scores if scores.ndim == 1 else scores[:, 0])
        assert roc_auc_score(y, anomalous) > 0.7
    with pytest.raises(ValueError, match="unseen labels"):
        CalibratedClassifierCV(detector, cv=FOLDS).fit(X, y)


def test_recoded_labels_are_refused(signed):
    detector = NeuralAnomalyClassifier("plain", epochs=2)
    with pytest.raises(TypeError, match="AnomalyClassifier"):
        cross_val_predict(detector, *signed, cv=FOLDS, method="decision_function")


@pytest.mark.parametrize("Tool", [TunedThresholdClassifierCV, FixedThresholdClassifier])
@each_plain
def test_threshold_tools_want_classifiers(signed, detector, Tool):
    """These accept classifiers alone; `contamination` and skanomaly's thresholds stand in."""
    with pytest.raises((TypeError, ValueError), match=r"AnomalyClassifier|classifier"):
        Tool(clone(detector)).fit(*signed).predict(signed[0])


def test_version_is_a_string():
    assert skanomaly.__version__.count(".") >= 1
