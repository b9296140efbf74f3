"""How much channels move from step to step: a sensor that is stuck, and one that goes wild.

Owns how still, and how wild, each channel is around each time stamp. Does not own what is made of
that (``_located``). A window that is flat lies in the middle of all others, so that neither its
distance from them nor a network's residual tells it; and of a stretch that is wild hardly a time
stamp is unusual by itself.
"""

import numpy as np
from scipy.ndimage import maximum_filter1d, median_filter

#: Time stamps that a channel is watched for: this part of a window, at least and at most so many.
_PART, _LEAST, _MOST_STEPS = 4, 8, 24
#: How many times less than at the quietest of the training series a channel moves when it stands
#: still, and the share of the training series that is quieter than what counts as quietest.
_TIMES_LESS, _QUIETEST = 5.0, 0.002
#: How many times more than at the wildest it moves when it is wild.
_TIMES_MORE = 1.4
#: Stretches that a training series holds at least to know the quietest one.
_STRETCHES = 15
#: A channel that moves so little, compared with its usual movement, stands still now and then; one
#: that usually moves so little, compared with its wildest, is wild now and then.
_RESTS, _JUMPS = 0.02, 0.1
#: No channel is called more still or wild than that.
_MOST = 3.0


class ChannelMovement:
    """How much channels move, compared with the quietest and wildest times of the training series.

    Parameters
    ----------
    size : int
        Time stamps in a window.

    Attributes
    ----------
    quietest_ : ndarray of shape (n_channels,)
        Movement at the quietest time, root mean square of a step; 0 for a channel that rests now
        and then, which says nothing.
    wildest_ : ndarray of shape (n_channels,)
        Movement at the wildest time, median size of a step; 0 for a channel that says nothing.
    """

    def __init__(self, size):
        self.length = int(np.clip(size // _PART, _LEAST, _MOST_STEPS))
        self.told = size >= 2 * _LEAST

    def fit(self, X, series):
        """Learn the quietest and the wildest time of each channel.

        Parameters
        ----------
        X : ndarray of shape (n, n_channels)
            Training series, one behind the other.
        series : list of Series
            Which time stamps belong together.

        Returns
        -------
        self : ChannelMovement
        """
        self.quietest_, self.wildest_ = np.zeros((2, X.shape[1]))
        long = [each for each in series if len(each) > _STRETCHES * self.length]
        parts = [X[each.start : each.stop] for each in long]
        if not self.told or not parts:
            return self
        means = np.concatenate([self._mean_steps(part) for part in parts])
        medians = np.concatenate([self._median_steps(part) for part in parts])
        for j, (mean, median) in enumerate(zip(means.T, medians.T, strict=True)):
            known = mean[np.isfinite(mean)]
            if len(known):
                quietest, usual = np.quantile(known, [_QUIETEST, 0.5])
                self.quietest_[j] = quietest if quietest > _RESTS * usual else 0.0
            usual, wildest = np.quantile(median, [0.5, 1 - _QUIETEST])
            self.wildest_[j] = wildest if usual > _JUMPS * wildest else 0.0
        return self

    def still(self, X, series):
        """Return how still each channel is around time stamps, (n, n_channels).

        0 where it moves as it did in training, 1 and more where it stands still.
        """
        levels = np.zeros(X.shape)
        some = np.flatnonzero(self.quietest_)
        for each in series:
            if len(each) <= self.length or not len(some):
                continue
            moves = self._mean_steps(X[each.start : each.stop, some])
            with np.errstate(divide="ignore"):
                still = np.log(self.quietest_[some] / moves) / np.log(_TIMES_LESS)
            # a time stamp is as still as the stillest stretch that holds it
            around = np.zeros((len(each), len(some)))
            around[: len(still)] = np.clip(still, 0, _MOST)
            levels[each.start : each.stop, some] = maximum_filter1d(
                around, self.length + 1, axis=0, mode="constant", origin=self.length // 2
            )
        return levels

    def wild(self, X, series):
        """Return how wild each channel is around time stamps, (n, n_channels).

        1 and more where it moves as it never did in training, 0 elsewhere.
        """
        levels = np.zeros(X.shape)
        some = np.flatnonzero(self.wildest_)
        for each in series:
            if len(each) > self.length and len(some):
                moves = self._median_steps(X[each.start : each.stop, some])
                with np.errstate(over="ignore"):
                    wild = moves / (_TIMES_MORE * self.wildest_[some])
                levels[each.start : each.stop, some] = np.minimum(wild, _MOST)
        return np.where(levels < 1, 0.0, levels)

    def _mean_steps(self, X):
        """Return the root mean square of `length` steps from each time stamp on."""
        with np.errstate(over="ignore", invalid="ignore"):
            square = np.diff(np.asarray(X, dtype=np.float64), axis=0) ** 2
        known = np.isfinite(square)
        counted = np.where(known, square, 0), known
        sums = [_rolling_sums(values, self.length) for values in counted]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sums[1] * 2 > self.length, np.sqrt(sums[0] / sums[1]), np.inf)

    def _median_steps(self, X):
        """Return the median size of the `length` steps around each time stamp."""
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs(np.diff(np.asarray(X, dtype=np.float64), axis=0, prepend=X[:1]))
        size = np.nan_to_num(size, posinf=np.finfo(np.float64).max)  # missing ones do not move
        return median_filter(size, (self.length, 1), mode="nearest")


def _rolling_sums(values, length):
    """Return sums of successive rows; what is 0 throughout stays 0."""
    return np.lib.stride_tricks.sliding_window_view(values, length, axis=0).sum(axis=-1)
