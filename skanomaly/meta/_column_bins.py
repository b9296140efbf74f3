"""Columns of any kind as small whole numbers, to count and to compare in bounded memory.

Owns: which values share a bin, and how two counts of bins are compared. Keeps counts and edges,
no rows.
"""

import numpy as np
import pandas as pd
from scipy import sparse

#: Bins of a column: one for missing values, one for categories not seen before, the others.
N_BINS = 32


class ColumnBins:
    """Bins of one column, found on a few rows.

    Parameters
    ----------
    column : Series or ndarray of shape (n_rows,)
        Values: numbers, dates, booleans, texts, categories; missing ones have a bin of their own.
    """

    def __init__(self, column):
        values = _numbers(column)
        self.numeric = values is not None
        if self.numeric:
            known = values[~np.isnan(values)]
            self.edges = _edges(known) if len(known) else np.zeros(1)
        else:
            counts = _texts(column).value_counts().sort_index().sort_values(kind="stable")
            self.categories = [str(name) for name in counts.index[-(N_BINS - 2) :]]

    def codes(self, column):
        """Return the bin of each value: 0 where it is missing.

        Parameters
        ----------
        column : Series or ndarray of shape (n_rows,)
            Values.

        Returns
        -------
        codes : ndarray of shape (n_rows,), int
            Rising with numbers, or with how frequent a category is; the last bin is for unseen
            ones, and for texts among numbers.
        """
        if not self.numeric:
            texts = _texts(column)
            found = pd.Index(self.categories).get_indexer(texts) + 1
            return np.where(found > 0, found, np.where(texts.isna(), 0, N_BINS - 1))
        values = _numbers(column)
        if values is None:
            values = pd.to_numeric(pd.Series(column), errors="coerce").to_numpy(float)
        found = np.searchsorted(self.edges, values, side="right") + 1
        return np.where(np.isnan(values), 0, np.minimum(found, N_BINS - 1))

    def typical(self, column):
        """Return the median of numbers, or the most frequent category; None without values."""
        if not self.numeric:
            counts = _texts(column).value_counts()
            return str(counts.index[0]) if len(counts) else None
        values = _numbers(column)
        if values is None or np.isnan(values).all():
            return None
        return float(np.nanmedian(values))


def _edges(values):
    """Return where bins of numbers begin: those of a value that fills several end behind it."""
    levels = np.arange(1, N_BINS - 1) / (N_BINS - 1)
    edges, counts = np.unique(np.quantile(values, levels), return_counts=True)
    return np.union1d(edges, np.nextafter(edges[counts > 1], np.inf))


def table_columns(X):
    """Return the columns of a table by name; none of what is no table, such as images or texts."""
    if hasattr(X, "to_pandas") and not isinstance(X, pd.DataFrame):
        X = X.to_pandas()
    if isinstance(X, pd.DataFrame):
        return {str(name): X.iloc[:, j] for j, name in enumerate(X.columns)}
    if sparse.issparse(X):
        return {}
    X = np.asarray(X)
    return {f"x{j}": X[:, j] for j in range(X.shape[1])} if X.ndim == 2 else {}


def stability_index(reference, counts):
    """Return the population stability index of two counts of the same bins.

    It is the symmetric Kullback-Leibler divergence; banks call 0.1 a shift to look at and 0.25 a
    large one (N. Siddiqi, "Credit Risk Scorecards", 2006). Half a row is added to each bin
    that one of the two has rows in.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._column_bins import stability_index
    >>> round(stability_index(np.array([50, 50]), np.array([80, 20])), 2)
    0.41
    """
    held = (reference + counts) > 0
    a, b = reference[held] + 0.5, counts[held] + 0.5
    a, b = a / a.sum(), b / b.sum()
    return float(np.sum((b - a) * np.log(b / a)))


def _numbers(column):
    """Return numbers, dates and booleans as floats; None for a column of anything else."""
    column = pd.Series(column)
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return None
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind):
        numbers = column.astype("int64").to_numpy(float)
        return np.where(column.isna(), np.nan, numbers)
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return None


def _texts(column):
    return pd.Series(column).astype("string")
