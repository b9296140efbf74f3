"""Columns of numbers of any type, and refusals that name the column."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars
import pytest

from skanomaly.utils._numbers import numbers, numeric_table


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2, None], dtype="Int64"),
        pd.Series([1, 2, None], dtype="float64[pyarrow]"),
        pd.Series([Decimal(1), 2.0, None], dtype=object),
        pd.Series([Fraction(1), np.float32(2), pd.NA], dtype=object),
        pd.Series([True, 2, np.nan], dtype=object),
    ],
    ids=lambda column: str(column.dtype),
)
def test_numbers_of_any_type(column):
    np.testing.assert_array_equal(numbers(column, "it"), [1.0, 2.0, np.nan])


def test_numbers_beyond_float64_are_refused():
    with pytest.raises(ValueError, match="it holds a number too large"):
        numbers(pd.Series([10**400], dtype=object), "it")


@pytest.mark.parametrize("rows", [[[1, None]], pd.DataFrame({"a": [1], "b": [None]}),
                                  polars.DataFrame({"a": [1], "b": [None]}).lazy()],
                         ids=["list", "pandas", "lazy"])  # fmt: skip
def test_rows_of_numbers(rows):
    np.testing.assert_array_equal(np.asarray(numeric_table(rows, "it"), float), [[1, np.nan]])


def test_columns_are_refused_by_name():
    with pytest.raises(ValueError, match=r"column 'b' of X holds the text 'x'.*to_numeric"):
        numeric_table(pd.DataFrame({"a": [1], "b": ["x"]}), "it")
    with pytest.raises(ValueError, match="column 1 of X holds the text 'x'"):
        numeric_table([[1, "x"]], "it")
    with pytest.raises(ValueError, match="column name 'a' 2 times"):
        numeric_table(pd.DataFrame([[1, 2]], columns=["a", "a"]), "it")


def test_names_stay():
    table = numeric_table(pd.DataFrame({"a": [1], "b": [2]}, index=[7]), "it")
    assert (table.columns.tolist(), table.index.tolist()) == (["a", "b"], [7])
