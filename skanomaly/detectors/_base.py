"""BaseDetector: what all detectors share, read downward from `fit` to the scores.

Owns the order of things (check, learn, score, threshold) and scikit-learn's conventions. It does
not know any network or score: a detector brings `_fit_rows` and `_score_rows`. No Keras.
"""

from abc import ABCMeta, abstractmethod
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skanomaly.base import DecisionMixin, fitting
from skanomaly.detectors._partial_fit import Stream, StreamMixin
from skanomaly.detectors._state import DetectorStateMixin
from skanomaly.preprocessing._table import empty_rows
from skanomaly.preprocessing._training_rows import TrainingRows
from skanomaly.preprocessing._validation import read_rows
from skanomaly.preprocessing._views import in_chunks
from skanomaly.preprocessing._words import named_rows, words_of
from skanomaly.thresholds._mixin import ThresholdMixin
from skanomaly.thresholds._unlabelled import contamination_offset
from skanomaly.thresholds._validation import check_scores
from skanomaly.utils._background import background_places
from skanomaly.utils._callbacks import CallbackSupportMixin
from skanomaly.utils._callers import refuse_classifier_tools
from skanomaly.utils._containers import as_table
from skanomaly.utils._doc_links import DocLinkMixin
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._random import random_seed
from skanomaly.utils._validation import LARGEST, check_weight
from skanomaly.utils._weights import weighted_quantile


@documented
class BaseDetector(
    DetectorStateMixin,
    StreamMixin,
    CallbackSupportMixin,
    ThresholdMixin,
    DecisionMixin,
    DocLinkMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base class of the detectors; not for direct use.

    A detector has the parameters `categorical_features`, `contamination` and `random_state`.
    """

    #: Whether several threads may call `_score_rows` at once.
    _scores_in_threads = False

    _parameter_constraints: dict = {
        "categorical_features": [StrOptions({"from_dtype"}), None, "array-like"],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the detector.

        Parameters
        ----------
        %(training_X)s
        y : array-like of shape (n_samples,), default=None
            See the class; ignored by detectors that learn without labels.
        %(frequencies)s

        %(fitted)s

        Raises
        ------
        TypeError
            If a tool of scikit-learn's for classifiers calls, which would misread the answers:
            `AnomalyClassifier` is for these.
        %(unusable)s
        """
        self._fit_scored(X, y, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_score_samples(self, X, y=None, sample_weight=None):
        """Fit the detector, and return the scores of the training rows, which the fit needs, too.

        Parameters
        ----------
        X, y, sample_weight : object
            As in `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            ``fit(X, y, sample_weight).score_samples(X)``, without computing it twice: of large
            tables, scoring takes most of the time.

        Examples
        --------
        >>> import numpy as np
        >>> import skanomaly
        >>> X = np.random.default_rng(0).normal(size=(50, 2))
        >>> detector = skanomaly.AutoencoderDetector("plain", epochs=1, random_state=0)
        >>> scores = detector.fit_score_samples(X)
        >>> bool((scores == detector.score_samples(X)).all())
        True
        """
        return self._fit_scored(X, y, sample_weight)

    def _fit_scored(self, X, y, sample_weight):
        refuse_classifier_tools(self)
        with fitting(self, X, y, sample_weight):
            warm_start = self._goes_on()
            source = read_rows(self, X, reset=not warm_start, min_samples=2)
            weight = _checked_weight(sample_weight, source)
            rows = TrainingRows(source, self._read_labels(y, source.shape[0], weight), weight)
            if not warm_start:
                rows.refuse_empty_columns(self)
                rows.warn_if_constant(self)
            seed = random_seed(self.random_state)
            scores = self._learn(rows, seed, warm_start)
            self._keep_rows(X, source, scores, y if self._uses_labels else None, weight, seed)
            self.n_samples_seen_ = self._stream.n_seen
        return scores

    def _keep_rows(self, X, source, scores, y, weight, seed):
        """Keep normal rows for explanations, by the values of their categories, and a stream."""
        mask = self.is_categorical_
        table = X if mask is None else as_table(X)
        places = background_places(source.shape[1], scores, self.offset_, weight)
        if mask is not None and isinstance(table, pd.DataFrame):
            self._background = table.iloc[places]  # with the types that its columns have
        else:
            self._background = named_rows(source[places], words_of(table, mask, places), mask)
        self._stream = Stream.of_fit(source, y, weight, seed, table, mask)

    def _learn(self, rows, seed, warm_start=False):
        """Fit everything on training rows, or go on from what is there; return their scores."""
        encoder = rows.encode(self._encoder if warm_start else None, self.is_categorical_)
        self._encoder = encoder
        out_of_fold = self._fit_rows(rows, seed, warm_start)
        scores = self._score_all(rows.X, rows)
        self.offset_ = self._find_offset(check_scores(scores), rows, out_of_fold)
        if not np.isfinite(self.offset_):
            raise ValueError(
                f"{type(self).__name__} found no finite threshold for its training scores, from "
                f"{scores.min():g} to {scores.max():g}. Scale the rows, or leave standardize=True."
            )
        return scores

    #: Whether `y` means something to the detector.
    _uses_labels = False

    def _goes_on(self):
        """Tell whether `fit` goes on from the last one."""
        return False

    def _read_labels(self, y, n_samples, weight):
        """Return label codes to learn from, or None; by default labels play no part."""
        return None

    @abstractmethod
    def _fit_rows(self, rows, seed, warm_start):
        """Learn what `_score_rows` needs from training rows.

        Parameters
        ----------
        rows : skanomaly.preprocessing._training_rows.TrainingRows
            ``rows.X`` as `_score_rows` gets them, and ``rows.row_indices`` of one pass.
        seed : int
            Seed of everything random.
        warm_start : bool
            Whether to go on from what is there.

        Returns
        -------
        out_of_fold : object
            What `_find_offset` needs besides scores; None for nothing.
        """

    @abstractmethod
    def _score_rows(self, X):
        """Return scores of rows as learners see them, float64, higher for normal rows."""

    def _find_offset(self, scores, rows, out_of_fold):
        """Return the threshold for the training scores."""
        return contamination_offset(scores, self.contamination, rows.weight)

    def _codes(self, y, n_samples):
        """Return label codes: -1 anomaly, +1 normal, 0 unlabelled."""
        return read_labels(y, n_samples=n_samples)

    def _scores_and_labels(self, X, y):
        """Return what gives the scores of rows, for `set_threshold`, and their label codes."""
        if X is None:
            return None, None
        X = self._checked_rows(X)
        codes = None if y is None else self._codes(y, len(X))
        return lambda: self._score_all(X), codes

    def score_samples(self, X):
        """Score rows, each on its own: the lower, the more abnormal.

        %(scoring)s
        """
        return self._score_all(self._checked_rows(X))

    def explain(self, X, **params):
        """Share out the anomaly scores of rows over their features.

        Parameters
        ----------
        %(X)s
        %(explain_params)s

        Returns
        -------
        explanation : Explanation
            Its DataFrame ``contributions`` adds up to minus ``score_samples``; see
            `skanomaly.explain`.
        """
        from skanomaly.inspection._explain import explain

        return explain(self, X, **params)

    def _checked_rows(self, X):
        """Return rows as learners see them."""
        check_is_fitted(self)
        plain = self.is_categorical_ is None and not hasattr(self, "feature_names_in_")
        if plain and _is_plain_row(X, self.n_features_in_):
            return X
        return self._encoder.view(read_rows(self, X, reset=False))

    def _score_all(self, X, training=None):
        """Score any number of checked rows in bounded memory; `TrainingRows` say what is usual.

        What overflows on the way to its score is unknown, and unknown rows are abnormal.
        """

        def score(rows):
            with np.errstate(all="ignore"):  # a setting of each thread
                return self._score_rows(rows)

        scores = in_chunks(score, X, threads=self._scores_in_threads)
        empty = empty_rows(X)
        unknown = ~(np.abs(scores) <= LARGEST)
        if unknown.any():
            scores = np.where(unknown, -LARGEST, scores)
        if training is not None:
            self._typical_score = _median(scores, empty, training.weight)
        if empty is not None:  # nothing speaks for or against such a row
            scores[empty] = self._typical_score
        return scores

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags


def _median(scores, empty, weight):
    """Return the median score of training rows, those without any value apart."""
    known = slice(None) if empty is None else ~empty
    if weight is None:
        return float(np.median(scores[known]))
    return float(weighted_quantile(scores[known], 0.5, weight[known]))


def _is_plain_row(X, n_features):
    """Tell a single row that all checks, which take longer than its score, would hand back."""
    if type(X) is not np.ndarray or X.shape != (1, n_features):
        return False
    return X.dtype in (np.float64, np.float32) and np.isfinite(X).all()


def _checked_weight(sample_weight, X):
    """Return positive-sum float64 weights, or None when all rows weigh the same one."""
    if sample_weight is None:
        return None
    weight = check_weight(sample_weight, X.shape[0])
    if np.count_nonzero(weight) < 2:
        raise ValueError(
            "sample_weight leaves fewer than 2 rows with a positive weight. Expected at least "
            f"2, got {np.count_nonzero(weight)} of {len(weight)}."
        )
    return weight
