"""Channels whose level wanders, such as a temperature that rises all day.

Owns which channels these are, and what is left of them in windows. Does not own: windows, or what
is made of them.

The level of such a channel was never the same twice in training, so that a new level says little.
Beside channels that stay where they are, its level counts for less: the detector inside gets its
windows without their mean, and it counts for less in the distance from the nearest course and
in what single time stamps deviate from it.
"""

import numpy as np

from skanomaly.meta._window_size import centred_columns, period

#: How much larger the units of a channel become where its level wanders. On eight of SKAB's
#: series, with a PCA as the detector inside, ROC AUC with 2 / 3 / 4 / 6 / 10 is
#: .942 / .954 / .959 / .958 / .957.
TIMES = 4.0
#: Blocks whose means are the levels, those left out as possible anomalies, and the share of the
#: variance that levels have at least: on the same series, F1 with .64 / .4 is .82 / .84.
_BLOCKS, _LEFT_OUT, _SHARE = 8, 2, 0.4
#: Time stamps that tell a wandering level from chance.
_LEAST = 64


def wandering_channels(X, series):
    """Return which channels have a level that wanders and no period.

    A level is the mean of an eighth of a series. None wanders where all would: something has to
    be judged by its level.

    Parameters
    ----------
    X : ndarray of shape (n, n_channels)
        Time stamps; missing values count as the mean.
    series : list of Series
        Which of them belong together.

    Returns
    -------
    wandering : ndarray of shape (n_channels,), bool

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._wandering import wandering_channels
    >>> from skanomaly.meta._windows import Series
    >>> noise = np.random.default_rng(0).normal(size=(800, 2))
    >>> noise[:, 1] += np.arange(800) / 100
    >>> wandering_channels(noise, [Series(None, 0, 800)])
    array([False,  True])
    """
    none = np.zeros(X.shape[1], dtype=bool)
    parts = [X[each.start : each.stop] for each in series if len(each) >= _LEAST]
    if len(none) == 1 or not parts:
        return none
    moments = np.array([_moments(part) for part in parts])
    between, total = np.average(moments, axis=0, weights=list(map(len, parts)))
    wandering = between > _SHARE * total
    for j in np.flatnonzero(wandering):
        wandering[j] = all(period(part[:, j]) is None for part in parts)
    return none if wandering.all() else wandering


def _moments(X):
    """Return the variance of the levels of a series, and of its values, without odd blocks."""
    Z = centred_columns(X)
    blocks = np.array_split(Z, _BLOCKS)
    means = np.array([block.mean(axis=0) for block in blocks])
    odd = np.abs(means - np.median(means, axis=0))
    usual = np.argsort(odd, axis=0, kind="stable")[: _BLOCKS - _LEFT_OUT]
    kept = np.take_along_axis(means, usual, axis=0)
    between = kept.var(axis=0, ddof=1)
    squares = np.array([(block**2).mean(axis=0) for block in blocks])
    total = np.take_along_axis(squares, usual, axis=0).mean(axis=0) - kept.mean(axis=0) ** 2
    return between, total


def without_levels(windows, wandering):
    """Return windows whose wandering channels have a mean of 0; a copy where there are some.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, size * n_channels)
        Flat, step by step.
    wandering : ndarray of shape (n_channels,), bool

    Returns
    -------
    windows : ndarray of the same shape
        Missing values stay.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._wandering import without_levels
    >>> without_levels(np.array([[5.0, 1.0, 7.0, 3.0]]), np.array([False, True]))
    array([[ 5., -1.,  7.,  1.]])
    """
    if not wandering.any():
        return windows
    steps = np.array(windows).reshape(len(windows), -1, len(wandering))
    # sums along contiguous memory do not depend on how many windows there are
    some = np.ascontiguousarray(steps[:, :, wandering].swapaxes(1, 2))
    count = np.maximum(np.isfinite(some).sum(axis=2, keepdims=True), 1)
    some -= np.nansum(some, axis=2, keepdims=True) / count
    steps[:, :, wandering] = some.swapaxes(1, 2)
    return steps.reshape(len(windows), -1)
