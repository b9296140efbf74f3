"""What a detector answers, checked: scores and predictions of any outlier detector.

Owns the refusal of estimators whose answers mean something else: classifiers, and detectors
whose scores grow with abnormality.
"""

import numpy as np
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.utils import get_tags

from skanomaly.utils._containers import collected
from skanomaly.utils._docs import documented

#: Packages whose detectors follow PyOD's convention.
_OTHER_CONVENTION = ("pyod", "deepod", "suod", "combo")
#: Packages whose detectors need no look at their answers.
_TRUSTED = ("sklearn", "skanomaly")


@documented
def scores_of(estimator, X, *, known=False):
    """Return a detector's scores of rows, higher for normal ones.

    Parameters
    ----------
    estimator : estimator
        Fitted outlier detector.
    %(X)s
    known : bool, default=False
        Whether this detector's convention was checked before.

    Raises
    ------
    TypeError
        If it cannot be told that its scores fall towards anomalies.
    """
    X = collected(X)
    with np.errstate(over="ignore"):  # of rows beyond float32, which many detectors read
        scores = np.asarray(getattr(estimator, scores_method(estimator))(X))
    if not known:
        check_direction(estimator, X, scores)
    return scores


def scores_method(estimator):
    """Return the name of the method that gives a detector's scores, or refuse the estimator."""
    refuse_other_kinds(estimator)
    if hasattr(estimator, "score_samples"):
        return "score_samples"
    # Other libraries' decision_function may grow with abnormality: only a declared outlier
    # detector of scikit-learn's kind is trusted.
    if is_detector(estimator) and hasattr(estimator, "decision_function"):
        return "decision_function"
    raise TypeError(
        f"{type(estimator).__name__} has no score_samples for new rows, so its ranking can "
        "neither be judged nor cut. Pass an outlier detector; LocalOutlierFactor needs "
        "novelty=True. One whose decision_function grows with abnormality, as PyOD's do, goes "
        "into skanomaly.PyODEstimator."
    )


def predictions_method(estimator):
    """Return "predict" where a detector has it, or refuse the estimator."""
    refuse_other_kinds(estimator)
    if not hasattr(estimator, "predict"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict for new rows. Pass an outlier detector; "
            "LocalOutlierFactor needs novelty=True."
        )
    return "predict"


def is_detector(estimator):
    """Tell whether an estimator declares itself an outlier detector, as scikit-learn's do."""
    return _is(is_outlier_detector, estimator)


def refuse_other_kinds(estimator):
    """Refuse what is no outlier detector of scikit-learn's convention, fitted or not."""
    if _is(is_classifier, estimator) or _is(is_regressor, estimator):
        raise TypeError(
            f"{type(estimator).__name__} is a classifier or regressor: which way its scores "
            "point depends on its classes. Use scikit-learn's own scorers for it."
        )
    refuse_other_conventions(estimator)


def refuse_other_conventions(estimator):
    """Refuse a detector that is known to score, or to label, the other way round."""
    inner = _innermost(estimator)
    packages = {kind.__module__.split(".")[0] for kind in type(inner).__mro__}
    if _package(inner) in _TRUSTED:
        return
    if packages & {*_OTHER_CONVENTION} or hasattr(inner, "decision_scores_"):
        raise TypeError(_turn(inner, "its scores grow with abnormality, as PyOD's do"))


def judges_neighbours(estimator):
    """Tell whether a detector, or one inside it, judges rows by those before and after them."""
    if "WindowedDetector" in (kind.__name__ for kind in type(estimator).__mro__):
        return True
    asked = hasattr(estimator, "get_params") and not isinstance(estimator, type)
    # one inside FrozenEstimator has to be asked by itself
    return asked and any(map(judges_neighbours, estimator.get_params(deep=True).values()))


def uses_labels(estimator):
    """Tell whether a detector, or what stands before or inside it, may learn from labels.

    Other libraries' may; of scikit-learn's and ours those that say so.
    """
    params = estimator.get_params(deep=True)
    inside = [estimator, *(one for one in params.values() if hasattr(one, "fit"))]
    known = all(type(one).__module__.startswith(("sklearn.", "skanomaly.")) for one in inside)
    told = any(name.endswith("anomaly_label") for name in params)
    return not known or told or any(get_tags(one).target_tags.required for one in inside)


def check_direction(estimator, X, scores):
    """Refuse a detector whose labels do not go with scores that fall towards anomalies."""
    inner = _innermost(estimator)
    if _is_trusted(inner) or _is_density(inner) or not hasattr(estimator, "predict"):
        return
    labels = np.asarray(estimator.predict(X))
    check_labels(inner, labels)
    flagged = labels == -1
    if flagged.any() and not flagged.all():
        if scores[flagged].mean() > scores[~flagged].mean():
            raise TypeError(_turn(inner, "the rows that predict calls -1 have the higher scores"))
    elif not hasattr(estimator, "score_samples") and flagged.all() != (np.mean(scores) < 0):
        raise TypeError(_turn(inner, "the signs of decision_function and predict disagree"))


def check_labels(estimator, labels):
    if _is_trusted(_innermost(estimator)):
        return
    if not np.isin(labels, (-1, 1)).all():
        found = np.unique(labels)[:4].tolist()
        raise TypeError(_turn(estimator, f"predict answers {found} instead of -1 and 1"))


def _turn(estimator, reason):
    return (
        f"{type(estimator).__name__} does not follow scikit-learn's convention for outlier "
        f"detectors (low scores and -1 for anomalies): {reason}. Put a detector whose "
        f"decision_function grows with abnormality into skanomaly.PyODEstimator: "
        f"PyODEstimator({type(estimator).__name__}(...))."
    )


def _innermost(estimator):
    """Return the detector that answers for a pipeline, a search or a frozen estimator."""
    while _package(estimator) in ("sklearn", "imblearn"):
        steps, names = getattr(estimator, "steps", None), ("best_estimator_", "estimator")
        inner = steps[-1][1] if steps else None
        for name in names:
            inner = getattr(estimator, name, None) if inner is None else inner
        if inner is None or isinstance(inner, str):
            break
        estimator = inner
    return estimator


def _is_trusted(estimator):
    """Tell detectors of packages whose conventions are known, and what inherits from them."""
    kinds = [kind.__module__ for kind in type(estimator).__mro__]
    known = [name for name in kinds if name.split(".")[0] in _TRUSTED]
    return any(not name.startswith(("sklearn.base", "sklearn.utils")) for name in known)


def _package(estimator):
    return type(estimator).__module__.split(".")[0]


def _is(kind, estimator):
    return hasattr(estimator, "__sklearn_tags__") and kind(estimator)


def _is_density(estimator):
    """Tell a model of densities, whose predict (if any) answers components."""
    tags = get_tags(estimator) if hasattr(estimator, "__sklearn_tags__") else None
    return tags is not None and tags.estimator_type == "density_estimator"
