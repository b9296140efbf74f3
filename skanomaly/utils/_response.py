"""What a detector answers, checked: scores and predictions of any outlier detector.

Owns the refusal of estimators whose answers mean something else.
"""

import numpy as np
from sklearn.base import is_classifier, is_outlier_detector, is_regressor

from skanomaly.utils._containers import collected


def scores_of(estimator, X):
    """Return a detector's scores of rows, higher for normal ones."""
    with np.errstate(over="ignore"):  # of rows beyond float32, which many detectors read
        return np.asarray(getattr(estimator, scores_method(estimator))(collected(X)))


def scores_method(estimator):
    """Return the name of the method that gives a detector's scores, or refuse the estimator."""
    _refuse_other_kinds(estimator)
    if hasattr(estimator, "score_samples"):
        return "score_samples"
    # Other libraries' decision_function may grow with abnormality: only a declared outlier
    # detector of scikit-learn's kind is trusted.
    if is_detector(estimator) and hasattr(estimator, "decision_function"):
        return "decision_function"
    raise TypeError(
        f"{type(estimator).__name__} has no score_samples for new rows, so its ranking can "
        "neither be judged nor cut. Pass an outlier detector; LocalOutlierFactor needs "
        "novelty=True."
    )


def predictions_method(estimator):
    """Return "predict" where a detector has it, or refuse the estimator."""
    _refuse_other_kinds(estimator)
    if not hasattr(estimator, "predict"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict for new rows. Pass an outlier detector; "
            "LocalOutlierFactor needs novelty=True."
        )
    return "predict"


def is_detector(estimator):
    """Tell whether an estimator declares itself an outlier detector, as scikit-learn's do."""
    return _is(is_outlier_detector, estimator)


def _is(kind, estimator):
    return hasattr(estimator, "__sklearn_tags__") and kind(estimator)


def _refuse_other_kinds(estimator):
    if _is(is_classifier, estimator) or _is(is_regressor, estimator):
        raise TypeError(
            f"{type(estimator).__name__} is a classifier or regressor: which way its scores "
            "point depends on its classes. Use scikit-learn's own scorers for it."
        )
