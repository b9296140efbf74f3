"""Labels on their way to estimators, scorers and splitters that read them themselves.

Owns: what one of them was told of the coding, at any depth, and the coding in which labels that
were read before are handed on. Does not own: what a label means (``utils._labels``).
"""

import inspect

import numpy as np

from skanomaly.utils._labels import ANOMALY, UNLABELLED, label_codes

#: Parameters that say how labels are coded, with the value that says nothing.
LEFT_OPEN = {"anomaly_label": "auto", "unlabeled_label": None}


def labels_for(consumer, y, coded):
    """Return `y` for a consumer that was told how labels are coded, else -1/+1 codes."""
    return y if told_coding(consumer) else coded


def told_coding(consumer):
    """Return the parameters, at any depth, that say how labels are coded; their full names."""
    if hasattr(consumer, "get_params"):
        params = consumer.get_params()
    else:
        params = getattr(consumer, "__dict__", {})
    kinds = {name: name.rpartition("__")[2] for name in params}
    return {
        name: params[name]
        for name, kind in kinds.items()
        if kind in LEFT_OPEN and not _is(params[name], LEFT_OPEN[kind])
    }


def labels_handed_to(detector, y, labels):
    """Return labels that were read as `detector` reads them, for its `fit`: -1, 1 and NaN.

    The detector, an unfitted copy, is set to read them so. One whose class knows no "auto" gets
    `y` as it came.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly import NeuralAnomalyClassifier
    >>> from skanomaly.utils._labels_handed_on import labels_handed_to
    >>> detector = NeuralAnomalyClassifier(anomaly_label="bad")
    >>> labels_handed_to(detector, ["bad", "ok"], np.array([-1, 1]))
    array([-1,  1])
    >>> detector.anomaly_label
    'auto'
    """
    if y is None:
        return None
    if any(not _may_be_left_open(detector, name) for name in told_coding(detector)):
        return y
    unlabelled = labels == UNLABELLED
    tell_codes(detector, unlabelled.any() and not unlabelled.all())
    return np.where(unlabelled, np.nan, labels) if unlabelled.any() else labels


def tell_codes(detector, named):
    """Set an unfitted copy to read -1, 1 and NaN for what they are.

    `named` names the anomaly: a lone 1 beside missing labels, as a part of them may be, would be
    taken for its mark.
    """
    coding = LEFT_OPEN | ({"anomaly_label": ANOMALY} if named else {})
    params = detector.get_params() if hasattr(detector, "get_params") else {}
    kinds = {name: name.rpartition("__")[2] for name in params}
    known = {
        name: coding[kind]
        for name, kind in kinds.items()
        if kind in coding and _may_be_left_open(detector, name)
    }
    if any(not _is(params[name], value) for name, value in known.items()):
        detector.set_params(**known)


def _may_be_left_open(estimator, name):
    """Tell whether a parameter's default says nothing of the coding."""
    owner, _, last = name.rpartition("__")
    owner = estimator.get_params()[owner] if owner else estimator
    parameter = inspect.signature(type(owner).__init__).parameters.get(last)
    return parameter is not None and _is(parameter.default, LEFT_OPEN[last])


def recode(labels):
    """Return labels read before in a coding that needs no guessing, nor does any part of it.

    -1 and 1 where all rows are labelled; else 1, 0 and NaN, since a lone 1 beside missing labels
    marks anomalies.
    """
    if not (labels == 0).any():
        return labels
    return np.where(labels == 0, np.nan, labels == -1)


def labels_as_read_by(estimators, y, n_samples, anomaly_label="auto"):
    """Return what `label_codes` does; what "auto" leaves open is as the estimators were told.

    Parameters
    ----------
    estimators : estimator or list of estimators
        Which must not contradict each other.
    y, n_samples, anomaly_label
        As in `read_labels`.

    Examples
    --------
    >>> from skanomaly import NeuralAnomalyClassifier
    >>> from skanomaly.utils._labels_handed_on import labels_as_read_by
    >>> detector = NeuralAnomalyClassifier(anomaly_label="ok", unlabeled_label="?")
    >>> labels_as_read_by(detector, ["ok", "ok", "worn", "?"], 4)
    array([-1, -1,  1,  0], dtype=int8)
    """
    estimators = estimators if isinstance(estimators, list) else [estimators]
    decided = {} if _is(anomaly_label, "auto") else {"anomaly_label": anomaly_label}
    told = {}
    for estimator in estimators:
        its = {}
        for name, value in told_coding(estimator).items():
            its.setdefault(name.rpartition("__")[2], value)
        for kind, value in its.items():
            if kind not in decided and told.setdefault(kind, value) != value:
                raise ValueError(
                    f"the detectors read labels in different ways: {kind} is {told[kind]!r} for "
                    f"one of them and {value!r} for another. Give all of them the same."
                )
    return label_codes(y, n_samples, **told, **decided)


def _is(value, other):
    return value is other or (isinstance(value, str) and value == other)
