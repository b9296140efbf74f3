"""Row numbers in batches: whole passes over the rows, shuffled anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skanomaly.training._batches import StepStream, epoch_batches
from skanomaly.training._loop import LARGEST_BATCH, Plan

bounded = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**32 - 1)


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


@pytest.mark.parametrize("steps", [None, 3])
def test_a_batch_holds_no_more_rows_than_there_are(steps):
    rows = np.arange(10_000, dtype=np.uint32)
    plan = Plan(rows, 2**40, np.random.default_rng(0), epochs=1, steps=steps)
    index, _ = plan.epoch(0)
    assert index.shape[1] == 10_000
    np.testing.assert_array_equal(np.sort(index[0]), rows)
    few = Plan(rows[:5], 2**40, np.random.default_rng(0), epochs=1, steps=steps)
    assert few.epoch(0)[0].shape[1] == LARGEST_BATCH
