"""BaseNeuralDetector: what all detectors share, read downward from `fit` to the scores.

Owns the order of things (check, train, score, threshold), scikit-learn's conventions and
persistence. It does not know any network or score: a detector brings `_train` and
`_score_rows`.
"""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skanomaly.base import DecisionMixin, unchanged_on_failure
from skanomaly.detectors._partial_fit import Stream, StreamMixin
from skanomaly.preprocessing._scaling import in_chunks
from skanomaly.preprocessing._table import TableEncoder, check_columns, nothing_seen
from skanomaly.preprocessing._validation import read_rows
from skanomaly.thresholds._named import as_threshold
from skanomaly.thresholds._unlabelled import contamination_offset
from skanomaly.training._convergence import warn_if_unfinished
from skanomaly.training._sklearn_callbacks import CallbackSupportMixin, epoch_tasks, fit_task
from skanomaly.training._trainer import Schedule
from skanomaly.utils._background import background_rows
from skanomaly.utils._callers import refuse_classifier_tools
from skanomaly.utils._labels import read_labels


class BaseNeuralDetector(
    StreamMixin, CallbackSupportMixin, DecisionMixin, BaseEstimator, metaclass=ABCMeta
):
    """Base class of the detectors; not for direct use."""

    _parameter_constraints: dict = {
        "activation": [str, callable],
        "optimizer": [str, HasMethods(["apply_gradients", "get_config"])],
        "learning_rate": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "epochs": [StrOptions({"auto"}), None, Interval(Integral, 1, None, closed="left")],
        "max_steps": [StrOptions({"auto"}), None, Interval(Integral, 1, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "callbacks": [None, list, tuple, HasMethods(["on_epoch_end", "set_model"])],
        "categorical_features": [StrOptions({"from_dtype"}), None, "array-like"],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "model": [None, callable, HasMethods(["get_config", "get_weights"])],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the detector.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            See the class; ignored by detectors that learn without labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequencies: a row of weight 2 counts like two copies of it.

        Returns
        -------
        self : object
            Fitted detector.

        Raises
        ------
        TypeError
            If a tool of scikit-learn's for classifiers calls, which would misread the answers:
            `AnomalyClassifier` is for these.
        ValueError
            If the data or a parameter is unusable, or training diverges. The detector is then
            as it was before the call.
        """
        refuse_classifier_tools(self)
        with fit_task(self, X, y, sample_weight), unchanged_on_failure(self):
            warm_start = self.warm_start and hasattr(self, "_trainer")
            rows = read_rows(self, X, reset=not warm_start, min_samples=2)
            weight = _checked_weight(sample_weight, rows)
            if not warm_start:
                check_columns(rows, weight, self)
            seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
            scores = self._learn(rows, y, weight, seed, warm_start)
            warn_if_unfinished(self._trainer, type(self).__name__)
            mixed = self.is_categorical_ is not None and hasattr(X, "iloc")
            background = background_rows(X if mixed else rows, scores, self.offset_, weight)
            self._background = background
            self._stream = Stream.of_fit(rows, y if self._uses_labels else None, weight, seed)
            self.n_samples_seen_ = self._stream.n_seen
        return self

    def _learn(self, rows, y, weight, seed, warm_start):
        """Fit everything on checked rows, or go on from what is there; return their scores."""
        if not warm_start:
            self._encoder = TableEncoder().fit(rows, self.is_categorical_, weight)
        X = self._encoder.view(rows)
        seen = self._train(X, y, weight, seed, warm_start)
        scores = self._score_all(X, training=True)
        self.offset_ = self._find_offset(scores, weight, seen)
        return scores

    #: Whether `y` means something to the detector.
    _uses_labels = False

    @abstractmethod
    def _train(self, X, y, weight, seed, warm_start):
        """Train on checked rows, set what `_score_rows` needs, return what the threshold needs."""

    @abstractmethod
    def _score_rows(self, X):
        """Return scores of checked rows, float64, higher for normal rows."""

    def _find_offset(self, scores, weight, seen):
        """Return the threshold for the training scores."""
        return float(contamination_offset(scores, self.contamination, weight))

    def _codes(self, y, n_samples):
        """Return label codes: -1 anomaly, +1 normal, 0 unlabelled."""
        return read_labels(y, n_samples=n_samples)

    def set_threshold(self, threshold, X=None, y=None, *, level=None, cost_fp=1.0, cost_fn=1.0):
        """Change the threshold `offset_` of a fitted detector; nothing is trained again.

        Parameters
        ----------
        threshold : float, str or callable
            The threshold itself, or a rule, as `ThresholdedDetector` takes it: "auto",
            "contamination", "fpr", "pot", "f1", "precision", "recall", "cost".
        X : array-like of shape (n_samples, n_features), default=None
            Rows whose scores a rule looks at. The threshold means what the rule says for new
            rows if the detector did not train on these.
        y : array-like of shape (n_samples,), default=None
            Labels of these rows, for the rules that need them. "fpr" and "pot" leave known
            anomalies out.
        level : float, default=None
            What the rule aims at.
        cost_fp, cost_fn : float, default=1.0
            Costs of a false alarm and of a missed anomaly, for "cost".

        Returns
        -------
        self : object
            The detector, until the next `fit` with this threshold.

        Raises
        ------
        ValueError
            If the rule lacks its rows, labels or level, or does not work for these scores. The
            threshold is then as it was.
        """
        check_is_fitted(self)
        if X is None and not isinstance(threshold, Real):
            raise ValueError(
                f"the rule {threshold!r} needs rows to look at, got X=None. Pass rows that the "
                "detector did not train on, or a number as the threshold."
            )
        if X is not None:
            X = self._checked_rows(X)
        codes = None if X is None or y is None else self._codes(y, len(X))
        options = {"level": level, "cost_fp": cost_fp, "cost_fn": cost_fn}
        self.offset_ = as_threshold(threshold, lambda: self._score_all(X), codes, **options)
        return self

    def score_samples(self, X):
        """Score rows: the lower, the more abnormal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            A row's score does not depend on the other rows.
        """
        return self._score_all(self._checked_rows(X))

    def explain(self, X, **params):
        """Share out the anomaly scores of rows over their features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        **params : dict
            Parameters of `skanomaly.explain`, such as ``n_references``.

        Returns
        -------
        explanation : Explanation
            Its DataFrame ``contributions`` adds up to minus ``score_samples``; see
            `skanomaly.explain`.
        """
        from skanomaly.inspection._explain import explain

        return explain(self, X, **params)

    def _checked_rows(self, X):
        """Return rows as the engine sees them."""
        check_is_fitted(self)
        plain = self.is_categorical_ is None and not hasattr(self, "feature_names_in_")
        if plain and _is_plain_row(X, self.n_features_in_):
            return X
        return self._encoder.view(read_rows(self, X, reset=False))

    def _score_all(self, X, training=False):
        """Score any number of checked rows in bounded memory; training rows say what is usual."""
        scores, empty = in_chunks(self._score_rows, X), nothing_seen(X)
        if training:
            self._typical_score = float(np.median(scores if empty is None else scores[~empty]))
        if empty is not None:  # nothing speaks for or against such a row
            scores[empty] = self._typical_score
        return scores

    @property
    def network_(self):
        """The trained Keras network."""
        return self._fitted_trainer("network_").network

    @property
    def history_(self):
        """Loss per epoch, and validation loss where there is one: dict of str to list."""
        return self._fitted_trainer("history_").history

    @property
    def n_iter_(self):
        """Number of epochs trained."""
        return self._fitted_trainer("n_iter_").n_iter

    def _fitted_trainer(self, name):
        if "_trainer" not in vars(self):
            raise AttributeError(
                f"'{type(self).__name__}' has no attribute '{name}' before `fit` is called."
            )
        return self._trainer

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags

    def _schedule(self, settings, **own):
        """Return how to train, from parameters with "auto" resolved."""
        return Schedule(
            optimizer=self.optimizer,
            learning_rate=settings["learning_rate"],
            epochs=settings["epochs"] or 1,
            steps=settings["max_steps"],
            batch_size=settings["batch_size"],
            warmup_steps=settings["warmup_steps"],
            early_stopping=settings["early_stopping"],
            validation_fraction=self.validation_fraction,
            n_iter_no_change=self.n_iter_no_change,
            callbacks=self._callbacks(),
            verbose=self.verbose,
            label=type(self).__name__,
            **own,
        )

    def _callbacks(self):
        """Return the user's callbacks, and what tells scikit-learn's own about epochs."""
        given = () if self.callbacks is None else self.callbacks
        given = given if isinstance(given, (list, tuple)) else (given,)
        return (*given, *epoch_tasks(self))


def _is_plain_row(X, n_features):
    """Tell a single row that all checks, which take longer than its score, would hand back."""
    if type(X) is not np.ndarray or X.shape != (1, n_features):
        return False
    return X.dtype in (np.float64, np.float32) and np.isfinite(X).all()


def _checked_weight(sample_weight, X):
    """Return positive-sum float64 weights, or None when all rows weigh the same one."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if np.count_nonzero(weight) < 2:
        raise ValueError(
            "sample_weight leaves fewer than 2 rows with a positive weight. Expected at least "
            f"2, got {np.count_nonzero(weight)} of {len(weight)}."
        )
    return weight
