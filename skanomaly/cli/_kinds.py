"""What each column becomes for the detector: numbers, a category, parts of a date, or nothing.

Owns that decision for one column at a time, as a plan that new rows are read by, and how the
user is told of it. Which columns are labels or left out on request is the business of
``cli._columns``.
"""

import dataclasses
import re
import shlex

from skanomaly.cli._plans import FLAGS, parts_of
from skanomaly.cli._texts import (
    ENOUGH,
    as_text,
    date_format_of,
    dates_in,
    hours_of,
    kind_of,
    numbers_of,
    says_missing,
    texts_of,
    unit_of,
)
from skanomaly.cli._words import count, listed, shown

MOST_CATEGORIES = 64  # as many different categories as a detector tells apart
FEW_CODES = 20  # among so many different numbers, or fewer, an odd text may be a value
HEAD = 1000  # different texts among which there is a number, if there are enough of them
FEW_ROWS = 10  # in fewer rows a count or a different number in each may be chance
_IDENTIFIER = re.compile(r"(.*[\W_])?(id|uuid|guid|key|nr|number)\W*|unnamed: \d+", re.IGNORECASE)
_IDENTIFIER_HUMP = re.compile(r".*[a-z0-9](Id|ID|Nr|Key|Number)")


@dataclasses.dataclass
class Reading:
    """What becomes of a column.

    `plan` says how to read it, in plain values; `parts` are the features by what to add to the
    column's name. Without any, `reason` says why the column is left out. `kind` and `remark` are
    for the user, `note` as well.
    """

    kind: str = ""
    parts: dict = dataclasses.field(default_factory=dict)
    plan: dict = dataclasses.field(default_factory=dict)
    remark: str = ""
    reason: str = ""
    note: str = ""
    tells: bool = False  # whether a column that is left out tells rows apart


def read_column(column, table, forced=""):
    """Decide what becomes of a column.

    Parameters
    ----------
    column : pandas.Series
    table : skanomaly.cli._files.Table
        Whose decimal mark the column has.
    forced : {"", "category", "number"}, default=""
        Take its values as categories or as numbers, whatever they are.

    Returns
    -------
    reading : Reading
    """
    kind = kind_of(column)
    if kind == "empty":
        return Reading(reason="no values")
    if kind not in _READERS:
        return Reading(reason=kind)
    if column.astype(str).nunique() == 1 if kind == "mixed" else column.nunique() == 1:
        return Reading(reason=f"nothing but {shown(column.dropna().iloc[0])}")
    if forced == "category":
        return _forced_category(column)
    if forced == "number":
        return _forced_numbers(column, table, kind)
    return _READERS[kind](column, table)


def _planned(kind, column, plan, **told):
    """Return what a plan makes of a column, unless that tells nothing."""
    parts = parts_of(plan, column)
    if set(parts) == {""} and parts[""].dtype.kind == "f":
        known = parts[""][_known(parts[""])]
        if len(known) and known.min() == known.max():  # of texts such as 1 and 1.0
            return Reading(reason=f"nothing but {known[0]:g}")
    return Reading(kind, parts, plan, **told)


def _read_numbers(column, table):
    plan = {"kind": "numbers", "decimal": table.decimal, "unit": "", "text": False}
    return _planned("numbers", column, plan)


def _read_durations(column, table):
    return _planned("numbers", column, {"kind": "durations"}, remark="in hours")


def _read_text(column, table):
    """Numbers, dates and times where nearly all texts are such; else categories if they recur."""
    texts = texts_of(column)
    reading = _numbers_in_text(texts, table)
    if reading is not None:
        return reading
    form = date_format_of(texts)
    if form is not None:
        return _read_dates(dates_in(texts, form), table, texts, form)
    hours = hours_of(texts)
    if hours is not None:
        note = _not_read(texts, hours, "times")
        return _planned("numbers", texts, {"kind": "times"}, remark="in hours", note=note)
    return _category(texts)


def _read_mixed(column, table):
    """Numbers and texts side by side, as in JSON and workbooks, are read as texts."""
    lists = column.dropna().map(lambda value: isinstance(value, (list, dict, set, tuple, bytes)))
    if lists.any():
        return Reading(reason="lists or objects")
    return _read_text(column.map(as_text, na_action="ignore"), table)


def _numbers_in_text(texts, table):
    head = texts.drop_duplicates().iloc[:HEAD]
    unit = unit_of(head, table.decimal)
    if not _known(numbers_of(head, table.decimal, unit)).any():
        return None
    values = numbers_of(texts, table.decimal, unit)
    others = texts[~_known(values)].dropna().unique()
    share = _known(values).sum() / texts.notna().sum()
    if table.typed:  # the file could have said that these are numbers
        return _texts_meant(texts, others, share)
    if not all(map(says_missing, others)):
        few = len(set(values[_known(values)])) <= FEW_CODES
        if share > 0.5 and few and not _why_no_category(texts):
            # one text among a few codes may be the anomaly
            return _category(texts, note=_hint_marker(others))
        if share < ENOUGH:
            return None
    return _texts_as_numbers(texts, values, table, unit, text=True)


def _texts_as_numbers(texts, values, table, unit, text):
    import numpy as np

    plan = {"kind": "numbers", "decimal": table.decimal, "unit": unit, "text": text}
    remark = f"in {unit}" if unit else ""
    note = _not_read(texts, values, "numbers")
    texts = texts.mask(np.isin(values, table.missing))  # -999,00 where the user typed -999
    return _planned("numbers", texts, plan, remark=remark, note=note)


def _texts_meant(texts, others, share):
    """Point at texts that look like numbers although the file has types; they stay texts."""
    reading = _category(texts)
    if share > 0.5 and reading.parts:
        odd = f" beside {listed(others, 3)}" if len(others) else ""
        reading.note = f"holds numbers written as texts{odd}, as categories; --number reads them"
    return reading if share > 0.5 else None


def _forced_numbers(column, table, kind):
    texts = texts_of(column.map(as_text, na_action="ignore") if kind == "mixed" else column)
    unit = unit_of(texts, table.decimal)
    values = numbers_of(texts, table.decimal, unit)
    if not _known(values).any():
        return Reading(reason="no numbers, in spite of --number")
    return _texts_as_numbers(texts, values, table, unit, text=kind != "number")


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


def _read_dates(column, table, texts=None, form=None):
    """Days since the first, unless that only tells the order of the rows; hours if there are."""
    import pandas as pd

    several_zones = column.dtype == object
    dates = pd.to_datetime(column, errors="coerce", utc=several_zones).dt.tz_localize(None)
    known = dates.dropna()
    hours = (known - known.dt.normalize()) / pd.Timedelta(hours=1)
    in_order = known.is_monotonic_increasing or known.is_monotonic_decreasing
    plan = {"kind": "dates", "form": form, "origin": known.min().isoformat()}
    plan["days"] = not (in_order and len(known) >= FEW_ROWS)
    plan["hours"] = hours.nunique() >= 2
    if not (plan["days"] or plan["hours"]):
        return Reading(reason="dates in the order of the rows", tells=True)
    remark = f"{dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}, {_remark_of_parts(plan)}"
    note = "" if texts is None else _not_read(texts, dates, "dates")
    parts = parts_of(plan, column if texts is None else texts)
    return Reading("dates", parts, plan, remark, note=note, tells=not plan["days"])


def _remark_of_parts(plan):
    if plan["days"] and plan["hours"]:
        return "as days and hour of the day"
    return "as days" if plan["days"] else "as hour of the day; the dates are in order of the rows"


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
    plan = {"kind": "categories", "text": kind_of(column) == "text"}
    plan["flags"] = set(different) <= FLAGS
    plan["seen"] = [str(text) for text in different]
    remark = f"{len(different)} values"
    return Reading("categories", parts_of(plan, texts), plan, remark, note=note)


def _read_times(column, table):
    return _planned("numbers", column, {"kind": "times"}, remark="in hours")


_READERS = {
    "number": _read_numbers,
    "boolean": _read_flags,
    "text": _read_text,
    "mixed": _read_mixed,
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
