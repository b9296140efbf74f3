"""From windows to time stamps that are abnormal themselves: where an anomaly begins and ends.

Owns the score of ``aggregation="located"``: which time stamps are above the threshold, and the
order of all others. Does not own: the windows' scores, or the deviations (``_courses``).

A window that holds a spike is abnormal from end to end, so that the mean over windows finds the
place but not the time stamp. Here windows say *whether*, and the deviation of single time stamps
from the nearest normal course says *where*. High is abnormal, 1 is the threshold.
"""

import numpy as np
from scipy.ndimage import binary_closing, binary_opening, median_filter, uniform_filter1d

#: Standard normal quantile of 90%.
_Z90 = 1.2816
#: Thresholds: standard deviations above the median, and multiples of the 99% quantile.
_SIGMAS, _TIMES_Q99, _LEAST = 4.0, 1.3, 3.0
_SHARE_OF_MOST, _MOST_TIMES_Q99 = 0.8, 3.0
#: The same for windows of one channel, and of several, whose distances are sums of more and stray
#: less: on SKAB's series F1 with the first / the second is .74 / .76, on NAB's VUS-PR .755 / .74.
_WINDOW_SIGMAS, _WINDOW_TIMES_Q99 = (3.0, 2.0), (1.2, 1.6)
#: How far a single time stamp must be beyond its threshold where its windows are quiet.
_ALONE = 1.4
#: How far a stretch must be beyond its threshold where its windows are half-way to theirs.
_STRONG = 2.0
#: Weight of deviations in the order of anomalies, beside their windows. Average precision with
#: .5 / .1 / .02 / 0: five NAB series .69 / .71 / .74 / .75, made-up .79 / .79 / .79 / .75.
_SEVERITY = 0.03
#: Weight of the mean of the windows in the order of time stamps, beside the highest of them. ROC
#: AUC on SKAB's series, VUS-PR on NAB's and average precision on made-up ones with 1 / .5 / 0:
#: .904 / .919 / .924, .755 / .766 / .734, .946 / .943 / .931.
_MEAN = 0.5
#: How far it must be on the way to it where every window that covers it is abnormal.
_AMONG = 0.5

#: Gaps are closed up to an eighth of a window, where a third of the window around them is found:
#: between two spikes the series is normal. On SKAB's series F1 and misses without / with it are
#: .79, 24% / .81, 20%.
_PART_OF_A_WINDOW, _DENSE = 8, 1 / 3


class WindowScale:
    """Scores of windows in units of their spread on windows that were not trained on.

    Parameters
    ----------
    several : bool, default=False
        Whether windows are of several channels.
    """

    def __init__(self, several=False):
        self.several = bool(several)

    def fit(self, scores, unit=1.0):
        """Fit on scores of normal windows, shape (n_windows,), high for abnormal ones.

        Spreads of less than a thousandth of the middle and `unit` count as that much.
        """
        low, middle, high, top = np.quantile(scores, [0.1, 0.5, 0.9, 0.99])
        least = 1e-3 * (unit + abs(middle))
        self.centre, self.scale = middle, max(middle - low, high - middle, least)
        sigmas, times = _WINDOW_SIGMAS[self.several], _WINDOW_TIMES_Q99[self.several]
        self.threshold = max(sigmas, times * (top - middle) / self.scale)
        return self

    def apply(self, scores):
        """Return scores, 0 for the median."""
        return (scores - self.centre) / self.scale


class StampEvidence:
    """How far single time stamps deviate from the nearest course, for anomalies of some lengths.

    The deviation itself speaks for spikes, running medians of a twentieth and a quarter of a
    window for shifts: a median does not see a spike, and turns over where a shift begins.
    """

    def __init__(self, size):
        self.size = size
        self.lengths = [1] if size < 12 else [1, max(3, size // 20) | 1, max(5, size // 4) | 1]

    def fit(self, deviation, series, times=1.0):
        """Fit on deviations of normal time stamps, (n, n_channels).

        `times` is how many times its threshold each channel has to deviate.
        """
        smooth = self._smooth(deviation, series)
        self.scales = [_root_mean_square(values) for values in smooth]
        floor = self.scales[0]
        self.scales = [
            np.maximum(scale, floor * (0.5 / np.sqrt(length) if length > 1 else 1))
            for scale, length in zip(self.scales, self.lengths, strict=True)
        ]
        pairs = zip(smooth, self.scales, strict=True)
        levels = [np.abs(values) / scale / times for values, scale in pairs]
        self.thresholds = [times * _threshold(level.max(axis=1)) for level in levels]
        if len(levels) > 1:  # a channel that jumps must not hide short shifts of the others
            self.thresholds[1] = times * _thresholds(levels[1])
        return self

    def parts(self, deviation, series):
        """Return each channel's deviations over their thresholds, (n_lengths, n, n_channels)."""
        smooth = self._smooth(deviation, series)
        each = zip(smooth, self.scales, self.thresholds, strict=True)
        return np.stack([np.abs(values) / scale / top for values, scale, top in each])

    def levels(self, deviation, series):
        """Return the largest channel's, (n_lengths, n)."""
        return self.parts(deviation, series).max(axis=2)

    def lasting(self, levels, series):
        """Return which time stamps are of a new level that lasts for a window or longer.

        Windows of several channels may not tell that one of them is elsewhere; those of one do.
        """
        if len(self.lengths) == 1 or len(self.scales[0]) == 1:
            return np.zeros(levels.shape[1], dtype=bool)
        high = levels[len(self.lengths) - 1] >= 1
        window = np.ones(self.size, dtype=bool)
        parts = [binary_opening(high[each.start : each.stop], window) for each in series]
        return np.concatenate(parts)

    def _smooth(self, deviation, series):
        return [deviation if k == 1 else _medians(deviation, series, k) for k in self.lengths]


def located_scores(
    levels, mean, highest, lowest, threshold, *, lasting=False, still=False, series=(), size=0
):
    """Return how abnormal time stamps are; those above 1 are anomalies.

    Parameters
    ----------
    levels : ndarray of shape (n_lengths, n)
        Deviations over their thresholds, `StampEvidence.levels`.
    mean, highest, lowest : ndarray of shape (n,)
        Of the scores of the windows that cover a time stamp (`WindowScale.apply`).
    threshold : float
        The windows' threshold.
    lasting : ndarray of shape (n,), bool, default=False
        Time stamps of a new level that lasts: anomalies, whatever the windows say.
    still : ndarray of shape (n,), bool, default=False
        Time stamps at which a channel stands still: anomalies, in the order of their windows.
    series : list of Series, default=()
        Which time stamps belong together.
    size : int, default=0
        Time stamps in a window: short gaps in a long anomaly belong to it.

    Returns
    -------
    scores : ndarray of shape (n,)
        Between 0 and 1 for normal time stamps, in the order of their windows.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._evidence import located_scores
    >>> levels = np.array([[0.2, 2.0, 0.2]])  # a spike in an abnormal window
    >>> windows = np.array([5.0, 5.0, 5.0])
    >>> located_scores(levels, windows, windows, windows - 5, 3.0) > 1
    array([False,  True, False])
    """
    level, still = levels.max(axis=0), np.broadcast_to(still, mean.shape)
    order = _MEAN * mean + (1 - _MEAN) * highest
    skirt = 0.5 + 0.5 * order / (1 + np.abs(order))
    found = (level >= 1) & (highest >= threshold)
    stretch = levels[1:].max(axis=0, initial=0)
    found |= (levels[0] >= _ALONE) & (stretch < 1)  # a spike is too short for windows to tell
    found |= (level >= _STRONG) & (highest >= threshold / 2)
    found |= (lowest >= threshold) & (level >= _AMONG)
    found |= lasting
    reach = size // _PART_OF_A_WINDOW
    for each in series if reach else ():
        span = slice(each.start, each.stop)
        gaps = _between(found[span] | still[span], reach, size)
        found[span] |= gaps & (highest[span] >= threshold)
    return np.where(found | still, 1 + skirt + found * _SEVERITY * np.log1p(level), skirt)


def _between(found, reach, size):
    """Return the gaps of at most `reach` time stamps in windows of which much is found."""
    padded = np.pad(found, reach)
    closed = binary_closing(padded, np.ones(reach + 1, dtype=bool))[reach:-reach]
    density = uniform_filter1d(found.astype(float), size | 1, mode="constant")
    return closed & ~found & (density >= _DENSE)


def _thresholds(levels):
    """Return a threshold for each column: its own, and at least the usual one of all columns.

    Few stretches of a series are independent of each other: a single column may look too calm.
    """
    own = np.array([_threshold(column) for column in levels.T])
    return np.maximum(own, np.median(own))


def _threshold(level):
    middle, high, top, most = np.quantile(level, [0.5, 0.9, 0.99, 1])
    # rare jumps of normal series count, but not what only an anomaly in the training series does
    rare = min(_SHARE_OF_MOST * most, _MOST_TIMES_Q99 * top)
    return max(middle + _SIGMAS * (high - middle) / _Z90, _TIMES_Q99 * top, rare, _LEAST)


def _root_mean_square(values):
    """Return that of each column without its largest hundredth: spikes must not hide others."""
    square = values**2
    kept = square <= np.quantile(square, 0.99, axis=0)
    mean = np.where(kept, square, 0).sum(axis=0) / np.maximum(kept.sum(axis=0), 1)
    return np.maximum(np.sqrt(mean), 1e-3)


def _medians(values, series, length):
    """Return running medians along time, series by series."""
    parts = [values[each.start : each.stop] for each in series]
    return np.concatenate([median_filter(part, (length, 1), mode="nearest") for part in parts])
