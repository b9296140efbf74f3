"""PyODEstimator: detectors whose scores grow with abnormality, as scikit-learn's detectors.

Owns: the turn of signs and labels between the two conventions, and the threshold. Imports no
library of such detectors: they are known by their methods.
"""

import inspect
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from skanomaly.base import DecisionMixin, StateMixin, fitting
from skanomaly.thresholds._unlabelled import robust_offset
from skanomaly.thresholds._validation import offset_of_count
from skanomaly.utils._background import background_rows
from skanomaly.utils._callers import refuse_classifier_tools
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._validation import validated


@documented
class PyODEstimator(StateMixin, DecisionMixin, MetaEstimatorMixin, BaseEstimator):
    """A detector of PyOD's conventions as an outlier detector of scikit-learn's.

    PyOD's detectors [1]_, and those of libraries that follow it, have scores that *grow* with
    abnormality, and labels 0 (normal) and 1 (anomaly). scikit-learn's and skanomaly's have
    scores that fall, and labels +1 and -1. Around such a detector this makes it usable in all
    places that take an outlier detector: `ThresholdedDetector`, `ConformalDetector`,
    `WindowedDetector`, `explain`, the scorers, displays and `compare_detectors`.

    Parameters
    ----------
    estimator : object
        Detector with `fit` and with `decision_function` high for anomalies; a clone is fitted
        (a deep copy, where it has no `get_params`).
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly, for the few detectors that learn from labels.

    Attributes
    ----------
    estimator_ : object
        The fitted detector.
    offset_ : float
        Threshold, that of the detector: minus its ``threshold_`` where its contamination is a
        number, else between the training rows in its ``labels_``. A detector without a threshold
        gets one three robust standard deviations below the median score.
    %(n_features_in_)s
    %(feature_names_in_)s

    See Also
    --------
    ThresholdedDetector : Finds a threshold that holds for new rows.

    References
    ----------
    .. [1] Y. Zhao, Z. Nasrullah and Z. Li, "PyOD: A Python Toolbox for Scalable Outlier
       Detection", JMLR 20, 2019.

    Examples
    --------
    A detector that might be PyOD's ``KNN()``:

    >>> import numpy as np
    >>> from skanomaly import PyODEstimator
    >>> class Distance:
    ...     def fit(self, X, y=None):
    ...         self.centre_ = np.median(X, axis=0)
    ...         self.decision_scores_ = self.decision_function(X)
    ...         return self
    ...     def decision_function(self, X):
    ...         return np.abs(X - self.centre_).max(axis=1)
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> detector = PyODEstimator(Distance()).fit(X)
    >>> detector.predict([[0.0, 0.0], [9.0, 0.0]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "decision_function"])],
        "anomaly_label": "no_validation",
    }

    def __init__(self, estimator, *, anomaly_label="auto"):
        self.estimator = estimator
        self.anomaly_label = anomaly_label

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the detector.

        Parameters
        ----------
        %(training_X)s
        y : array-like of shape (n_samples,), default=None
            Labels in any coding. They reach, as 0 and 1, detectors whose own `fit` demands
            labels; all others learn without.

        %(fitted)s

        Raises
        ------
        TypeError
            If the detector's scores fall towards anomalies already.
        ValueError
            If the detector demands labels and there are none, or its scores are not finite.
        """
        refuse_classifier_tools(self)
        _refuse_own_convention(self.estimator)
        with fitting(self, X, y):
            X = validated(self, X, dtype=np.float64, ensure_min_samples=2)
            labels = _labels_for(self.estimator, y, len(X), self.anomaly_label)
            self.estimator_ = clone(self.estimator, safe=False)
            self.estimator_.fit(X, *labels)
            scores = self._training_scores(X)
            self.offset_ = _threshold(self.estimator_, scores)
            self._background = background_rows(X, scores, self.offset_)
        return self

    def _training_scores(self, X):
        own = getattr(self.estimator_, "decision_scores_", None)
        scores = self.estimator_.decision_function(X) if own is None else own
        return self._turned(scores, len(X))

    def _turned(self, scores, n_samples):
        """Return scores that fall towards anomalies, checked."""
        scores = -np.asarray(scores, dtype=np.float64)
        name = type(self.estimator_).__name__
        if scores.size != n_samples:
            raise ValueError(
                f"{name} must give one score a row: expected {n_samples}, got the shape "
                f"{scores.shape}."
            )
        if not np.isfinite(scores).all():
            raise ValueError(
                f"{name} gave {np.sum(~np.isfinite(scores))} scores that are NaN or infinite. "
                "Check its parameters and data."
            )
        return scores.reshape(-1)

    def score_samples(self, X):
        """Return minus the detector's ``decision_function``: the lower, the more abnormal.

        %(scoring)s
        """
        check_is_fitted(self)
        X = validated(self, X, dtype=np.float64, reset=False)
        return self._turned(self.estimator_.decision_function(X), len(X))


def _refuse_own_convention(detector):
    known = isinstance(detector, StateMixin) or type(detector).__module__.startswith("sklearn.")
    if known or hasattr(detector, "score_samples"):
        raise TypeError(
            f"PyODEstimator turns scores that grow with abnormality, as PyOD's do, but those of "
            f"{type(detector).__name__} fall already. Use it without PyODEstimator."
        )


def _labels_for(detector, y, n_samples, anomaly_label):
    """Return the labels that the detector's `fit` demands, 1 for anomalies; most demand none."""
    asked = inspect.signature(detector.fit).parameters.get("y")
    if asked is None or asked.default is not inspect.Parameter.empty:
        return ()
    if y is None:
        raise ValueError(
            f"{type(detector).__name__} learns from labels, got y=None. Pass the labels of the "
            "training rows."
        )
    labels = read_labels(y, anomaly_label=anomaly_label, n_samples=n_samples)
    if (labels == 0).any():
        raise ValueError(
            f"{type(detector).__name__} takes every row for an anomaly or for a normal one, got "
            f"{(labels == 0).sum()} rows without a label. Leave them out, or use "
            "NeuralAnomalyClassifier, which learns from such rows."
        )
    return ((labels == -1).astype(int),)


def _threshold(detector, scores):
    """Return the detector's own threshold on turned scores, or a robust one."""
    own, labels = getattr(detector, "threshold_", None), getattr(detector, "labels_", None)
    if own is not None and isinstance(getattr(detector, "contamination", 0.0), Real):
        return -float(own)
    if labels is not None:  # a rule of PyThresh: its threshold is on a scale of its own
        return offset_of_count(scores, np.count_nonzero(labels))
    return robust_offset(scores)
