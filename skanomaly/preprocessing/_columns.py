"""What a column of a pandas table holds: numbers, a category, times, or what nothing is made of.

Owns the answer, the numbers of a column of any type, and the words of a refusal, which name the
column and the value. Does not own what becomes of categories (``preprocessing._categories``).
"""

import datetime
import warnings
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

#: Distinct values of a column that are looked at to tell numbers written as text.
_LOOKED_AT = 1000
#: Numbers as text are taken for codes, such as those of postal districts, up to so many.
_FEW = 64


def is_category(column):
    """Tell whether a column holds categories: category, string, bool or interval.

    Columns of objects hold categories when one of their values is a string or all are bool.
    """
    dtype = column.dtype
    if isinstance(dtype, (pd.CategoricalDtype, pd.IntervalDtype, pd.StringDtype)):
        return True
    if pd.api.types.is_bool_dtype(dtype) or dtype.kind in "US":
        return True
    if dtype.kind != "O":
        return False
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("boolean", "string", "bytes", "interval", "categorical"):
        return True
    # of dictionaries of PyArrow and of mixed objects it says no more than that
    return kind not in ("floating", "integer", "decimal", "empty") and any(
        isinstance(value, str) for value in column.dropna()
    )


def is_time(column):
    """Tell whether a column holds dates, times or durations."""
    kind = column.dtype.categories.dtype if hasattr(column.dtype, "categories") else column.dtype
    if getattr(kind, "kind", "O") in "mM" or isinstance(kind, pd.PeriodDtype):
        return True
    times = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
    first = column.dropna().iloc[:1] if getattr(kind, "kind", "") == "O" else ()
    return any(isinstance(value, times) for value in first)


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
    >>> from skanomaly.preprocessing._columns import numbers
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


def warn_of_numbers_as_text(column, what):
    """Warn when a column that is read as a category looks like numbers with text among them."""
    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(column.dtype):
        return
    values = column.dropna().unique()[:_LOOKED_AT]
    if not len(values) or any(isinstance(value, pd.Interval) for value in values[:1]):
        return
    as_numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce")
    text = np.asarray(values, dtype=object)[as_numbers.isna().to_numpy()]
    n_numbers = len(values) - len(text)
    if n_numbers < len(values) / 2 or (not len(text) and n_numbers <= _FEW):
        return
    found = f"numbers and the text {str(text[0])!r}" if len(text) else "numbers written as text"
    warnings.warn(
        f"{what} holds {found}, and is read as a category: one number is then as far from "
        "another as any. Make it numbers by pandas.to_numeric(column, errors='coerce'), or say "
        "by column.astype('category') that it is a category.",
        UserWarning,
        stacklevel=2,
    )
