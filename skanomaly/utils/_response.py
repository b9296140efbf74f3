"""What a detector answers, checked: scores and predictions of any outlier detector.

Owns the refusal of estimators whose answers mean something else.
"""

import numpy as np
from sklearn.base import is_classifier, is_outlier_detector, is_regressor

from skanomaly.utils._containers import collected


def scores_of(estimator, X):
    """Return a detector's scores of rows, higher for normal ones."""
    with np.errstate(over="ignore"):  # of rows beyond float32, which many detectors read
        return _scores_of(estimator, collected(X))


def _scores_of(estimator, X):
    _refuse_other_kinds(estimator)
    if hasattr(estimator, "score_samples"):
        return np.asarray(estimator.score_samples(X))
    # Other libraries' decision_function may grow with abnormality: only a declared outlier
    # detector of scikit-learn's kind is trusted.
    if _is(is_outlier_detector, estimator) and hasattr(estimator, "decision_function"):
        return np.asarray(estimator.decision_function(X))
    raise TypeError(
        f"{type(estimator).__name__} has no score_samples for new rows, so its ranking can "
        "neither be judged nor cut. Pass an outlier detector; LocalOutlierFactor needs "
        "novelty=True."
    )


def predictions_of(estimator, X):
    _refuse_other_kinds(estimator)
    if not hasattr(estimator, "predict"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict for new rows. Pass an outlier detector; "
            "LocalOutlierFactor needs novelty=True."
        )
    return np.asarray(estimator.predict(X))


def _is(kind, estimator):
    return hasattr(estimator, "__sklearn_tags__") and kind(estimator)


def _refuse_other_kinds(estimator):
    if _is(is_classifier, estimator) or _is(is_regressor, estimator):
        raise TypeError(
            f"{type(estimator).__name__} is a classifier or regressor: which way its scores "
            "point depends on its classes. Use scikit-learn's own scorers for it."
        )
