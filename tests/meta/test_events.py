"""The table of events."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from skanomaly import WindowedDetector
from skanomaly.meta._events import events_table
from skanomaly.meta._windows import Series

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=10, random_state=0)


def wave(n, seed=0, channels=2):
    rng = np.random.default_rng(seed)
    steps = np.arange(n)[:, None] + 3 * np.arange(channels)
    return np.sin(2 * np.pi * steps / 25) + 0.05 * rng.normal(size=(n, channels))


@pytest.fixture(scope="module")
def detector():
    return WindowedDetector(FOREST).fit(wave(500))


def test_events_speak_of_time_and_series():
    X = wave(900, seed=2)
    X[500:520, 0] += 2
    table = pd.DataFrame(X, pd.date_range("2024-01-01", periods=900, freq="h"), ["a", "b"])
    groups = np.repeat(["left", "right"], 450)
    detector = WindowedDetector(FOREST).fit(table[:400])
    events = detector.events(table, groups, min_length=5)
    assert events["series"].tolist() == ["right"]
    late = events["start"][0] - table.index[500]
    assert abs(late) <= 0.05 * detector.window_size_ * pd.Timedelta("1h")
    assert events["channels"][0][0] == "a"


def test_a_table_has_its_columns_when_there_is_no_event():
    series = [Series(None, 0, 3)]
    table = events_table(
        np.zeros(3), -1.0, np.ones((3, 1)), series, range(3), ["a"],
        merge=0, min_length=1, n_channels=1,
    )  # fmt: skip
    assert table.empty
    assert table.columns.tolist() == ["start", "end", "peak", "n_timestamps", "score", "channels"]
