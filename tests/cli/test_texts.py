"""Texts read as numbers, dates and times of day."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skanomaly.cli import _texts

FORMATS = [
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d", "%d.%m.%Y %H:%M",
    "%d.%m.%y", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %H:%M:%S",
]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.datetimes(pd.Timestamp(1971, 1, 1), pd.Timestamp(2060, 1, 1)), max_size=5),
)
def test_dates_are_read_however_written(form, dates):
    dates = [pd.Timestamp(2001, 1, 31, 13, 5), *dates]  # this one tells days from months
    column = pd.Series([date.strftime(form) for date in dates])
    expected = pd.Series([datetime.datetime.strptime(text, form) for text in column])
    pd.testing.assert_series_equal(_texts.dates_of(column), expected, check_dtype=False)


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "b"],
        ["1.5", "2.5"],
        ["1.2.3", "1.2.4"],
        ["192.168.1.1", "10.0.0.1"],
        ["2024-13-45", "2024-99-99"],
        ["555-123-4567", "555-123-4568"],
        ["2024-01-01", "soon"],
        ["12:30", "13:45"],
    ],
)
def test_other_texts_are_no_dates(texts):
    assert _texts.dates_of(pd.Series(texts)) is None


@pytest.mark.parametrize(
    ("texts", "decimal", "expected"),
    [
        (["1.5", "-2", "3e2", ".5"], ".", [1.5, -2, 300, 0.5]),
        (["1,234.5", "1,234,567", "9"], ".", [1234.5, 1234567, 9]),
        (["1.234,5", "7", "0,25"], ",", [1234.5, 7, 0.25]),
        (["12%", "5.5 %"], ".", [12, 5.5]),
        (["$1,200", "-$3.50", "€ 7"], ".", [1200, -3.5, 7]),
        (["1'234.5", "2.5"], ".", [1234.5, 2.5]),
        (["1\u202f234,5", "2\u00a0000", "-7\u00a0€"], ",", [1234.5, 2000, -7]),
        (["555 123 456", "555 123 457"], ".", [np.nan, np.nan]),
        (["(1,234.50)", "12-", "-3", "−4", "($5.5)"], ".", [-1234.5, -12, -3, -4, -5.5]),
        (["€ -3,5", "$-1.200,5", "- 2,5"], ",", [-3.5, -1200.5, -2.5]),
        (["192.168.100.100", "10.0.0.1"], ",", [np.nan, np.nan]),
        (["0.125", "7.104"], ",", [np.nan, 7104]),
        (["1.2.3", "x1", "", None, "4"], ".", [np.nan, np.nan, np.nan, np.nan, 4]),
    ],
)
def test_numbers_as_people_write_them(texts, decimal, expected):
    read = _texts.numbers_of(pd.Series(texts, dtype="string"), decimal)
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize(
    ("texts", "decimal", "unit", "expected"),
    [
        (["1.5 kg", "-2 kg", "3kg"], ".", "kg", [1.5, -2, 3]),
        (["12 °C", "7,5 °C"], ",", "°C", [12, 7.5]),
        (["EUR 1.200,50", "EUR -3"], ",", "EUR", [1200.5, -3]),
        (["CHF 11'448.16", "CHF 1\u202f200"], ".", "CHF", [11448.16, 1200]),
        (["34’344,48 kr", "1\u00a0000 kr"], ",", "kr", [34344.48, 1000]),
        (["- 18.427,85 EUR", "−5 EUR"], ",", "EUR", [-18427.85, -5]),
        (["(5 km/h)", "6 km/h-"], ".", "km/h", [-5, -6]),
        ([*["1 kg"] * 19, "500 g"], ".", "kg", [*[1] * 19, np.nan]),
        (["1 kg", "500 g"], ".", "", [np.nan, np.nan]),
        (["12a", "13b", "14c"], ".", "", [np.nan] * 3),
        (["A1", "A2"], ".", "", [np.nan] * 2),
    ],
)
def test_units(texts, decimal, unit, expected):
    column = pd.Series(texts, dtype="string")
    # of texts that recur, each counts once: make them different
    distinct = pd.Series([text.replace("1 kg", f"{i} kg") for i, text in enumerate(texts)])
    assert _texts.unit_of(distinct.astype("string"), decimal) == unit
    np.testing.assert_array_equal(_texts.numbers_of(column, decimal, unit), expected)
