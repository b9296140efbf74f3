"""Explanations by surprises: what a row's other values made likely, beside the value seen."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import AutoencoderDetector, explain


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    kind = rng.choice(["red", "blue", "green"], 500, p=[0.6, 0.3, 0.1])
    a = rng.normal(size=500) + np.where(kind == "red", 3, -3)
    b = 100 + 20 * a + rng.normal(size=500)
    return pd.DataFrame({"a": a, "kind": kind, "b": b, "c": rng.normal(50, 10, 500)})


@pytest.fixture(scope="module")
def detector(table):
    return AutoencoderDetector(max_steps=300, random_state=0).fit(table)


@pytest.fixture
def odd():
    """One usual row, then a wrong kind, a wrong b, a kind never seen, and values missing."""
    kinds = ["red", "blue", "red", "pink", None]
    return pd.DataFrame(
        {"a": [3.0, 3, 3, 3, np.nan], "kind": kinds, "b": [160.0, 160, 40, 160, 160], "c": 50.0},
        index=list("vwxyz"),
    )


def test_shares_name_the_value_that_does_not_go_with_the_others(detector, odd):
    explained = explain(detector, odd, method="surprise")
    total = explained.contributions.sum(axis=1) + explained.base
    assert_allclose(total, -detector.score_samples(odd))
    shares = explained.contributions
    assert list(shares.index) == list("vwxyz")
    assert (shares >= 0).all(axis=None)
    assert shares.loc["v"].sum() < 0.3
    assert shares.loc["w"].idxmax() == shares.loc["y"].idxmax() == "kind"
    assert shares.loc["x"].nlargest(2).index.isin(["a", "b"]).all()


def test_what_was_expected_comes_in_the_units_and_words_of_the_data(detector, odd):
    explained = explain(detector, odd, method="surprise")
    assert explained.expected.loc["w", "kind"] == "red"
    assert explained.likely.loc["w", "kind"].startswith("red ")
    assert explained.likely.loc["w", "kind"].endswith("%")
    assert abs(explained.expected.loc["x", "b"] - 160) < 20
    low, high = map(float, explained.likely.loc["x", "b"].split(" to "))
    assert 100 < low < 160 < high < 240
    top = explained.top(1)
    assert list(top)[-1] == "likely"
    assert top["likely"][1] == explained.likely.loc["w", "kind"]


def test_without_rows_to_name_them_categories_have_no_names(table, odd, detector):
    bare = AutoencoderDetector(max_steps=5, random_state=0).fit(table)
    del bare._background
    words = explain(bare, odd, method="surprise").likely["kind"]
    assert words.str.contains("a value").all()
    named = explain(bare, odd, method="surprise", background=table).likely["kind"]
    assert named.str.contains("red").all()


def test_training_rows_are_explained_by_the_members_that_missed_them(detector, table):
    explained = explain(detector, table[:50], method="surprise")
    total = explained.contributions.sum(axis=1) + explained.base
    assert_allclose(total, -detector.score_samples(table[:50]))


def test_rows_are_explained_one_by_one_or_together(detector, odd, monkeypatch):
    together = explain(detector, odd, method="surprise")
    monkeypatch.setattr("skanomaly.inspection._surprises._BLOCK_ROWS", 2)
    in_parts = explain(detector, odd, method="surprise")
    assert_allclose(in_parts.contributions, together.contributions, rtol=1e-6, atol=1e-9)
    assert_array_equal(in_parts.likely.to_numpy(), together.likely.to_numpy())


def test_arrays_have_numbers_alone(blob):
    detector = AutoencoderDetector(max_steps=20, random_state=0).fit(blob)
    explained = explain(detector, blob[:3] + 1, method="surprise")
    assert explained.expected.dtypes.eq(np.float64).all()
    assert_array_equal(explained.seen.to_numpy(), blob[:3] + 1)
    low = explained.likely.map(lambda words: float(words.split(" to ")[0]))
    assert (low >= blob.min(axis=0) - 1e-3).all(axis=None)


@pytest.mark.parametrize(
    "other",
    [
        IsolationForest(n_estimators=5, random_state=0),
        AutoencoderDetector("plain", epochs=1),
        make_pipeline(StandardScaler(), AutoencoderDetector("plain", epochs=1)),
    ],
)
def test_other_scores_have_no_surprises(blob, other):
    with pytest.raises(ValueError, match=r'method="surprise" needs .* Use method="shapley"'):
        explain(other.fit(blob), blob[:2], method="surprise", background=blob)
