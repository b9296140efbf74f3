"""Columns read by the plan of a fit, whatever type later rows gave them."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from skanomaly.cli._plans import parts_of

DATES = {"kind": "dates", "form": None, "origin": "2024-03-01", "days": True, "hours": True}
FOURTH = pd.Timestamp(2024, 3, 4, 5)


@pytest.mark.parametrize(
    "values",
    [
        ["04.03.2024 05:00", "25.03.2024 06:00"],
        ["04/03/2024 05:00:00", "25/03/2024 06:00:00"],
        ["2024-03-04T05:00:00+01:00", "2024-03-25T06:00:00+02:00"],
        [FOURTH, "25.03.2024 06:00"],
        [FOURTH.to_pydatetime(), pd.Timestamp(2024, 3, 25, 6)],
    ],
)
@pytest.mark.parametrize("rest", [[None], ["soon"] * 3])
def test_texts_are_dates_where_the_fit_had_timestamps(values, rest):
    parts = parts_of(DATES, pd.Series([*values, *rest], dtype=object))
    np.testing.assert_allclose(parts[""][:2], [3 + 5 / 24, 24.25])
    np.testing.assert_allclose(parts[" (hour)"][:2], [5, 6])
    assert np.isnan(parts[""][2:]).all()


@pytest.mark.parametrize(
    "values", [[1709528400000], [1.7e9], ["1709528400000"], ["3600"], [None, 5], [[1, 2]], [True]]
)
@pytest.mark.parametrize("plan", [DATES, {**DATES, "form": "ISO8601"}, {"kind": "durations"}])
def test_numbers_alone_are_no_dates_and_no_durations(values, plan):
    assert np.isnan(parts_of(plan, pd.Series(values))[""]).all()


def test_durations_of_texts():
    texts = ["0 days 01:00:00", "PT2H", "3 hours", "04:00:00", "04.03.2024 05:00", "x", None]
    read = parts_of({"kind": "durations"}, pd.Series([*texts, datetime.timedelta(hours=5)]))
    np.testing.assert_array_equal(read[""], [1, 2, 3, 4, *[np.nan] * 3, 5])


@pytest.mark.parametrize(
    "plan",
    [
        DATES,
        {"kind": "durations"},
        {"kind": "times"},
        {"kind": "numbers", "decimal": ".", "unit": "kg"},
        {"kind": "categories", "flags": False, "seen": ["a"]},
    ],
    ids=lambda plan: plan["kind"],
)
@pytest.mark.parametrize(
    "values",
    [
        [[1, 2], {"a": 1}],
        [np.array([1]), None],
        [b"a", 10**30],
        [decimal.Decimal("1.5"), datetime.time(1)],
        [datetime.datetime(1500, 1, 1), datetime.date(9999, 1, 1)],
        pd.interval_range(0, 2),
        pd.period_range("2024", "2025", freq="Y"),
    ],
    ids=str,
)
def test_no_value_stops_the_reading(plan, values):
    assert len(parts_of(plan, pd.Series(values))[""]) == 2
