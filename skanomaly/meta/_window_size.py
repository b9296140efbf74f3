"""How long a window is, where nobody says: a few periods of the series, or a length that serves.

Owns the rule of ``window_size="auto"`` and the search for a period. NumPy alone.
"""

import math

import numpy as np

#: Time stamps of the longest windows, with one channel and with several. On the NAB series VUS-PR
#: rises up to 200 for every detector tried and stays level up to 288. Several channels say as much
#: in half of them: on eight of SKAB's series, F1 with 200 / 100 is .80 / .82.
LONGEST, LONGEST_OF_SEVERAL = 200, 100
#: Time stamps below which rows that do not depend on each other are no series but a table: with
#: one channel, and with several.
_FEW, _FEW_OF_SEVERAL = 100, 400
#: Autocorrelation of a period, at least; and in standard errors of that of independent rows.
_CORRELATION, _DEPENDENCE = 0.4, 5.0
#: Of peaks that are nearly as high as the highest, the first is the period, others its multiples.
_AS_HIGH = 0.9
_LAGS = 50


def automatic_size(X, series):
    """Return the number of time stamps in a window.

    As many whole periods as fit in 200 time stamps (100, with several channels), and 200 (100)
    where fewer than two do or there is no period; at most a third of the shortest series. Fewer
    than 400 rows (100, with one channel) that do not depend on those before them are a table:
    windows of one.

    Parameters
    ----------
    X : ndarray of shape (n, n_channels)
        Time stamps.
    series : list of Series
        Which of them belong together.

    Returns
    -------
    size : int
    """
    shortest = min(map(len, series))
    parts = [X[each.start : each.stop] for each in series]
    few = _FEW if X.shape[1] == 1 else _FEW_OF_SEVERAL
    if shortest < few and not any(map(_depends_on_past, parts)):
        return 1
    found = [period(column) for part in parts for column in part.T]
    found = [length for length in found if length is not None]
    longest = LONGEST if X.shape[1] == 1 else LONGEST_OF_SEVERAL
    length = int(np.median(found)) if found else longest
    n_periods = longest // length
    return max(1, min(n_periods * length if n_periods > 1 else longest, shortest // 3))


def period(values):
    """Return the period of a series in time stamps, or None.

    The lag of the highest autocorrelation behind its first zero, of series without their linear
    trend; noise lowers the peak but does not move it.

    Parameters
    ----------
    values : ndarray of shape (n,)
        One channel; missing values count as the mean.

    Returns
    -------
    period : int or None

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._window_size import period
    >>> noise = np.random.default_rng(0).normal(size=600)
    >>> period(np.sin(np.arange(600) * 2 * np.pi / 50) + 0.2 * noise), period(noise)
    (50, None)
    """
    n = len(values)
    centred = centred_columns(values[:, None])[:, 0]
    time = np.arange(n) - (n - 1) / 2
    centred = centred - time * (time @ centred) / max(time @ time, 1.0)
    correlation = _autocorrelation(centred)
    if correlation is None:
        return None
    negative = np.flatnonzero(correlation < 0)
    if not len(negative):
        return None
    start = negative[0]
    behind = correlation[start:]
    best = behind.max()
    if len(behind) < 3 or best < max(_CORRELATION, _DEPENDENCE / math.sqrt(n)):
        return None
    inner = behind[1:-1]
    peaks = (inner >= behind[:-2]) & (inner >= behind[2:]) & (inner > _AS_HIGH * best)
    if not peaks.any():
        return None
    first = 1 + np.flatnonzero(peaks)[0]
    around = behind[first : first + 1 + (start + first) // 5]  # noise makes peaks on a peak
    return int(start + first + around.argmax())


def _autocorrelation(centred):
    """Return the autocorrelation up to a third of the length, or None where nothing moves."""
    n = len(centred)
    power = float(centred @ centred)
    if power <= n * np.finfo(np.float64).eps:
        return None
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    shared = np.fft.irfft(spectrum, 2 * n)[: max(n // 3, 1)]
    return shared / power * n / (n - np.arange(len(shared)))


def centred_columns(X):
    """Return columns without their mean, in units of their largest deviation."""
    with np.errstate(over="ignore", invalid="ignore"):
        known = np.isfinite(X)
        mean = np.where(known, X, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        centred = np.nan_to_num(np.where(known, X - mean, 0), posinf=0.0, neginf=0.0)
        return centred / np.maximum(np.abs(centred).max(axis=0), np.finfo(np.float64).tiny)


def _depends_on_past(X):
    """Tell whether an autocorrelation is far above that of independent rows."""
    n = len(X)
    centred = centred_columns(X)
    power = np.maximum((centred**2).sum(axis=0), np.finfo(np.float64).tiny)
    for lag in range(1, min(_LAGS, n // 4) + 1):
        shared = np.abs((centred[lag:] * centred[:-lag]).sum(axis=0))
        if (shared / power).max() * np.sqrt(n) > _DEPENDENCE:
            return True
    return False
