"""The length of windows, where nobody says."""

import numpy as np
import pytest

from skanomaly.meta._window_size import automatic_size, period
from skanomaly.meta._windows import Series

pytestmark = pytest.mark.core


def size_of(X):
    X = X.reshape(len(X), -1)
    return automatic_size(X, [Series(None, 0, len(X))])


@pytest.mark.parametrize("seed", range(3))
def test_a_few_rows_without_order_are_judged_one_by_one_and_series_never_are(seed):
    noise = np.random.default_rng(seed).normal(size=(1000, 4))
    assert size_of(noise[:20]) == size_of(noise[:300]) == size_of(noise[:50, 0]) == 1
    assert size_of(noise[:300, 0]) == 100
    assert size_of(noise[:, 0]) == 200
    assert size_of(noise) == 100  # several channels say as much in half the time


@pytest.mark.parametrize(("length", "size"), [(20, 200), (45, 180), (90, 180), (150, 200)])
@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_windows_are_whole_periods_whatever_the_noise(length, size, noise):
    rng = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * np.arange(1800) / length) + noise * rng.normal(size=1800)
    assert abs(period(wave) - length) <= 0.05 * length
    assert abs(size_of(wave) - size) <= 0.06 * size


def test_a_trend_does_not_hide_a_period_and_a_walk_has_none():
    steps = np.random.default_rng(1).normal(size=1000)
    assert period(np.sin(np.arange(1000) * 2 * np.pi / 40) + 0.01 * np.arange(1000)) == 40
    assert period(steps) is None
    beats = np.zeros(400)
    beats[::10] = 1.0
    assert period(beats) == 10


def test_the_shortest_series_bounds_the_window():
    wave = np.sin(np.arange(600) / 4)[:, None]
    assert automatic_size(wave, [Series("a", 0, 90), Series("b", 90, 600)]) == 30


def test_constant_and_missing_values_have_no_period():
    X = np.full((120, 2), 3.0)
    X[::7, 1] = np.nan
    assert size_of(X) == 1
    assert period(X[:, 0]) is None
    assert period(X[:, 1]) is None
