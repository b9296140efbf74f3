"""The values of categories as users have them, beside rows that hold their identifiers.

Owns keeping them in step with rows in little memory. Does not own the identifiers
(``preprocessing._categories``), or which rows are kept.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from skanomaly.utils._categories import take_columns
from skanomaly.utils._containers import as_table


def words_of(X, is_categorical, rows):
    """Return the values of categories in some rows.

    Parameters
    ----------
    X : array-like, sparse matrix or table of shape (n_samples, n_features)
        Rows as a user has them, of which `read_rows` has read the categories.
    is_categorical : ndarray of shape (n_features,), bool, or None
        None when no feature is a category.
    rows : ndarray of int
        Which rows.

    Returns
    -------
    words : DataFrame of shape (n_rows, n_categories), or None
        Columns of pandas categories, which hold each value once.
    """
    if is_categorical is None:
        return None
    X = as_table(X)
    X = X if hasattr(X, "shape") else np.asarray(X)
    words = take_columns(X, is_categorical)
    words = words.iloc[rows] if isinstance(words, pd.DataFrame) else words[rows]
    words = pd.DataFrame(words.toarray() if sp.issparse(words) else words)
    return _compact(words.set_axis(range(words.shape[1]), axis=1))


def joined_words(top, bottom):
    """Return words below others; None where one of them is not known."""
    if top is None or bottom is None:
        return None
    return _compact(pd.concat([top.astype(object), bottom.astype(object)]))


def some_words(words, rows):
    """Return the words of some rows, without the values that no row has any more."""
    return None if words is None else _compact(words.iloc[rows])


def _compact(words):
    # by way of objects: tables of different chunks may have different types and values
    return words.astype(object).reset_index(drop=True).astype("category")


def named_rows(rows, words, is_categorical, names=None):
    """Return rows with the values of their categories.

    Parameters
    ----------
    rows : ndarray or CSR matrix of shape (n_rows, n_features)
        As `read_rows` reads them.
    words : DataFrame of shape (n_rows, n_categories) or None
        As `words_of` returns them.
    is_categorical : ndarray of shape (n_features,), bool, or None
        Which features these are.
    names : array-like of str, default=None
        Names of the features.

    Returns
    -------
    table : DataFrame of shape (n_rows, n_features), or `rows` where numbers are all there is
    """
    if words is None or all(one.cat.categories.dtype.kind in "iuf" for _, one in words.items()):
        return rows  # numbers are their own identifiers
    table = pd.DataFrame(rows.toarray() if sp.issparse(rows) else rows)
    held = {j: table[j] for j in table}
    for k, j in enumerate(np.flatnonzero(is_categorical)):
        held[j] = words.iloc[:, k].astype(object).to_numpy()
    table = pd.DataFrame(held)
    return table if names is None else table.set_axis(list(names), axis=1)
