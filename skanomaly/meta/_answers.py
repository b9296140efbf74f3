"""What a detector of time stamps says beside its scores: labels, events, and why.

Owns these answers. Does not own scores: a class brings `_read`, `_score`, `score_samples`,
`offset_` and `_located`.
"""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from skanomaly.meta._events import events_table
from skanomaly.meta._windows import check_lengths
from skanomaly.utils._docs import documented


@documented
class SeriesAnswers:
    """Labels, events and explanations of time stamps."""

    def decision_function(self, X, groups=None):
        """Return `score_samples` less the threshold `offset_`: negative for anomalies.

        %(series_rows)s

        Returns
        -------
        scores : ndarray or Series of shape (n_timestamps,), float64
            Signed distance from the threshold.
        """
        return self.score_samples(X, groups) - self.offset_

    def predict(self, X, groups=None):
        """Label time stamps: +1 for normal ones, -1 for anomalies.

        %(series_rows)s

        Returns
        -------
        labels : ndarray or Series of shape (n_timestamps,), int
            The sign of `decision_function`.
        """
        decisions = self.decision_function(X, groups)
        labels = np.where(decisions < 0, -1, 1)
        if isinstance(decisions, pd.Series):
            return pd.Series(labels, decisions.index, name="label")
        return labels

    def fit_predict(self, X, y=None, groups=None):
        """Fit on series and label their time stamps.

        %(series_training)s

        Returns
        -------
        labels : ndarray or Series of shape (n_timestamps,), int
            +1 for normal time stamps, -1 for anomalies.
        """
        return self.fit(X, y, groups).predict(X, groups)

    def events(self, X, groups=None, *, merge="auto", min_length=1, n_channels=3):
        """List the stretches of time that are anomalies.

        %(series_rows)s
        merge : "auto" or int, default="auto"
            Anomalies with at most this many normal time stamps between them are one event; "auto"
            is a twentieth of a window.
        min_length : int, default=1
            Time stamps of an event at least, after that.
        n_channels : int, default=3
            Channels to name at most.

        Returns
        -------
        events : DataFrame
            A line for each event: ``start``, ``end`` and ``peak`` (time, index or place of its
            first, last and most abnormal time stamp), ``n_timestamps``, ``score`` (how far the
            peak is below the threshold), ``channels`` (those with the largest shares, a tuple);
            with `groups`, ``series`` comes first. Lines are sorted by series and time.

        Raises
        ------
        ValueError
            As `score_samples`, and if a parameter is no whole number that makes sense.
        """
        check_is_fitted(self)
        merge = self.window_size_ // 20 if merge == "auto" else _whole(merge, "merge", 0)
        options = {
            "merge": merge,
            "min_length": _whole(min_length, "min_length", 1),
            "n_channels": _whole(n_channels, "n_channels", 1),
        }
        table, (X, order, series, stamps) = X, self._read(X, groups, reset=False)
        check_lengths(series, self.window_size_)
        shares, _ = self._located.deviations(X, series, self._starts(series))
        labels = _labels(table, stamps, len(X))
        labels = labels if order is None else labels[order]
        names = _names(self, table)
        return events_table(
            self._score(X, series), self.offset_, shares, series, labels, names, **options
        )

    def _explain_rows(self, X):
        """Return contributions, expected values, scores and base of time stamps.

        Each time stamp's score, less the middle of the scale, is dealt out over its channels in
        proportion to their squared deviations from the nearest normal course.
        """
        check_is_fitted(self)
        X, _, series, stamps = self._read(X, None, reset=False)
        check_lengths(series, self.window_size_)
        score = -self._score(X, series)
        shares, expected = self._located.deviations(X, series, self._starts(series))
        base = np.full(len(X), -self._usual)
        parts = shares * (score - base)[:, None], expected, score, base
        return parts if stamps is None else tuple(map(stamps.of_rows, parts))


def _whole(value, name, least):
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}.")
    return int(value)


def _labels(table, stamps, n):
    """Return what time stamps are called: their time, their index, or their place."""
    if stamps is not None:
        if stamps.places is None:
            return stamps.index
        first = pd.Series(stamps.index, stamps.places)
        first = first[~first.index.duplicated()].reindex(range(n)).ffill().bfill()
        return pd.Index(first)
    return table.index if isinstance(table, pd.DataFrame) else pd.RangeIndex(n)


def _names(detector, table):
    """Return what the channels are called."""
    given = getattr(detector, "feature_names_in_", None)
    return [f"x{j}" for j in range(detector.n_features_in_)] if given is None else list(given)
