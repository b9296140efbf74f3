"""Numbers of a column of any type, and refusals that name the column and the value."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from skanomaly.preprocessing._columns import numbers, warn_of_numbers_as_text

WHAT = "The column 'a' of X"


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None], dtype="Int64"),
        pd.Series([1.0, None]),
        pd.Series([Decimal(1), None]),
        pd.Series([True, pd.NA], dtype="boolean"),
    ],
)
def test_numbers_of_any_type_are_float64(column):
    values = numbers(column, WHAT)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [1.0, np.nan])


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([1j], ValueError, "'a' of X holds complex numbers"),
        ([1, "two"], ValueError, "'a' of X holds the text 'two' where numbers are expected"),
        ([1, [2]], TypeError, r"'a' of X holds the list '\[2\]'"),
        ([10**400, 1], ValueError, "too large for float64"),
    ],
)
def test_other_values_are_named(values, error, message):
    with pytest.raises(error, match=message):
        numbers(pd.Series(values), WHAT)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2", "?", "4"], "holds numbers and the text '[?]'"),
        ([str(n) for n in range(100)], "holds numbers written as text"),
    ],
)
def test_numbers_among_text_are_pointed_at(values, message):
    with pytest.warns(UserWarning, match=f"'a' of X {message}"):
        warn_of_numbers_as_text(pd.Series(values), WHAT)


@pytest.mark.parametrize("values", [["1", "2"], ["a", "b", "3"], []])
def test_codes_and_words_are_no_numbers(values):
    warn_of_numbers_as_text(pd.Series(values, dtype=object), WHAT)
    warn_of_numbers_as_text(pd.Series(["1", "?"]).astype("category"), WHAT)
