"""Time as pandas knows it: indices in answers, and what is refused, warned about or resampled."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from skanomaly import NeuralAnomalyClassifier, WindowedDetector
from skanomaly.meta._time import ADDED, Stamps
from skanomaly.meta._windows import window_labels

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=5, random_state=0)


@pytest.fixture(scope="module")
def table():
    """Return two channels of 300 minutes."""
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(300)[:, None] / [4, 6]) + 0.05 * rng.normal(size=(300, 2))
    index = pd.date_range("2024-03-01", periods=300, freq="min")
    return pd.DataFrame(values, index, ["flow", "heat"])


@pytest.fixture(scope="module")
def detector(table):
    return WindowedDetector(FOREST, 20).fit(table[:200])


def test_answers_have_the_index_of_the_table(table, detector):
    scores = detector.score_samples(table)
    assert scores.index.equals(table.index)
    assert_array_equal(scores, clone(detector).fit(table[:200].values).score_samples(table.values))
    labels = detector.predict(table)
    assert labels.index.equals(table.index)
    assert set(labels) <= {-1, 1}
    assert_array_equal(labels == -1, detector.decision_function(table) < 0)


def test_time_may_be_a_column(table, detector):
    named = table.rename_axis("when").reset_index()
    by_column = clone(detector).set_params(time="when").fit(named[:200])
    assert list(by_column.feature_names_in_) == ["flow", "heat"]
    scores = by_column.score_samples(named)
    assert_array_equal(scores, detector.score_samples(table))
    assert scores.index.equals(pd.DatetimeIndex(named["when"]))
    with pytest.raises(ValueError, match="'then' is no column"):
        clone(detector).set_params(time="then").fit(named)
    with pytest.raises(ValueError, match="needs a DataFrame"):
        clone(detector).set_params(time="when").fit(table.to_numpy())


def test_stamps_out_of_order_or_twice_are_refused(table, detector):
    shuffled = table.sample(frac=1, random_state=0)
    for act in (detector.score_samples, clone(detector).fit):
        with pytest.raises(ValueError, match="time stamps are not in order"):
            act(shuffled)
    with pytest.raises(ValueError, match="1 time stamps occur twice"):
        detector.predict(pd.concat([table[:50], table[49:]]))
    missing = table.set_axis(table.index.where(np.arange(300) != 7))
    with pytest.raises(ValueError, match="1 missing time stamps"):
        detector.predict(missing)


def test_gaps_are_warned_about_refused_or_left_alone(table, detector):
    gapped = table.drop(table.index[100:110])
    with pytest.warns(UserWarning, match="1 gaps of more than the usual step of 0 days 00:01"):
        detector.score_samples(gapped)
    with pytest.raises(ValueError, match="irregular='resample'"):
        clone(detector).set_params(irregular="raise").fit(gapped)
    quiet = clone(detector).set_params(irregular="ignore").fit(table[:200])
    assert len(quiet.score_samples(gapped)) == 290


def test_resampling_brings_answers_back_to_the_rows_given(table, detector):
    resampling = clone(detector).set_params(irregular="resample").fit(table[:200])
    given = pd.concat([table.drop(table.index[100:105]), table[120:122]]).sample(
        frac=1, random_state=1
    )
    scores = resampling.score_samples(given)
    assert scores.index.equals(given.index)
    whole = detector.score_samples(table)
    far = (given.index < table.index[60]) | (given.index > table.index[140])
    assert_array_equal(scores[far], whole[given.index[far]])


def test_groups_have_their_own_clocks(table, detector):
    twice = pd.concat([table[:150], table[:150]])
    groups = np.repeat(["a", "b"], 150)
    scores = detector.score_samples(twice, groups)
    assert_array_equal(scores[:150], scores[150:])


def test_other_columns_of_dates_and_text_are_refused_by_name(table, detector):
    dated = table.assign(made=table.index)
    with pytest.raises(ValueError, match=r"made.*holds dates, times or durations.*dayofweek"):
        clone(detector).fit(dated)
    worded = table.assign(state="open")
    with pytest.raises(ValueError, match=r"channel 'state' of X holds text.*get_dummies"):
        clone(detector).fit(worded)
    assert clone(detector).fit(table.assign(on=table["flow"] > 0)).n_features_in_ == 3


def test_labels_go_with_their_rows_to_the_grid(table):
    y = (np.abs(np.arange(300) - 150) < 10).astype(int)
    table = table.add(2 * y, axis=0)
    inner = NeuralAnomalyClassifier("plain", epochs=20, early_stopping=False)
    resampling = WindowedDetector(inner, 10, irregular="resample", random_state=0)
    whole = resampling.fit(table, y).score_samples(table)
    mixed = np.random.default_rng(0).permutation(300)
    scores = clone(resampling).fit(table.iloc[mixed], y[mixed]).score_samples(table)
    assert_array_equal(scores, whole)
    gapped = np.delete(np.arange(300), [40, 41, 160, 220])
    scores = clone(resampling).fit(table.iloc[gapped], y[gapped]).score_samples(table)
    assert roc_auc_score(y, -scores) > 0.9


def test_stamps_that_the_grid_adds_say_nothing_and_anomalies_come_first():
    index = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-04"])
    stamps = Stamps(index, np.array([0, 1, 1, 3]), {})
    codes = stamps.codes_read(np.array([1, -1, 1, 0], dtype=np.int8), 4)
    assert codes.tolist() == [1, -1, ADDED, 0]
    labels = window_labels(np.array([1, ADDED, ADDED, ADDED, 0]), np.arange(4), 2)
    assert_array_equal(labels, [1, np.nan, np.nan, np.nan])


def test_the_grid_of_fit_holds_for_the_rows_scored(table, detector):
    resampling = clone(detector).set_params(irregular="resample").fit(table[:200])
    ramp = table.assign(flow=np.arange(300.0), heat=0.0)
    read, _, _, stamps = resampling._read(ramp[::2], None, reset=False)
    assert_array_equal(read[:, 0], np.arange(299.0))
    assert_array_equal(stamps.of_rows(read)[:, 0], ramp["flow"][::2])
    copy = pickle.loads(pickle.dumps(resampling))
    assert_array_equal(copy.score_samples(ramp[::2]), resampling.score_samples(ramp[::2]))
    with pytest.warns(UserWarning, match="0 days 00:02:00 apart, but .* 0 days 00:01:00"):
        detector.score_samples(table[::2])
    strict = clone(detector).set_params(irregular="raise").fit(table[:200])
    with pytest.raises(ValueError, match="windows span another time"):
        strict.score_samples(table[::2])


def test_groups_keep_the_steps_of_fit(table):
    hourly = table.set_axis(pd.date_range("2024", periods=300, freq="h"))
    groups = np.repeat(["minutes", "hours"], 300)
    detector = WindowedDetector(FOREST, 20).fit(pd.concat([table, hourly]), groups=groups)
    scores = detector.score_samples(hourly, groups[300:])
    assert_array_equal(scores, detector.score_samples(hourly))  # the nearest step of fit


def test_a_grid_without_end_is_refused_before_it_is_made(table, detector):
    stray = table.set_axis(table.index.where(np.arange(300) > 0, pd.Timestamp(0)))
    with pytest.raises(ValueError, match=r"turn 300 rows into 28,.*1970-01-01.*drop stray"):
        clone(detector).set_params(irregular="resample").fit(stray)


def test_a_column_of_time_holds_dates(table, detector):
    by_column = clone(detector).set_params(time="when")
    with pytest.raises(ValueError, match=r"time='when' of X holds numbers \(int64\).*unit='s'"):
        by_column.fit(table.assign(when=1_700_000_000 + np.arange(300)))
    with pytest.raises(ValueError, match="time='when' of X cannot be read as dates"):
        by_column.fit(table.assign(when="noon"))


@pytest.mark.parametrize("irregular", ["warn", "resample"])
@pytest.mark.parametrize(
    "index",
    [
        pd.period_range("2024-03-01", periods=300, freq="min"),
        pd.timedelta_range(0, periods=300, freq="s"),
    ],
    ids=["periods", "durations"],
)
def test_periods_and_durations_are_time(table, index, irregular):
    other = table.set_axis(index)
    detector = WindowedDetector(FOREST, 20, irregular=irregular).fit(other)
    scores = detector.score_samples(other)
    assert scores.index.equals(index)
    assert_array_equal(scores, WindowedDetector(FOREST, 20).fit(table).score_samples(table))
    assert detector.events(other)["start"].isin(index).all()
    with pytest.raises(ValueError, match="not in order"):
        WindowedDetector(FOREST, 20).fit(other[::-1])
    column = WindowedDetector(FOREST, 20, time="t").fit(other.reset_index(names="t"))
    assert column.score_samples(other.reset_index(names="t")).index.equals(index.rename("t"))


def test_the_name_of_a_column_is_no_groups(table):
    with pytest.raises(ValueError, match=r"got the text 'flow'. Pass the column itself"):
        WindowedDetector(FOREST, 20).fit(table, groups="flow")
