"""Windows of time series: which there are, how they are read, and what they say of a time stamp.

Owns index arithmetic on arrays of time stamps; knows no detector. NumPy and pandas only.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

#: Values handed to a detector at once.
_BLOCK_VALUES = 2**22


class Series(NamedTuple):
    """One series: its name and the places of its time stamps in the ordered table."""

    name: object
    start: int
    stop: int

    def __len__(self):
        return self.stop - self.start


def find_series(groups, n):
    """Return the order that brings each series together, and the series in that order.

    Parameters
    ----------
    groups : array-like of shape (n,) or None
        Series of each time stamp; None is one series.
    n : int
        Number of time stamps.

    Returns
    -------
    order : ndarray of shape (n,) or None
        Time stamps series by series, each in the order given; None where they stand so already.
    series : list of Series
        In order of appearance.
    """
    if groups is None:
        return None, [Series(None, 0, n)]
    codes, names = pd.factorize(np.asarray(groups), use_na_sentinel=False)
    stops = np.cumsum(np.bincount(codes, minlength=len(names)))
    starts = np.r_[0, stops[:-1]]
    names = np.asarray(names).tolist()
    series = [Series(*each) for each in zip(names, starts.tolist(), stops.tolist(), strict=True)]
    ordered = np.all(codes[1:] >= codes[:-1])
    return (None if ordered else np.argsort(codes, kind="stable")), series


def all_windows(X, size):
    """Return a view of all windows of `size` successive rows, flat, step by step.

    Parameters
    ----------
    X : ndarray of shape (n, n_channels)
        Time stamps.
    size : int
        Time stamps in a window.

    Returns
    -------
    windows : ndarray of shape (n - size + 1, size * n_channels)
        Read-only; no value is copied where `X` is contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._windows import all_windows
    >>> all_windows(np.array([[1, 10], [2, 20], [3, 30]]), 2)
    array([[ 1, 10,  2, 20],
           [ 2, 20,  3, 30]])
    """
    width = X.shape[1]
    flat = np.ascontiguousarray(X).reshape(-1)
    return sliding_window_view(flat, size * width)[::width]


def window_starts(series, size, stride):
    """Return where a series' windows start; the last one ends with the series.

    Examples
    --------
    >>> from skanomaly.meta._windows import Series, window_starts
    >>> window_starts(Series("pump", 0, 10), size=4, stride=4)
    array([0, 4, 6])
    """
    last = series.stop - size
    starts = np.arange(series.start, last + 1, stride)
    return starts if starts[-1] == last else np.append(starts, last)


def check_lengths(series, size):
    """Refuse series shorter than a window."""
    for each in series:
        if len(each) < size:
            name = "The series" if each.name is None else f"The series {each.name!r}"
            raise ValueError(
                f"{name} has {len(each)} time stamps, but a window has "
                f"{size}. Expected at least one window in every series: pass "
                "longer series, or fit with a smaller window_size."
            )


def check_windows(starts, size):
    """Refuse to learn from a single window."""
    if len(starts) < 2:
        raise ValueError(
            f"There is only one window of {size} time stamps to learn from. Expected at least "
            "two: pass longer series, or a smaller window_size."
        )


def score_windows(score, X, starts, size, view=np.asarray):
    """Apply a function of rows to a view of windows, a bounded block of them at a time."""
    windows = all_windows(X, size)
    block = max(1, _BLOCK_VALUES // windows.shape[1])
    with np.errstate(over="ignore"):  # of rows beyond float32, which many detectors read
        blocks = (windows[starts[i : i + block]] for i in range(0, len(starts), block))
        parts = [score(view(rows)) for rows in blocks]
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])


def spread(scores, starts, size, series, aggregation):
    """Return the scores of a series' time stamps, from those of the windows that cover them.

    Parameters
    ----------
    scores : ndarray of shape (n_windows,)
        Higher is more normal.
    starts : ndarray of shape (n_windows,)
        Where the windows start, in ascending order.
    size : int
        Time stamps in a window.
    series : Series
        Which time stamps to answer for; the windows leave no gap.
    aggregation : {"mean", "max", "min", "last"}
        "mean" of all windows that cover a time stamp, "max" is the most abnormal of them, "min"
        the least abnormal, "last" the latest one that does not reach beyond it.

    Returns
    -------
    scores : ndarray of shape (len(series),)

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._windows import Series, spread
    >>> spread(np.array([0.0, -2.0]), np.array([0, 1]), 2, Series(None, 0, 3), "mean")
    array([ 0., -1., -2.])
    """
    n, starts = len(series), starts - series.start
    if aggregation == "last":
        latest = np.searchsorted(starts + size - 1, np.arange(n), side="right") - 1
        return scores[np.maximum(latest, 0)]
    if aggregation in ("max", "min"):
        choose, start = (np.minimum, np.inf) if aggregation == "max" else (np.maximum, -np.inf)
        worst = np.full(n, start)
        for step in range(size):
            worst[starts + step] = choose(worst[starts + step], scores)
        return worst
    total, count = np.zeros(n), np.zeros(n)
    for step in range(size):
        total[starts + step] += scores
        count[starts + step] += 1
    return total / count


def spread_all(scores, starts, size, series, aggregation):
    """Return what `spread` says of several series, one behind the other."""
    edges = np.searchsorted(starts, [each.start for each in series[1:]])
    parts = zip(np.split(scores, edges), np.split(starts, edges), series, strict=True)
    return np.concatenate([spread(s, at, size, each, aggregation) for s, at, each in parts])


def window_labels(codes, starts, size):
    """Return labels of windows: -1 for any anomaly inside, else NaN for any unlabelled, else 1.

    `codes` has one of -1, 1 and 0 (unlabelled) for every time stamp. Any other code says nothing;
    a window of nothing else is unlabelled.
    """
    inside = {value: np.r_[0, np.cumsum(codes == value)] for value in (-1, 0, 1)}
    counts = {value: sums[starts + size] - sums[starts] for value, sums in inside.items()}
    normal = (counts[0] == 0) & (counts[1] > 0)
    return np.where(counts[-1] > 0, -1.0, np.where(normal, 1.0, np.nan))
