"""Tables of one kind: numbers are numbers in any container, categories keep their values."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier, explain
from skanomaly.inspection._rows import in_common, read_alike

DETECTOR = AutoencoderDetector("plain", epochs=5, random_state=0)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    a = rng.normal(size=150)
    mode = np.where(a > 0, "high", "low")
    return pd.DataFrame({"a": a, "b": 2 * a + rng.normal(0, 0.1, 150), "mode": mode, "f": a > 0.5})


def same(one, other):
    assert_allclose(one.contributions, other.contributions)
    assert_allclose(one.score, other.score)


def test_numbers_in_columns_of_objects_are_numbers(table):
    detector = DETECTOR.fit(table)
    rows = table[:3].assign(a=[140.0, np.nan, 0.3])
    same(detector.explain(rows.astype(object)), detector.explain(rows))
    twice = rows.set_axis([0, 0, 1])
    same(detector.explain(twice.astype(object)), detector.explain(twice))


def test_lists_with_none_are_explained_as_arrays_are(table):
    X = table[["a", "b"]].to_numpy()
    detector = DETECTOR.fit(X)
    same(detector.explain([[140.0, None]]), detector.explain([[140.0, np.nan]]))
    forest = IsolationForest(n_estimators=5, random_state=0).fit(X)
    rows = X[:2] + 5
    expected = explain(forest, rows, background=X)
    same(explain(forest, rows.astype(object), background=X), expected)
    same(explain(forest, rows, background=X.astype(object).tolist()), expected)


def test_lists_with_text_and_numbers(table):
    detector = AutoencoderDetector(
        "plain", epochs=5, categorical_features=[2, 3], random_state=0
    ).fit(table.to_numpy())
    rows = table[:3].assign(a=9.0)
    framed = AutoencoderDetector("plain", epochs=5, random_state=0).fit(table).explain(rows)
    found = detector.explain(rows.to_numpy().tolist())
    same(found, framed)
    assert found.expected["x2"].isin(["high", "low"]).all()


def test_codes_are_as_far_apart_as_any_categories():
    background = np.array([[0.0, 0.0, 2.0], [1.0, 1.0, 2.0]])
    codes = np.array([False, False, True])
    X = np.array([[0.9, 0.9, 7.0]])
    read, rows, mask = read_alike(X, background, codes)
    assert (read is X, rows is background, mask.tolist()) == (True, True, [False, False, True])
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=200), rng.integers(0, 6, 200)]
    y = np.where(X[:, 0] > 2, 1, 0)
    detector = NeuralAnomalyClassifier(
        "plain", epochs=20, categorical_features=[1], random_state=0
    )
    found = detector.fit(X, y).explain(X[:20], background=X).expected["x1"]
    assert (found == X[:20, 1]).all()  # rows of other codes are less like them


@pytest.mark.parametrize("method", ["shapley", "reconstruction"])
def test_expected_categories_are_values(table, method):
    detector = AutoencoderDetector(
        "plain", epochs=5, anomaly_score="reconstruction", random_state=0
    ).fit(table)
    rows = table[:4]
    found = detector.explain(rows, method=method)
    assert found.expected["mode"].tolist() == rows["mode"].tolist()
    assert found.expected["f"].tolist() == rows["f"].tolist()
    assert_allclose(found.expected[["a", "b"]], detector.reconstruct(rows)[:, :2])
    del detector._background
    if method == "reconstruction":
        assert detector.explain(rows, method=method).expected["mode"].isna().all()
    given = detector.explain(rows, method=method, background=table)
    assert given.expected["mode"].tolist() == rows["mode"].tolist()


def test_types_decide_where_the_detector_does_not_say(table):
    frame = table[["mode", "a"]]
    detector = make_pipeline(OrdinalEncoder(), IsolationForest(random_state=0)).fit(frame)
    known = frame[:2].astype(object)
    found = explain(detector, known, background=frame)
    assert found.expected["mode"].isin(["high", "low"]).all()
    same(found, explain(detector, frame[:2], background=frame))
    _, _, mask = read_alike(
        pd.DataFrame({"t": pd.to_datetime(["2024-01-01"]), "x": ["text"]}),
        pd.DataFrame({"t": pd.to_datetime(["2024-01-02"]), "x": [1.0]}),
    )
    assert mask.all()


def test_what_rows_have_in_common():
    rows = pd.DataFrame({"x": [1.0, 3.0, np.nan], "kind": ["a", "b", "b"]})
    common = in_common(rows, np.array([[1, 0], [2, 2]]), np.array([False, True]))
    assert_allclose(common[0], [2, np.nan])
    assert common[1].tolist() == ["b", "b"]
