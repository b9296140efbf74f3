"""Scores that find and locate: the detector's windows, the nearest courses, and time stamps.

Owns what is kept of a training series for ``aggregation="located"``, for events and explanations,
and in which order it is asked. The ideas are in `_courses` (nearest windows), `_relations`
(between channels), `_movement` and `_evidence`.
"""

import copy

import numpy as np
import pandas as pd
from scipy.ndimage import minimum_filter1d

from skanomaly.meta._courses import NearestCourses
from skanomaly.meta._evidence import StampEvidence, WindowScale, located_scores
from skanomaly.meta._movement import ChannelMovement
from skanomaly.meta._relations import ChannelRelations
from skanomaly.meta._wandering import TIMES
from skanomaly.meta._windows import Series, spread, spread_all, window_starts

#: What fitted scores are made of, for files of estimators.
PARTS = (ChannelMovement, ChannelRelations, NearestCourses, StampEvidence, WindowScale)
#: Added to distances before their logarithm: below it, all windows are the same.
_SAME = 1e-3


class LocatedScores:
    """Scores of time stamps from the windows' scores and the deviations of single time stamps."""

    def fit(self, X, series, starts, size, scores, wandering):
        """Learn what is normal.

        Parameters
        ----------
        X : ndarray of shape (n, n_channels)
            Training series, one behind the other.
        series : list of Series
            Which time stamps belong together.
        starts : ndarray of shape (n_windows,)
            Where the windows that are scored start.
        size : int
            Time stamps in a window.
        scores : ndarray of shape (n_windows,)
            The detector's scores of these windows, out of fold, NaN for unknown ones; or None, for
            what only compares with the nearest courses.
        wandering : ndarray of shape (n_channels,), bool
            Channels whose level says little.

        Returns
        -------
        self : LocatedScores
        """
        self.size = size
        self.relations = ChannelRelations().fit(X, ~wandering)
        self.movement = ChannelMovement(size).fit(X, series)
        units = np.where(wandering, TIMES, 1.0)
        every = np.concatenate([window_starts(each, size, 1) for each in series])
        self.courses = NearestCourses().fit(X, every, size, units)
        deviation, distance, apart = self._compare(X, starts)
        times = np.r_[units, np.ones(apart.shape[1])]
        self.evidence = StampEvidence(size).fit(deviation, series, times)
        several = X.shape[1] > 1
        self.apart = [WindowScale(several).fit(column) for column in apart.T]
        levels = self.evidence.levels(deviation, series).max(axis=0)
        self.usual_level = float(np.median(levels))
        if scores is not None:
            known = np.isfinite(scores)
            self.near = WindowScale(several).fit(np.log(distance + _SAME))
            # a detector's scores may be in units of the data, however small these are
            unit = min(1.0, np.abs(scores[known]).max()) or 1.0
            self.inner = WindowScale(several).fit(-scores[known], unit)
            self.both = WindowScale(several).fit(self._together(scores[known], distance[known]))
        return self

    def _together(self, scores, distance):
        return (self.near.apply(np.log(distance + _SAME)) + self.inner.apply(-scores)) / 2

    def score(self, X, series, starts, scores, recalibrate=None):
        """Return scores of time stamps, the lower the more abnormal; -1 is the threshold.

        Parameters
        ----------
        X, series, starts
            As for `fit`.
        scores : ndarray of shape (n_windows,)
            The detector's scores of the windows.
        recalibrate : int, default=None
            Time stamps of the past whose median is taken for the level of today.

        Returns
        -------
        scores : ndarray of shape (n,)
        """
        deviation, distance, apart = self._compare(X, starts)
        levels = self.evidence.levels(deviation, series)
        unusual = self.both.apply(self._together(scores, distance))
        for scale, column in zip(self.apart, apart.T, strict=True):
            same = self.both.threshold / scale.threshold
            unusual = np.maximum(unusual, scale.apply(column) * same)
        if recalibrate is not None:
            levels, unusual = self._recalibrated(levels, unusual, series, starts, recalibrate)
        mean, highest, lowest = (
            -spread_all(-unusual, starts, self.size, series, how) for how in ("mean", "max", "min")
        )
        lowest = _lowest_around(lowest, series, starts, self.size // 2)
        lasting = self.evidence.lasting(levels, series)
        levels = np.vstack([levels, self.movement.wild(X, series).max(axis=1)])
        return -located_scores(
            levels,
            mean,
            highest,
            lowest,
            self.both.threshold,
            lasting=lasting,
            still=self.movement.still(X, series).max(axis=1) >= 1,
            series=series,
            size=self.size,
        )

    def _recalibrated(self, levels, unusual, series, starts, n):
        """Take what the past was above the usual from scores of time stamps and windows."""
        levels, unusual = levels.copy(), unusual.copy()
        for each in series:
            span = slice(each.start, each.stop)
            levels[:, span] -= _past_median(levels[:, span], n, self.usual_level)
            mine = slice(*np.searchsorted(starts, [each.start, each.stop]))
            step = max(1, int(np.median(np.diff(starts[mine])))) if len(starts[mine]) > 1 else 1
            unusual[mine] -= _past_median(unusual[None, mine], max(2, n // step), 0.0)[0]
        return levels, unusual

    def deviations(self, X, series, starts):
        """Return each channel's share in the deviation of time stamps, and the values expected.

        Parameters
        ----------
        X, series, starts
            As for `fit`.

        Returns
        -------
        shares : ndarray of shape (n, n_channels)
            Every line adds up to 1.
        expected : ndarray of shape (n, n_channels)
            The nearest normal course, in the units of the data.
        """
        deviation, _, _ = self._compare(X, starts)
        square = (self.evidence.parts(deviation, series) ** 2).sum(axis=0)
        square = self.relations.by_channel(square)
        square += self.movement.still(X, series) ** 2 + self.movement.wild(X, series) ** 2
        square += np.finfo(np.float64).tiny
        nearest = self.courses.scaled(X) - deviation[:, : X.shape[1]]
        expected = nearest * self.courses.scale_ + self.courses.centre_
        return square / square.sum(axis=1, keepdims=True), expected

    def with_more(self, X, starts):
        """Return scores that know the courses of one more series as well."""
        later = copy.copy(self)
        later.courses = self.courses.extended(X, starts)
        return later

    def _compare(self, X, starts):
        """Return the deviations of time stamps and two kinds of distances of windows.

        Deviations from the nearest course and of each channel from what the others say, side by
        side; distances from the nearest course, and log root mean squares of the others.
        """
        deviation, distance = self.courses.compare(self.courses.scaled(X), starts)
        residuals = self.relations.residuals(X)
        sums = np.concatenate([np.zeros((1, residuals.shape[1])), residuals**2]).cumsum(axis=0)
        square = np.maximum(sums[starts + self.size] - sums[starts], 0) / self.size
        return np.hstack([deviation, residuals]), distance, np.log(np.sqrt(square) + _SAME)


def _lowest_around(values, series, starts, edge):
    """Return the lowest value within a stride: windows in between would have been as low.

    At the edges of a series few windows cover a time stamp, all from one side: none is low enough.
    """
    parts = []
    for each in series:
        mine = starts[slice(*np.searchsorted(starts, [each.start, each.stop]))]
        reach = 2 * int(np.diff(mine).max(initial=1)) - 1
        part = values[each.start : each.stop]
        part = minimum_filter1d(part, reach, mode="nearest")
        part[:edge], part[len(part) - edge :] = -np.inf, -np.inf
        parts.append(part)
    return np.concatenate(parts)


def _past_median(values, n, usual):
    """Return by how much the running median of the last n values lies above the usual one."""
    past = pd.DataFrame(values.T).rolling(n, min_periods=max(2, n // 2)).median().shift(1)
    return np.nan_to_num(np.maximum(past.to_numpy().T - usual, 0))


def stamps_of_runs(scores, starts, size, aggregation):
    """Return scores of time stamps from those windows alone whose scores are known.

    Parameters
    ----------
    scores : ndarray of shape (n_windows,)
        NaN for windows without one.
    starts : ndarray of shape (n_windows,)
        Where the windows start.
    size : int
        Time stamps in a window.
    aggregation : str
        See `spread`.

    Returns
    -------
    scores : ndarray of shape (any,)
    """
    known = np.flatnonzero(np.isfinite(scores))
    runs = np.split(
        known, np.flatnonzero((np.diff(known) > 1) | (np.diff(starts[known]) > size)) + 1
    )
    parts = []
    for run in runs:
        span = Series(None, int(starts[run[0]]), int(starts[run[-1]] + size))
        parts.append(spread(scores[run], starts[run], size, span, aggregation))
    return np.concatenate(parts)
