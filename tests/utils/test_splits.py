"""Rows held out: a part of the rows, of every class its share."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skanomaly.utils._splits import split_rows

bounded = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**32 - 1)


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
