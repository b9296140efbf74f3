"""Explanations add up to the score, and name the features that were corrupted."""

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skanomaly import (
    AutoencoderDetector,
    ConformalDetector,
    DriftMonitor,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
    explain,
)


def assert_adds_up(explanation, scores):
    assert_allclose(explanation.score, -scores)
    total = explanation.contributions.sum(axis=1) + explanation.base
    assert_allclose(total, explanation.score, rtol=1e-9, atol=1e-9)


def corrupted(training, rows, k, seed):
    """Shift k features of each row by 4 to 6 standard deviations; return rows and features."""
    rng = np.random.default_rng(seed)
    chosen = np.stack([rng.choice(rows.shape[1], k, replace=False) for _ in rows])
    sign = rng.choice([-1, 1], chosen.shape)
    rows, places = rows.copy(), np.arange(len(rows))[:, None]
    rows[places, chosen] += sign * rng.uniform(4, 6, chosen.shape) * training.std(axis=0)[chosen]
    return rows, chosen


def precision(contributions, chosen):
    k = chosen.shape[1]
    top = np.argsort(-contributions.to_numpy(), axis=1)[:, :k]
    return np.mean([len({*a} & {*b}) / k for a, b in zip(top, chosen, strict=True)])


@pytest.fixture(scope="module")
def benign(cancer):
    """Return benign rows to train on, and 40 others with 3 of 30 features corrupted."""
    X = cancer[0][cancer[1] == 0]
    return X[:250], *corrupted(X[:250], X[250:290], 3, seed=0)


@pytest.fixture(scope="module")
def forest(blob):
    return IsolationForest(n_estimators=20, random_state=0).fit(blob)


@pytest.mark.parametrize("recipe", ["auto", "plain"])
def test_the_corrupted_features_are_named(benign, recipe):
    training, rows, chosen = benign
    detector = AutoencoderDetector(recipe, random_state=0).fit(training)
    explanation = detector.explain(rows)
    assert_adds_up(explanation, detector.score_samples(rows))
    assert precision(explanation.contributions, chosen) >= 0.8


def test_a_classifier_names_the_corrupted_features_too(benign):
    training, rows, chosen = benign
    known = corrupted(training, training[:40], 3, seed=1)[0]
    detector = NeuralAnomalyClassifier(random_state=0)
    detector.fit(np.vstack([training, known]), np.repeat([0, 1], [len(training), 40]))
    explanation = detector.explain(rows)
    assert_adds_up(explanation, detector.score_samples(rows))
    assert precision(explanation.contributions, chosen) >= 0.8


def test_reconstruction_errors_are_the_score(autoencoder, blob):
    explanation = autoencoder.explain(blob[:9], method="reconstruction")
    assert_adds_up(explanation, autoencoder.score_samples(blob[:9]))
    assert_array_equal(explanation.base, 0)
    assert_allclose(explanation.expected, autoencoder.reconstruct(blob[:9]))
    scaled = (blob[:9] - autoencoder.reconstruct(blob[:9])) / blob.std(axis=0)
    assert_allclose(explanation.contributions, scaled**2 / 4, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("make", [list, pd.DataFrame])
def test_rows_come_in_any_container(autoencoder, blob, make):
    rows = make(blob[:3].tolist())
    assert_allclose(
        autoencoder.explain(rows).contributions, autoencoder.explain(blob[:3]).contributions
    )


def test_a_row_is_explained_alone_as_among_others(classifier, blob):
    together = classifier.explain(blob[:20]).contributions
    alone = classifier.explain(blob[7:8]).contributions
    assert_array_equal(alone.to_numpy(), together.to_numpy()[7:8])
    assert_array_equal(classifier.explain(blob[:20]).contributions, together)


def test_the_order_of_the_training_rows_does_not_matter(autoencoder, blob):
    again = AutoencoderDetector("plain", epochs=5, random_state=0).fit(blob[::-1])
    assert_allclose(
        again.explain(blob[:5]).contributions, autoencoder.explain(blob[:5]).contributions
    )


def test_names_and_index_are_those_of_the_data(blob):
    frame = pd.DataFrame(blob, columns=list("abcd")).set_index(np.arange(120) * 10)
    detector = AutoencoderDetector("plain", epochs=1, random_state=0).fit(frame)
    explanation = detector.explain(frame[5:8])
    for table in (explanation.contributions, explanation.seen, explanation.expected):
        assert list(table.columns) == list("abcd")
        assert list(table.index) == [50, 60, 70]
    pd.testing.assert_frame_equal(explanation.seen, frame[5:8])


def test_the_background_of_a_detector_is_normal(labelled):
    X, y = labelled
    detector = NeuralAnomalyClassifier("plain", epochs=20, random_state=0).fit(X, y)
    assert (detector.predict(detector._background) == 1).all()
    assert len(detector._background) > 50


def test_any_detector_is_explained_against_its_background(forest, blob):
    rows = blob[:5] + np.array([0, 0, 9, 0])
    explanation = explain(forest, rows, background=blob)
    assert_adds_up(explanation, forest.score_samples(rows))
    assert list(explanation.top(1)["feature"]) == ["x2"] * 5
    # expected is what normal rows like it have, not what the row has
    assert (explanation.expected["x2"] < explanation.seen["x2"] - 4).all()


def test_a_pipeline_is_explained_by_its_inputs(blob):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(blob, columns=list("abcd"))
    frame["kind"] = rng.choice(["x", "y"], 120)
    coder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    detector = make_pipeline(coder, LocalOutlierFactor(novelty=True)).fit(frame[["kind"]])
    rows = pd.DataFrame({"kind": ["x", "unheard of"]})
    explanation = explain(detector, rows, background=frame[["kind"]])
    assert_adds_up(explanation, detector.score_samples(rows))
    assert explanation.expected["kind"].isin(["x", "y"]).all()
    scaled = make_pipeline(StandardScaler(), IsolationForest(random_state=0)).fit(blob)
    assert_adds_up(explain(scaled, blob[:2], background=blob), scaled.score_samples(blob[:2]))


def test_the_detector_inside_is_asked_where_there_is_one(autoencoder, blob):
    rows = blob[:3]
    inside = autoencoder.explain(rows)
    detector = AutoencoderDetector("plain", epochs=5, random_state=0)
    search = GridSearchCV(detector, {}, scoring=lambda d, X, y=None: 0.0, cv=2).fit(blob)
    for outer in (search, ThresholdedDetector(detector).fit(blob)):
        found = explain(outer, rows)
        assert_allclose(found.contributions, inside.contributions)
        assert_allclose(found.expected, inside.expected)


class Sum:
    """A detector whose anomaly score is the sum of the columns; missing values count 5."""

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return -np.nan_to_num(np.asarray(X, dtype=float), nan=5.0).sum(axis=1)

    def predict(self, X):
        return np.where(self.score_samples(X) > -20, 1, -1)


@settings(deadline=None, max_examples=25)
@given(
    n_features=st.integers(1, 9),
    max_features=st.integers(1, 9),
    n_references=st.integers(1, 40),
    missing=st.booleans(),
    seed=st.integers(0, 99),
)
def test_contributions_to_a_sum_are_its_terms(
    n_features, max_features, n_references, missing, seed
):
    rng = np.random.default_rng(seed)
    X, background = rng.normal(size=(3, n_features)), rng.normal(size=(30, n_features))
    if missing:
        X[0, 0] = background[:10, 0] = np.nan
    options = {"background": background, "n_references": n_references, "random_state": seed}
    found = explain(Sum(), X, max_features=max_features, **options)
    assert_adds_up(found, Sum().score_samples(X))
    if max_features >= n_features and not missing:
        # the value of a feature of a sum is its distance from the mean of the references
        assert_allclose(found.contributions, found.seen - found.expected, atol=1e-9)


def test_in_wide_data_the_features_furthest_off_stand_alone():
    rng = np.random.default_rng(0)
    background, X = rng.normal(size=(60, 3000)), rng.normal(size=(2, 3000))
    X[0, [5, 2000]], X[1, [7, 8]] = 40, -30
    found = explain(Sum(), X, background=background, n_references=2, max_features=10)
    assert_adds_up(found, Sum().score_samples(X))
    top = found.contributions.abs().T
    assert set(top[0].nlargest(2).index) == {"x5", "x2000"}
    assert set(top[1].nlargest(2).index) == {"x7", "x8"}


def test_constant_columns_and_absurd_values_are_no_trouble(autoencoder, blob):
    background = np.c_[blob, np.ones(len(blob))]
    X = background[:2].copy()
    X[0, 4], X[1, 0] = 1e200, 1e300
    found = explain(Sum(), X, background=background)
    assert list(found.top(1)["feature"]) == ["x4", "x0"]
    assert np.isfinite(autoencoder.explain(X[:, :4]).contributions).all(axis=None)


def test_values_like_the_background_have_no_share(forest, blob):
    found = explain(forest, blob[:4], background=blob[:4], n_references=1)
    assert_array_equal(found.contributions, 0)
    assert_allclose(found.base, found.score)


def test_the_largest_contributions_come_first(forest, blob):
    found = explain(forest, blob[:6], background=blob)
    table = found.top(2)
    assert list(table["row"]) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert_allclose(table["contribution"][::2], found.contributions.max(axis=1))
    assert len(found.top(99)) == 6 * 4
    assert repr(found) == "<Explanation of 6 rows by 4 features>"
    with pytest.raises(ValueError, match="k must be a whole number of at least 1, got 0"):
        found.top(0)


def test_shap_explains_numeric_data(forest, blob):
    pytest.importorskip("shap", reason="the extra 'explain' is not installed")
    state = np.random.get_state()  # noqa: NPY002
    rows = blob[:3] + np.array([0, 0, 9, 0])
    found = explain(forest, rows, method="shap", background=blob)
    assert_array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002
    assert_adds_up(found, forest.score_samples(rows))
    assert list(found.top(1)["feature"]) == ["x2"] * 3


def test_without_shap_the_message_names_the_extra(forest, blob, monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ImportError, match=r"pip install 'skanomaly\[explain\]'"):
        explain(forest, blob[:1], method="shap", background=blob)


def test_bad_input_is_refused(forest, autoencoder, blob):
    with pytest.raises(NotFittedError):
        explain(AutoencoderDetector(), blob)
    with pytest.raises(ValueError, match="Pass background=X_train"):
        explain(forest, blob)
    with pytest.raises(ValueError, match="features"):
        explain(autoencoder, blob[:, :3])
    with pytest.raises(ValueError, match=r"background must hold rows of 4 features .* \(120, 3\)"):
        explain(forest, blob, background=blob[:, :3])
    with pytest.raises(ValueError, match=r"background must hold rows of 4 features"):
        explain(forest, blob, background=blob[:0])
    with pytest.raises(ValueError, match=r"needs an AutoencoderDetector .* got IsolationForest"):
        explain(forest, blob, background=blob, method="reconstruction")
    with pytest.raises(ValueError, match="The 'n_references' parameter of explain"):
        explain(forest, blob, background=blob, n_references=0)
    with pytest.raises(TypeError, match="has no score_samples"):
        explain(LocalOutlierFactor().fit(blob), blob, background=blob)
    classes = LogisticRegression().fit(blob, np.arange(120) % 2)
    with pytest.raises(TypeError, match="is a classifier or regressor"):
        explain(classes, blob, background=blob)


def test_parts_of_an_explanation_are_taken_by_places():
    forest = IsolationForest(n_estimators=5, random_state=0)
    X = np.random.default_rng(0).normal(size=(30, 2))
    explanation = explain(forest.fit(X), X[:3], background=X)
    assert explanation.take(1).contributions.equals(explanation.take([1]).contributions)
    with pytest.raises(IndexError, match="among the 3 rows explained, got"):
        explanation.take([3])


@pytest.mark.parametrize("outer", [ConformalDetector, DriftMonitor])
def test_detectors_around_others_explain_by_the_rows_they_keep(outer):
    X = np.random.default_rng(0).normal(size=(120, 2))
    inner = AutoencoderDetector("plain", epochs=1, random_state=0)
    explanation = explain(outer(inner, random_state=0).fit(X), X[:2])
    total = explanation.contributions.sum(axis=1)
    assert_allclose(total, explanation.score - explanation.base, atol=1e-9)
