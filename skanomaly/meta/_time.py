"""Time as pandas knows it: stamps read from an index or a column, checked, and given back.

Owns what is refused, warned about or resampled. Does not own: numbers, which scikit-learn checks.
"""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from skanomaly.preprocessing._columns import is_category, is_time
from skanomaly.preprocessing._validation import refuse_time

#: A gap is a step this many times the usual one.
_GAP = 1.5


class Stamps(NamedTuple):
    """When the rows of a table were taken: what they are called, and which row stands for each."""

    index: pd.Index  # of the answers
    places: np.ndarray | None  # the row read for each answer, None for the same rows

    def answer(self, values, name):
        """Return one value for each time stamp as a Series with its index."""
        values = values if self.places is None else values[self.places]
        return pd.Series(values, self.index, name=name)


def read_time(X, groups, *, time, irregular, owner):
    """Take the time stamps out of a table and check them.

    Parameters
    ----------
    X : array-like of shape (n, n_channels)
        A table with a DatetimeIndex, or with a column of time stamps, or anything else.
    groups : array-like of shape (n,) or None
        Series each row belongs to; stamps are checked series by series.
    time : str or None
        The column of time stamps.
    irregular : {"warn", "raise", "resample", "ignore"}
        What to do about gaps; "resample" also sorts stamps and merges those that are the same,
        which all others refuse.
    owner : str
        Who refuses.

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
    index, X = _take_index(X, time, owner)
    _refuse(X, owner)
    if not isinstance(index, pd.DatetimeIndex):
        return X, groups, None
    if index.isna().any():
        raise ValueError(
            f"{owner} found {index.isna().sum()} missing time stamps. Drop these rows first."
        )
    names = np.zeros(len(X), dtype=int) if groups is None else pd.factorize(np.asarray(groups))[0]
    if len(names) != len(X):  # said better where groups are read
        return X, groups, Stamps(index, None)
    if irregular == "resample":
        return _resampled(X, groups, names, index)
    for code in np.unique(names):
        _check(index[names == code], irregular, owner)
    return X, groups, Stamps(index, None)


def _take_index(X, time, owner):
    if time is None:
        return X.index, X
    if time not in X.columns:
        raise ValueError(
            f"time={time!r} is no column of X, which has {list(X.columns)[:8]}. Pass the name of "
            "the column that holds the time stamps."
        )
    column = pd.to_datetime(X[time])
    return pd.DatetimeIndex(column, name=time), X.drop(columns=time)


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


def _check(index, irregular, owner):
    """Refuse stamps out of order or twice; say what gaps there are."""
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
    if irregular == "ignore" or not len(gaps):
        return
    text = (
        f"The time stamps have {len(gaps)} gaps of more than the usual step of "
        f"{pd.Timedelta(usual, unit=index.unit)}, the first after {index[gaps[0]]}: windows "
        "reach across them as if there were none. Pass irregular='resample' to fill them in, "
        "groups to tell parts apart, or irregular='ignore'."
    )
    if irregular == "raise":
        raise ValueError(text)
    warnings.warn(text, stacklevel=4)


def _resampled(X, groups, names, index):
    """Bring every series on a grid of its usual step; missing values lie on straight lines."""
    tables, keys, places, n_read = [], [], np.empty(len(X), dtype=int), 0
    values = X.astype(np.float64)
    for code in pd.unique(names):
        rows = np.flatnonzero(names == code)
        part = values.iloc[rows].set_axis(index[rows]).sort_index().groupby(level=0).mean()
        steps = np.diff(part.index.asi8)
        usual = pd.Timedelta(int(np.median(steps)) if len(steps) else 1, unit=index.unit)
        grid = pd.date_range(part.index[0], part.index[-1], freq=usual)
        whole = part.reindex(part.index.union(grid)).interpolate("time")
        tables.append(whole.reindex(grid))
        places[rows] = n_read + np.clip(grid.get_indexer(index[rows], "nearest"), 0, None)
        n_read += len(grid)
        keys.append(None if groups is None else np.repeat(np.asarray(groups)[rows[:1]], len(grid)))
    groups = None if groups is None else np.concatenate(keys)
    return pd.concat(tables).reset_index(drop=True), groups, Stamps(index, places)
