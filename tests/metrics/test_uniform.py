"""Points around rows: boxes of numbers, and values of categories."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from skanomaly import AutoencoderDetector
from skanomaly.metrics import excess_mass_scorer, neg_mass_volume_scorer
from skanomaly.metrics._uniform import uniform_like


def draw(X, estimator=None, n=400):
    return uniform_like(X, n, np.random.default_rng(0), estimator)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    a = rng.random(120)
    return pd.DataFrame(
        {
            "a": a,
            "flag": a > 0.5,
            "text": np.where(a > 0.1, "u", None),
            "kind": pd.Categorical(np.where(a > 0.9, "rare", "often")),
            "mixed": ["x", "y", 7] * 40,
            "b": 2 * a,
        }
    )


def test_numbers_fill_the_box_and_categories_stay_what_they_are(table):
    points = draw(table)
    assert list(points.columns) == list(table.columns)
    assert points["a"].between(table["a"].min(), table["a"].max()).all()
    assert points["a"].nunique() == 400
    for name in ("flag", "text", "kind", "mixed"):
        assert set(points[name]) == set(table[name].dropna())
    assert points["kind"].dtype == table["kind"].dtype
    assert (points["kind"] == "rare").mean() == pytest.approx(0.5, abs=0.1)
    # categories beside them leave the draws of numbers as they are
    two = table[["a", "flag"]]
    np.testing.assert_array_equal(draw(two)["a"], draw(two.astype(float))["a"])
    pd.testing.assert_frame_equal(draw(table[::-1]), points)


def test_numbers_that_a_detector_reads_as_categories_are_drawn_from_its_values():
    X = np.c_[np.random.default_rng(0).random(60), np.arange(60) % 3]
    detector = AutoencoderDetector("plain", epochs=1, categorical_features=[1], random_state=0)
    detector.fit(X)
    for rows in (X, X.tolist()):
        points = draw(rows, detector)
        assert points.dtype == float
        assert set(points[:, 1]) == {0, 1, 2}
        assert len(np.unique(draw(rows)[:, 1])) == 400
    objects = draw(np.array([["u", 1.0], ["v", 2.0]], dtype=object))
    assert set(objects[:, 0]) == {"u", "v"}


def test_criteria_judge_tables_with_categories(table):
    detector = AutoencoderDetector("plain", epochs=5, random_state=0).fit(table)
    for scorer in (excess_mass_scorer, neg_mass_volume_scorer):
        assert np.isfinite(scorer(detector, table))
    forest = IsolationForest(n_estimators=5, random_state=0).fit(table[["a", "flag"]])
    assert excess_mass_scorer(forest, table[["a", "flag"]]) > 0


def test_columns_without_values_are_refused(table):
    for empty in (None, np.nan):
        with pytest.raises(ValueError, match=r"missing altogether: \[2\]"):
            draw(table.assign(text=pd.Series([empty] * 120, dtype=object)))
