"""Time as pandas knows it: indices in answers, and what is refused, warned about or resampled."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest

from skanomaly import WindowedDetector

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
