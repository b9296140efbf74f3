"""Shapley values: exact where the score is a sum, on arrays and tables."""

import numpy as np
import pandas as pd
import pytest

from skanomaly.inspection._shapley import ComparedRows, shap_values, shapley_values

RNG = np.random.default_rng(0)
BACKGROUND = RNG.normal(size=(30, 4))
ROWS = RNG.normal(size=(3, 4)) + 2
SLOPES = np.array([1.0, -2.0, 0.5, 0.0])


def shares(score, rows=ROWS, background=BACKGROUND, **options):
    options = {"n_references": 5, "max_features": 4, "seed": np.random.RandomState(0)} | options
    return shapley_values(score, ComparedRows(rows, background), **options)


def test_terms_of_a_sum_are_its_shares():
    values, base, references = shares(lambda X: X @ SLOPES)
    expected = SLOPES * (ROWS - BACKGROUND[references].mean(axis=1))
    np.testing.assert_allclose(values, expected, atol=1e-12)
    np.testing.assert_allclose(base, (BACKGROUND[references] @ SLOPES).mean(axis=1))


@pytest.mark.parametrize("max_features", [1, 2, 4])
def test_shares_add_up_whatever_the_score(max_features):
    def score(X):
        return np.sin(X[:, 0]) * X[:, 1] - X[:, 2] ** 2

    values, base, _ = shares(score, max_features=max_features)
    np.testing.assert_allclose(base + values.sum(axis=1), score(ROWS), atol=1e-12)


def test_a_product_is_shared_evenly():
    values, _, _ = shares(
        lambda X: X[:, 0] * X[:, 1], np.array([[2.0, 2.0]]), np.zeros((1, 2)), max_features=2
    )
    np.testing.assert_allclose(values, [[2.0, 2.0]])


def test_a_row_is_compared_with_the_rows_most_alike():
    background = np.array([[0.0, 9.0], [0.0, 0.1], [5.0, 5.0]])
    nearest = ComparedRows(np.array([[0.0, 0.0]]), background).nearest(0, 2)
    assert nearest.tolist() == [1, 0]


def test_tables_are_mixed_column_by_column_and_keep_their_types():
    frame = pd.DataFrame({"kind": pd.Categorical(["a", "b"]), "size": [1, 2]})
    table = ComparedRows(frame[:1], frame[1:])
    kept = np.array([[True, False], [False, True]])
    mixed = table.mixed(np.zeros(2, int), np.zeros(2, int), kept)
    assert mixed["kind"].tolist() == ["a", "b"]
    assert mixed["size"].tolist() == [2, 1]


def test_missing_values_agree_and_categories_are_apart():
    frame = pd.DataFrame({"x": [np.nan, np.nan, 1.0], "kind": ["a", "b", "a"]})
    gaps = ComparedRows(frame[:1], frame[1:]).deviations(0, np.arange(2))
    assert gaps[0, 0] == 0
    assert gaps[1, 0] == np.inf
    assert (gaps[0, 1] > 1e100, gaps[1, 1]) == (True, 0)


def test_the_shap_package_gets_numbers_alone():
    pytest.importorskip("shap", reason="needs shap")
    table = pd.DataFrame({"a": [1.0, 2.0], "k": ["u", "v"]})
    with pytest.raises(ValueError, match=r"in the columns \['k'\].*method=\"shapley\""):
        shap_values(lambda rows: rows["a"], table, table, 0)
