"""Which windows there are, and what they say of a time stamp."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.meta import _windows
from skanomaly.meta._windows import Series

some_windows = st.tuples(st.integers(1, 30), st.integers(1, 8), st.integers(1, 8)).filter(
    lambda t: t[1] <= t[0] and t[2] <= t[1]
)


def test_windows_of_several_channels_are_views():
    X = np.arange(24.0).reshape(8, 3)
    windows = _windows.all_windows(X, 4)
    assert windows.shape == (5, 12)
    assert_array_equal(windows[2], X[2:6].ravel())
    assert np.shares_memory(windows, X)


def test_windows_never_cross_from_one_series_into_the_next():
    X = np.repeat([[1.0], [2.0]], [7, 5], axis=0)
    _, series = _windows.find_series(X[:, 0], 12)
    starts = np.concatenate([_windows.window_starts(each, 3, 2) for each in series])
    windows = _windows.all_windows(X, 3)[starts]
    assert_array_equal(np.ptp(windows, axis=1), 0)
    assert {*windows[:, 0]} == {1.0, 2.0}


def test_series_of_interleaved_time_stamps_keep_their_order():
    groups = np.array(["b", "a", "b", "a", "b"])
    order, series = _windows.find_series(groups, 5)
    assert_array_equal(order, [0, 2, 4, 1, 3])
    assert series == [("b", 0, 3), ("a", 3, 5)]


@settings(deadline=None, max_examples=50)
@given(some_windows, st.integers(0, 5))
def test_every_time_stamp_is_covered_and_a_score_comes_from_the_windows_over_it(case, offset):
    n, size, stride = case
    series = Series("s", offset, offset + n)
    starts = _windows.window_starts(series, size, stride)
    assert starts[0] == offset
    assert starts[-1] + size == series.stop
    scores = np.random.default_rng(n).normal(size=len(starts))
    answers = {
        how: _windows.spread(scores, starts, size, series, how) for how in ("mean", "max", "last")
    }
    for t in range(n):
        over = [s for s, a in zip(scores, starts, strict=True) if a <= t + offset < a + size]
        behind = [s for s, a in zip(scores, starts, strict=True) if a + size - 1 <= t + offset]
        assert_allclose(answers["mean"][t], np.mean(over))
        assert answers["max"][t] == min(over)
        assert answers["last"][t] == (behind or [scores[0]])[-1]


def test_scores_come_in_blocks_of_bounded_size(monkeypatch):
    monkeypatch.setattr(_windows, "_BLOCK_VALUES", 12)
    X, seen = np.arange(20.0).reshape(10, 2), []

    def score(rows):
        seen.append(rows.size)
        return rows[:, 0]

    scores = _windows.score_windows(score, X, np.arange(0, 8, 2), 3)
    assert_array_equal(scores, X[0:8:2, 0])
    assert max(seen) == 12


def test_a_window_with_an_anomaly_is_one_and_doubt_comes_second():
    codes = np.array([1, 1, 1, 0, 1, -1, 1, 0])
    labels = _windows.window_labels(codes, np.arange(7), 2)
    assert_array_equal(labels, [1, 1, np.nan, np.nan, -1, -1, np.nan])
