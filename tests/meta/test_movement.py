import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

import skanomaly
from skanomaly import WindowedDetector
from skanomaly.meta._movement import ChannelMovement
from skanomaly.meta._windows import Series

N, TRAINED = 1600, 1000


def one_series(n):
    return [Series(None, 0, n)]


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).normal(size=(N, 2)).cumsum(axis=0) / 10


def stuck(X, start, stop, channel=0):
    X = X.copy()
    X[start:stop, channel] = X[start, channel]
    return X


@pytest.fixture(scope="module")
def movement(noise):
    return ChannelMovement(40).fit(noise[:TRAINED], one_series(TRAINED))


@pytest.mark.parametrize("size", [16, 32, 36, 40, 400])
def test_levels_are_high_from_the_first_to_the_last_still_stamp(noise, size):
    movement = ChannelMovement(size).fit(noise[:TRAINED], one_series(TRAINED))
    X = stuck(noise, 1200, 1300)
    levels = movement.still(X, one_series(N))
    np.testing.assert_array_equal(np.flatnonzero(levels[:, 0] >= 2.9), np.arange(1200, 1300))
    assert levels[:, 1].max() < 1


def test_nothing_is_still_where_nothing_changed(movement, noise):
    assert movement.still(noise, one_series(N)).max() < 1


def test_a_channel_that_rests_now_and_then_says_nothing():
    X = np.random.default_rng(0).normal(size=(N, 1))
    X[300:400] = X[300]
    movement = ChannelMovement(40).fit(X[:TRAINED], one_series(TRAINED))
    assert movement.quietest_[0] == 0
    assert not movement.still(stuck(X, 1200, 1400), one_series(N)).any()


def test_missing_values_are_not_still(movement, noise):
    X = noise.copy()
    X[1200:1300, 0] = np.nan
    assert movement.still(X, one_series(N)).max() < 1


def test_a_short_training_series_does_not_know_its_quietest_time(noise):
    movement = ChannelMovement(40).fit(noise[:150], one_series(150))
    assert not movement.still(stuck(noise, 1200, 1300), one_series(N)).any()


def test_a_training_series_of_missing_values():
    X = np.full((N, 1), np.nan)
    movement = ChannelMovement(40).fit(X, one_series(N))
    assert not movement.still(X, one_series(N)).any()


def test_series_do_not_touch(movement, noise):
    X = np.concatenate([noise[:100], np.repeat(noise[99:100], 10, axis=0)])
    series = [Series("a", 0, 100), Series("b", 100, 110)]  # too short to say anything
    assert movement.still(X, series).max() < 1


def test_few_time_stamps_are_not_watched(noise):
    movement = ChannelMovement(4).fit(noise, one_series(N))
    assert not movement.still(np.zeros((N, 2)), one_series(N)).any()


@pytest.fixture(scope="module")
def detector(noise):
    forest = IsolationForest(n_estimators=20, random_state=0)
    return WindowedDetector(forest, window_size=40).fit(noise[:TRAINED])


def test_a_stuck_sensor_is_one_event(detector, noise):
    X = stuck(noise, 1200, 1300, channel=1)
    events = detector.events(X)
    mine = events[(events["start"] <= 1300) & (events["end"] >= 1200)]
    assert len(mine) == 1
    assert abs(mine["start"].iloc[0] - 1200) <= 4
    assert abs(mine["end"].iloc[0] - 1299) <= 4
    assert detector.score_samples(X)[1210:1290].max() < -1


def test_the_stuck_channel_is_named(detector, noise):
    explanation = skanomaly.explain(detector, stuck(noise, 1200, 1300, channel=1))
    shares = explanation.contributions.abs().to_numpy()[1220:1280]
    assert (shares[:, 1] > shares[:, 0]).mean() > 0.9


def wild(X, start, stop):
    X = X.copy()
    X[start:stop, 0] += np.random.default_rng(1).normal(size=stop - start)
    return X


def test_a_wild_stretch_is_told_and_a_spike_is_not(movement, noise):
    levels = movement.wild(wild(noise, 1200, 1260), one_series(N))
    assert (levels[1206:1254, 0] >= 1).all()
    assert not levels[:1190].any()
    assert not levels[1270:].any()
    assert not levels[:, 1].any()
    spike = noise.copy()
    spike[1200] += 50
    assert not movement.wild(spike, one_series(N)).any()


def test_a_channel_that_jumps_now_and_then_is_never_wild():
    X = np.zeros((N, 1))
    X[::40] = 1.0
    movement = ChannelMovement(40).fit(X[:TRAINED], one_series(TRAINED))
    assert not movement.wild(100 * X, one_series(N)).any()


def test_a_wild_stretch_is_one_event(detector, noise):
    events = detector.events(wild(noise, 1200, 1260), min_length=5)
    events = events[events["start"] < 1300]  # later, the walk reaches new levels
    assert len(events) == 1
    assert events["channels"].iloc[0][0] == "x0"
    assert abs(events["start"].iloc[0] - 1200) <= 6
    assert abs(events["end"].iloc[0] - 1259) <= 6


@pytest.mark.parametrize("value", [1e308, -1e308, np.inf, np.nan])
def test_values_beyond_all_bounds_end_finite(movement, noise, value):
    X = noise.copy()
    X[1200:1240, 0] = value
    X[1220, 0] = -value
    assert np.isfinite(movement.wild(X, one_series(N))).all()
    assert np.isfinite(movement.still(X, one_series(N))).all()
