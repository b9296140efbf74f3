"""What a detector of series answers: where anomalies are, events, explanations, streams."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import SGDOneClassSVM

from skanomaly import AutoencoderDetector, WindowedDetector, explain
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


def test_events_merge_and_short_ones_are_left_out(detector):
    X = wave(900, seed=2)
    X[300, 0] += 4
    X[310, 0] += 4
    X[500:560, 1] -= 2
    assert len(detector.events(X, merge=0)) >= 3
    merged = detector.events(X, merge=20)
    assert merged["start"].iloc[0] <= 300
    assert merged["end"].iloc[0] >= 310
    assert len(detector.events(X, merge=20, min_length=40)) == 1
    assert detector.events(X[:200]).empty
    with pytest.raises(ValueError, match="min_length must be a whole number of at least 1"):
        detector.events(X, min_length=0)


def test_events_speak_of_time_and_series():
    X = wave(900, seed=2)
    X[500:520, 0] += 2
    table = pd.DataFrame(X, pd.date_range("2024-01-01", periods=900, freq="h"), ["a", "b"])
    groups = np.repeat(["left", "right"], 450)
    detector = WindowedDetector(FOREST).fit(table[:400])
    events = detector.events(table, groups)
    assert events["series"].tolist() == ["right"]
    assert events["start"][0] == table.index[500]
    assert events["channels"][0][0] == "a"


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


@pytest.mark.parametrize("aggregation", ["auto", "mean", "last"])
def test_contributions_add_up_and_name_the_channel(aggregation):
    X = wave(700, seed=1)
    X[400, 1] += 4
    detector = WindowedDetector(FOREST, aggregation=aggregation).fit(wave(500))
    why = explain(detector, X)
    assert_allclose(why.contributions.sum(axis=1) + why.base, -detector.score_samples(X))
    assert why.contributions.iloc[400].idxmax() == "x1"
    assert abs(why.expected.iloc[400, 1] - (X[400, 1] - 4)) < 0.5
    assert_array_equal(why.seen, X)


def test_explanations_keep_time(detector):
    table = pd.DataFrame(wave(300), pd.date_range("2024", periods=300, freq="s"))
    why = explain(clone(detector).fit(table.to_numpy()), table.to_numpy())
    dated = explain(clone(detector).fit(table.set_axis(["a", "b"], axis=1)),
                    table.set_axis(["a", "b"], axis=1))  # fmt: skip
    assert dated.contributions.index.equals(table.index)
    assert_array_equal(dated.contributions, why.contributions)


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
    with pytest.raises(TypeError, match="needs a detector with events"):
        SeriesDisplay.from_estimator(IsolationForest().fit(X), X)


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


def test_a_forest_in_windows_loads_no_keras():
    code = (
        "import sys, numpy as np; from sklearn.ensemble import IsolationForest;"
        "from skanomaly import WindowedDetector, explain;"
        "X = np.sin(np.arange(300) / 5)[:, None];"
        "d = WindowedDetector(IsolationForest(n_estimators=5)).fit(X);"
        "d.events(X); explain(d, X);"
        "assert not {'keras', 'jax', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
