"""Tables in any container as what the package reads: arrays, sparse matrices, pandas tables.

Owns that one conversion, and how many rows they have. It drops nothing: masks become missing
values, lazy tables are collected, lists keep the types of their items. Whether the rows are usable
is checked behind it.
"""

from collections.abc import Mapping, Set

import numpy as np
import pandas as pd
from scipy.sparse import issparse


def as_table(X):
    """Return rows in one of three containers, whatever they came in.

    Parameters
    ----------
    X : array-like, sparse matrix or table of shape (n_samples, n_features)
        Lists, arrays, masked arrays, sparse matrices, tables of pandas, polars (lazy ones, too)
        and PyArrow.

    Returns
    -------
    table : ndarray, sparse matrix, DataFrame or object
        A DataFrame for every kind of table. Anything that is no table and no list stays what it
        is: checks of input say what is wrong with it.

    Examples
    --------
    >>> from skanomaly.utils._containers import as_table
    >>> as_table([[1.0, "a"], (2.0, "b")])
    array([[1.0, 'a'],
           [2.0, 'b']], dtype=object)
    """
    if isinstance(X, np.ma.MaskedArray):
        return _without_mask(X)
    if isinstance(X, (list, tuple)):
        return _of_list(X)
    library = type(X).__module__.split(".")[0]
    if library == "polars":
        return _of_polars(X)
    return X.to_pandas() if library == "pyarrow" and hasattr(X, "to_pandas") else X


def n_rows(X):
    """Return the number of rows of an array, a frame or a list."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _without_mask(X):
    """Return a masked array as a plain one with NaN for what is masked."""
    mask, values = np.ma.getmaskarray(X), X.data
    if not mask.any():
        return values
    kind = np.result_type(values.dtype, np.float32) if values.dtype.kind in "biuf" else object
    return np.where(mask, np.nan, values.astype(kind))


def _of_list(X):
    """Return a list of rows as an array; numbers beside text stay numbers."""
    try:
        rows = np.asarray(X)
        return np.asarray(X, dtype=object) if rows.dtype.kind in "US" else rows
    except (ValueError, TypeError):  # rows of different lengths
        return X


def _of_polars(X):
    X = collected(X)
    if not hasattr(X, "columns"):  # a series
        return X
    columns = [_of_polars_column(X[name]) for name in X.columns]
    return pd.DataFrame(dict(enumerate(columns)), index=range(len(X))).set_axis(X.columns, axis=1)


def collected(X):
    """Return a lazy table of polars as a table, and anything else as it is.

    Complex columns are refused: detectors of other libraries may drop their imaginary parts. What
    has no rows in an order is refused, too.
    """
    if isinstance(X, (Mapping, Set)) and not issparse(X):  # a DOK matrix is a dict, too
        raise TypeError(
            f"X must be a table of rows, an array-like of shape (n_samples, n_features), got "
            f"{type(X).__name__}. Columns in a dict become one by pandas.DataFrame(X)."
        )
    if isinstance(X, pd.DataFrame):
        for name, dtype in zip(X.columns, X.dtypes, strict=True):
            if dtype.kind == "c":
                raise ValueError(
                    f"The column {name!r} of X holds complex numbers ({dtype}). Complex data not "
                    "supported: pass their real and imaginary parts as two columns."
                )
    lazy = type(X).__module__.split(".")[0] == "polars" and hasattr(X, "collect")
    return X.collect() if lazy else X


def _of_polars_column(column):
    if column.dtype.is_integer() or column.dtype.is_float():
        return column.to_numpy()
    return pd.Series(column.to_list(), dtype=object)
