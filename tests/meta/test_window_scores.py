"""Scores of windows out of fold, block by block of time."""

import numpy as np
import pytest

from skanomaly.meta._window_scores import blocks_of, out_of_fold_scores
from skanomaly.meta._windows import Series

pytestmark = pytest.mark.core


class Recorder:
    """Keeps the time stamps it was trained on; scores a window 1 where it has seen one of it."""

    def fit(self, windows):
        self.seen = set(windows.ravel().tolist())
        return self

    def score_samples(self, windows):
        return np.array([float(bool(self.seen & set(row))) for row in windows.tolist()])


@pytest.mark.parametrize("cuts", [[0, 100], [0, 30, 100], [0, 25, 50, 75, 100]])
def test_no_detector_has_seen_a_stamp_of_the_windows_it_scores(cuts):
    X = np.arange(100.0)[:, None]
    series = [Series(k, *cuts[k : k + 2]) for k in range(len(cuts) - 1)]
    starts = np.concatenate([np.arange(s.start, s.stop - 7) for s in series])
    scores = out_of_fold_scores(Recorder, X, starts, 8, series, starts, 2)
    known = np.isfinite(scores)
    assert known.mean() > 0.7
    assert (scores[known] == 0).all()


def test_many_series_are_dealt_out_whole():
    series = [Series(k, 10 * k, 10 * k + 10) for k in range(5)]
    first, second = blocks_of(series, 2)
    assert first + second == [series[k] for k in (0, 2, 4, 1, 3)]


def test_blocks_shorter_than_a_window_have_no_scores():
    X, starts = np.arange(30.0)[:, None], np.arange(11)
    scores = out_of_fold_scores(Recorder, X, starts, 20, [Series(None, 0, 30)], starts, 2)
    assert np.isnan(scores).all()


def test_a_block_without_which_a_channel_has_no_value_is_not_scored():
    X = np.stack([np.arange(100.0), np.where(np.arange(100) < 50, np.nan, 1.0)], axis=1)
    starts = np.arange(96)
    scores = out_of_fold_scores(Recorder, X, starts, 5, [Series(None, 0, 100)], starts, 2)
    assert np.isfinite(scores[:46]).all()  # learnt from the second half
    assert np.isnan(scores[46:]).all()
