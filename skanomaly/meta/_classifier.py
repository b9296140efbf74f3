"""AnomalyClassifier: a detector that learns from labels, as one of scikit-learn's classifiers.

Owns: the user's own labels, and which of the two is the anomaly. Does not own: learning or
calibration, which are the detector's.
"""

import numpy as np
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context
from sklearn.utils import assert_all_finite, column_or_1d, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skanomaly.base import StateMixin, fitting
from skanomaly.meta._base import copy_features
from skanomaly.meta._inner import with_seed
from skanomaly.utils._containers import collected
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import which_is_anomaly
from skanomaly.utils._labels_handed_on import labels_handed_to, told_coding
from skanomaly.utils._validation import check_weight

#: Probabilities this near to 0 and 1 still have finite log odds.
_TINY = 1e-12


@documented
class AnomalyClassifier(StateMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A detector that learns from labels, as one of scikit-learn's classifiers.

    `NeuralAnomalyClassifier` is an outlier detector: it answers -1 and +1, and its scores fall
    towards anomalies. Whatever scikit-learn makes for classifiers wants the opposite: labels as
    they were given, scores and probabilities that grow with the second of `classes_`. This is
    the same detector with that face, for `BaggingClassifier`, `VotingClassifier`,
    `StackingClassifier`, `OneVsRestClassifier`, `SelfTrainingClassifier`,
    `CalibratedClassifierCV`, `TunedThresholdClassifierCV`, scikit-learn's scorers and displays.

    Parameters
    ----------
    estimator : estimator, default=None
        Detector with probabilities after a fit with labels of both classes:
        `NeuralAnomalyClassifier` (None), or `ThresholdedDetector` around any detector; a clone
        is fitted.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly. It decides which class the detector takes for the
        anomaly, never what the answers mean. With "auto" that is -1 in labels of -1 and 1, and
        1 (True) in labels of 0 and 1; of other values the rarer one.
    %(inner_random_state)s

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels, sorted.
    %(estimator_)s
    anomaly_label_ : scalar
        The label that the detector took for the anomaly.
    %(n_features_in_)s
    %(feature_names_in_)s

    See Also
    --------
    NeuralAnomalyClassifier : The detector, for labels that are partly missing as well.

    Notes
    -----
    Labels are complete and of two classes. `predict` answers the class whose probability is
    above one half, as scikit-learn's classifiers do, and not by the detector's own threshold;
    `sklearn.model_selection.TunedThresholdClassifierCV` finds another cut.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import cross_val_score
    >>> from skanomaly import AnomalyClassifier, NeuralAnomalyClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)  # 0 is malignant
    >>> detector = NeuralAnomalyClassifier("plain", epochs=20, random_state=0)
    >>> classifier = AnomalyClassifier(detector, anomaly_label=0)
    >>> values = cross_val_score(classifier, X, y, cv=3, scoring="roc_auc")
    >>> print(f"ROC AUC {values.mean():.2f}")
    ROC AUC 0.9...
    """

    _parameter_constraints: dict = {
        "estimator": [None, HasMethods(["fit", "predict_proba"])],
        "anomaly_label": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(self, estimator=None, *, anomaly_label="auto", random_state=None):
        self.estimator = estimator
        self.anomaly_label = anomaly_label
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Fit the detector to labels of two classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, as the detector takes them.
        y : array-like of shape (n_samples,)
            Labels of two classes, in any coding.
        sample_weight : array-like of shape (n_samples,), default=None
            Frequencies, passed to the detector.

        %(fitted)s

        Raises
        ------
        ValueError
            If `y` does not hold two classes, or the detector has no probabilities after the fit.
        """
        X, y = collected(X), _checked_labels(y)
        check_consistent_length(X, y)
        weight = check_weight(sample_weight, len(y))
        given = {} if weight is None else {"sample_weight": weight}
        with fitting(self, X, y, sample_weight):
            self.classes_, codes = np.unique(y, return_inverse=True)
            counted = codes if weight is None else codes[weight > 0]
            _check_classes(self.classes_[np.unique(counted)])
            detector = with_seed(_estimator_or_default(self.estimator), self.random_state)
            self._anomaly = which_is_anomaly(self.classes_, codes, self._named(detector))
            self.anomaly_label_ = self.classes_[self._anomaly]
            labels = labels_handed_to(detector, y, np.where(codes == self._anomaly, -1, 1))
            self.estimator_ = detector.fit(X, labels, **given)
            copy_features(self.estimator_, self)
            self._refuse_without_probabilities()
        return self

    def _named(self, detector):
        """Return the anomaly's label as it was given here, or else to the detector."""
        own = self.anomaly_label
        if isinstance(own, str) and own == "auto":
            told = told_coding(detector).items()
            own = next((label for name, label in told if name.endswith("anomaly_label")), own)
        return own

    def _refuse_without_probabilities(self):
        if not hasattr(self.estimator_, "predict_proba"):
            raise ValueError(
                f"{type(self.estimator_).__name__} has no predict_proba after a fit with labels "
                "of two classes. Expected a detector with calibrated probabilities, such as "
                "NeuralAnomalyClassifier, or ThresholdedDetector around any other."
            )

    def _probabilities_of(self, X):
        """Return the detector's probabilities of being an anomaly."""
        place = list(self.estimator_.classes_).index(-1)
        return self.estimator_.predict_proba(X)[:, place]

    def predict_proba(self, X):
        """Return the probabilities of both classes.

        %(rows)s

        Returns
        -------
        probabilities : ndarray of shape (n_samples, 2), float64
            Columns as in `classes_`.
        """
        check_is_fitted(self)
        anomaly = self._probabilities_of(X)
        columns = [1 - anomaly, 1 - anomaly]
        columns[self._anomaly] = anomaly
        return np.stack(columns, axis=1)

    def decision_function(self, X):
        """Return log odds: positive for the second of `classes_`.

        %(rows)s

        Returns
        -------
        log_odds : ndarray of shape (n_samples,), float64
            They tell rows apart whose probabilities are all but 0 or 1.
        """
        check_is_fitted(self)
        if hasattr(self.estimator_, "_log_odds"):
            odds = self.estimator_._log_odds(X)
        else:
            odds = logit(np.clip(self._probabilities_of(X), _TINY, 1 - _TINY))
        return odds if self._anomaly == 1 else -odds

    def predict(self, X):
        """Return the more probable class of rows.

        %(rows)s

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Values of `classes_`.
        """
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    def score(self, X, y, sample_weight=None):
        """Return the accuracy of `predict`.

        Parameters
        ----------
        %(X)s
        y : array-like of shape (n_samples,)
            Their labels, values of `classes_`.
        %(sample_weight)s

        Returns
        -------
        accuracy : float
            Share of the rows whose class is found.
        """
        return super().score(X, y, sample_weight)

    def __sklearn_is_fitted__(self):
        return "estimator_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        if self.estimator is None:  # the default takes these, and asking it would load Keras
            tags.input_tags.allow_nan = tags.input_tags.sparse = True
        else:
            tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _checked_labels(y):
    if y is None:
        raise ValueError(
            "AnomalyClassifier requires y to be passed, but the target y is None. Pass labels of "
            "two classes; AutoencoderDetector learns without any."
        )
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y", raise_unknown=True)
    if kind != "binary":
        raise ValueError(
            f"Only binary classification is supported. The type of the target is {kind}: expected "
            f"two classes, got {len(np.unique(y))}. Merge the classes that are no anomalies, or "
            "use sklearn.multiclass.OneVsRestClassifier around AnomalyClassifier."
        )
    return y


def _check_classes(classes):
    if len(classes) != 2:
        raise ValueError(
            "AnomalyClassifier needs rows of two classes in y, got rows of one class: "
            f"{classes.tolist()}. Pass rows of both, or use AutoencoderDetector, which "
            "learns from normal rows."
        )


def _estimator_or_default(estimator):
    if estimator is not None:
        return estimator
    from skanomaly import NeuralAnomalyClassifier  # loads Keras: only where nothing else was given

    return NeuralAnomalyClassifier()
