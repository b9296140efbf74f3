"""Columns of numbers as users have them, read and checked: scores, predictions, weights.

Owns the one conversion that metrics, thresholds, displays and estimators share. Labels are read
in ``utils._labels``, rows in ``preprocessing._validation``.
"""

import reprlib
from decimal import Decimal
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils.validation import validate_data

from skanomaly.utils._containers import as_table
from skanomaly.utils._numbers import numeric_table

#: Scores of detectors lie within these bounds, so that no difference or mean of them overflows.
LARGEST = 1e300
#: Weights beyond these powers of two are scaled: their ratios count, and sums stay finite.
_LARGEST_EXPONENT = 200


def as_numbers(values, name):
    """Return a column of numbers in any container as a float64 array, NaN for what is missing.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Numbers or booleans in a list, array, masked array, Series or column of another library.
    name : str
        What messages call it.

    Returns
    -------
    column : ndarray of shape (n_samples,), float64

    Raises
    ------
    ValueError
        If values are no real numbers, or not one column.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.utils._validation import as_numbers
    >>> as_numbers(np.ma.MaskedArray([1, 2], [False, True]), "scores")
    array([ 1., nan])
    """
    column = _as_array(values)
    if column.ndim != 1 or column.dtype.names:
        raise ValueError(
            f"{name} must be numbers of shape (n_samples,), got {type(values).__name__} of shape "
            f"{column.shape}. Pass one number for each row."
        )
    wrong = _not_real(column)
    if wrong is not None:
        raise ValueError(
            f"{name} must be real numbers, one for each row, got {wrong}. Convert them first, or "
            "pass the column that holds the numbers."
        )
    if column.dtype == object:
        column = np.where(pd.isna(column), np.nan, column)
    with np.errstate(over="ignore"):
        return column.astype(np.float64)


def _as_array(values):
    if isinstance(values, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(values), None, values.data.astype(object))
    try:
        return np.asarray(values)
    except (ValueError, TypeError):  # lists of different lengths
        return np.asarray(values, dtype=object)


def _not_real(column):
    """Return what a column holds that is no real number, or None."""
    if column.dtype.kind in "biuf":
        return None
    if column.dtype.kind == "O":
        others = (v for v in column if not isinstance(v, (Real, Decimal)) and not _is_missing(v))
        other = next(others, None)
        return None if other is None else f"the {type(other).__name__} {str(other)[:50]!r}"
    kinds = {
        "c": "complex numbers",
        "U": "strings",
        "S": "strings",
        "M": "dates",
        "m": "durations",
    }
    return kinds.get(column.dtype.kind, f"values of type {column.dtype}")


def _is_missing(value):
    return value is None or value is pd.NA


def check_column(values, name, largest=np.inf):
    """Return values as a finite float64 column within bounds, or say what is wrong with them."""
    column = as_numbers(values, name)
    bad = np.count_nonzero(~np.isfinite(column))
    if bad:
        raise ValueError(
            f"{name} must be finite, got {bad} of {len(column)} values that are NaN, missing or "
            "infinite. Check the detector that gave them: its training may have diverged."
        )
    if len(column) and np.abs(column).max() > largest:
        raise ValueError(
            f"{name} must lie between {-largest:g} and {largest:g}, got values from "
            f"{column.min():g} to {column.max():g}. Pass their logarithms, or scale them."
        )
    return column


def check_table(values, name, *, allow_nan=False):
    """Return a table of numbers in any container as float64, of at least one row and column.

    Parameters
    ----------
    values : array-like, sparse matrix or table of shape (n_samples, n_features)
        Numbers.
    name : str
        What messages call it.
    allow_nan : bool, default=False
        Whether values may be missing.

    Returns
    -------
    table : ndarray of shape (n_samples, n_features), float64
    """
    table = as_table(values)
    table = table.toarray() if hasattr(table, "toarray") else table
    try:
        with np.errstate(over="ignore"):
            if isinstance(table, pd.DataFrame):
                table = numeric_table(table, name)
            real = np.isrealobj(np.asarray(table))
            table = np.asarray(table, dtype=np.float64) if real else np.empty(0)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{name} must be numbers of shape (n_samples, n_features), got a "
            f"{type(values).__name__} that holds something else: {error}."
        ) from error
    if table.ndim != 2 or not table.size:
        raise ValueError(
            f"{name} must be real numbers of shape (n_samples, n_features) with at least one row "
            f"and column, got {type(values).__name__} of shape {np.shape(values)}."
        )
    bad = np.isinf(table) if allow_nan else ~np.isfinite(table)
    if bad.any():
        raise ValueError(
            f"{name} must hold finite numbers, got {np.count_nonzero(bad)} that are "
            f"{'' if allow_nan else 'NaN or '}infinite. Leave these rows out, or fill them."
        )
    return table


def validated(estimator, X, **options):
    """Return what `validate_data` of scikit-learn does, without warnings of what overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return validate_data(estimator, X, **options)


def check_integer(value, name, least, besides=""):
    """Refuse a parameter that is no integer, or below the least one."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(
            f"{name} must be {besides}an integer of at least {least}, got {reprlib.repr(value)}."
        )


def check_switch(value, name):
    """Refuse a parameter that is neither True nor False, nor 1 or 0."""
    whole = isinstance(value, (Integral, np.bool_))
    if not whole or value not in (0, 1):
        raise ValueError(f"{name} must be True or False, got {reprlib.repr(value)}.")


def check_number(value, name, low=0.0, high=np.inf, *, closed="neither"):
    """Return a parameter as a float within bounds, or say what is wrong with it.

    Parameters
    ----------
    value : float
        The parameter.
    name : str
        What messages call it.
    low, high : float, default=0.0, inf
        Bounds.
    closed : {"neither", "left", "right", "both"}, default="neither"
        Which bounds are allowed themselves.

    Examples
    --------
    >>> from skanomaly.utils._validation import check_number
    >>> check_number(1, "precision", high=1, closed="right")
    1.0
    """
    number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    size = _as_float(value) if number else np.nan  # no comparison is true of NaN
    above = size >= low if closed in ("left", "both") else size > low
    below = size <= high if closed in ("right", "both") else size < high
    if not (above and below and np.isfinite(size)):
        start, end = (
            "[" if closed in ("left", "both") else "(",
            "]" if closed in ("right", "both") else ")",
        )
        raise ValueError(
            f"{name} must be a number in {start}{low:g}, {high:g}{end}, got {value!r}. Pass "
            "one number within these bounds."
        )
    return size


def _as_float(value):
    try:
        return float(value)
    except OverflowError:  # an integer beyond float64
        return np.inf


def check_weight(sample_weight, n_samples, *, relative=True):
    """Return weights of rows as float64: finite, not negative, not all 0, of a finite sum.

    Parameters
    ----------
    sample_weight : float, array-like of shape (n_samples,) or None
        Weights; one number is the weight of every row. None stays None.
    n_samples : int
        Number of rows.
    relative : bool, default=True
        Whether the ratios count alone: extreme weights are then scaled by a power of two. False,
        for weights beside others to come, refuses extreme ones and takes weights that are all 0.

    Returns
    -------
    weight : ndarray of shape (n_samples,), float64, or None

    Raises
    ------
    ValueError
        If weights are unusable.

    Examples
    --------
    >>> from skanomaly.utils._validation import check_weight
    >>> check_weight([2.0**1000, 2.0**999], 2)
    array([0.5 , 0.25])
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight, dtype=np.float64)
    weight = as_numbers(sample_weight, "sample_weight")
    if len(weight) != n_samples:
        raise ValueError(
            f"sample_weight must have one weight for each of the {n_samples} rows, got "
            f"{len(weight)}. Pass the weights that belong to these rows."
        )
    usable = np.isfinite(weight).all() and (weight >= 0).all()
    if not (usable and (weight.any() or not relative)):
        raise ValueError(
            "sample_weight must be finite, not negative and not all zero, got values from "
            f"{weight.min(initial=np.inf):g} to {weight.max(initial=-np.inf):g}."
        )
    exponent = int(np.frexp(weight.max(initial=0.0))[1])
    if abs(exponent) <= _LARGEST_EXPONENT:
        return weight
    if relative:
        return np.ldexp(weight, -exponent)
    raise ValueError(
        f"sample_weight must be 0 or of a size between 1e-60 and 1e60, got {weight.max():g}. "
        "Divide all weights by their mean."
    )
