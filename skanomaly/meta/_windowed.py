"""WindowedDetector: lets a detector of rows judge the time stamps of series.

Owns the estimator: what it hands to the detector inside and how it answers. The arithmetic of
windows is in `_windows`.
"""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context, clone
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from skanomaly.base import VersionMixin, unchanged_on_failure
from skanomaly.meta._windows import (
    automatic_size,
    find_series,
    score_windows,
    spread,
    training_windows,
    window_labels,
    window_starts,
)
from skanomaly.thresholds._unlabelled import contamination_offset
from skanomaly.thresholds._validation import check_scores
from skanomaly.utils._callers import refuse_classifier_tools
from skanomaly.utils._labels import label_codes
from skanomaly.utils._response import refuse_other_kinds, scores_of

#: Architectures that need to know how many steps and channels a row has.
_SEQUENTIAL = ("conv1d", "lstm", "gru")
#: Windows on which a detector shows which way its scores point.
_LOOKED_AT = 1000


class WindowedDetector(VersionMixin, OutlierMixin, BaseEstimator):
    """Anomaly detection in time series, by any outlier detector for rows.

    Rows are time stamps, in order, and columns are channels. The detector inside learns and
    scores windows of successive time stamps; every time stamp gets a score from the windows that
    cover it. Windows are views of the series, copied block by block while they are scored.

    Parameters
    ----------
    estimator : estimator, default=None
        Outlier detector with `score_samples` and `decision_function`, scikit-learn's or
        skanomaly's, also at the end of a Pipeline; a clone of it is fitted. None is
        ``AutoencoderDetector()``.
    window_size : "auto" or int, default="auto"
        Time stamps in a window. "auto" is 200, but at most a third of the shortest training
        series, and 1 where time stamps do not depend on those before them, see the notes.
    stride : int, default=1
        Time stamps from one window to the next, at most `window_size`. The last window of a
        series ends with it in any case.
    aggregation : {"mean", "max", "last"}, default="mean"
        A time stamp's score from those of its windows: their mean, "max" the most abnormal of
        them, or "last" the latest one that does not reach beyond the time stamp, for decisions
        that must not wait (the first time stamps, before any window ends, get the first one's).
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the training time stamps to call anomalies. With "auto" these are time stamps
        whose score lies more than three robust standard deviations below the median, or, with
        labels, below the threshold that the detector has found for windows.
    random_state : int, RandomState instance or None, default=None
        Seed for every `random_state` of the detector that is None.

    Attributes
    ----------
    estimator_ : estimator
        The fitted detector; its rows are windows, flat, step by step.
    window_size_ : int
        Time stamps in a window.
    offset_ : float
        Threshold: ``decision_function = score_samples - offset_``.
    n_features_in_ : int
        Number of channels seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when all of them are strings.

    See Also
    --------
    AutoencoderDetector : With ``architecture="conv1d"``, "lstm" or "gru" it reads windows as
        sequences.

    Notes
    -----
    `groups` tells several series apart, which may be of unequal length: no window reaches from
    one into another. With `y`, one label a time stamp, a detector that has the parameter
    `anomaly_label` learns from labels: a window with an anomaly inside is an anomaly.

    With windows longer than 1 the score of a time stamp depends on its neighbours, so that time
    stamps must come in order and series whole; a series shorter than a window is an error.
    "auto" therefore looks for a dependence first: an autocorrelation at a lag of up to 50 that is
    five standard errors above that of independent rows. The rows of a table in random order have
    none, and are then judged one by one.

    The detector's training rows are a view as well where there is one series; of several series
    the windows are copied once for `fit`. What the detector does with them is its own business:
    skanomaly's read them block by block.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly import WindowedDetector
    >>> series = np.sin(np.arange(400) / 5)[:, None]
    >>> series[300:310] = 0.0
    >>> detector = WindowedDetector(IsolationForest(random_state=0), window_size=30)
    >>> bool(290 < detector.fit(series[:250]).score_samples(series).argmin() < 320)
    True
    """

    _parameter_constraints: dict = {
        "estimator": [
            HasMethods(["fit", "score_samples"]),
            HasMethods(["fit", "decision_function"]),
            None,
        ],
        "window_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "aggregation": [StrOptions({"mean", "max", "last"})],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        window_size="auto",
        stride=1,
        *,
        aggregation="mean",
        contamination="auto",
        random_state=None,
    ):
        self.estimator = estimator
        self.window_size = window_size
        self.stride = stride
        self.aggregation = aggregation
        self.contamination = contamination
        self.random_state = random_state

    # ------------------------------------------------------------------ training

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, groups=None):
        """Fit the detector on the windows of series.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            Time stamps, those of a series in order.
        y : array-like of shape (n_timestamps,), default=None
            Labels, for a detector that learns from them.
        groups : array-like of shape (n_timestamps,), default=None
            Series each time stamp belongs to; None is one series.

        Returns
        -------
        self : object
            Fitted detector.

        Raises
        ------
        ValueError
            If a series is shorter than a window, or the detector refuses the windows.
        """
        refuse_classifier_tools(self)
        if self.estimator is not None:
            refuse_other_kinds(self.estimator)
        with unchanged_on_failure(self):
            X, order, series = self._read(X, groups, reset=True)
            self.window_size_ = self._size(X, series)
            self._check_lengths(series)
            windows, starts = training_windows(X, series, self.window_size_, self._stride())
            self.estimator_ = self._new_detector(X.shape[1])
            codes = self._codes(y, len(X), order)
            if codes is None:
                self.estimator_.fit(windows)
            else:
                self.estimator_.fit(windows, window_labels(codes, starts, self.window_size_))
            scores_of(self.estimator_, windows[:_LOOKED_AT])  # refuses other conventions
            self.offset_ = self._find_offset(X, series, windows[:1], codes)
        return self

    def _read(self, X, groups, reset):
        """Return checked time stamps series by series, their order, and the series."""
        allow_nan = get_tags(self).input_tags.allow_nan
        X = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_min_samples=2 if reset else 1,
            ensure_all_finite="allow-nan" if allow_nan else True,
            reset=reset,
        )
        if groups is not None:
            groups = column_or_1d(groups)
            check_consistent_length(X, groups)
        order, series = find_series(groups, len(X))
        return X if order is None else X[order], order, series

    def _size(self, X, series):
        """Return the number of time stamps in a window."""
        if self.window_size == "auto":
            return automatic_size(X, series)
        if self.stride > self.window_size:
            raise ValueError(
                "The 'stride' parameter of WindowedDetector must be at most window_size, "
                f"{self.window_size}, or time stamps between two windows have no score. Got "
                f"{self.stride!r} instead."
            )
        return int(self.window_size)

    def _stride(self):
        return min(self.stride, self.window_size_)

    def _check_lengths(self, series):
        for each in series:
            if len(each) < self.window_size_:
                name = "The series" if each.name is None else f"The series {each.name!r}"
                raise ValueError(
                    f"{name} has {len(each)} time stamps, but a window has "
                    f"{self.window_size_}. Expected at least one window in every series: pass "
                    "longer series, or fit with a smaller window_size."
                )

    def _new_detector(self, n_channels):
        """Return an unfitted detector that knows the seed and the shape of a window."""
        detector = clone(_detector_or_default(self.estimator))
        given = detector.get_params(deep=True)
        own = {name: value for name, value in given.items() if _last(name) == "random_state"}
        changes = {}
        if self.random_state is not None:
            changes = {name: self.random_state for name, value in own.items() if value is None}
        for name, value in given.items():
            shape = name.removesuffix("architecture") + "input_shape"
            sequential = _last(name) == "architecture" and value in _SEQUENTIAL
            if sequential and given.get(shape, 0) is None:
                changes[shape] = (self.window_size_, n_channels)
        return detector.set_params(**changes)

    def _codes(self, y, n, order):
        """Return label codes in the order of the series, for a detector that learns from them."""
        given = self.estimator_.get_params(deep=True)
        learners = [name for name in given if _last(name) == "anomaly_label"]
        if y is None or not learners:
            return None
        other = learners[0].removesuffix("anomaly_label") + "unlabeled_label"
        codes = label_codes(y, n, given[learners[0]], given.get(other))
        ours = {learners[0]: "auto", other: None}  # how the labels of windows are coded
        self.estimator_.set_params(**{name: ours[name] for name in ours.keys() & given.keys()})
        return codes if order is None else codes[order]

    def _find_offset(self, X, series, window, codes):
        if codes is not None and self.contamination == "auto":
            gap = self.estimator_.score_samples(window) - self.estimator_.decision_function(window)
            return float(gap[0])
        return contamination_offset(check_scores(self._score(X, series)), self.contamination)

    # ------------------------------------------------------------------ scores

    def _score(self, X, series):
        """Return scores of ordered time stamps."""
        size = self.window_size_
        starts = [window_starts(each, size, self._stride()) for each in series]
        score = partial(scores_of, self.estimator_, known=True)
        scores = score_windows(score, X, np.concatenate(starts), size)
        parts = np.split(scores, np.cumsum([len(s) for s in starts])[:-1])
        answers = [
            spread(values, begin, size, each, self.aggregation)
            for values, begin, each in zip(parts, starts, series, strict=True)
        ]
        return np.concatenate(answers)

    def score_samples(self, X, groups=None):
        """Score time stamps: the lower, the more abnormal.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            Time stamps, those of a series in order.
        groups : array-like of shape (n_timestamps,), default=None
            Series each time stamp belongs to; None is one series.

        Returns
        -------
        scores : ndarray of shape (n_timestamps,), float64
            In the order of `X`.

        Raises
        ------
        ValueError
            If a series is shorter than a window.
        """
        check_is_fitted(self)
        X, order, series = self._read(X, groups, reset=False)
        self._check_lengths(series)
        scores = self._score(X, series)
        if order is None:
            return scores
        given = np.empty_like(scores)
        given[order] = scores
        return given

    def decision_function(self, X, groups=None):
        """Return `score_samples` less the threshold `offset_`: negative for anomalies.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            Time stamps, those of a series in order.
        groups : array-like of shape (n_timestamps,), default=None
            Series each time stamp belongs to; None is one series.

        Returns
        -------
        scores : ndarray of shape (n_timestamps,), float64
            Signed distance from the threshold.
        """
        return self.score_samples(X, groups) - self.offset_

    def predict(self, X, groups=None):
        """Label time stamps: +1 for normal ones, -1 for anomalies.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            Time stamps, those of a series in order.
        groups : array-like of shape (n_timestamps,), default=None
            Series each time stamp belongs to; None is one series.

        Returns
        -------
        labels : ndarray of shape (n_timestamps,), int
            The sign of `decision_function`.
        """
        return np.where(self.decision_function(X, groups) < 0, -1, 1)

    def fit_predict(self, X, y=None, groups=None):
        """Fit on series and label their time stamps.

        Parameters
        ----------
        X : array-like of shape (n_timestamps, n_channels)
            Time stamps, those of a series in order.
        y : array-like of shape (n_timestamps,), default=None
            Labels, for a detector that learns from them.
        groups : array-like of shape (n_timestamps,), default=None
            Series each time stamp belongs to; None is one series.

        Returns
        -------
        labels : ndarray of shape (n_timestamps,), int
            +1 for normal time stamps, -1 for anomalies.
        """
        return self.fit(X, y, groups).predict(X, groups)

    def __sklearn_is_fitted__(self):
        return "offset_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(_detector_or_default(self.estimator)).input_tags
        tags.input_tags.allow_nan = inner.allow_nan
        return tags


def _detector_or_default(detector):
    if detector is not None:
        return detector
    from skanomaly import AutoencoderDetector  # loads Keras: only where nothing else was given

    return AutoencoderDetector()


def _last(name):
    """Return the last part of a nested parameter's name."""
    return name.rpartition("__")[2]
