"""Stretches of time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skanomaly.utils._intervals import intervals

pytestmark = pytest.mark.core


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 4))
def test_stretches_hold_every_flag_and_are_further_apart_than_merge(flags, merge):
    flags = np.array(flags, dtype=bool)
    spans = intervals(flags, merge=merge)
    held = np.zeros(len(flags), dtype=bool)
    for first, last in spans:
        assert flags[first]
        assert flags[last]
        held[first : last + 1] = True
    assert held[flags].all()
    assert (spans[1:, 0] - spans[:-1, 1] > merge + 1).all()
    if merge == 0:
        assert (held == flags).all()


def test_short_stretches_are_left_out_after_merging():
    flags = np.array([1, 1, 0, 1, 0, 0, 0, 1], dtype=bool)
    assert intervals(flags, merge=1, min_length=3).tolist() == [[0, 3]]
