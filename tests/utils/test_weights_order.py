"""Row numbers: order by content, frequencies, splits and batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skanomaly.training._batches import StepStream, epoch_batches
from skanomaly.utils import _weights
from skanomaly.utils._splits import split_rows
from skanomaly.utils._weights import canonical_order, repeat_rows

bounded = settings(max_examples=30, deadline=None)
tables = st.integers(1, 12).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.sampled_from([-1.0, -0.0, 0.0, 1.5, 1e30]))
)
seeds = st.integers(0, 2**32 - 1)


@bounded
@given(tables, seeds)
def test_order_does_not_depend_on_how_rows_came(X, seed):
    shuffled = X[np.random.default_rng(seed).permutation(len(X))]
    np.testing.assert_array_equal(X[canonical_order(X)], shuffled[canonical_order(shuffled)])


@bounded
@given(tables)
def test_order_is_a_permutation(X):
    assert sorted(canonical_order(X)) == list(range(len(X)))


def test_order_knows_labels_and_not_signs_of_zero():
    X = np.array([[0.0], [-0.0], [0.0], [-0.0]])
    assert canonical_order(X).tolist() == [0, 1, 2, 3]
    y = np.array([1, 0, 1, 0])
    assert (np.diff(y[canonical_order(X, y)]) != 0).sum() == 1


def test_order_by_blocks_is_the_order(monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 3))
    whole = canonical_order(X)
    monkeypatch.setattr(_weights, "_HASH_BLOCK", 7)
    np.testing.assert_array_equal(canonical_order(X), whole)


def test_order_takes_four_bytes_a_row():
    assert canonical_order(np.zeros((3, 1))).dtype == np.uint32


@bounded
@given(st.lists(st.integers(0, 5), min_size=2, max_size=9).filter(lambda w: sum(w) > 0))
def test_whole_weights_are_copies(weights):
    weights = np.array(weights)
    order = np.random.default_rng(0).permutation(len(weights))
    expected = np.repeat(order, weights[order])
    np.testing.assert_array_equal(repeat_rows(order, weights), expected)


@bounded
@given(st.lists(st.floats(0, 3), min_size=2, max_size=9).filter(lambda w: sum(w) > 0.1))
def test_fractions_are_proportions(weights):
    weights = np.array(weights) + [0.25] * len(weights)
    rows = repeat_rows(np.arange(len(weights)), weights)
    assert len(rows) == len(weights)
    share = np.bincount(rows, minlength=len(weights)) / len(rows)
    assert np.abs(share - weights / weights.sum()).max() <= 1 / len(rows) + 1e-9


def test_weights_none_zero_and_large():
    order = np.array([2, 0, 1])
    assert repeat_rows(order) is order
    assert repeat_rows(order, [1, 0, 1]).tolist() == [2, 0]
    huge = repeat_rows(order, np.array([1, 1, 2]) * 10**9)
    assert len(huge) == 3


@bounded
@given(st.integers(1, 40), st.floats(0.01, 0.99), seeds)
def test_split_is_a_partition(n, fraction, seed):
    rows = np.arange(n, dtype=np.uint32)
    train, held = split_rows(rows, fraction, np.random.default_rng(seed))
    assert sorted([*train, *held]) == list(range(n))
    assert len(train) >= 1
    assert abs(len(held) - fraction * n) <= 1


def test_split_by_strata_keeps_every_class():
    strata = np.repeat([0, 1], [90, 10])
    train, held = split_rows(np.arange(100), 0.2, np.random.default_rng(0), strata)
    assert np.bincount(strata[held]).tolist() == [18, 2]
    strata = np.repeat([0, 1], [99, 1])
    train, held = split_rows(np.arange(100), 0.9, np.random.default_rng(0), strata)
    assert 99 in train


@bounded
@given(st.integers(1, 50), st.integers(1, 60), seeds)
def test_an_epoch_holds_every_slot_once(n, batch, seed):
    rows = np.arange(n, dtype=np.uint32) * 3
    index, counts = epoch_batches(rows, batch, np.random.default_rng(seed))
    assert index.shape == (len(counts), batch)
    assert (counts[:-1] == batch).all()
    assert counts.min() >= 1
    held = np.concatenate([some[:count] for some, count in zip(index, counts, strict=True)])
    assert sorted(held) == sorted(rows)


def test_epochs_differ_and_seeds_repeat():
    rng = np.random.default_rng(0)
    first, second = (epoch_batches(np.arange(50), 50, rng)[0] for _ in range(2))
    again = epoch_batches(np.arange(50), 50, np.random.default_rng(0))[0]
    assert (first != second).any()
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("takes", [[5], [1, 4], [2, 2, 1]])
def test_a_stream_goes_on_where_it_was(takes):
    stream = StepStream(np.arange(7), 4, np.random.default_rng(0))
    parts = [stream.take(take) for take in takes]
    index = np.concatenate([index for index, _ in parts])
    whole = StepStream(np.arange(7), 4, np.random.default_rng(0)).take(5)[0]
    np.testing.assert_array_equal(index, whole)
    assert np.concatenate([counts for _, counts in parts]).tolist() == [4] * 5
    flat = index.reshape(-1)
    assert sorted(flat[:7]) == sorted(flat[7:14]) == list(range(7))


def test_a_batch_larger_than_the_table_spans_passes():
    index, counts = StepStream(np.arange(3), 8, np.random.default_rng(0)).take(1)
    assert counts.tolist() == [8]
    assert np.bincount(index[0]).min() >= 2
