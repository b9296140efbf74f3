"""Events and explanations of time stamps."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest

from skanomaly import WindowedDetector, explain

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=10, random_state=0)


def wave(n, seed=0, channels=2):
    rng = np.random.default_rng(seed)
    steps = np.arange(n)[:, None] + 3 * np.arange(channels)
    return np.sin(2 * np.pi * steps / 25) + 0.05 * rng.normal(size=(n, channels))


@pytest.fixture(scope="module")
def detector():
    return WindowedDetector(FOREST).fit(wave(500))


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


def test_explanations_of_resampled_series_are_those_of_the_rows_given(detector):
    index = pd.date_range("2024", periods=300, freq="s")
    table = pd.DataFrame(wave(300), index, ["a", "b"])
    resampling = clone(detector).set_params(irregular="resample").fit(table)
    given = table.drop(index[100:105]).sample(frac=1, random_state=0)
    why = explain(resampling, given)
    assert why.contributions.index.equals(given.index)
    total = why.contributions.sum(axis=1) + why.base
    assert_allclose(total, -resampling.score_samples(given))
    assert_array_equal(why.score, -resampling.score_samples(given))
    mixed = table.sample(frac=1, random_state=0)
    assert_array_equal(
        explain(resampling, mixed).expected.sort_index(), explain(resampling, table).expected
    )
