"""Time stamps that arrive one after the other: scores at once, and learning on.

Owns the buffer of the last time stamps. Does not own: windows, scores or thresholds, which are the
detector's; a class brings `estimator_`, `window_size_` and the rest of `WindowedDetector`.
"""

import copy

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly.base import unchanged_on_failure
from skanomaly.meta._windows import all_windows, check_lengths, score_windows
from skanomaly.utils._docs import documented


def _inner_learns_on(detector):
    inner = getattr(detector, "estimator_", detector.estimator)
    if inner is not None and not hasattr(inner, "partial_fit"):
        raise AttributeError(
            f"{type(inner).__name__} has no partial_fit, so that WindowedDetector has none either."
        )
    return True


@documented
class StreamMixin:
    """Scores and learning for time stamps that arrive in order."""

    def score_next(self, X):
        """Score the time stamps that have just arrived; the detector remembers the last window.

        Needs ``aggregation="last"``. The scores are those that `score_samples` gives to the whole
        series, bit for bit, however it is cut into pieces; the first time stamps of a stream,
        before there is a window, get NaN.

        Parameters
        ----------
        X : array-like of shape (n_channels,) or (n_timestamps, n_channels)
            One time stamp, or several in order.

        Returns
        -------
        scores : float or ndarray of shape (n_timestamps,)
            A number for one time stamp.

        Raises
        ------
        ValueError
            If the aggregation needs time stamps that are still to come.
        """
        check_is_fitted(self)
        if self._how() != "last" or self._stride() != 1:
            raise ValueError(
                'score_next needs aggregation="last" and stride=1: all others wait for time '
                f"stamps that are still to come. Got aggregation={self.aggregation!r}, "
                f"stride={self.stride!r}."
            )
        X = np.asarray(X)
        single = X.ndim == 1
        rows = self._numbers(X[None] if single else X, reset=False)
        before = getattr(self, "_buffer", rows[:0])
        known = np.concatenate([before, rows]) if len(before) else rows
        scores = np.full(len(rows), np.nan)
        n_windows = len(known) - self.window_size_ + 1
        if n_windows > 0:
            score, starts = self.estimator_.score_samples, np.arange(n_windows)
            scores[-n_windows:] = score_windows(
                score, known, starts, self.window_size_, self._view
            )
        keep = self.window_size_ - 1
        self._buffer = known[max(len(known) - keep, 0) :].copy()
        return float(scores[0]) if single else scores

    def reset_stream(self):
        """Forget the time stamps that `score_next` has seen: the next one begins a series.

        Returns
        -------
        self : object
            The detector.
        """
        vars(self).pop("_buffer", None)
        return self

    @available_if(_inner_learns_on)
    def partial_fit(self, X, y=None):
        """Learn from one more stretch of time stamps, where the detector inside does so.

        The first call is a `fit`. Later the detector inside gets the windows of the new stretch,
        and the nearest courses take them in; window length and threshold stay.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            Time stamps in order, at least a window of them.
        y : ignored
            For scikit-learn's interface.

        %(fitted)s
        """
        if not self.__sklearn_is_fitted__():
            return self.fit(X)
        with unchanged_on_failure(self):
            X, _, series, _ = self._read(X, None, reset=False)
            check_lengths(series, self.window_size_)
            starts = self._training_starts(series)
            estimator = copy.deepcopy(self.estimator_)
            estimator.partial_fit(self._view(all_windows(X, self.window_size_)[starts]))
            self.estimator_ = estimator
            self._located = copy.copy(self._located)
            self._located.courses = self._located.courses.extended(X, starts)
        return self
