"""Input preparation: definitions, weights as repetitions, invariances, odd data, quality."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from skanomaly.preprocessing._binning import PiecewiseLinearEncoding
from skanomaly.preprocessing._scaling import RobustScaling, StandardClip, soft_clip
from skanomaly.scores._unsupervised import UnsupervisedScores, principal_axes

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4)) + 3
COUNTS = RNG.integers(0, 4, size=60)
QUERIES = np.vstack([ROWS[:20], 5 * RNG.normal(size=(20, 4))])
STEPS = [StandardClip, RobustScaling, PiecewiseLinearEncoding, UnsupervisedScores]
DEGENERATE = {
    "constant column": np.column_stack([ROWS, np.full(60, 0.1)]),
    "fewer rows than columns": RNG.normal(size=(5, 30)),
    "duplicates only": np.full((20, 3), 0.1),
    "one column": ROWS[:, :1],
    "one row": ROWS[:1],
    "two rows": ROWS[:2],
    "two values": np.repeat([[0.0], [1.0]], [19, 1], axis=0),
    "rank one": ROWS[:, :1] * np.ones(12),
}


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return X, y == 0


# What holds for every step


@pytest.mark.parametrize("step", STEPS)
def test_counts_equal_repetitions_and_matter(step):
    weighted = step().fit(ROWS, sample_weight=COUNTS).transform(QUERIES)
    repeated = step().fit(np.repeat(ROWS, COUNTS, axis=0)).transform(QUERIES)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-9)
    assert not np.allclose(step().fit(ROWS).transform(QUERIES), repeated, rtol=1e-4)


@pytest.mark.parametrize("step", STEPS)
def test_scale_of_fractional_weights_does_not_matter(step):
    weight = np.random.default_rng(1).uniform(0.1, 1, size=60)
    first, second = (
        step().fit(ROWS, sample_weight=scale * weight).transform(QUERIES) for scale in (1, 1e-3)
    )
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("step", STEPS)
def test_order_of_training_rows_does_not_matter(step):
    shuffled = ROWS[np.random.default_rng(1).permutation(60)]
    first, second = (step().fit(X).transform(QUERIES) for X in (ROWS, shuffled))
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("step", STEPS)
def test_a_row_does_not_depend_on_its_batch(step):
    fitted = step().fit(ROWS)
    whole = fitted.transform(QUERIES)
    for rows in (slice(0, 1), slice(3, 18), slice(18, 40)):
        np.testing.assert_allclose(fitted.transform(QUERIES[rows]), whole[rows], rtol=1e-10)


@pytest.mark.parametrize("step", [StandardClip, RobustScaling, PiecewiseLinearEncoding])
def test_blocks_and_type_change_nothing_but_memory(step, monkeypatch):
    fitted = step().fit(ROWS, COUNTS)
    expected = fitted.transform(QUERIES)
    single = fitted.transform(QUERIES, dtype=np.float32)
    assert single.dtype == np.float32
    assert np.array_equal(single, expected.astype(np.float32))
    monkeypatch.setattr("skanomaly.preprocessing._scaling._BLOCK_ROWS", 7)
    monkeypatch.setattr("skanomaly.utils._weights._BLOCK_ROWS", 7)
    again = step().fit(ROWS, COUNTS).transform(QUERIES)
    np.testing.assert_allclose(again, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("step", STEPS)
def test_odd_data_stay_finite(step, name):
    X = DEGENERATE[name]
    fitted = step().fit(X)
    for rows in (X, X[:1] + 1e3, X[:1] - 1e3):
        result = fitted.transform(rows)
        assert result.dtype == np.float64
        assert np.isfinite(result).all()


@pytest.mark.parametrize("step", STEPS)
def test_pickled_copy_gives_the_same(step):
    fitted = step().fit(ROWS)
    copy = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(copy.transform(QUERIES), fitted.transform(QUERIES))


# Scaling


def test_standard_clip_is_the_standard_scaler_within_the_limit():
    X = np.column_stack([ROWS, np.full(60, 0.1)])
    expected = StandardScaler().fit(X, sample_weight=COUNTS).transform(X)
    result = StandardClip(limit=1.5).fit(X, COUNTS).transform(X)
    np.testing.assert_allclose(result, np.clip(expected, -1.5, 1.5), atol=1e-6)
    assert result.max() == 1.5
    assert np.abs(result[:, 4]).max() < 1e-6


def test_values_of_any_size_are_clipped_without_warnings():
    X = np.array([[-1e308, 1e-300], [1e308, 2e-300], [0.0, 3e-300]])
    scaled = StandardClip().fit(X).transform(X)
    np.testing.assert_allclose(scaled[:, 1], np.array([-1, 0, 1]) * np.sqrt(1.5), atol=1e-6)
    assert np.abs(scaled).max() < 2


def test_the_smallest_numbers_there_are_stay_finite():
    X = np.array([[0.0], [5e-324], [1e-310]])
    assert np.isfinite(StandardClip().fit(X).transform(X)).all()


def test_a_small_spread_far_from_zero_is_seen():
    seconds = 1.7e9 + 100 * RNG.normal(size=(50, 1))
    scaled = StandardClip().fit(seconds).transform(seconds)
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(seconds), atol=1e-5)


def test_what_float32_cannot_hold_is_not_spread():
    noisy = np.float32(1e6) + np.float32(0.0625) * (np.arange(50) % 2).astype(np.float32)
    assert StandardClip().fit(noisy[:, None]).scaler_.scale_ == [1.0]
    assert StandardClip().fit(np.float64(noisy)[:, None]).scaler_.scale_[0] < 0.05


def test_robust_scaling_and_its_fall_backs():
    column = np.arange(9.0)
    rare = np.r_[np.zeros(8), 4.0]
    X = np.column_stack([column, rare, np.full(9, 7.0)])
    fitted = RobustScaling().fit(X)
    np.testing.assert_allclose(fitted.factor_, [1 / 4, 2 / 4, 0])
    np.testing.assert_allclose(fitted.transform(X)[8], [soft_clip(1.0), soft_clip(2.0), 0])


@given(z=st.floats(-1e300, 1e300))
@settings(max_examples=50, deadline=None)
def test_soft_clip_stays_within_its_limit_and_keeps_the_sign(z):
    clipped = soft_clip(z)
    assert abs(clipped) <= 3
    assert np.sign(clipped) == np.sign(z)
    assert abs(clipped) <= abs(z)


def test_soft_clip_leaves_small_values_alone():
    assert soft_clip(0.01) == pytest.approx(0.01, rel=1e-5)


# Piecewise-linear encoding


@pytest.mark.parametrize(
    ("n_features", "n_bins"), [(1, 16), (16, 16), (20, 12), (128, 2), (500, 2)]
)
def test_number_of_bins_follows_the_budget(n_features, n_bins):
    X = RNG.normal(size=(40, n_features))
    encoding = PiecewiseLinearEncoding(max_bins=16, budget=256).fit(X)
    assert encoding.n_bins_ == n_bins
    assert encoding.transform(X).shape == (40, encoding.n_outputs_) == (40, n_bins * n_features)


def test_encoding_matches_its_definition():
    X = np.arange(9.0)[:, None] ** 2
    encoding = PiecewiseLinearEncoding(max_bins=4).fit(X)
    new = np.array([-2.0, 0.0, 5.0, 16.0, 30.0, 64.0, 78.0, 1e9])
    raw = encoding.transform(new[:, None]) + encoding.centre_
    edges = [0.0, 4.0, 16.0, 36.0, 64.0]
    expected = [np.clip((new - a) / (b - a), 0, 1) for a, b in pairwise(edges)]
    expected[0][0] = -0.5  # half a bin below the lowest value
    expected[3][-2:] = 1.5, 2.0  # half a bin above the highest, and as far as it goes
    np.testing.assert_allclose(raw, np.transpose(expected), atol=1e-12)


def test_encoding_is_centred_and_tied_edges_leave_zeros():
    tied = np.r_[np.zeros(50), np.arange(1.0, 11.0)]
    X = np.column_stack([tied, ROWS[:, 0], np.full(60, 2.0)])
    encoding = PiecewiseLinearEncoding(max_bins=4, budget=12).fit(X)
    coded = encoding.transform(X)
    np.testing.assert_allclose(coded.mean(axis=0), 0, atol=1e-12)
    assert (np.ptp(coded, axis=0) > 0).tolist() == [False] * 3 + [True] * 5 + [False] * 4
    # The only bin with width is the first and the last one at once.
    below, above = encoding.transform(np.array([[-99.0, 0, 0], [99.0, 0, 0]]))[:, 3]
    assert (below, above) == pytest.approx((-1 - encoding.centre_[3], 2 - encoding.centre_[3]))


def test_encoding_adds_up_to_a_monotone_function():
    encoding = PiecewiseLinearEncoding(max_bins=8).fit(ROWS[:, :1])
    coded = encoding.transform(np.linspace(-9, 9, 200)[:, None])
    assert (np.diff(coded, axis=0) >= 0).all()


def test_encoding_lets_a_linear_model_bend(cancer):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(600, 2))
    y = (np.abs(X) > 1).any(axis=1)
    auc = []
    for inputs in (X, PiecewiseLinearEncoding().fit(X).transform(X)):
        model = LogisticRegression().fit(inputs[:300], y[:300])
        auc.append(roc_auc_score(y[300:], model.decision_function(inputs[300:])))
    assert auc[0] < 0.7
    assert auc[1] > 0.97


# Unsupervised scores


def test_unsupervised_scores_are_the_three_they_name():
    X = ROWS - ROWS.mean(axis=0)
    result = UnsupervisedScores(seed=3).fit(X).transform(X)
    forest = -IsolationForest(random_state=3).fit(X).score_samples(X)
    near = NearestNeighbors(n_neighbors=10).fit(X).kneighbors()[0]
    pca = PCA(n_components=2).fit(X)
    error = np.mean((X - pca.inverse_transform(pca.transform(X))) ** 2, axis=1)
    expected = [forest, near.mean(axis=1) + 0.05 * near.mean(), error + 0.05 * error.mean()]
    np.testing.assert_allclose(result, np.log(np.transpose(expected)), rtol=1e-9, atol=1e-9)


def test_new_rows_see_all_training_rows():
    fitted = UnsupervisedScores().fit(ROWS)
    new = QUERIES[20:]
    near = NearestNeighbors(n_neighbors=10).fit(ROWS).kneighbors(new)[0].mean(axis=1)
    measured = np.exp(fitted.transform(new)[:, 1]) - fitted.near_.floor_.mean()
    np.testing.assert_allclose(measured, near, rtol=1e-9)


def test_principal_axes_never_span_all_training_rows():
    mean, axes = principal_axes(RNG.normal(size=(5, 30)), 15)
    assert axes.shape == (30, 2)
    assert principal_axes(np.ones((9, 4)), 2)[1].shape == (4, 0)
    line = np.outer(np.arange(9.0), np.ones(4))
    mean, axes = principal_axes(line, 2)
    np.testing.assert_allclose(mean, 4)
    np.testing.assert_allclose(np.abs(axes), 0.5)


@pytest.mark.parametrize("seed", [0, 1])
def test_each_score_finds_malignant_tumours(cancer, seed):
    X, anomaly = cancer
    X = StandardClip().fit(X[~anomaly]).transform(X)
    scores = UnsupervisedScores(seed=seed).fit(X[~anomaly][::2]).transform(X)
    auc = [roc_auc_score(anomaly, column) for column in scores.T]
    assert min(auc) > 0.9, auc
