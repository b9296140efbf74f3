"""WindowedDetector: lets a detector of rows judge the time stamps of series.

Owns the estimator: its parameters, what it hands to the detector inside and how it answers. Does
not own: windows (``_windows``, ``_window_size``), time (``_time``), the default scores
(``_located``), events (``_events``) or streams (``_stream``).
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skanomaly.base import StateMixin, fitting
from skanomaly.meta._answers import SeriesAnswers
from skanomaly.meta._inner import (
    detector_or_default,
    fit_windows,
    naming_empty_channels,
    new_detector,
    own_threshold,
    read_codes,
    takes_missing,
)
from skanomaly.meta._located import PARTS, LocatedScores, stamps_of_runs
from skanomaly.meta._stream import StreamMixin
from skanomaly.meta._time import read_time
from skanomaly.meta._wandering import wandering_channels, without_levels
from skanomaly.meta._window_scores import out_of_fold_scores
from skanomaly.meta._window_size import automatic_size
from skanomaly.meta._windows import (
    all_windows,
    check_lengths,
    check_windows,
    find_series,
    score_windows,
    spread_all,
    window_starts,
)
from skanomaly.thresholds._unlabelled import contamination_offset
from skanomaly.thresholds._validation import check_scores
from skanomaly.utils._callers import refuse_classifier_tools
from skanomaly.utils._containers import as_table
from skanomaly.utils._doc_links import DocLinkMixin
from skanomaly.utils._docs import documented
from skanomaly.utils._numbers import numeric_table
from skanomaly.utils._response import refuse_other_kinds, scores_of
from skanomaly.utils._validation import validated

#: Windows that the detector inside is trained on at most, and windows over a time stamp, by
#: default: more of them say the same again.
_TRAINING_WINDOWS, _WINDOWS_OVER_A_STAMP = 1024, 16
#: Windows on which a detector shows which way its scores point.
_LOOKED_AT = 1000


@documented
class WindowedDetector(
    SeriesAnswers, StreamMixin, StateMixin, DocLinkMixin, OutlierMixin, BaseEstimator
):
    """Anomaly detection in time series, by any outlier detector for rows.

    Rows are time stamps, in order, and columns are channels. The detector inside learns and
    scores windows of successive time stamps; every time stamp gets a score from the windows that
    cover it, and from how far it is itself from the nearest course of the training series. With
    an index of time, or a column of `time`, the answers are Series with that index.

    Parameters
    ----------
    estimator : estimator, default=None
        Outlier detector with `score_samples` and `decision_function`, scikit-learn's or
        skanomaly's, also at the end of a Pipeline; a clone of it is fitted. None is
        ``AutoencoderDetector()``.
    window_size : "auto" or int, default="auto"
        Time stamps in a window. "auto" are as many whole periods as fit in 200 (100, with several
        channels), and 200 (100) where there is no period; at most a third of the shortest
        training series.
    stride : "auto" or int, default="auto"
        Time stamps from one window to the next, at most `window_size`. "auto" is 1 for "last",
        and otherwise a sixteenth of a window; to train, what gives up to 1,024 windows. The last
        window of a series ends with it in any case.
    aggregation : {"auto", "located", "mean", "max", "last"}, default="auto"
        How windows answer for a time stamp:

        - "located": windows say whether there is an anomaly, and the time stamps that deviate
          from the nearest normal course say where; all others are ranked by "mean" and "max"
          together;
        - "mean" of the windows that cover it, which finds stretches and blurs their ends;
        - "max", the most abnormal of them: nothing is missed, anomalies are wide;
        - "last", the latest one that does not reach beyond the time stamp, for decisions
          that must not wait (the first time stamps, before any window ends, get the first
          one's).

        "auto" is "located", and "mean" for a fit with labels, windows of one time stamp, and
        training series of less than two windows.
    cv : int or None, default=2
        Blocks of time for the threshold: the detector is fitted once more without each of them,
        and its scores there set the threshold, because neighbouring windows of one series vouch
        for each other. None takes the scores of the training windows.
    recalibrate : int, default=None
        For "located", where the level moves: time stamps of the past whose median is
        taken for normal. From windows and time stamps is subtracted by how much that median lies
        above the usual one. An anomaly of more than half as many time stamps becomes the new
        normal.
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the training time stamps to call anomalies. "auto": see `cv`; four robust
        standard deviations for single time stamps and three for windows in "located", three below
        the median for others; with labels, what the detector has found for windows.
    time : str, default=None
        Column of `X` with the time stamps. None takes an index of time stamps, periods or
        durations, if there is one.
    irregular : {"warn", "raise", "resample", "ignore"}, default="warn"
        What to do about gaps between time stamps. Stamps out of order or twice are refused, unless
        "resample" brings series on a grid of their usual step in `fit` (a new series: the
        nearest of these), with missing values on straight lines. Every row then gets the answers
        of its place on the grid; places without a row have no label. A usual step unlike that of
        `fit` is treated as gaps are.
    %(inner_random_state)s

    Attributes
    ----------
    estimator_ : estimator
        The fitted detector; its rows are windows, flat, step by step.
    window_size_ : int
        Time stamps in a window.
    offset_ : float
        Threshold: ``decision_function = score_samples - offset_``. -1 for "located".
    n_features_in_ : int
        Number of channels seen in `fit`.
    %(feature_names_in_)s

    See Also
    --------
    AutoencoderDetector : With ``architecture="conv1d"``, "lstm" or "gru" it reads windows as
        sequences.
    skanomaly.display.SeriesDisplay : Draws series, scores, events and contributions.
    skanomaly.metrics.event_report : What was found of each event, and when.

    Notes
    -----
    `groups` tells several series apart, which may be of unequal length: no window reaches from
    one into another. With `y`, one label a time stamp, a detector that has the parameter
    `anomaly_label` learns from labels: a window with an anomaly inside is an anomaly.

    The score of a time stamp depends on its neighbours, so that time stamps must come in order
    and series whole; a series shorter than a window is an error. Fewer than 400 rows (100, with
    one channel) that do not depend on those before them are a table, and judged one by one.

    The period of a channel is the lag of the highest autocorrelation behind its first zero, if
    that is at least .4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly import WindowedDetector
    >>> series = np.sin(np.arange(400) / 5)[:, None]
    >>> series[300:310] = 0.0
    >>> detector = WindowedDetector(IsolationForest(random_state=0), window_size=30)
    >>> detector.fit(series[:250]).events(series)[["start", "end"]]
       start  end
    0    300  309
    """

    _state_parts = (LocatedScores, *PARTS)
    _parameter_constraints: dict = {
        "estimator": [
            HasMethods(["fit", "score_samples"]),
            HasMethods(["fit", "decision_function"]),
            None,
        ],
        "window_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "stride": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "aggregation": [StrOptions({"auto", "located", "mean", "max", "last"})],
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "recalibrate": [Interval(Integral, 2, None, closed="left"), None],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "time": [str, None],
        "irregular": [StrOptions({"warn", "raise", "resample", "ignore"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        window_size="auto",
        stride="auto",
        *,
        aggregation="auto",
        cv=2,
        recalibrate=None,
        contamination="auto",
        time=None,
        irregular="warn",
        random_state=None,
    ):
        self.estimator = estimator
        self.window_size = window_size
        self.stride = stride
        self.aggregation = aggregation
        self.cv = cv
        self.recalibrate = recalibrate
        self.contamination = contamination
        self.time = time
        self.irregular = irregular
        self.random_state = random_state

    # ------------------------------------------------------------------ training

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, groups=None):
        """Fit the detector on the windows of series.

        %(series_training)s

        %(fitted)s

        Raises
        ------
        ValueError
            If a series is shorter than a window, time stamps are out of order, a channel holds
            text or dates, or the detector refuses the windows.
        """
        refuse_classifier_tools(self)
        if self.estimator is not None:
            refuse_other_kinds(self.estimator)
        with fitting(self, X, y):
            self.reset_stream()
            X, order, series, stamps = self._read(X, groups, reset=True)
            self.window_size_ = self._size(X, series)
            check_lengths(series, self.window_size_)
            self.estimator_ = self._new_detector(X.shape[1])
            codes = self._codes(y, len(X), order, stamps)
            self._aggregation = self._choose(series, codes)
            starts = self._training_starts(series)
            check_windows(starts, self.window_size_)
            windows = all_windows(X, self.window_size_)
            self._wandering = self._find_wandering(X, series, codes)
            windows = windows if len(starts) == len(windows) else windows[starts]
            windows = self._view(windows)
            with naming_empty_channels(self, X):
                fit_windows(self.estimator_, windows, codes, starts, self.window_size_)
            scores_of(self.estimator_, windows[:_LOOKED_AT])  # refuses other conventions
            self._calibrate(X, series, starts, codes)
        return self

    def _codes(self, y, n, order, stamps):
        """Return the label codes of time stamps series by series, or None."""
        codes = read_codes(self.estimator_, y, n if stamps is None else len(stamps.index))
        if codes is not None and stamps is not None:
            codes = stamps.codes_read(codes, n)
        return codes if codes is None or order is None else codes[order]

    def _read(self, X, groups, reset):
        """Return checked time stamps series by series, their order, the series, and the time."""
        if isinstance(groups, str):
            raise ValueError(
                "groups must hold the series of each time stamp, an array-like of shape (n,), got "
                f"the text {groups!r}. Pass the column itself, X[{groups!r}], and the others as X."
            )
        X, groups, stamps = read_time(
            as_table(X),
            groups,
            time=self.time,
            irregular=self.irregular,
            owner=type(self).__name__,
            steps=None if reset else getattr(self, "_steps", None),
        )
        if reset:
            self._steps = {} if stamps is None else stamps.steps
        X = self._numbers(X, reset)
        if groups is not None:
            groups = column_or_1d(groups)
            check_consistent_length(X, groups)
        order, series = find_series(groups, len(X))
        return X if order is None else X[order], order, series, stamps

    def _numbers(self, X, reset):
        inner = detector_or_default(self.estimator)
        return validated(
            self,
            numeric_table(X, type(self).__name__),
            dtype=[np.float64, np.float32],
            ensure_min_samples=2 if reset else 1,
            ensure_all_finite="allow-nan" if takes_missing(inner) else True,
            reset=reset,
        )

    def _size(self, X, series):
        """Return the number of time stamps in a window."""
        size = automatic_size(X, series) if self.window_size == "auto" else int(self.window_size)
        if self.window_size != "auto" and self.stride != "auto" and self.stride > size:
            raise ValueError(
                "The 'stride' parameter of WindowedDetector must be at most window_size, "
                f"{size}, or time stamps between two windows have no score. Got "
                f"{self.stride!r} instead."
            )
        return size

    def _choose(self, series, codes):
        """Return what stands for the aggregation."""
        if self.aggregation != "auto":
            return self.aggregation
        short = self.window_size_ < 2 or max(map(len, series)) < 2 * self.window_size_
        return "mean" if codes is not None or short else "located"

    def _find_wandering(self, X, series, codes):
        """Return which channels are judged without their level."""
        if codes is not None or self.window_size_ < 2:
            return np.zeros(X.shape[1], dtype=bool)
        return wandering_channels(X, series)

    def _view(self, windows):
        """Return windows as the detector inside reads them."""
        return without_levels(windows, self._wandering)

    def _how(self):
        return getattr(self, "_aggregation", self.aggregation)

    def _stride(self):
        """Return the time stamps from one window that is scored to the next."""
        if self.stride != "auto":
            return min(self.stride, self.window_size_)
        return 1 if self._how() == "last" else max(1, self.window_size_ // _WINDOWS_OVER_A_STAMP)

    def _training_starts(self, series):
        """Return where the windows to train on start."""
        n_windows = sum(len(each) - self.window_size_ + 1 for each in series)
        stride = min(max(1, n_windows // _TRAINING_WINDOWS), self.window_size_)
        stride = stride if self.stride == "auto" else self._stride()
        return np.concatenate([window_starts(s, self.window_size_, stride) for s in series])

    def _new_detector(self, n_channels):
        return new_detector(self.estimator, self.window_size_, n_channels, self.random_state)

    def _calibrate(self, X, series, training, codes):
        """Learn how scores become answers, and the threshold."""
        size, starts = self.window_size_, self._starts(series)
        known, located = None, self._how() == "located"
        if codes is None and size > 1 and (located or self.contamination == "auto"):
            known = self._calibration_scores(X, series, training, starts)
        self._located = LocatedScores().fit(
            X, series, starts, size, known if located else None, self._wandering
        )
        scores = self._score(X, series)
        self._usual = float(np.median(scores))
        if self.contamination != "auto" or (codes is None and known is None):
            scores = check_scores(scores)
            self.offset_ = contamination_offset(scores, self.contamination)
        elif located:
            self.offset_ = -1.0
        elif codes is not None:
            self.offset_ = own_threshold(self.estimator_, all_windows(X, size)[:1])
        else:
            stamps = stamps_of_runs(known, starts, size, self._how())
            self.offset_ = contamination_offset(check_scores(stamps), "auto")

    def _calibration_scores(self, X, series, training, starts):
        """Return scores of windows, out of fold where there are enough of them."""
        if self.cv is not None:
            new = self._new_detector
            scores = out_of_fold_scores(
                lambda: new(X.shape[1]), X, training, self.window_size_, series, starts, self.cv,
                self._view,
            )  # fmt: skip
            if np.isfinite(scores).sum() >= 2:
                return scores
        return check_scores(
            score_windows(self.estimator_.score_samples, X, starts, self.window_size_, self._view)
        )

    # ------------------------------------------------------------------ scores

    def _starts(self, series):
        stride = self._stride()
        return np.concatenate([window_starts(s, self.window_size_, stride) for s in series])

    def _score(self, X, series):
        """Return scores of ordered time stamps."""
        starts, size = self._starts(series), self.window_size_
        scores = score_windows(self._row_scorer(), X, starts, size, self._view)
        if self._how() == "located":
            return self._located.score(X, series, starts, scores, self.recalibrate)
        return spread_all(scores, starts, size, series, self._how())

    def score_samples(self, X, groups=None):
        """Score time stamps: the lower, the more abnormal.

        %(series_rows)s

        Returns
        -------
        scores : ndarray or Series of shape (n_timestamps,), float64
            In the order of `X`; a Series where `X` has time stamps.

        Raises
        ------
        ValueError
            If a series is shorter than a window, or time stamps are out of order.
        """
        check_is_fitted(self)
        X, order, series, stamps = self._read(X, groups, reset=False)
        check_lengths(series, self.window_size_)
        scores = self._score(X, series)
        if order is not None:
            given = np.empty_like(scores)
            given[order] = scores
            scores = given
        return scores if stamps is None else stamps.answer(scores, "score")

    def __sklearn_is_fitted__(self):
        return "offset_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(detector_or_default(self.estimator)).input_tags
        tags.input_tags.allow_nan = inner.allow_nan
        return tags
