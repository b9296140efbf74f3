"""Anomalies are where the default scores say they are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest

from skanomaly import WindowedDetector

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=10, random_state=0)


def wave(n, seed=0, channels=2):
    rng = np.random.default_rng(seed)
    steps = np.arange(n)[:, None] + 3 * np.arange(channels)
    return np.sin(2 * np.pi * steps / 25) + 0.05 * rng.normal(size=(n, channels))


@pytest.fixture(scope="module")
def detector():
    return WindowedDetector(FOREST).fit(wave(500))


def test_a_spike_is_a_stamp_or_three(detector):
    X = wave(700, seed=1)
    X[400, 1] += 4
    found = np.flatnonzero(detector.predict(X) == -1)
    assert 400 in found
    assert len(found) <= 3


def test_a_shift_begins_where_it_begins_and_its_channel_is_named(detector):
    X = wave(900, seed=2)
    X[500:620, 0] += 1.5
    events = detector.events(X)
    longest = events.loc[events["n_timestamps"].idxmax()]
    assert abs(longest["start"] - 500) <= 0.05 * detector.window_size_
    assert abs(longest["end"] - 619) <= 0.05 * detector.window_size_
    assert 500 <= longest["peak"] < 620
    assert longest["channels"][0] == "x0"
    assert longest["score"] > 0


def test_a_quiet_series_has_hardly_any_alarm(detector):
    X = wave(2000, seed=3)
    assert np.mean(detector.predict(X) == -1) < 0.01


def test_training_stamps_do_not_vouch_for_each_other():
    X = wave(600)
    X[300:304, 0] += 3  # an anomaly in the training series itself
    labels = WindowedDetector(FOREST).fit_predict(X)
    assert_array_equal(np.flatnonzero(labels == -1), np.arange(300, 304))


def test_recalibration_forgives_a_new_level():
    X = np.concatenate([wave(600), wave(900, seed=4) + 1.5])
    stubborn = WindowedDetector(FOREST).fit(X[:500])
    lenient = WindowedDetector(FOREST, recalibrate=150).fit(X[:500])
    assert np.mean(stubborn.predict(X)[1000:] == -1) > 0.5
    assert np.mean(lenient.predict(X)[1000:] == -1) < 0.1
    assert np.mean(lenient.predict(X)[600:640] == -1) > 0.5


class Distance(OutlierMixin, BaseEstimator):
    """Scores in units of the data."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def score_samples(self, X):
        return -np.abs(X - self.mean_).sum(axis=1)

    def decision_function(self, X):
        return self.score_samples(X)

    def predict(self, X):
        return np.ones(len(X), dtype=int)


@pytest.mark.parametrize("inner", [IsolationForest(n_estimators=20, random_state=0), Distance()])
def test_small_units_lose_no_anomaly(inner):
    series = np.sin(np.arange(500) / 4)[:, None]
    series += 0.1 * np.random.default_rng(0).normal(size=series.shape)
    series[400:410] += 3
    plain, small = (
        WindowedDetector(inner, 25).fit(series[:300] * unit).score_samples(series * unit)
        for unit in (1, 2.0**-40)
    )
    assert_array_equal(small < -1, plain < -1)
    assert (small[400:410] < -1).mean() > 0.5
    if isinstance(inner, Distance):
        assert_allclose(small, plain, rtol=1e-3)
