"""Stretches of time: which time stamps in a row make one event."""

import numpy as np


def intervals(flags, *, merge=0, min_length=1):
    """Return where stretches of True begin and end.

    Parameters
    ----------
    flags : ndarray of shape (n,), bool
        Which time stamps are anomalies.
    merge : int, default=0
        Stretches with at most this many normal time stamps between them become one.
    min_length : int, default=1
        Stretches that are shorter after that are left out.

    Returns
    -------
    spans : ndarray of shape (n_events, 2)
        First and last time stamp of each.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.utils._intervals import intervals
    >>> intervals(np.array([1, 0, 1, 0, 0, 0, 1], dtype=bool), merge=1)
    array([[0, 2],
           [6, 6]])
    """
    at = np.flatnonzero(flags)
    if not len(at):
        return np.empty((0, 2), dtype=int)
    cut = np.flatnonzero(np.diff(at) > merge + 1)
    spans = np.stack([at[np.r_[0, cut + 1]], at[np.r_[cut, len(at) - 1]]], axis=1)
    return spans[spans[:, 1] - spans[:, 0] + 1 >= min_length]
