"""Time as pandas knows it: stamps read from an index or a column, checked, and given back.

Owns what is refused, warned about or resampled. Does not own: numbers, which scikit-learn checks.
"""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from skanomaly.preprocessing._columns import is_time
from skanomaly.preprocessing._validation import refuse_time
from skanomaly.utils._categories import is_category
from skanomaly.utils._labels import ANOMALY, NORMAL, UNLABELLED

#: A gap is a step this many times the usual one.
_GAP = 1.5
#: Label code of a row that a grid has added: it says nothing of its windows.
ADDED = 2
#: Rows of a grid at most, and so many times the rows given where that is more.
_MOST_ROWS, _MOST_TIMES = 1_000_000, 10


class Stamps(NamedTuple):
    """When the rows of a table were taken: what they are called, and which row stands for each."""

    index: pd.Index  # of the answers
    places: np.ndarray | None  # the row read for each answer, None for the same rows
    steps: dict  # usual step of each series in nanoseconds, by the text of its name

    def of_rows(self, values):
        """Return the values of the rows given, from those of the rows read."""
        return values if self.places is None else values[self.places]

    def answer(self, values, name):
        """Return one value for each time stamp as a Series with its index."""
        return pd.Series(self.of_rows(values), self.index, name=name)

    def codes_read(self, codes, n_read):
        """Return label codes of the rows read; `ADDED` for those that the grid has added.

        Of rows that share a place, an anomaly counts first, and an unlabelled one next.
        """
        if self.places is None:
            return codes
        read = np.full(n_read, ADDED, dtype=codes.dtype)
        for code in (NORMAL, UNLABELLED, ANOMALY):
            read[self.places[codes == code]] = code
        return read


def read_time(X, groups, *, time, irregular, owner, steps=None):
    """Take the time stamps out of a table and check them.

    Parameters
    ----------
    X : array-like of shape (n, n_channels)
        A table with an index of time stamps, periods or durations, or with a column of them, or
        anything else.
    groups : array-like of shape (n,) or None
        Series each row belongs to; stamps are checked series by series.
    time : str or None
        The column of time stamps.
    irregular : {"warn", "raise", "resample", "ignore"}
        What to do about gaps; "resample" also sorts stamps and merges those that are the same,
        which all others refuse.
    owner : str
        Who refuses.
    steps : dict, default=None
        Usual steps of the series of `fit`, which hold for its grid; None are those of `X`.

    Returns
    -------
    X : array-like of shape (n_read, n_channels)
        Channels alone.
    groups : array-like of shape (n_read,) or None
    stamps : Stamps or None
        None where there is no time.
    """
    if not isinstance(X, pd.DataFrame):
        if time is not None:
            raise ValueError(
                f"time={time!r} names a column, so that {owner} needs a DataFrame, got "
                f"{type(X).__name__}. Pass a DataFrame, or leave time=None."
            )
        return X, groups, None
    given, X = _take_index(X, time, owner)
    _refuse(X, owner)
    index = _as_stamps(given)
    if index is None:
        return X, groups, None
    if index.isna().any():
        raise ValueError(
            f"{owner} found {index.isna().sum()} missing time stamps. Drop these rows first."
        )
    if groups is not None and np.shape(groups) != (len(X),):  # said better where they are read
        return X, groups, Stamps(given, None, {})
    names = np.zeros(len(X), dtype=int) if groups is None else pd.factorize(np.asarray(groups))[0]
    parts = [np.flatnonzero(names == code) for code in pd.unique(names)]
    parts = [(str(None if groups is None else np.asarray(groups)[p[0]]), p) for p in parts]
    if irregular == "resample":
        X, groups, stamps = _resampled(X, groups, parts, index, steps, owner)
        return X, groups, stamps._replace(index=given)
    found = {name: _check(index[rows], name, irregular, owner, steps) for name, rows in parts}
    return X, groups, Stamps(given, None, found)


def check_arrival(X, last, *, time, irregular, owner, steps):
    """Refuse rows of a stream that are not behind the last one, and say what gaps there are.

    Parameters
    ----------
    X : DataFrame
        The rows that have arrived; one that brings no time stamps is not checked.
    last : int or None
        The time stamp before, in nanoseconds since 1970; None at the beginning.
    time, irregular, owner, steps
        As in `read_time`. Nothing can be filled in or put in order here.

    Returns
    -------
    last : int or None
    """
    if time is not None and time not in X.columns:
        return last
    index = _as_stamps(_take_index(X, time, owner)[0])
    if index is None or not len(index):
        return last
    here = index.as_unit("ns")
    if here.isna().any():
        raise ValueError(f"{owner} found missing time stamps. Drop these rows first.")
    stamps = here.asi8 if last is None else np.append(last, here.asi8)
    wait = np.diff(stamps)
    if (wait <= 0).any():
        late = here[-len(wait) :][wait <= 0][0]
        raise ValueError(
            f"{owner} scores time stamps in the order in which they arrive, and {late} is not "
            "behind the one before. Pass rows in order, each once; reset_stream() begins a new "
            "series."
        )
    usual = _known_step(steps, None, int(np.median(wait)) if len(wait) else 0)
    if usual and (wait > _GAP * usual).any():
        gap = here[-len(wait) :][wait > _GAP * usual][0]
        _complain(
            f"The time stamps have a gap of more than the usual step of {pd.Timedelta(usual)} "
            f"before {gap}: windows reach across it as if there were none. Call reset_stream() "
            "to begin a new series, or pass irregular='ignore'.",
            irregular,
        )
    return int(stamps[-1])


def _take_index(X, time, owner):
    if time is None:
        return X.index, X
    if time not in X.columns:
        raise ValueError(
            f"time={time!r} is no column of X, which has {list(X.columns)[:8]}. Pass the name of "
            "the column that holds the time stamps."
        )
    return pd.Index(_dates(X[time], time), name=time), X.drop(columns=time)


def _as_stamps(index):
    """Return an index of time as time stamps, periods by their start; None for any other."""
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    if isinstance(index, pd.TimedeltaIndex):
        return pd.Timestamp(0) + index
    return index if isinstance(index, pd.DatetimeIndex) else None


def _dates(column, time):
    """Return a column as dates; numbers do not say what they count, nor from when."""
    if isinstance(column.dtype, pd.PeriodDtype) or column.dtype.kind == "m":
        return column
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if pd.api.types.is_numeric_dtype(column.dtype) or kind in ("integer", "floating", "decimal"):
        raise ValueError(
            f"The column time={time!r} of X holds numbers ({column.dtype}) where dates are "
            "expected: they do not say what they count, nor from when. Make them dates, for "
            f"seconds since 1970 by pd.to_datetime(X[{time!r}], unit='s'), or leave the column "
            "out and time=None where rows are in order."
        )
    try:
        return pd.to_datetime(column)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"The column time={time!r} of X cannot be read as dates: {error}. Make it dates by "
            f"pd.to_datetime(X[{time!r}], format=...)."
        ) from error


def _refuse(X, owner):
    """Refuse channels that are no numbers, by name."""
    for place, name in enumerate(X.columns):
        column = X.iloc[:, place]
        if is_time(column):
            refuse_time(column, name, owner)
        if is_category(column) and not pd.api.types.is_bool_dtype(column.dtype):
            raise ValueError(
                f"The channel {name!r} of X holds text or categories ({column.dtype}). {owner} "
                "expects numbers in every channel: turn it into 0/1 channels with "
                "pd.get_dummies or a OneHotEncoder before it, or drop it."
            )


def _check(index, name, irregular, owner, fitted):
    """Refuse stamps out of order or twice, say what gaps there are, and return the usual step."""
    steps = np.diff(index.asi8)
    if (steps < 0).any():
        first = index[1:][steps < 0][0]
        raise ValueError(
            f"The time stamps are not in order: {owner} found {(steps < 0).sum()} that are "
            f"earlier than the one before, the first at {first}. Sort the table "
            "(X.sort_index()), or pass irregular='resample'."
        )
    if (steps == 0).any():
        first = index[1:][steps == 0][0]
        raise ValueError(
            f"{(steps == 0).sum()} time stamps occur twice, the first is {first}. Merge them "
            "(X.groupby(level=0).mean()), tell several series apart by groups, or pass "
            "irregular='resample'."
        )
    usual = np.median(steps) if len(steps) else 0
    gaps = np.flatnonzero(steps > _GAP * usual)
    if len(gaps):
        _complain(
            f"The time stamps have {len(gaps)} gaps of more than the usual step of "
            f"{pd.Timedelta(usual, unit=index.unit)}, the first after {index[gaps[0]]}: windows "
            "reach across them as if there were none. Pass irregular='resample' to fill them in, "
            "groups to tell parts apart, or irregular='ignore'.",
            irregular,
        )
    found = _usual_step(index)
    known = _known_step(fitted, name, found)
    if known and found and not 1 / _GAP < found / known < _GAP:
        _complain(
            f"The time stamps are usually {pd.Timedelta(found)} apart, but {owner} was fitted to "
            f"steps of {pd.Timedelta(known)}: windows span another time. Bring the table to that "
            "step (X.resample(...).mean()), fit with irregular='resample', or pass "
            "irregular='ignore'.",
            irregular,
        )
    return found


def _complain(text, irregular):
    if irregular == "raise":
        raise ValueError(text)
    if irregular != "ignore":
        warnings.warn(text, stacklevel=6)


def _usual_step(index):
    """Return the median step of ordered stamps in nanoseconds, 0 where there is none."""
    steps = np.diff(index.asi8)
    unit = pd.Timedelta(1, index.unit).as_unit("ns").value
    return int(np.median(steps)) * unit if len(steps) else 0


def _known_step(fitted, name, found):
    """Return the step of a series in `fit`, for a new series the one nearest to its own, or 0."""
    known = [step for step in (fitted or {}).values() if step]
    if not known:
        return 0
    return fitted.get(name) or min(known, key=lambda step: abs(np.log(step / max(found, 1))))


def _resampled(X, groups, parts, index, fitted, owner):
    """Bring every series on a grid of its usual step; missing values lie on straight lines."""
    tables, keys, places, n_read, found = [], [], np.empty(len(X), dtype=int), 0, {}
    values = X.astype(np.float64)
    for name, rows in parts:
        part = values.iloc[rows].set_axis(index[rows]).sort_index().groupby(level=0).mean()
        found[name] = _usual_step(part.index)
        step = _known_step(fitted, name, found[name]) or found[name] or 1
        _refuse_endless(part.index, step, len(rows), owner)
        grid = pd.date_range(part.index[0], part.index[-1], freq=pd.Timedelta(step))
        whole = part.reindex(part.index.union(grid)).interpolate("time")
        tables.append(whole.reindex(grid))
        places[rows] = n_read + np.clip(grid.get_indexer(index[rows], "nearest"), 0, None)
        n_read += len(grid)
        keys.append(None if groups is None else np.repeat(np.asarray(groups)[rows[:1]], len(grid)))
    groups = None if groups is None else np.concatenate(keys)
    return pd.concat(tables).reset_index(drop=True), groups, Stamps(index, places, found)


def _refuse_endless(index, step, n_rows, owner):
    """Refuse a grid of far more rows than there are: a stray stamp makes one."""
    n_grid = int((index[-1] - index[0]) / pd.Timedelta(step)) + 1
    most = max(_MOST_ROWS, _MOST_TIMES * n_rows)
    if n_grid > most:
        raise ValueError(
            f"irregular='resample' would turn {n_rows} rows into {n_grid:,}: {owner} found time "
            f"stamps from {index[0]} to {index[-1]}, with a usual step of {pd.Timedelta(step)}. "
            f"Expected at most {most:,}: drop stray time stamps, tell parts apart by groups, or "
            "bring the table to a coarser step (X.resample(...).mean())."
        )
