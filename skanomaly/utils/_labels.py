"""Turn any coding of labels into "anomaly", "normal" or "unlabelled".

Owns: what a label means, for every detector, metric, scorer and splitter of the package.
Does not own: checks of ``X``, what an estimator does with unlabelled rows, or the coding in which
labels are handed on to those who read them themselves (``utils._labels_handed_on``).
"""

import math
import numbers
import warnings

import numpy as np
import pandas as pd

ANOMALY, UNLABELLED, NORMAL = -1, 0, 1


def read_labels(y, *, anomaly_label="auto", n_samples=None):
    """Read labels in any coding.

    ===============================  ====================================================
    values seen                      what they mean with ``anomaly_label="auto"``
    ===============================  ====================================================
    -1 and 1, or -1 alone            -1 is the anomaly (scikit-learn's outlier detectors)
    0 and 1, False and True          1 (True) is the anomaly
    True alone                       all rows are anomalies
    1 and missing labels             1 marks the known anomalies
    0 and missing labels             0 marks the known normal rows
    another value and missing ones   it marks the known anomalies, with a warning
    any other single value           all rows are normal
    any other two values or more     the rarest value is the anomaly, with a warning
    three fractions or more          refused: these are measurements, no labels
    ===============================  ====================================================

    A lone 1 without missing labels is normal: it is all that -1/1 labels without an anomaly
    show. Strings are never read as numbers.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)
        Numbers, booleans, strings or dates, in a list, array, Series, Categorical or Index.
        Missing values (NaN, None, ``pandas.NA``, NaT, masked entries) are unlabelled rows.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly; every other value is then normal.
        "auto" decides as in the table above.
    n_samples : int, default=None
        The number of rows that `y` must have. None accepts any.

    Returns
    -------
    labels : ndarray of shape (n_samples,), dtype int8
        -1 for an anomaly, +1 for a normal row, 0 for an unlabelled row.

    Raises
    ------
    TypeError
        If `y` is None, or holds values that are not labels (lists, dicts).
    ValueError
        If `y` is empty, has more than one column, another length than `n_samples` or infinite
        values, or if `anomaly_label` is missing itself or is not among the values of `y`.

    Warns
    -----
    UserWarning
        If the rarest value, or the only one beside missing labels, was taken as the anomaly.

    Examples
    --------
    >>> from skanomaly.utils import read_labels
    >>> read_labels([0, 0, 1, None])
    array([ 1,  1, -1,  0], dtype=int8)
    >>> read_labels(["ok", "ok", "worn"], anomaly_label="ok")
    array([-1, -1,  1], dtype=int8)
    """
    column = _as_column(y)
    if n_samples is not None and len(column) != n_samples:
        raise ValueError(
            f"y must have one label per row of X: expected {n_samples} labels, got "
            f"{len(column)}. Pass the y that belongs to this X."
        )
    codes, values = _factorize(column)
    is_anomaly = _which_value(values, codes, anomaly_label)
    # The extra last entry answers code -1, by which pandas marks a missing value.
    meaning = np.array([*np.where(is_anomaly, ANOMALY, NORMAL), UNLABELLED], dtype=np.int8)
    return meaning[codes]


def label_codes(y, n_samples, anomaly_label="auto", unlabeled_label=None):
    """Return what `read_labels` does, with the rows of `unlabeled_label` as unlabelled ones.

    Examples
    --------
    >>> from skanomaly.utils._labels import label_codes
    >>> label_codes([0, 0, 1], 3, unlabeled_label=0)
    array([ 0,  0, -1], dtype=int8)
    """
    reading = {"anomaly_label": anomaly_label, "n_samples": n_samples}
    if unlabeled_label is None:
        return read_labels(y, **reading)
    if not pd.api.types.is_scalar(unlabeled_label):
        raise ValueError(
            "unlabeled_label must be one value of y, such as 0 or 'unknown', got a "
            f"{type(unlabeled_label).__name__}."
        )
    column = label_objects(y)
    _refuse_another_kind(column, unlabeled_label)
    unlabelled = (column == unlabeled_label).to_numpy(dtype=bool, na_value=False)
    return read_labels(column.mask(unlabelled, None), **reading)


def _refuse_another_kind(column, unlabeled_label):
    """Refuse a text among numbers, or a number among texts: no row could ever be unlabelled."""
    known = column.dropna()
    texts = known.map(lambda value: isinstance(value, str))
    if len(known) and not (texts == isinstance(unlabeled_label, str)).any():
        raise ValueError(
            f"unlabeled_label must be one of the values of y, got {unlabeled_label!r}; y holds "
            f"{_listed(list(known.unique()))}. Pass a value of the same kind."
        )


def label_objects(y):
    """Return labels as a Series of objects, in which every kind of missing label is missing."""
    column = pd.Series(_as_column(y)).astype(object)
    return column.reset_index(drop=True)


def which_is_anomaly(classes, codes, anomaly_label="auto"):
    """Return the place, 0 or 1, of the anomaly among the two sorted values of complete labels.

    Nobody is warned of a guess here: it is for those who answer in the user's own labels.

    Parameters
    ----------
    classes : ndarray of shape (2,)
        The values, sorted.
    codes : ndarray of shape (n_samples,)
        Place of each row's label among them.
    anomaly_label : scalar, default="auto"
        As in `read_labels`; of other values than numbers and booleans the rarer one, the second
        of two that are met as often.
    """
    values = list(classes)
    if not (isinstance(anomaly_label, str) and anomaly_label == "auto"):
        return int(np.argmax(_which_value(values, codes, anomaly_label)))
    if _all_in(values, (-1, 1)):
        return 0
    counts = np.bincount(codes, minlength=2)
    return 1 if _all_in(values, (0, 1)) else int(counts[1] <= counts[0])


def _as_column(y):
    """Return y as a non-empty one-dimensional array, Series or Index."""
    if y is None:
        raise TypeError("y must hold one label per row, got None. Pass an array of labels.")
    column = _as_array(y)
    shape = np.shape(column)
    if len(shape) == 2 and shape[1] == 1:
        column = column.iloc[:, 0] if isinstance(column, pd.DataFrame) else column[:, 0]
    elif len(shape) != 1:
        raise ValueError(
            f"y must be one column of labels, of shape (n_samples,), got shape {shape}. "
            "Pass the one column that says which rows are anomalies."
        )
    if len(column) == 0:
        raise ValueError("y must hold at least one label, got an empty array.")
    return column


def _as_array(y):
    if isinstance(y, (pd.Series, pd.Index, pd.DataFrame, pd.api.extensions.ExtensionArray)):
        return y
    if isinstance(y, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(y), None, y.data)
    # Without dtype=object NumPy would turn [1, "a", None] into three strings.
    return np.asarray(y, dtype=object) if isinstance(y, (list, tuple)) else np.asarray(y)


def _factorize(column):
    """Return each row's index into the distinct values (-1: missing), and these values."""
    try:
        codes, values = pd.factorize(column, use_na_sentinel=True)
    except TypeError as error:
        raise TypeError(
            "y must hold plain values (numbers, booleans, strings), got values that cannot be "
            f"compared: {error}. Pass one label per row."
        ) from error
    values = list(values)
    if any(isinstance(value, numbers.Real) and math.isinf(value) for value in values):
        raise ValueError(
            "y must hold finite labels, got infinity. Use NaN or None for an unlabelled row."
        )
    return codes, values


def _which_value(values, codes, anomaly_label):
    """Return, for each distinct value, whether it is the anomaly."""
    if isinstance(anomaly_label, str) and anomaly_label == "auto":
        return _automatic(values, codes)
    if np.ndim(anomaly_label) != 0 or pd.isna(anomaly_label):
        raise ValueError(
            "anomaly_label must be 'auto' or one value of y, got "
            f"{anomaly_label!r}. Recode y when several values are anomalies."
        )
    try:
        found = [bool(value == anomaly_label) for value in values]
    except OverflowError:  # no value of NumPy's can be such a number
        found = []
    if not any(found) and not _is_the_other(values, anomaly_label):
        raise ValueError(
            f"anomaly_label must be one of the values of y, got {anomaly_label!r}; y holds "
            f"{_listed(values)}. Pass one of these, or anomaly_label='auto'."
        )
    return found


def _is_the_other(values, anomaly_label):
    """Return whether the one value of y may be the normal one beside an anomaly's that is absent.

    A day without anomalies, or a chunk without them, has labels like any other.
    """
    return len(values) == 1 and isinstance(values[0], str) == isinstance(anomaly_label, str)


def _automatic(values, codes):
    if _all_in(values, (-1, 1)) and _any_is(values, -1):
        return [bool(value == -1) for value in values]
    if len(values) == 1 and (codes < 0).any():
        return [_marks_anomalies(values[0])]
    if len(values) == 1:
        # Only True is beyond doubt: a lone 1 may come from -1/1 as well as from 0/1 labels.
        return [isinstance(values[0], (bool, np.bool_)) and bool(values[0])]
    if _all_in(values, (0, 1)):
        return [bool(value == 1) for value in values]
    return _rarest(values, codes)


def _marks_anomalies(value):
    """Return whether the one value beside missing labels stands for anomalies."""
    if _all_in([value], (0, 1)):
        return bool(value == 1)
    warnings.warn(
        f"y holds {_shown(value)} and missing labels: {_shown(value)} is taken as the mark of "
        f"the known anomalies. Pass anomaly_label={_shown(value)} to say so, or name the normal "
        "rows 0 and the anomalies 1.",
        UserWarning,
        stacklevel=5,
    )
    return True


def _refuse_measurements(values):
    """Refuse numbers that are measured, not given: among many fractions no value is a label."""
    fractions = [v for v in values if isinstance(v, numbers.Real) and v != int(v)]
    if len(values) > 2 and fractions:
        raise ValueError(
            f"y holds {len(values)} different numbers such as {_shown(fractions[0])}, which are "
            "no labels. Expected one of few values for each row: pass labels such as "
            "y > threshold, or say by anomaly_label which value marks an anomaly."
        )


def _rarest(values, codes):
    _refuse_measurements(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    tied = [value for value, count in zip(values, counts, strict=True) if count == counts.min()]
    rarest = _in_order(tied)[-1]
    warnings.warn(
        f"y holds {_listed(values)}, which does not say what an anomaly is: the rarest value, "
        f"{_shown(rarest)} ({counts.min()} of {counts.sum()} labels), is taken as the anomaly. "
        f"Pass anomaly_label={_shown(rarest)}, or another value, to decide.",
        UserWarning,
        stacklevel=5,
    )
    return [value is rarest for value in values]


def _all_in(values, allowed):
    return all(isinstance(v, (numbers.Real, np.bool_)) and v in allowed for v in values)


def _any_is(values, wanted):
    return any(value == wanted for value in values)


def _in_order(values):
    try:
        return sorted(values)
    except TypeError:  # numbers among strings have no order of their own
        return sorted(values, key=str)


def _listed(values, at_most=6):
    shown = [_shown(value) for value in _in_order(values)[:at_most]]
    rest = len(values) - len(shown)
    if not shown:
        return "no label at all"
    return "the values " + ", ".join(shown) + (f" and {rest} more" if rest else "")


def _shown(value):
    return repr(value.item() if isinstance(value, np.generic) else value)
