"""Reading a column by a plan, the same way in the rows of a fit and in any later ones.

Owns what each kind of plan does; plans are dicts of plain values. Which plan a column gets is
decided in ``cli._kinds``.
"""

import datetime
import re

from skanomaly.cli._texts import (
    date_format_of,
    dates_in,
    hours_in,
    kind_of,
    numbers_of,
    texts_of,
)

_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?")
_CLOCK = r"[-+]?\d+:\d\d:\d\d(\.\d+)?"
_SPAN = re.compile(  # 01:00:00, PT1H, 2 h and 1 days 02:00:00, but not 3600
    rf"{_CLOCK}|[-+]?P.+|([-+]?\d+(\.\d+)? ?[a-zµ]+,? ?)+({_CLOCK})?", re.IGNORECASE
)
#: Squares of larger values overflow.
LARGEST = 1e100
#: Texts of a column of truths.
FLAGS = {"True", "False"}


def parts_of(plan, column, decimal=None):
    """Return the features that a column becomes, by what to add to its name.

    Parameters
    ----------
    plan : dict
        How to read the column.
    column : pandas.Series
        Its values, of whatever type these rows gave it.
    decimal : "." or ",", default=None
        Decimal mark of the numbers among texts, where the file has another one than the plan.

    Returns
    -------
    parts : dict of str to array
        Floats with NaN, or categories.
    """
    if decimal is not None and "decimal" in plan:
        plan = {**plan, "decimal": decimal}
    return _READERS[plan["kind"]](plan, column)


def _numbers(plan, column):
    if column.dtype.kind in "iuf" or (kind_of(column) in ("number", "empty") and not plan["unit"]):
        return {"": column.astype("Float64").to_numpy("float64", na_value=float("nan"))}
    return {"": numbers_of(column, plan["decimal"], plan["unit"])}


def _durations(plan, column):
    """Return hours; a number alone is none, for it does not say of what."""
    import pandas as pd

    if column.dtype.kind != "m":
        column = column.astype(object)
        column = column.where(column.map(_is_span).astype(bool))
    seconds = pd.to_timedelta(column, errors="coerce").dt.total_seconds()
    return {"": seconds.to_numpy("float64", na_value=float("nan")) / 3600}


def _is_span(value):
    if isinstance(value, str):
        return _SPAN.fullmatch(value.strip()) is not None
    return isinstance(value, datetime.timedelta)


def _times(plan, column):
    return {"": hours_in(column.map(str, na_action="ignore"))}


def _dates(plan, column):
    import pandas as pd

    dates = _moments(column, plan["form"])
    days = (dates - pd.Timestamp(plan["origin"])) / pd.Timedelta(days=1)
    hours = (dates - dates.dt.normalize()) / pd.Timedelta(hours=1)
    parts = {"": days} if plan["days"] else {}
    parts |= {" (hour)": hours} if plan["hours"] else {}
    return {part: values.to_numpy("float64") for part, values in parts.items()}


def _moments(column, form):
    """Return dates and times of day, however a file holds them; numbers alone are none.

    Texts have the given format; None is the one that most of them have.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if column.dtype.kind == "M":
        return column.dt.tz_localize(None)
    column = column.astype(object)
    typed = column.map(lambda value: isinstance(value, datetime.date)).astype(bool)
    dates = pd.to_datetime(column.where(typed), errors="coerce", utc=True).dt.tz_localize(None)
    texts = column.where(column.map(lambda value: isinstance(value, str)).astype(bool))
    form = form or date_format_of(texts, enough=0)
    return dates if form is None else dates.fillna(dates_in(texts, form))


def _categories(plan, column):
    texts = texts_of(column)
    if plan["flags"]:
        texts = texts.where(~texts.str.capitalize().isin(FLAGS), texts.str.capitalize())
    return {"": _as_seen(texts, plan["seen"]).astype("category").array}


def _as_seen(texts, seen):
    """Return texts, and those of a number as the fit saw it: 100 or 100.0 for 0100."""
    new = set(texts.dropna().unique()) - set(seen)
    numbers = [(_number(text), text) for text in seen] if new else []
    known = {value: text for value, text in numbers if value is not None}
    if len(known) < sum(value is not None for value, _ in numbers):
        return texts  # 7 and 07 are two of them
    written = {text: known.get(_number(text)) for text in new}
    return texts.replace({text: other for text, other in written.items() if other is not None})


def _number(text):
    return float(text) if _NUMBER.fullmatch(text) else None


_READERS = {
    "numbers": _numbers,
    "durations": _durations,
    "times": _times,
    "dates": _dates,
    "categories": _categories,
}
