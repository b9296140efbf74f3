"""Neighbours: the reference sample, exact distances, the channel. See also test_channels."""

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.scores._search import nearest_distances
from skanomaly.utils._weights import canonical_order, reference_rows, repeat_rows

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4))
COUNTS = RNG.integers(0, 4, size=60)
QUERIES = np.vstack([ROWS[:25], 3 * RNG.normal(size=(25, 4))])


def nearest(reference, X, k):
    return nearest_distances(reference, X, k, np.sum(reference**2, axis=1))[0]


# The reference sample


def test_reference_sample_keeps_all_rows_when_they_fit():
    order = canonical_order(ROWS)
    assert np.array_equal(reference_rows(order, max_rows=60), order)


def test_reference_sample_ignores_order_and_repetition_of_rows():
    def drawn(X, weight=None, seed=0):
        return X[reference_rows(repeat_rows(canonical_order(X), weight), 20, seed)]

    expected = drawn(ROWS)
    assert expected.shape == (20, 4)
    assert np.array_equal(drawn(ROWS[np.random.default_rng(1).permutation(60)]), expected)
    assert not np.array_equal(drawn(ROWS, seed=1), expected)
    repeated = np.repeat(ROWS, COUNTS, axis=0)
    assert np.array_equal(drawn(repeated), drawn(ROWS, COUNTS))


def test_reference_sample_is_even_and_draws_heavy_rows_more_often():
    weight = np.where(np.arange(60) < 30, 1, 5)
    draws = [reference_rows(repeat_rows(np.arange(60), weight), 20, seed) for seed in range(200)]
    share = np.mean(np.concatenate(draws) >= 30)
    assert share == pytest.approx(5 / 6, abs=0.03)


# Distances


def test_training_rows_skip_themselves_and_new_rows_do_not():
    channel = NeighbourDistances(ks=(1, 7)).fit(ROWS)
    among = np.sort(cdist(ROWS, ROWS), axis=1)
    found, matches = channel.distances(ROWS)
    np.testing.assert_allclose(found, among[:, [1, 7]], rtol=1e-10)
    assert matches.tolist() == list(range(60))
    new = QUERIES[25:]
    found, matches = channel.distances(new)
    np.testing.assert_allclose(found, np.sort(cdist(new, ROWS), axis=1)[:, [0, 6]], rtol=1e-10)
    assert (matches == -1).all()


def test_only_one_of_several_copies_is_dropped():
    X = np.array([[0.0], [0.0], [0.0], [2.0], [5.0]])
    found, _ = NeighbourDistances(ks=(1, 2, 3)).fit(X).distances(np.array([[0.0], [2.0]]))
    assert found.tolist() == [[0, 0, 2], [2, 2, 2]]


def test_match_given_from_outside_wins():
    channel = NeighbourDistances(ks=(1,)).fit(np.array([[0.0], [1.0], [3.0]]))
    found, _ = channel.distances(np.array([[0.4], [3.0]]), matches=np.array([0, -1]))
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
    for k in (1, 9, 160, 300):
        expected = np.sort(cdist(new, reference), axis=1)[:, :k]
        np.testing.assert_allclose(nearest(reference, new, k), expected, rtol=1e-12)


@pytest.mark.parametrize("n_reference", [1023, 1024, 1025, 2100])
def test_reference_rows_are_searched_to_the_last(n_reference):
    reference = RNG.normal(size=(n_reference, 4))
    new = np.vstack([reference[-30:] + 1e-6, RNG.normal(size=(270, 4))])
    for k in (1, 6, 51):
        expected = np.sort(cdist(new, reference), axis=1)[:, :k]
        np.testing.assert_allclose(nearest(reference, new, k), expected, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e18, 1e30])
def test_outliers_and_ties_of_any_size_are_searched_exactly(scale):
    reference = RNG.integers(0, 3, size=(500, 3)) * 1.0
    reference[0] = 1e6
    new = RNG.integers(0, 4, size=(40, 3)) * 1.0
    new[:3] = -1e9, 1e6 + 1, np.pi
    expected = np.sort(cdist(new, reference), axis=1)[:, :7]
    found = nearest(reference * scale, new * scale, 7)
    np.testing.assert_allclose(found, expected * scale, rtol=1e-9)


def test_products_leave_the_threads_of_others_as_they_were():
    before = [lib["num_threads"] for lib in threadpoolctl.threadpool_info()]
    nearest(ROWS, QUERIES, 3)
    assert [lib["num_threads"] for lib in threadpoolctl.threadpool_info()] == before


@given(offset=st.sampled_from([0.0, 20.0, 1e3]), gap=st.sampled_from([1e-5, 1e-3, 1.0]))
@settings(max_examples=9, deadline=None)
def test_small_distances_far_from_the_origin_are_exact(offset, gap):
    reference = np.full((40, 10), offset)
    reference[:, 0] += np.arange(40) * gap
    for copies in (1, 40):
        found = nearest(reference, np.tile(reference[:1], (copies, 1)), 40)
        np.testing.assert_allclose(found[0], reference[:, 0] - offset, rtol=1e-9)


def test_the_nearest_row_is_known():
    _, found = nearest_distances(ROWS, QUERIES, 3, np.sum(ROWS**2, axis=1))
    assert np.array_equal(found, cdist(QUERIES, ROWS).argmin(axis=1))


def test_memory_blocks_do_not_change_distances(monkeypatch):
    whole = nearest(ROWS, QUERIES, 5)
    monkeypatch.setattr("skanomaly.scores._search._BLOCK_ROWS", 20)
    monkeypatch.setattr("skanomaly.scores._search._BLOCK_CELLS", 50)
    np.testing.assert_allclose(nearest(ROWS, QUERIES, 5), whole, rtol=1e-14)
