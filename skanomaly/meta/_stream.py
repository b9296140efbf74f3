"""Time stamps that arrive one after the other: scores at once, and learning on.

Owns the buffer of the last time stamps. Does not own: windows, scores or thresholds, which are the
detector's; a class brings `estimator_`, `window_size_` and the rest of `WindowedDetector`.
"""

import copy
from functools import partial

import numpy as np
import pandas as pd
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly.base import unchanged_on_failure
from skanomaly.meta._time import check_arrival
from skanomaly.meta._windows import all_windows, check_lengths, score_windows
from skanomaly.utils._containers import as_table
from skanomaly.utils._docs import documented
from skanomaly.utils._response import scores_of


def _is_plain(rows, n_channels):
    """Tell time stamps that all checks would hand back as they are."""
    right = rows.ndim == 2 and rows.shape[1] == n_channels and len(rows)
    return right and rows.dtype in (np.float64, np.float32) and np.isfinite(rows).all()


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
            One time stamp, or several in order. Arrays need no names where the detector was
            fitted with them; the columns of a DataFrame or the index of a Series have to agree,
            but for the column `time`, which is left out. Time stamps of a table, its index or
            that column, have to go on where the last ones ended.

        Returns
        -------
        scores : float or ndarray of shape (n_timestamps,)
            A number for one time stamp.

        Raises
        ------
        ValueError
            If the aggregation needs time stamps that are still to come, or if those that arrive
            are not behind the last ones.

        Warns
        -----
        UserWarning
            If there is a gap before one of them; see `irregular`.
        """
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)  # takes as long as a score
        if self._how() != "last" or self._stride() != 1:
            raise ValueError(
                'score_next needs aggregation="last" and stride=1: all others wait for time '
                f"stamps that are still to come. Got aggregation={self.aggregation!r}, "
                f"stride={self.stride!r}."
            )
        rows, single, last = self._arrived(X)
        before, size = vars(self).get("_buffer"), self.window_size_
        known = rows if before is None else np.concatenate([before, rows])
        scores = np.full(len(rows), np.nan)
        n_windows = len(known) - size + 1
        if n_windows == 1:
            scores[-1:] = self._row_scorer()(self._view(known.reshape(1, -1)))
        elif n_windows > 1:
            starts = np.arange(n_windows)
            scores[-n_windows:] = score_windows(
                self._row_scorer(), known, starts, size, self._view
            )
        self._buffer = known[max(len(known) - size + 1, 0) :].copy()
        if last is not None:
            self._last_stamp = last
        return float(scores[0]) if single else scores

    def _arrived(self, X):
        """Return checked rows, whether it is a single one, and the last time stamp if known."""
        single = isinstance(X, pd.Series)
        if single or hasattr(X, "columns"):
            table = X.to_frame().T if single else as_table(X)
            last = check_arrival(
                table,
                vars(self).get("_last_stamp"),
                time=self.time,
                irregular=self.irregular,
                owner=type(self).__name__,
                steps=getattr(self, "_steps", None),
            )
            stamps = [] if self.time is None else [self.time]
            table = table.drop(columns=stamps, errors="ignore").infer_objects()
            return self._numbers(table, reset=False), single, last
        X = np.asarray(X)
        single = X.ndim == 1
        rows = X[None] if single else X
        if _is_plain(rows, self.n_features_in_):  # all checks take longer than a score
            return rows, single, None
        if hasattr(self, "feature_names_in_") and rows.shape[1:] == (self.n_features_in_,):
            rows = pd.DataFrame(rows, columns=self.feature_names_in_)
        return self._numbers(rows, reset=False), single, None

    def _row_scorer(self):
        """Return the function that scores windows, the same for series and streams."""
        own = getattr(self.estimator_, "_few_rows_scorer", None)  # AutoencoderDetector's
        quick = own() if own is not None and self._how() == "last" else None
        return quick or partial(scores_of, self.estimator_, known=True)

    def reset_stream(self):
        """Forget the time stamps that `score_next` has seen: the next one begins a series.

        Returns
        -------
        self : object
            The detector.
        """
        vars(self).pop("_buffer", None)
        vars(self).pop("_last_stamp", None)
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
            self._located = self._located.with_more(X, starts)
        return self
