"""The numbers of a table's columns, of any type, and the words of a refusal.

Owns the conversion of columns, and messages that name the column and the value. Containers are
the business of ``utils._containers``.
"""

from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

from skanomaly.utils._containers import as_table


def numbers(column, what):
    """Return a column of any type as float64, NaN for what is missing.

    Parameters
    ----------
    column : pandas.Series
        Numbers.
    what : str
        What messages call it.

    Returns
    -------
    values : ndarray of shape (n_samples,), float64

    Raises
    ------
    ValueError
        If the column holds text or complex numbers.
    TypeError
        If it holds objects.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.utils._numbers import numbers
    >>> numbers(pd.Series([1, None], dtype="Int64"), "The column 'a' of X")
    array([ 1., nan])
    """
    if column.dtype.kind == "c":
        raise ValueError(
            f"{what} holds complex numbers ({column.dtype}). Complex data not supported: pass "
            "their real and imaginary parts as two columns."
        )
    if column.dtype.kind in "biuf":
        with np.errstate(over="ignore"):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = column.to_numpy(dtype=object)
    missing = pd.isna(column).to_numpy()
    other = next((v for v in values[~missing] if not isinstance(v, (Real, Decimal))), None)
    if other is not None:
        refuse(other, what)
    try:
        return np.where(missing, np.nan, values).astype(np.float64)
    except OverflowError as error:
        raise ValueError(f"{what} holds a number too large for float64: {error}.") from error


def refuse(value, what):
    """Refuse a value that is no number, with what to do about it."""
    shown = str(value)[:50]
    if isinstance(value, (str, bytes)):
        raise ValueError(
            f"{what} holds the text {shown!r} where numbers are expected: could not convert "
            "string to float. Make it numbers by pandas.to_numeric(column, errors='coerce'), "
            "which turns other text into missing values, or fit with it as a category."
        )
    raise TypeError(
        f"{what} holds the {type(value).__name__} {shown!r}. An argument must be a string or a "
        "real number: turn it into numbers or text, or drop the column."
    )


def numeric_table(X, owner):
    """Return rows that must be numbers in a container that scikit-learn's checks read.

    Parameters
    ----------
    X : array-like, sparse matrix or table of shape (n_samples, n_features)
        Rows.
    owner : str
        Name of the estimator, for messages.

    Returns
    -------
    table : ndarray, sparse matrix, DataFrame or object
        A table has float64 columns of the same names. What is no table stays what it is.
    """
    X = as_table(X)
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUS" and X.size:
        columns = [pd.Series(X[:, j], dtype=object) for j in range(X.shape[1])]
        return np.stack([numbers(c, _called(j)) for j, c in enumerate(columns)], axis=1)
    if not isinstance(X, pd.DataFrame):
        return X
    refuse_double_names(X, owner)
    columns = [numbers(X.iloc[:, j], _called(name)) for j, name in enumerate(X.columns)]
    return pd.DataFrame(dict(enumerate(columns)), X.index).set_axis(X.columns, axis=1)


def refuse_double_names(frame, owner):
    """Refuse a pandas table in which a name does not tell columns apart."""
    if not frame.columns.is_unique:
        double = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(
            f"X has the column name {double!r} {np.sum(frame.columns == double)} times. {owner} "
            "needs names that tell columns apart: rename them, or pass X.to_numpy()."
        )


def _called(name):
    return f"The column {name!r} of X"
