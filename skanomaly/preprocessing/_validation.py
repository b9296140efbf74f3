"""Checks rows as users have them and turns them into floats, whatever kind of table holds them.

Owns the checks of input rows: which columns are categories, what is refused and why. What
becomes of categories and missing values is the business of ``preprocessing._table``.
"""

import numbers

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import validate_data

from skanomaly.preprocessing._categories import category_ids, is_category, is_time

_FLOATS = [np.float64, np.float32]


def read_rows(estimator, X, *, reset, min_samples=1):
    """Check rows against a detector; return them as floats, with NaN for missing values.

    Parameters
    ----------
    estimator : BaseEstimator
        Has `categorical_features`; with `reset` it gets ``is_categorical_``,
        ``n_features_in_`` and ``feature_names_in_``, without it `X` must fit them.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Rows.
    reset : bool
        Whether this is the input of `fit`.
    min_samples : int, default=1
        Rows needed.

    Returns
    -------
    rows : ndarray or scipy.sparse CSR matrix of shape (n_samples, n_features)
        float64 or float32; categories stand as the numbers of
        `skanomaly.preprocessing._categories.category_ids`.
    """
    frame = _as_pandas(X)
    _refuse_times(X, frame, estimator)
    if frame is None and not sp.issparse(X) and _names_categories(estimator):
        X = _checked_array(X, estimator, min_samples)
    mask = _categorical_mask(estimator, X, frame) if reset else estimator.is_categorical_
    if mask is None or sp.issparse(X) or (frame is None and X.dtype.kind in "biuf"):
        rows = validate_data(
            estimator, X, accept_sparse="csr", dtype=_FLOATS, ensure_all_finite="allow-nan",
            ensure_min_samples=min_samples, reset=reset,
        )  # fmt: skip
    else:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        frame = pd.DataFrame(X) if frame is None else frame
        rows = _mixed_rows(frame, mask, estimator, min_samples)
    if reset:
        estimator.is_categorical_ = mask
    return rows


def _names_categories(estimator):
    wanted = estimator.categorical_features
    return wanted is not None and not isinstance(wanted, str)


def _checked_array(X, estimator, min_samples):
    """Return anything that is no table as an array of numbers or objects."""
    X = np.asarray(X, dtype=object) if isinstance(X, (list, tuple)) else X
    return check_array(
        X, dtype=None, ensure_all_finite=False, ensure_min_samples=min_samples,
        estimator=type(estimator).__name__, input_name="X",
    )  # fmt: skip


def _mixed_rows(frame, mask, estimator, min_samples):
    """Return the numbers and the identifiers of the categories of a mixed table."""
    name = type(estimator).__name__
    rows = np.empty(frame.shape)
    if not mask.all():
        rows[:, ~mask] = check_array(
            frame.loc[:, ~mask], dtype=np.float64, ensure_all_finite="allow-nan",
            ensure_min_samples=min_samples, estimator=name, input_name="X",
        )  # fmt: skip
    elif len(frame) < min_samples:
        raise ValueError(
            f"Found array with {len(frame)} sample(s) (shape={frame.shape}) while a minimum of "
            f"{min_samples} is required by {name}."
        )
    for place in np.flatnonzero(mask):
        rows[:, place] = category_ids(frame.iloc[:, place])
    assert_all_finite(rows, allow_nan=True, estimator_name=name, input_name="X")
    return rows


def _as_pandas(X):
    """Return a table as a pandas one, or None for anything that is not a table."""
    if isinstance(X, pd.DataFrame):
        return X
    if type(X).__module__.split(".")[0] != "polars" or not hasattr(X, "columns"):
        return None
    columns = {}
    for name in X.columns:
        column = X[name]
        number = column.dtype.is_numeric()
        columns[name] = column.to_numpy() if number else pd.Series(column.to_list(), dtype=object)
    return pd.DataFrame(columns)


def _refuse_times(X, frame, estimator):
    if frame is None:
        if getattr(getattr(X, "dtype", None), "kind", "f") in "mM":
            raise ValueError(_time_message("X", X.dtype, type(estimator).__name__))
        return
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if is_time(column):
            refuse_time(column, name, type(estimator).__name__)


def refuse_time(column, name, owner):
    """Refuse a column of dates, times or durations by its name."""
    raise ValueError(_time_message(f"The column {name!r} of X", column.dtype, owner))


def _time_message(what, dtype, owner):
    return (
        f"{what} holds dates, times or durations ({dtype}). {owner} expects "
        "numbers, booleans, strings or categories. Turn it into numbers that mean something "
        "here, for example column.dt.hour, column.dt.dayofweek or "
        "(column - column.min()).dt.total_seconds(), or drop it."
    )


def _categorical_mask(estimator, X, frame):
    """Return which features are categories, or None when none is."""
    wanted = estimator.categorical_features
    if wanted is None:
        return None
    if isinstance(wanted, str):  # "from_dtype"
        n_columns = 0 if frame is None else frame.shape[1]
        mask = np.array([is_category(frame.iloc[:, j]) for j in range(n_columns)], dtype=bool)
        return mask if mask.any() else None
    n_features = (X if frame is None else frame).shape[1]
    mask = np.zeros(n_features, dtype=bool)
    mask[_places(wanted, frame, n_features, type(estimator).__name__)] = True
    return mask if mask.any() else None


def _places(wanted, frame, n_features, owner):
    """Return the places that a mask, places or names stand for."""
    given = list(np.asarray(wanted, dtype=object).reshape(-1))
    start = f"The 'categorical_features' parameter of {owner} "
    if given and all(isinstance(value, (bool, np.bool_)) for value in given):
        if len(given) != n_features:
            raise ValueError(
                f"{start}is a mask of {len(given)} values, but X has {n_features} features. "
                "Give one value for each feature, or the names or places of the categories."
            )
        return np.flatnonzero(given)
    if all(isinstance(value, str) for value in given):
        names = [] if frame is None else [str(name) for name in frame.columns]
        unknown = [value for value in given if value not in names]
        if unknown:
            has = "has no column names" if frame is None else f"has the columns {names}"
            raise ValueError(
                f"{start}names {unknown[0]!r}, but X {has}. Name columns of X, or give a mask "
                "or places."
            )
        return [names.index(value) for value in given]
    if not all(isinstance(value, numbers.Integral) for value in given):
        raise ValueError(
            f"{start}must be 'from_dtype', None, a mask, or names or places of features, all of "
            f"one kind. Got {wanted!r} instead."
        )
    outside = [value for value in given if not 0 <= value < n_features]
    if outside:
        raise ValueError(
            f"{start}holds the place {outside[0]}, but X has {n_features} features. Expected "
            f"places from 0 to {n_features - 1}."
        )
    return [int(value) for value in given]
