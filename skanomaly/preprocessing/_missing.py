"""Where values are missing in rows: counted in one pass, asked often.

Owns that count. What takes the place of missing values is the business of
``preprocessing._imputation``.
"""

import numpy as np
import scipy.sparse as sp

#: Values looked at in one go.
_BLOCK_VALUES = 2**20


class MissingValues:
    """How many values are missing in each row and column.

    Parameters
    ----------
    source : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, with NaN for missing values.

    Attributes
    ----------
    by_row : ndarray of shape (n_samples,), int, or None
        Missing values of each row; None when nothing is missing anywhere.
    by_column : ndarray of shape (n_features,), int, or None
        Missing values of each column; None when nothing is missing, or for a `part`.
    n_features : int
        Number of columns.
    """

    def __init__(self, source):
        self.n_features = source.shape[1]
        self.by_row, self.by_column = count_missing(source)

    def __bool__(self):
        return self.by_row is not None

    @property
    def empty_rows(self):
        """Which rows hold no value, (n_samples,) bool, or None when none does."""
        if self.by_row is None:
            return None
        empty = self.by_row == self.n_features
        return empty if empty.any() else None

    def part(self, rows):
        """Return what is missing in some of the rows."""
        part = object.__new__(MissingValues)
        part.n_features, part.by_row, part.by_column = self.n_features, None, None
        if self.by_row is not None and self.by_row[rows].any():
            part.by_row = self.by_row[rows]
        return part


def count_missing(source):
    """Return the numbers of missing values of rows and of columns, or twice None without any."""
    if sp.issparse(source):
        return _count_sparse(source)
    by_row, by_column = None, np.zeros(source.shape[1], np.int64)
    for rows in row_blocks(source):
        nan = np.isnan(source[rows])
        if nan.any():
            by_row = np.zeros(source.shape[0], np.int32) if by_row is None else by_row
            by_row[rows] = nan.sum(axis=1)
            by_column += nan.sum(axis=0)
    return (None, None) if by_row is None else (by_row, by_column)


def _count_sparse(source):
    nan = np.isnan(source.data)
    if not nan.any():
        return None, None
    rows = np.repeat(np.arange(source.shape[0]), np.diff(source.indptr))[nan]
    by_row = np.bincount(rows, minlength=source.shape[0])
    return by_row, np.bincount(source.indices[nan], minlength=source.shape[1])


def row_blocks(source):
    """Return slices that cut a table into blocks of rows."""
    step = max(_BLOCK_VALUES // max(source.shape[1], 1), 1)
    return [slice(start, start + step) for start in range(0, source.shape[0], step)]
