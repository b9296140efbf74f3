"""The nearest normal course of a series: what a window should have looked like, stamp by stamp.

Owns the search for the training window nearest to each window, and the deviations from it. Does
not own: what the deviations say of a time stamp (``_evidence``), or the detector inside.

Time stamps that were trained on are compared with windows that share no time stamp with theirs, so
that neighbouring time stamps do not vouch for each other.
"""

import copy

import numpy as np

from skanomaly.meta._windows import all_windows

#: Training windows kept at most, and values in them.
MAX_WINDOWS, MAX_VALUES = 3000, 2**24
#: Windows compared at once.
_BLOCK = 512


class NearestCourses:
    """Training windows, and how far others are from the nearest of them.

    Attributes
    ----------
    centre_, scale_ : ndarray of shape (n_channels,)
        Mean of the training series, and the units of distances.
    windows_ : ndarray of shape (n_windows, size * n_channels), float32
        Windows kept, scaled.
    starts_ : ndarray of shape (n_windows,)
        Where they start in the training series.
    """

    def fit(self, X, starts, size, units=1.0):
        """Keep windows.

        Parameters
        ----------
        X : ndarray of shape (n, n_channels)
            Time stamps, series by series.
        starts : ndarray of shape (n_windows,)
            Where all windows of the series start, in ascending order.
        size : int
            Time stamps in a window.
        units : float or ndarray of shape (n_channels,), default=1.0
            Units of channels, in standard deviations.

        Returns
        -------
        self : NearestCourses
        """
        self.size = size
        X = np.asarray(X, dtype=np.float64)
        self.centre_, self.scale_ = centre_and_scale(X)
        self.scale_ = self.scale_ * units
        Z = self.scaled(X)
        most = max(2, min(MAX_WINDOWS, MAX_VALUES // (size * Z.shape[1])))
        self.starts_ = starts[:: max(1, -(-len(starts) // most))]
        self.windows_ = all_windows(Z, size)[self.starts_]
        self.square_ = np.einsum("ij,ij->i", self.windows_, self.windows_)
        self._remember(Z, starts)
        return self

    def extended(self, X, starts):
        """Return courses that know the windows of one more series as well, in the same units."""
        later = copy.copy(self)
        Z, n = self.scaled(X), len(self._train)
        windows = all_windows(Z, self.size)[starts]
        most = max(2, min(MAX_WINDOWS, MAX_VALUES // windows.shape[1]))
        later.windows_ = np.concatenate([self.windows_, windows])[-most:]
        later.starts_ = np.concatenate([self.starts_, starts + n])[-most:]
        later.square_ = np.einsum("ij,ij->i", later.windows_, later.windows_)
        later._remember(np.concatenate([self._train, Z]), np.r_[self._all_starts, starts + n])
        return later

    def scaled(self, X):
        """Return time stamps in units of the training series, float32; missing values are 0."""
        with np.errstate(over="ignore", invalid="ignore"):
            Z = (np.asarray(X, dtype=np.float64) - self.centre_) / self.scale_
        return np.nan_to_num(np.clip(Z, -1e6, 1e6)).astype(np.float32)

    def compare(self, Z, starts):
        """Compare windows with the training windows.

        Parameters
        ----------
        Z : ndarray of shape (n, n_channels), float32
            Scaled time stamps.
        starts : ndarray of shape (n_windows,)
            Where windows start; they cover all time stamps.

        Returns
        -------
        deviation : ndarray of shape (n, n_channels), float64
            What each time stamp has more than the nearest course. Of the windows that cover it,
            the one that agrees best answers.
        distance : ndarray of shape (n_windows,), float64
            Root mean square of the window's deviation.
        """
        best, deviation = np.full(len(Z), np.inf), np.zeros(Z.shape)
        distance, windows = np.empty(len(starts)), all_windows(Z, self.size)
        for begin in range(0, len(starts), _BLOCK):
            some = starts[begin : begin + _BLOCK]
            rows = windows[some]
            off = (rows - self._nearest(rows)).reshape(len(rows), self.size, -1)
            error = np.einsum("ijk,ijk->ij", off, off).astype(np.float64)
            distance[begin : begin + _BLOCK] = np.sqrt(error.mean(axis=1))
            for place, e, o in zip(some, error, off, strict=True):
                span = slice(place, place + self.size)
                better = e < best[span]
                best[span][better], deviation[span][better] = e[better], o[better]
        return deviation, distance

    def _nearest(self, rows):
        far = self.square_ - 2 * (rows @ self.windows_.T)
        trained = self._trained_on(rows)
        for row in np.flatnonzero(trained >= 0):
            near = np.abs(self.starts_ - trained[row]) < self.size
            near = near if not near.all() else self.starts_ == trained[row]
            far[row, near] = np.inf
        return self.windows_[far.argmin(axis=1)]

    # ------------------------------------------------- telling training windows from others

    def _remember(self, Z, starts):
        """Keep what tells later whether a window was trained on, and where it starts."""
        self._weights = np.random.default_rng(0).normal(size=self.size * Z.shape[1])
        self._train, self._all_starts = Z, starts
        marks = self._marks(all_windows(Z, self.size), starts)
        order = np.argsort(marks, kind="stable")
        self._sorted, self._places = marks[order], starts[order]

    def _marks(self, windows, starts):
        parts = (windows[starts[i : i + _BLOCK]] for i in range(0, len(starts), _BLOCK))
        return np.concatenate([part.astype(np.float64) @ self._weights for part in parts])

    def _trained_on(self, rows):
        """Return where windows start in the training series, -1 for those that are new."""
        marks = rows.astype(np.float64) @ self._weights
        slack = 1e-9 * (1 + np.abs(marks))
        first = np.searchsorted(self._sorted, marks - slack)
        there = first < len(self._sorted)
        there[there] = self._sorted[first[there]] <= (marks + slack)[there]
        places = np.full(len(rows), -1)
        for row in np.flatnonzero(there):
            place = self._places[first[row]]
            known = self._train[place : place + self.size].reshape(-1)
            places[row] = place if np.array_equal(known, rows[row]) else -1
        return places


def centre_and_scale(X):
    """Return mean and standard deviation of the columns' finite values; 1 for constant ones.

    A column is constant where its deviations are rounding errors of its mean, in any unit.
    """
    known = np.isfinite(X)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, X, 0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, X - centre, 0) ** 2).sum(axis=0) / count)
    tiny = 1e-9 * np.abs(centre)
    return centre, np.where(spread > tiny, spread, 1.0)
