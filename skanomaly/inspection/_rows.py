"""Rows to explain and rows to compare them with, as tables of one kind.

Owns which of their columns are numbers, whatever types they came in, and what rows have in common.
Does not own which rows are compared (``inspection._shapley``).
"""

import numpy as np
import pandas as pd
from scipy import sparse

from skanomaly.utils._categories import is_category
from skanomaly.utils._containers import as_table
from skanomaly.utils._numbers import numbers


def as_rows(X):
    """Return a DataFrame as it is, and anything else as an array."""
    X = as_table(X)
    if isinstance(X, pd.DataFrame):
        return X
    return X.toarray() if sparse.issparse(X) else np.asarray(X)


def of_same_kind(rows, X):
    """Return rows as a DataFrame with the columns of `X`, or as an array, as `X` is one."""
    if isinstance(X, pd.DataFrame):
        if not isinstance(rows, pd.DataFrame):
            return pd.DataFrame(rows, columns=X.columns)
        if set(rows.columns) != set(X.columns):  # the detector has taken X by its places
            return rows.set_axis(X.columns, axis=1)
        return rows if list(rows.columns) == list(X.columns) else rows[X.columns]
    return rows.to_numpy() if isinstance(rows, pd.DataFrame) else as_rows(rows)


def read_alike(X, background, known=None):
    """Read two tables alike: numbers are numbers in both, also in lists and columns of objects.

    Parameters
    ----------
    X, background : ndarray or DataFrame
        Tables of the same kind and with the same columns.
    known : ndarray of shape (n_features,), bool, default=None
        Which columns are categories to the detector; None goes by the background's types.

    Returns
    -------
    X, background : ndarray or DataFrame
        With numbers in columns of numbers.
    is_categorical : ndarray of shape (n_features,), bool
        The other columns.
    """
    mask = np.zeros(X.shape[1], dtype=bool) if known is None else known.copy()
    tables = X, background
    if all(isinstance(table, np.ndarray) and table.dtype.kind in "biuf" for table in tables):
        return X, background, mask
    frames = [pd.DataFrame(table) for table in tables]
    read = {}
    for j in range(X.shape[1]):
        pair = [frame.iloc[:, j] for frame in frames]
        if known is None:
            mask[j] = is_category(pair[1])
        if mask[j] or all(pd.api.types.is_numeric_dtype(column) for column in pair):
            continue
        try:
            read[j] = [numbers(column, "a column") for column in pair]
        except (ValueError, TypeError):  # times, or text that the background has none of
            mask[j] = True
    if not read:
        return X, background, mask
    X, background = (
        _replaced(table, {j: pair[k] for j, pair in read.items()})
        for k, table in enumerate(tables)
    )
    return X, background, mask


def _replaced(table, columns):
    """Return a table with other columns at some places."""
    if isinstance(table, pd.DataFrame):
        held = {j: columns.get(j, table.iloc[:, j]) for j in range(table.shape[1])}
        return pd.DataFrame(held, index=table.index).set_axis(table.columns, axis=1)
    if len(columns) == table.shape[1]:
        return np.column_stack([columns[j] for j in range(table.shape[1])])
    table = table.astype(object)  # a copy
    for j, values in columns.items():
        table[:, j] = values
    return table


def in_common(background, references, is_categorical):
    """Return what some background rows have in common, a line for each row of `references`.

    The mean of numbers, and the first row's value of categories.
    """
    rows = pd.DataFrame(background)
    columns = {}
    for j in range(rows.shape[1]):
        column = rows.iloc[:, j]
        if is_categorical[j]:
            columns[j] = column.take(references[:, 0]).to_numpy()
            continue
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)[references]
        known = np.isfinite(values)
        total = np.where(known, values, 0).sum(axis=1)
        count = known.sum(axis=1)
        columns[j] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return pd.DataFrame(columns)
