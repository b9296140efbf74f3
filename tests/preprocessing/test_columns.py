"""Which columns of tables hold times, and when text looks like numbers."""

import datetime
import warnings

import pandas as pd
import pytest

from skanomaly.preprocessing._columns import is_time, warn_of_numbers_as_text


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.to_datetime(["2024-01-01"])),
        pd.Series(pd.to_datetime(["2024-01-01"]).tz_localize("UTC")),
        pd.Series(pd.to_timedelta(["1 h"])),
        pd.Series([None, datetime.date(2024, 1, 1)], dtype=object),
        pd.Series([datetime.time(12)], dtype=object),
        pd.Series(pd.to_datetime(["2024-01-01"])).astype("category"),
        pd.Series(pd.period_range("2024-01", periods=1, freq="M")),
    ],
    ids=lambda column: str(column.dtype),
)
def test_which_columns_hold_times(column):
    assert is_time(column)
    assert not is_time(pd.Series(["2024-01-01"]))


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        (["1.5", "2.5", "n/a"], True),
        ([1.5, 2.5, "n/a"], True),
        ([str(k) for k in range(100)], True),
        (["10115", "80331"] * 50, False),
        (["a", "b", "7"], False),
        (["a", "b"], False),
    ],
)
def test_when_text_looks_like_numbers(values, warned):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_numbers_as_text(pd.Series(values, dtype=object), "The column 'a' of X")
    assert bool(caught) == warned
