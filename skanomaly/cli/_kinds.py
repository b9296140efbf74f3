"""What each column becomes for the detector: numbers, a category, parts of a date, or nothing.

Owns that decision for one column at a time, and how the user is told of it. Which columns are
labels or left out on request is the business of ``cli._columns``.
"""

import dataclasses
import re
import shlex

from skanomaly.cli._files import count, listed, shown
from skanomaly.cli._texts import (
    ENOUGH,
    dates_of,
    hours_of,
    kind_of,
    numbers_of,
    says_missing,
    texts_of,
)

HEAD = 1000  # different texts among which there is a number, if there are enough of them
MOST_CATEGORIES = 64  # of more different values a detector takes the most frequent ones alone
FEW_ROWS = 10  # in fewer rows a count or a different number in each may be chance
_IDENTIFIER = re.compile(r"(.*[\W_])?(id|uuid|guid|key|nr|number)\W*|unnamed: \d+", re.IGNORECASE)
_IDENTIFIER_HUMP = re.compile(r".*[a-z0-9](Id|ID|Nr|Key|Number)")


@dataclasses.dataclass
class Reading:
    """What becomes of a column.

    `parts` are the features by what to add to the column's name; without any, `reason` says why
    the column is left out. `kind` and `remark` are for the user, `note` as well.
    """

    kind: str = ""
    parts: dict = dataclasses.field(default_factory=dict)
    remark: str = ""
    reason: str = ""
    note: str = ""
    tells: bool = False  # whether a column that is left out tells rows apart


def read_column(column, table, forced=False):
    """Decide what becomes of a column.

    Parameters
    ----------
    column : pandas.Series
    table : skanomaly.cli._files.Table
        Whose decimal mark the column has.
    forced : bool, default=False
        Take its values as categories, whatever they are.

    Returns
    -------
    reading : Reading
    """
    kind = kind_of(column)
    if kind == "empty":
        return Reading(reason="no values")
    if kind not in _READERS:
        return Reading(reason=kind)
    if column.nunique() == 1:
        return Reading(reason=f"nothing but {shown(column.dropna().iloc[0])}")
    return _forced_category(column) if forced else _READERS[kind](column, table)


def _read_numbers(column, table):
    return _numbers(column.astype("Float64").to_numpy("float64", na_value=float("nan")))


def _numbers(values, **told):
    return _constant(values) or Reading("numbers", {"": values}, **told)


def _constant(values):
    """Return why numbers that were read from texts tell nothing, such as 1 and 1.0."""
    known = values[_known(values)]
    if len(known) and known.min() == known.max():
        return Reading(reason=f"nothing but {known[0]:g}")
    return None


def _read_durations(column, table):
    import pandas as pd

    seconds = pd.to_timedelta(column).dt.total_seconds()
    return _numbers(seconds.to_numpy("float64", na_value=float("nan")) / 3600, remark="in hours")


def _read_text(column, table):
    """Numbers, dates and times where nearly all texts are such; else categories if they recur."""
    texts = texts_of(column)
    if table.sep is not None:
        reading = _numbers_in_text(texts, table.decimal)
        if reading is not None:
            return reading
    dates = dates_of(texts)
    if dates is not None:
        return _read_dates(dates, table, texts)
    hours = hours_of(texts)
    if hours is not None:
        return _numbers(hours, remark="in hours", note=_not_read(texts, hours, "times"))
    return _category(texts)


def _numbers_in_text(texts, decimal):
    head = texts.drop_duplicates().iloc[:HEAD]
    if not _known(numbers_of(head, decimal)).any():
        return None
    values = numbers_of(texts, decimal)
    others = texts[~_known(values)].dropna().unique()
    share = _known(values).sum() / texts.notna().sum()
    if not all(map(says_missing, others)):
        if share > 0.5 and not _why_no_category(texts):
            # one text among a few codes may be the anomaly
            return _category(texts, note=_hint_marker(others))
        if share < ENOUGH:
            return None
    return _numbers(values, note=_not_read(texts, values, "numbers"))


def _known(values):
    return values == values


def _hint_marker(others):
    """Point at the one text that keeps a column from being one of numbers."""
    if len(others) > 1:
        return ""
    marker = shlex.quote(others[0])
    return f"holds numbers and {marker}, as categories; --missing={marker} reads that as missing"


def _not_read(texts, values, kind):
    import pandas as pd

    others = texts[pd.isna(values) & texts.notna().to_numpy()]
    if len(others) == 0:
        return ""
    return (
        f"holds {kind} and {listed(others.unique(), 3)} in {count(len(others), 'row')}, "
        "read as missing"
    )


def _read_dates(column, table, texts=None):
    """Days since the first, unless that only tells the order of the rows; hours if there are."""
    import pandas as pd

    several_zones = column.dtype == object
    dates = pd.to_datetime(column, errors="coerce", utc=several_zones).dt.tz_localize(None)
    days = (dates - dates.min()) / pd.Timedelta(days=1)
    hours = (dates - dates.dt.normalize()) / pd.Timedelta(hours=1)
    known = days.dropna()
    in_order = known.is_monotonic_increasing or known.is_monotonic_decreasing
    in_order = in_order and len(known) >= FEW_ROWS
    parts = {"": days, " (hour)": hours}
    parts = {part: values.to_numpy("float64") for part, values in parts.items()}
    if in_order:
        del parts[""]
    if hours.nunique() < 2:
        del parts[" (hour)"]
    if not parts:
        return Reading(reason="dates in the order of the rows", tells=True)
    remark = f"{dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}, {_remark_of_parts(parts)}"
    note = "" if texts is None else _not_read(texts, dates, "dates")
    return Reading("dates", parts, remark, note=note, tells="" not in parts)


def _remark_of_parts(parts):
    if len(parts) == 2:
        return "as days and hour of the day"
    return "as days" if "" in parts else "as hour of the day; the dates are in order of the rows"


def _read_flags(column, table):
    return _forced_category(column)


def _read_category(column, table):
    return _category(texts_of(column))


def _category(texts, note=""):
    reason = _why_no_category(texts)
    return Reading(reason=reason, tells=True) if reason else _forced_category(texts, note)


def _why_no_category(texts):
    """Return why texts are no categories, or an empty string where they are."""
    known, different = texts.notna().sum(), texts.nunique()
    if different > MOST_CATEGORIES:
        return f"text, {different} different values, more than {MOST_CATEGORIES}"
    if 2 * different > known:
        return f"text, {different} different values in {count(known, 'row')}"
    return ""


def _forced_category(column, note=""):
    texts = texts_of(column)
    different = texts.dropna().unique()
    if len(different) == 0:  # blanks alone
        return Reading(reason="no values")
    if len(different) == 1:
        return Reading(reason=f"nothing but {shown(different[0])}")
    remark = f"{len(different)} values"
    return Reading("categories", {"": texts.astype("category").array}, remark, note=note)


def _read_times(column, table):
    return _numbers(hours_of(column.map(str, na_action="ignore")), remark="in hours")


_READERS = {
    "number": _read_numbers,
    "boolean": _read_flags,
    "text": _read_text,
    "category": _read_category,
    "dates": _read_dates,
    "time": _read_times,
    "timedelta64": _read_durations,
    "timedelta": _read_durations,
}


def is_identifier(name, values):
    """Tell numbers that only name the rows: whole, all different, and named like that."""
    named = _IDENTIFIER.fullmatch(name) or _IDENTIFIER_HUMP.fullmatch(name)
    if len(values) < FEW_ROWS or not named:
        return False
    return bool((values % 1 == 0).all()) and len(set(values)) == len(values)


def numbers_the_rows(values):
    """Tell a count of the rows, as a saved index is."""
    return len(values) >= FEW_ROWS and bool((values[1:] - values[:-1] == 1).all())
