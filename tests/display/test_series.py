"""The picture of a series with its events."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import IsolationForest

from skanomaly import WindowedDetector
from skanomaly.display import SeriesDisplay

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=10, random_state=0)


def wave(n, seed=0, channels=2):
    rng = np.random.default_rng(seed)
    steps = np.arange(n)[:, None] + 3 * np.arange(channels)
    return np.sin(2 * np.pi * steps / 25) + 0.05 * rng.normal(size=(n, channels))


@pytest.fixture(scope="module")
def detector():
    return WindowedDetector(FOREST).fit(wave(500))


def test_the_display_draws_series_scores_events_and_contributions(detector):
    plt = pytest.importorskip("matplotlib.pyplot", reason="an extra")
    X = wave(700, seed=1)
    X[400:440, 1] += 2
    labels = (np.abs(np.arange(700) - 420) < 20).astype(int)
    shown = SeriesDisplay.from_estimator(detector, X, labels, max_channels=1)
    assert len(shown.axes_) == 3
    assert shown.axes_[0].get_ylabel() == "x1"
    assert shown.ax_.get_ylabel() == "score"
    assert len(shown.events) == len(shown.ax_.patches)
    plt.close(shown.figure_)
    with pytest.raises(TypeError, match="needs a detector with events, such as WindowedDetector"):
        SeriesDisplay.from_estimator(IsolationForest().fit(X), X)


def test_resampled_series_are_drawn_in_the_order_of_time(detector):
    plt = pytest.importorskip("matplotlib.pyplot", reason="an extra")
    X = pd.DataFrame(wave(500), pd.date_range("2024", periods=500, freq="s"), ["a", "b"])
    X.iloc[300:320] += 3
    labels = np.repeat([0, 1, 0], [300, 20, 180])
    resampling = clone(detector).set_params(irregular="resample").fit(X[:250])
    rows = np.random.default_rng(0).permutation(np.delete(np.arange(500), [100, 101]))
    shown = SeriesDisplay.from_estimator(resampling, X.iloc[rows], labels[rows])
    assert shown.series.equals(X.iloc[np.sort(rows)])
    assert shown.scores.index.equals(shown.contributions.index)
    assert np.array_equal(shown.labels == -1, labels[np.sort(rows)] == 1)
    plt.close(shown.figure_)
