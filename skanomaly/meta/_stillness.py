"""Channels that stand still: a sensor that is stuck gives values that look as normal as can be.

Owns how still each channel is around each time stamp. Does not own what is made of that
(``_located``). A window that is flat lies in the middle of all others, so that neither its
distance from them nor a network's residual tells it.
"""

import numpy as np
from scipy.ndimage import maximum_filter1d

#: Time stamps that a channel is watched for: this part of a window, at least and at most so many.
_PART, _LEAST, _MOST_STEPS = 4, 8, 24
#: How many times less than at the quietest of the training series a channel moves when it stands
#: still, and the share of the training series that is quieter than what counts as quietest.
_TIMES, _QUIETEST = 5.0, 0.002
#: Stretches that a training series holds at least to know the quietest one.
_STRETCHES = 15
#: A channel that moves so little, compared with its usual movement, stands still now and then.
_RESTS = 0.02
#: No channel is called more still than that.
_MOST = 3.0


class ChannelStillness:
    """How little channels move, compared with the quietest time of the training series.

    Parameters
    ----------
    size : int
        Time stamps in a window.

    Attributes
    ----------
    quietest_ : ndarray of shape (n_channels,)
        Movement at the quietest time, root mean square of a step; 0 for a channel that rests now
        and then, which says nothing.
    """

    def __init__(self, size):
        self.length = int(np.clip(size // _PART, _LEAST, _MOST_STEPS))
        self.told = size >= 2 * _LEAST

    def fit(self, X, series):
        """Learn the quietest time of each channel.

        Parameters
        ----------
        X : ndarray of shape (n, n_channels)
            Training series, one behind the other.
        series : list of Series
            Which time stamps belong together.

        Returns
        -------
        self : ChannelStillness
        """
        self.quietest_ = np.zeros(X.shape[1])
        long = [each for each in series if len(each) > _STRETCHES * self.length]
        parts = [X[each.start : each.stop] for each in long]
        if not self.told or not parts:
            return self
        moves = np.concatenate([self._movement(part) for part in parts])
        for j, column in enumerate(moves.T):
            known = column[np.isfinite(column)]
            if len(known):
                quietest, usual = np.quantile(known, [_QUIETEST, 0.5])
                self.quietest_[j] = quietest if quietest > _RESTS * usual else 0.0
        return self

    def levels(self, X, series):
        """Return how still each channel is around time stamps, (n, n_channels).

        0 where it moves as it did in training, 1 and more where it stands still.
        """
        levels = np.zeros(X.shape)
        some = np.flatnonzero(self.quietest_)
        for each in series:
            if len(each) <= self.length or not len(some):
                continue
            moves = self._movement(X[each.start : each.stop, some])
            with np.errstate(divide="ignore"):
                still = np.log(self.quietest_[some] / moves) / np.log(_TIMES)
            still = np.clip(still, 0, _MOST)
            # a time stamp is as still as the stillest stretch that holds it
            around = np.zeros((len(each), len(some)))
            around[: len(still)] = still
            levels[each.start : each.stop, some] = maximum_filter1d(
                around, self.length + 1, axis=0, mode="constant", origin=self.length // 2
            )
        return levels

    def _movement(self, X):
        """Return the root mean square of `length` steps from each time stamp on."""
        with np.errstate(over="ignore", invalid="ignore"):
            square = np.diff(np.asarray(X, dtype=np.float64), axis=0) ** 2
        known = np.isfinite(square)
        counted = np.where(known, square, 0), known
        sums = [_rolling_sums(values, self.length) for values in counted]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sums[1] * 2 > self.length, np.sqrt(sums[0] / sums[1]), np.inf)


def _rolling_sums(values, length):
    """Return sums of successive rows; what is 0 throughout stays 0."""
    return np.lib.stride_tricks.sliding_window_view(values, length, axis=0).sum(axis=-1)
