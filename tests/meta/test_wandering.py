"""Channels whose level wanders, beside others that stay where they are."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import IsolationForest

from skanomaly import WindowedDetector
from skanomaly.meta._wandering import wandering_channels, without_levels
from skanomaly.meta._windows import Series

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=20, random_state=0)


def found_in(X, *cuts):
    edges = [0, *cuts, len(X)]
    return wandering_channels(X, [Series(k, *edges[k : k + 2]) for k in range(len(edges) - 1)])


def channels(n, seed=0):
    """Return noise, a wave of five periods, a walk and a trend."""
    rng = np.random.default_rng(seed)
    wave = np.sin(10 * np.pi * np.arange(n) / n) + 0.1 * rng.normal(size=n)
    walk = rng.normal(size=n).cumsum() + 0.2 * np.arange(n)
    return np.stack([rng.normal(size=n), wave, walk, np.arange(n) + rng.normal(size=n)], axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_walks_and_trends_wander_and_noise_and_waves_do_not(seed):
    X = channels(600, seed)
    assert_array_equal(found_in(X), [False, False, True, True])
    assert_array_equal(found_in(np.tile(X, (2, 1)), 600), [False, False, True, True])
    assert not found_in(X[:, 2:]).any()  # something has to be judged by its level
    assert not found_in(X[:, 3:]).any()
    assert not found_in(X[:50]).any()


def test_an_anomaly_in_the_training_series_is_no_wandering_level():
    X = np.random.default_rng(0).normal(size=(800, 2))
    X[250:350, 0] += 30
    X[::9] = np.nan
    assert not found_in(X).any()


def test_levels_of_several_series_may_differ():
    X = np.random.default_rng(0).normal(size=(900, 2))
    X[:, 0] += np.repeat([0, 10, 20], 300)
    assert not found_in(X, 300, 600).any()
    assert_array_equal(found_in(X), [True, False])


def test_windows_lose_the_level_of_wandering_channels_alone_whatever_their_number():
    windows = np.random.default_rng(0).normal(size=(9, 40)) + 5
    windows[3, 2] = np.nan
    wandering = np.array([True, False])
    seen = without_levels(windows, wandering)
    assert np.nanmean(seen[:, ::2], axis=1) == pytest.approx(np.zeros(9))
    assert_array_equal(seen[:, 1::2], windows[:, 1::2])
    for row, each in zip(windows, seen, strict=True):
        assert_array_equal(without_levels(row[None], wandering)[0], each)
    assert without_levels(windows, np.zeros(2, dtype=bool)) is windows


def test_a_temperature_that_goes_on_rising_is_no_anomaly_and_a_shift_beside_it_is():
    rng = np.random.default_rng(0)
    X = np.stack([rng.normal(size=1200), np.arange(1200) / 100 + 0.2 * rng.normal(size=1200)], 1)
    shifted = X.copy()
    shifted[900:1000, 0] += 4
    detector = WindowedDetector(FOREST).fit(X[:400])
    assert np.mean(detector.predict(X)[400:] == -1) < 0.05
    assert np.mean(detector.predict(shifted)[900:1000] == -1) > 0.9


def test_streams_with_a_wandering_channel_are_scored_bit_by_bit_as_the_whole_series():
    X = channels(300)
    detector = WindowedDetector(FOREST, 12, aggregation="last").fit(X[:200])
    whole = detector.score_samples(X)
    pieces = [detector.score_next(part) for part in np.split(X, [30, 31, 100])]
    assert_array_equal(np.concatenate(pieces)[11:], whole[11:])
