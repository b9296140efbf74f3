"""From windows to time stamps that are abnormal themselves."""

import numpy as np
import pytest

from skanomaly.meta._evidence import StampEvidence, WindowScale, located_scores
from skanomaly.meta._windows import Series

pytestmark = pytest.mark.core


def test_medians_see_shifts_and_not_spikes():
    noise = np.random.default_rng(0).normal(size=(2000, 1))
    series = [Series(None, 0, 2000)]
    evidence = StampEvidence(100).fit(noise, series)
    later = np.random.default_rng(1).normal(size=(2000, 1))
    later[500] += 12
    later[1000:1060] += 4
    single, short, long = evidence.levels(later, series)
    assert single[500] > 2
    assert max(short[495:505].max(), long[495:505].max()) < 1
    assert (short[1003:1057] > 1).all()
    assert long[1030] > 1
    assert np.mean(evidence.levels(noise, series) > 1) < 0.001


def test_normal_stamps_keep_the_order_of_their_windows_below_the_threshold():
    mean = np.array([-3.0, 0.0, 2.0, 900.0])
    quiet = np.zeros((3, 4))
    scores = located_scores(quiet, mean, mean, mean - 1000, 3.0)
    assert (np.diff(scores) > 0).all()
    assert scores.max() < 1


def test_where_every_window_is_abnormal_half_a_deviation_will_do():
    level, windows = np.array([[0.6, 0.2]]), np.array([5.0, 5.0])
    assert (located_scores(level, windows, windows, windows, 3.0) > 1).tolist() == [True, False]


def test_a_new_level_that_lasts_for_a_window_is_an_anomaly_by_itself():
    noise = np.random.default_rng(0).normal(size=(2000, 2))
    evidence = StampEvidence(100).fit(noise, [Series(None, 0, 2000)])
    later = np.random.default_rng(1).normal(size=(2000, 2))
    later[500:560, 0] += 4  # shorter than a window
    later[1000:1300, 0] += 4
    series = [Series("a", 0, 1150), Series("b", 1150, 2000)]
    lasting = evidence.lasting(evidence.levels(later, series), series)
    assert lasting[1005:1295].all()
    assert not lasting[:990].any()
    assert not lasting[1310:].any()
    cut = [Series("a", 0, 1060), Series("b", 1060, 2000)]  # a series ends within the window
    assert not evidence.lasting(evidence.levels(later, cut), cut)[:1060].any()
    alone = StampEvidence(100).fit(noise[:, :1], [Series(None, 0, 2000)])  # its windows tell
    assert not alone.lasting(alone.levels(later[:, :1], series), series).any()
    quiet = np.zeros((3, 2))
    windows = np.zeros(2)
    scores = located_scores(quiet, windows, windows, windows, 3.0, lasting=np.array([True, False]))
    assert (scores > 1).tolist() == [True, False]


def test_gaps_in_long_anomalies_are_closed_and_those_between_spikes_are_not():
    levels = np.zeros((3, 400))
    levels[0, 100:180] = 2.0
    levels[0, 130:140] = 0.1
    levels[0, [300, 308]] = 2.0
    windows = np.full(400, 5.0)
    told = (windows, windows, windows - 5, 3.0)
    series = [Series(None, 0, 400)]
    found = located_scores(levels, *told, series=series, size=100) > 1
    assert np.flatnonzero(found).tolist() == [*range(100, 180), 300, 308]
    assert not (located_scores(levels, *told) > 1)[130:140].any()
    quiet = windows.copy()
    quiet[130:140] = 2.0  # no window over the gap is abnormal
    found = located_scores(levels, quiet, quiet, quiet - 5, 3.0, series=series, size=100) > 1
    assert not found[130:140].any()


def test_windows_are_measured_on_their_own_spread():
    scores = np.random.default_rng(0).normal(5, 2, 4000)
    scale = WindowScale().fit(scores)
    assert scale.apply(scale.centre) == 0
    assert 3 <= scale.threshold < 3.5
    assert WindowScale().fit(np.ones(10)).apply(1.0) == 0
