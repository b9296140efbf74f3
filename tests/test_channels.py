"""Score channels: definitions, weights as repetitions, invariances, odd data, quality."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from skanomaly._channels import (
    Calibration,
    MarginalTail,
    NeighbourDistances,
    ScoreChannels,
    TrimmedMahalanobis,
    WhitenedNeighbour,
    column_moments,
    combine_channels,
    frequencies,
    ledoit_wolf_axes,
    nearest_distances,
    plain_mahalanobis,
    reference_rows,
    weighted_quantile,
)
from skanomaly._sampling import canonical_order

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4))
COUNTS = RNG.integers(0, 4, size=60)
QUERIES = np.vstack([ROWS[:25], 3 * RNG.normal(size=(25, 4))])
CHANNELS = [TrimmedMahalanobis, plain_mahalanobis, MarginalTail, NeighbourDistances]
CHANNELS += [WhitenedNeighbour]
DEGENERATE = {
    "constant column": np.column_stack([ROWS, np.full(60, 2.5)]),
    "fewer rows than columns": RNG.normal(size=(5, 30)),
    "duplicates only": np.full((20, 3), 0.1),
    "one column": ROWS[:, :1],
    "one row": ROWS[:1],
    "two rows": ROWS[:2],
    "two values": np.repeat([[0.0], [1.0]], [19, 1], axis=0),
}


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    rare = np.r_[np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:40]]
    return X[rare], y[rare] == 0


def network(X, members=2):
    """Return residuals and latents as a network would, the same for the same rows."""
    mixes = np.random.default_rng(1).normal(size=(members, X.shape[1], X.shape[1]))
    mixed = np.einsum("nd,mdk->mnk", X, mixes)  # unlike a matrix product, row by row
    return np.tanh(mixed) - X, mixed[:, :, :2]


# Weights and quantiles


@given(
    values=arrays(float, 7, elements=st.floats(-100, 100)),
    weight=arrays(int, 7, elements=st.integers(0, 4)).filter(lambda w: w.sum() > 0),
    q=st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_quantile_with_counts_is_that_of_repeated_values(values, weight, q):
    expected = np.quantile(np.repeat(values, weight), q)
    np.testing.assert_allclose(weighted_quantile(values, q, weight), expected, atol=1e-9)


def test_quantile_without_weights_is_numpy_s():
    assert weighted_quantile(ROWS[:, 0], 0.3) == np.quantile(ROWS[:, 0], 0.3)


def test_fractional_weights_count_by_their_ratio_alone():
    weight = np.random.default_rng(3).uniform(0.1, 1, size=60)
    for scale in (1e-6, 1e6):
        np.testing.assert_allclose(frequencies(weight * scale, 60), frequencies(weight, 60))
    assert frequencies(weight, 60).mean() == pytest.approx(1)
    assert np.array_equal(frequencies(COUNTS, 60), COUNTS)
    assert np.array_equal(frequencies(None, 3), np.ones(3))


@pytest.mark.parametrize("channel", CHANNELS)
def test_counts_equal_repetitions(channel):
    weighted = channel().fit(ROWS, sample_weight=COUNTS).score(QUERIES)
    repeated = channel().fit(np.repeat(ROWS, COUNTS, axis=0)).score(QUERIES)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


@pytest.mark.parametrize("channel", CHANNELS)
def test_weight_zero_is_absence_and_weights_matter(channel):
    weight = np.r_[np.zeros(30), np.ones(30)]
    weighted = channel().fit(ROWS, sample_weight=weight).score(QUERIES)
    np.testing.assert_allclose(weighted, channel().fit(ROWS[30:]).score(QUERIES), rtol=1e-9)
    assert not np.allclose(weighted, channel().fit(ROWS).score(QUERIES), rtol=1e-3)


@pytest.mark.parametrize("max_reference", [17, 8192])
def test_combined_score_with_counts_equals_repetitions(max_reference):
    def score(X, weight=None):
        model = ScoreChannels(max_reference).fit(X, *network(X), sample_weight=weight)
        return model.score(QUERIES, *network(QUERIES))

    repeated = score(np.repeat(ROWS, COUNTS, axis=0))
    np.testing.assert_allclose(score(ROWS, COUNTS), repeated, rtol=1e-8, atol=1e-8)
    assert not np.allclose(score(ROWS), repeated, rtol=1e-3)


# The reference sample


def test_reference_sample_keeps_all_rows_when_they_fit():
    order = canonical_order(ROWS)
    assert np.array_equal(reference_rows(order, max_rows=60), order)


def test_reference_sample_ignores_order_and_repetition_of_rows():
    def drawn(X, weight=None, seed=0):
        return X[reference_rows(canonical_order(X), weight, max_rows=20, seed=seed)]

    expected = drawn(ROWS)
    assert expected.shape == (20, 4)
    assert np.array_equal(drawn(ROWS[np.random.default_rng(1).permutation(60)]), expected)
    assert not np.array_equal(drawn(ROWS, seed=1), expected)
    repeated = np.repeat(ROWS, COUNTS, axis=0)
    assert np.array_equal(drawn(repeated), drawn(ROWS, COUNTS))


def test_reference_sample_is_even_and_draws_heavy_rows_more_often():
    weight = np.where(np.arange(60) < 30, 1, 5)
    draws = [reference_rows(np.arange(60), weight, 20, seed) for seed in range(200)]
    share = np.mean(np.concatenate(draws) >= 30)
    assert share == pytest.approx(5 / 6, abs=0.03)


# Mahalanobis


@pytest.mark.parametrize("shape", [(60, 4), (5, 30), (40, 1)])
def test_covariance_is_scikit_learn_s_ledoit_wolf(shape):
    A = np.random.default_rng(2).normal(size=shape) * np.linspace(1, 3, shape[1])
    mean, values, vectors = ledoit_wolf_axes(A, np.ones(len(A)))
    ridge = 1e-6 * A.var(axis=0).mean() * np.eye(shape[1])
    expected = LedoitWolf().fit(A).covariance_ + ridge
    np.testing.assert_allclose(mean, A.mean(axis=0))
    np.testing.assert_allclose((vectors * values) @ vectors.T, expected, atol=1e-10)


def test_plain_channel_is_the_log_mahalanobis_distance():
    scaled = ROWS / ROWS.std(axis=0)
    q = LedoitWolf().fit(scaled).mahalanobis(scaled)
    np.testing.assert_allclose(plain_mahalanobis().fit(ROWS).score(ROWS), np.log(q), atol=1e-4)


def test_power_zero_is_the_euclidean_distance_of_scaled_rows():
    spread = ROWS.std(axis=0)
    q = np.sum(((ROWS - ROWS.mean(axis=0)) / spread) ** 2, axis=1)
    scores = TrimmedMahalanobis(power=0, trims=0).fit(ROWS).score(ROWS)
    np.testing.assert_allclose(scores, np.log(q), atol=1e-9)


def test_trimming_forgets_outliers():
    rng = np.random.default_rng(4)
    clean = rng.normal(size=(400, 20))
    X = np.vstack([clean, rng.normal(0, 30, size=(20, 20))])
    plain, trimmed = (TrimmedMahalanobis(1.0, trims).fit(X) for trims in (0, 3))
    bias = [np.abs(c.mean_ * c.spread_ - clean.mean(axis=0)).max() for c in (plain, trimmed)]
    assert bias[0] > 0.3
    assert bias[1] < 0.03
    margins = [c.score(X[400:]).min() - c.score(clean).max() for c in (plain, trimmed)]
    assert margins[1] > margins[0] + 0.3


def test_trimming_keeps_at_least_three_fifths_of_the_rows():
    # The lowest scores tie: no spread below the median, which would leave 55 rows.
    X = np.r_[np.tile([-1.0, 1.0], 28)[1:], np.linspace(2, 3, 46)[1:] * np.tile([1, -1], 23)[1:]]
    channel = TrimmedMahalanobis(1.0, trims=1).fit(X[:, None])
    nearest = np.argsort(np.abs(X - X.mean()))
    spread = X.std()
    variances = [np.var(X[nearest[:kept]] / spread) for kept in (55, 60, 61)]
    assert channel.axes_[0, 0] ** -2 == pytest.approx(variances[1], rel=1e-5)
    assert len(set(np.round(variances, 3))) == 3


# Tails


def test_tail_matches_its_definition_with_ties():
    rng = np.random.default_rng(5)
    X, new = rng.integers(0, 5, size=(30, 2)) * 1.0, rng.integers(-1, 7, size=(9, 2)) * 1.0
    low = ((X[None] <= new[:, None]).sum(axis=1) + 1) / 31
    high = ((X[None] >= new[:, None]).sum(axis=1) + 1) / 31
    expected = -np.log(np.minimum(1, 2 * np.minimum(low, high))).mean(axis=1)
    np.testing.assert_allclose(MarginalTail().fit(X).score(new), expected, rtol=1e-12)


# Neighbours


def test_training_rows_skip_themselves_and_new_rows_do_not():
    channel = NeighbourDistances(ks=(1, 7)).fit(ROWS)
    among = np.sort(cdist(ROWS, ROWS), axis=1)
    found, matched = channel.distances(ROWS)
    np.testing.assert_allclose(found, among[:, [1, 7]], rtol=1e-10)
    assert matched.all()
    new = QUERIES[25:]
    found, matched = channel.distances(new)
    np.testing.assert_allclose(found, np.sort(cdist(new, ROWS), axis=1)[:, [0, 6]], rtol=1e-10)
    assert not matched.any()


def test_only_one_of_several_copies_is_dropped():
    X = np.array([[0.0], [0.0], [0.0], [2.0], [5.0]])
    found, _ = NeighbourDistances(ks=(1, 2, 3)).fit(X).distances(np.array([[0.0], [2.0]]))
    assert found.tolist() == [[0, 0, 2], [2, 2, 2]]


def test_match_given_from_outside_wins():
    channel = NeighbourDistances(ks=(1,)).fit(np.array([[0.0], [1.0], [3.0]]))
    found, _ = channel.distances(np.array([[0.4], [3.0]]), matched=np.array([True, False]))
    np.testing.assert_allclose(found[:, 0], [0.6, 0.0])


def test_scores_are_log_distances_above_a_floor():
    channel = NeighbourDistances(ks=(2,)).fit(ROWS)
    mean = np.sort(cdist(ROWS, ROWS), axis=1)[:, 2].mean()
    expected = np.log(channel.distances(QUERIES)[0] + 0.05 * mean)
    np.testing.assert_allclose(channel.score(QUERIES), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 50, 51, 52])
def test_k_is_capped_by_the_other_rows(n):
    X = np.arange(n)[:, None] * 1.0
    found, _ = NeighbourDistances(ks=(1, 20, 50)).fit(X).distances(X[:1])
    assert found[0].tolist() == [min(k, n - 1) for k in (1, 20, 50)]
    found, _ = NeighbourDistances(ks=(50,)).fit(X).distances(np.array([[-1.0]]))
    assert found[0, 0] == max(min(50, n - 1), 1)


@pytest.mark.parametrize("n_queries", [1, 16, 17, 50])
def test_few_and_many_rows_find_the_same_distances(n_queries):
    reference = RNG.normal(size=(300, 12))
    new = RNG.normal(size=(n_queries, 12))
    expected = np.sort(cdist(new, reference), axis=1)[:, :9]
    np.testing.assert_allclose(nearest_distances(reference, new, 9), expected, rtol=1e-12)


@given(offset=st.sampled_from([0.0, 20.0, 1e3]), gap=st.sampled_from([1e-5, 1e-3, 1.0]))
@settings(max_examples=9, deadline=None)
def test_small_distances_far_from_the_origin_are_exact(offset, gap):
    reference = np.full((40, 10), offset)
    reference[:, 0] += np.arange(40) * gap
    for copies in (1, 40):
        found = nearest_distances(reference, np.tile(reference[:1], (copies, 1)), 40)
        np.testing.assert_allclose(found[0], reference[:, 0] - offset, rtol=1e-9)


def test_memory_blocks_do_not_change_distances(monkeypatch):
    whole = nearest_distances(ROWS, QUERIES, 5)
    monkeypatch.setattr("skanomaly._channels._BLOCK_ROWS", 20)
    monkeypatch.setattr("skanomaly._channels._BLOCK_CELLS", 50)
    np.testing.assert_allclose(nearest_distances(ROWS, QUERIES, 5), whole, rtol=1e-14)


def test_whitened_neighbour_lies_between_euclidean_and_mahalanobis():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(5000, 2)) @ np.array([[1, 0.8], [0, 0.6]])
    channel = WhitenedNeighbour().fit(X)
    kept = channel.shape_.project(X)
    np.testing.assert_allclose(channel.score(X), channel.nearest_.score(kept)[:, 0], rtol=1e-12)
    # Axes of eigenvalue v shrink by v^(1/4): their variances become square roots.
    variances = np.linalg.eigvalsh(np.cov((X / X.std(axis=0)).T))
    np.testing.assert_allclose(np.sort(kept.var(axis=0)), np.sqrt(variances), rtol=0.01)


# Calibration and combination


def test_calibration_takes_no_notice_of_anomalies():
    scores = np.random.default_rng(7).normal(size=1000)
    clean = Calibration().fit(scores)
    dirty = Calibration().fit(np.r_[scores, np.full(80, 50.0)])
    assert clean.scale_ == pytest.approx(1.28, abs=0.1)
    assert dirty.apply(5.0) == pytest.approx(clean.apply(5.0), rel=0.1)


def test_calibration_falls_back_on_the_upper_side_and_on_a_constant():
    assert Calibration().fit(np.r_[np.zeros(60), np.full(40, 6.0)]).scale_ == pytest.approx(2)
    assert Calibration().fit(np.ones(9)).scale_ == pytest.approx(1e-6)


def test_calibration_with_counts_equals_repetitions():
    weighted = Calibration().fit(ROWS[:, 0], COUNTS)
    repeated = Calibration().fit(np.repeat(ROWS[:, 0], COUNTS))
    assert vars(weighted) == pytest.approx(vars(repeated))


def test_combination_takes_the_larger_view():
    names = ("mF", "mR", "tail", "kx20", "kx50", "kx1", "kz1")
    values = np.array([[1, 5, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 2, 4]]).T
    channels = dict(zip(names, values, strict=True))
    np.testing.assert_allclose(combine_channels(channels), [6 / 5, 0.9 * 3])


# The whole


@pytest.mark.parametrize("with_network", [False, True])
@pytest.mark.parametrize("max_reference", [20, 8192])
def test_scores_ignore_the_order_of_training_rows(with_network, max_reference):
    outputs = network if with_network else lambda X: (None, None)
    shuffled = ROWS[np.random.default_rng(1).permutation(60)]
    first, second = (
        ScoreChannels(max_reference).fit(X, *outputs(X)).score(QUERIES, *outputs(QUERIES))
        for X in (ROWS, shuffled)
    )
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-9)


def test_scores_do_not_depend_on_the_batch():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    residual, latent = network(QUERIES)
    whole = model.score(QUERIES, residual, latent)
    for rows in (slice(0, 1), slice(3, 19), slice(19, 37)):
        part = model.score(QUERIES[rows], residual[:, rows], latent[:, rows])
        np.testing.assert_allclose(part, whole[rows], rtol=1e-10, atol=1e-10)
    again = model.score(QUERIES[::-1], residual[:, ::-1], latent[:, ::-1])
    np.testing.assert_allclose(again[::-1], whole, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("with_network", [False, True])
def test_odd_data_give_finite_scores_and_odd_rows_stand_out(name, with_network):
    X = DEGENERATE[name]
    outputs = network if with_network else lambda X: (None, None)
    model = ScoreChannels().fit(X, *outputs(X))
    scores, far = model.score(X, *outputs(X)), model.score(X[:1] + 50, *outputs(X[:1] + 50))
    assert np.isfinite(scores).all()
    assert np.isfinite(far).all()
    if len(X) > 1:
        assert far[0] > scores.max()
    alone = model.score(X[:1], *outputs(X[:1]))
    np.testing.assert_allclose(alone, scores[:1], rtol=1e-8, atol=1e-8)


def test_training_rows_score_in_fit_as_they_do_later():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    for name, scores in model.channels(ROWS, *network(ROWS)).items():
        assert np.median(scores) == pytest.approx(0, abs=1e-9), name


def test_results_are_float64_from_float32_and_deterministic():
    X, (residual, latent) = ROWS.astype("f4"), (a.astype("f4") for a in network(ROWS))
    first, second = (ScoreChannels().fit(X, residual, latent) for _ in range(2))
    scores = first.score(X, residual, latent)
    assert scores.dtype == np.float64
    assert np.array_equal(scores, second.score(X, residual, latent))


def test_pickles_hold_arrays_and_numbers_only():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(
        copy.score(QUERIES, *network(QUERIES)), model.score(QUERIES, *network(QUERIES))
    )
    assert set(_types(model)) <= {np.ndarray, np.float64, float, int}


def _types(value):
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _types(part)
    elif type(value).__module__ == "skanomaly._channels":
        yield from _types(vars(value))
    else:
        yield type(value)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e300])
def test_moments_of_any_size(scale):
    X = np.column_stack([ROWS[:, 0], np.full(60, 0.1), np.zeros(60)]) * scale
    mean, deviation = column_moments(X, COUNTS)
    repeated = np.repeat(X[:, 0] / scale, COUNTS)
    np.testing.assert_allclose(mean[0] / scale, repeated.mean())
    np.testing.assert_allclose(deviation[0] / scale, repeated.std())
    assert deviation[1:].tolist() == [1.0, 1.0]


# Quality on real data: floors a little below what was measured

CLEAN = {"mF": 0.94, "mR": 0.95, "tail": 0.94, "kx1": 0.92, "kx20": 0.90, "kx50": 0.90}
DIRTY = {"mF": 0.91, "mR": 0.87, "tail": 0.87, "kx1": 0.85, "kx20": 0.88, "kx50": 0.89}


@pytest.mark.parametrize(
    ("floors", "kz1", "combined", "clean"),
    [(CLEAN, 0.94, 0.93, True), (DIRTY, 0.87, 0.89, False)],
)
def test_every_channel_finds_malignant_tumours(cancer, floors, kz1, combined, clean):
    X, anomaly = cancer
    train = X[~anomaly][::2] if clean else X
    model = ScoreChannels().fit(train, train[None], train[None, :, :0])
    channels = model.channels(X, X[None], X[None, :, :0])
    auc = {name: roc_auc_score(anomaly, scores) for name, scores in channels.items()}
    assert all(auc[name] > floor for name, floor in (floors | {"kz1": kz1}).items()), auc
    assert roc_auc_score(anomaly, combine_channels(channels)) > combined
