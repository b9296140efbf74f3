"""Columns, tables and parameters of numbers: read from any container, or refused in words."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars
import pytest
import scipy.sparse as sp

from skanomaly.utils._validation import check_column, check_number, check_table, check_weight


def test_numbers_become_float64():
    column = check_column([1, True, 2.5], "scores")
    assert column.dtype == np.float64
    assert column.tolist() == [1.0, 1.0, 2.5]


@pytest.mark.parametrize(
    "values",
    [
        (1, 2),
        np.array([1, 2], dtype=object),
        np.ma.MaskedArray([1, 2], [False, False]),
        pd.Series([1, 2], index=[1, 0]),
        pd.array([1, 2], dtype="Int64"),
        pd.Series([1, 2], dtype="int64[pyarrow]"),
        pd.Index([1, 2]),
        polars.Series([1, 2]),
        [Decimal(1), Fraction(2)],
        np.array([1, 2], dtype=np.float16),
    ],
    ids=lambda values: type(values).__name__,
)
def test_columns_in_any_container(values):
    assert check_column(values, "scores").tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0], [2.0]], r"scores must be numbers of shape \(n_samples,\), got list of shape"),
        (3.0, r"got float of shape \(\)"),
        (None, "got NoneType of shape"),
        ({"a": 1}, "got dict of shape"),
        (sp.csr_matrix([[1.0]]), "got csr_matrix of shape"),
        ([1.0, np.nan, np.inf], "got 2 of 3 values that are NaN, missing or infinite"),
        ([1.0, None], "got 1 of 2 values"),
        ([1j], "got complex numbers"),
        (["1"], "got strings"),
        ([1, "a"], "got strings"),
        (np.array([1, "a"], dtype=object), "got the str 'a'"),
        (pd.date_range("2024", periods=2), "got dates"),
        ([1, [2]], "got the list"),
    ],
    ids=str,
)
def test_anything_else_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        check_column(values, "scores")


def test_bounds_are_named():
    with pytest.raises(ValueError, match=r"scores must lie between -10 and 10, got .* to 11"):
        check_column([1, 11], "scores", 10)


def test_weights_may_be_one_number_or_none():
    assert check_weight(None, 3) is None
    assert check_weight(2, 3).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("size", [1e308, 1e-310, 5e-324])
def test_extreme_weights_keep_their_ratios(size):
    weight = check_weight([size, 0.0, size], 3)
    assert weight[0] == weight[2]
    assert weight[1] == 0
    assert 1e-3 < weight.sum() < 1e3


@pytest.mark.parametrize(
    "weight", [[1, -1], [0, 0], [1, np.nan], [1, np.inf], [1], ["1", "2"], [1j, 1]]
)
def test_weights_that_mean_nothing_are_refused(weight):
    with pytest.raises(ValueError, match="sample_weight must"):
        check_weight(weight, 2)


@pytest.mark.parametrize(
    ("value", "closed"),
    [(0, "right"), (1, "left"), (2, "both"), (np.nan, "both"), ("0.5", "both"), (True, "both"),
     (None, "both"), (1j, "both"), ([0.5], "both")],
    ids=str,
)  # fmt: skip
def test_numbers_out_of_bounds(value, closed):
    with pytest.raises(ValueError, match=r"share must be a number in [\[(]0, 1[\])], got"):
        check_number(value, "share", high=1, closed=closed)


def test_numbers_within_bounds():
    assert check_number(np.float32(0.5), "share", high=1) == 0.5
    assert check_number(0, "share", closed="left") == 0.0


@pytest.mark.parametrize(
    "values",
    [[[1, 2]], np.array([[1, 2]], dtype=object), sp.csr_matrix([[1, 2]]),
     pd.DataFrame([[1, 2]], dtype="Int64"), polars.DataFrame({"a": [1], "b": [2]})],
    ids=lambda values: type(values).__name__,
)  # fmt: skip
def test_tables_in_any_container(values):
    np.testing.assert_array_equal(check_table(values, "X"), [[1.0, 2.0]])


@pytest.mark.parametrize(
    "values", [[1, 2], [["a"]], [[1j]], [[np.inf]], [[np.nan]], None, [[]], [[1], [1, 2]]], ids=str
)
def test_anything_else_is_no_table(values):
    with pytest.raises(ValueError, match="X must"):
        check_table(values, "X")
    assert np.isnan(check_table([[np.nan]], "X", allow_nan=True)).all()
