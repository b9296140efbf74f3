"""Time stamps that arrive one after the other."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import SGDOneClassSVM

from skanomaly import AutoencoderDetector, WindowedDetector

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=10, random_state=0)


def wave(n, seed=0, channels=2):
    rng = np.random.default_rng(seed)
    steps = np.arange(n)[:, None] + 3 * np.arange(channels)
    return np.sin(2 * np.pi * steps / 25) + 0.05 * rng.normal(size=(n, channels))


@pytest.fixture(scope="module")
def detector():
    return WindowedDetector(FOREST).fit(wave(500))


@pytest.mark.parametrize(
    "inner", [FOREST, AutoencoderDetector("plain", epochs=1, hidden_layer_sizes=(4,))]
)
def test_a_stream_is_scored_bit_by_bit_as_the_whole_series(inner):
    X = wave(260, seed=5)
    detector = WindowedDetector(inner, 12, aggregation="last", random_state=0).fit(X[:100])
    batch = detector.score_samples(X)
    one = np.array([detector.score_next(row) for row in X[:40]])
    assert np.isnan(one[:11]).all()
    assert_array_equal(one[11:], batch[11:40])
    pieces = [detector.score_next(part) for part in np.split(X[40:], [1, 8, 100])]
    assert_array_equal(np.concatenate(pieces), batch[40:])
    assert np.isnan(detector.reset_stream().score_next(X[0]))
    copy = pickle.loads(pickle.dumps(detector))
    assert_array_equal(copy.score_samples(X), batch)


def test_a_stream_needs_an_aggregation_that_does_not_wait(detector):
    with pytest.raises(ValueError, match='aggregation="last" and stride=1'):
        detector.score_next(wave(1)[0])


def test_learning_goes_on_where_the_detector_inside_does():
    inner = SGDOneClassSVM(random_state=0)
    detector = WindowedDetector(inner, 12, random_state=0)
    X = wave(600)
    detector.partial_fit(X[:300])
    offset, coefficients = detector.offset_, detector.estimator_.coef_.copy()
    detector.partial_fit(X[300:])
    assert detector.offset_ == offset
    assert np.abs(detector.estimator_.coef_ - coefficients).max() > 0
    assert np.isfinite(detector.score_samples(X)).all()
    assert not hasattr(WindowedDetector(FOREST), "partial_fit")
    with pytest.raises(ValueError, match="has 5 time stamps, but a window has 12"):
        detector.partial_fit(X[:5])


def test_streams_take_arrays_and_named_time_stamps_and_check_both():
    table = pd.DataFrame(wave(120), columns=["load", "heat"])
    detector = WindowedDetector(FOREST, 10, aggregation="last").fit(table)
    whole = detector.score_samples(table)
    detector.score_next(table[:10])
    assert detector.score_next(table.iloc[10]) == whole[10]
    assert detector.score_next(table.to_numpy()[11]) == whole[11]
    assert detector.score_next(table.to_numpy()[12].tolist()) == whole[12]
    assert detector.score_next(table.to_numpy(object)[13]) == whole[13]
    for wrong, message in (
        (table.iloc[14].rename({"heat": "cold"}), "feature names should match"),
        (np.array([1.0, np.inf]), "infinity"),
        (np.array(["a", "b"]), "text"),
    ):
        with pytest.raises(ValueError, match=message):
            detector.score_next(wrong)
    assert detector.score_next(table.iloc[14]) == whole[14]  # what was refused left no trace
    unnamed = WindowedDetector(FOREST, 10, aggregation="last").fit(table.to_numpy())
    with pytest.raises(ValueError, match="3 features"):
        unnamed.score_next(np.ones(3))


def test_streams_take_the_rows_that_fit_took_with_their_time():
    table = pd.DataFrame(wave(60), columns=["load", "heat"])
    table.insert(1, "when", pd.date_range("2024", periods=60, freq="min"))
    detector = WindowedDetector(FOREST, 10, aggregation="last", time="when").fit(table)
    whole = detector.score_samples(table).to_numpy()
    assert_array_equal(detector.score_next(table[:12])[9:], whole[9:12])
    assert detector.score_next(table.iloc[12]) == whole[12]
    assert detector.score_next(table.iloc[13].drop("when")) == whole[13]


@pytest.mark.parametrize("time", [None, "when"])
def test_stamps_of_a_stream_go_on_where_the_last_ones_ended(time):
    rows = pd.DataFrame(wave(60), pd.date_range("2024", periods=60, freq="h"))
    rows.columns = [f"c{j}" for j in range(rows.shape[1])]
    rows = rows.rename_axis("when").reset_index() if time else rows
    detector = WindowedDetector(FOREST, 12, aggregation="last", time=time).fit(rows)
    whole = np.asarray(detector.score_samples(rows))
    detector.score_next(rows[:20])
    for wrong in (rows[20:24][::-1], rows[10:12], rows.iloc[19]):
        with pytest.raises(ValueError, match="is not behind the one before"):
            detector.score_next(wrong)
    assert detector.score_next(rows.iloc[20]) == whole[20]
    assert_array_equal(detector.score_next(rows[21:30]), whole[21:30])
    with pytest.warns(UserWarning, match="a gap of more than the usual step of 0 days 01:00:00"):
        detector.score_next(rows[50:51])
    with pytest.raises(ValueError, match="not behind"):
        pickle.loads(pickle.dumps(detector)).score_next(rows[40:41])
    detector.reset_stream().score_next(rows[:5])
