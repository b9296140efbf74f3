"""Checked rows as the engine sees them: a plain array, or a view where something has to be done.

Owns that view: sparse rows become dense, categories one-hot columns, and missing values are
filled, all of it for the rows that are asked for and no others. Input is checked in
``preprocessing._validation``; how categories are coded and missing values are filled is the
business of ``preprocessing._categories`` and ``preprocessing._imputation``.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from skanomaly.preprocessing._categories import OneHot
from skanomaly.preprocessing._imputation import MAX_COLUMNS, MAX_ROWS, ConditionalMean
from skanomaly.preprocessing._scaling import ScaledRows
from skanomaly.utils._weights import canonical_order, repeat_rows

#: Values of a table that are made dense at once, or that column statistics are learnt from.
_BLOCK_VALUES, _SAMPLE_VALUES = 2**20, 2**23
#: Sparse rows with more columns are told apart by their entries other than zero alone.
_NARROW = 256
#: Odd constants that mix the bits of a hash (splitmix64).
_MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


class Table:
    """A view of checked rows as the engine sees them: dense, encoded, complete.

    Parameters
    ----------
    source : ndarray or CSR matrix of shape (n_samples, n_features)
        What `read_rows` returns.
    one_hot : skanomaly.preprocessing._categories.OneHot or None
        None leaves columns as they are.
    filler : skanomaly.preprocessing._imputation.ConditionalMean
        Fills missing values.
    """

    def __init__(self, source, one_hot, filler):
        self.source, self.one_hot, self.filler = source, one_hot, filler
        width = source.shape[1] if one_hot is None else one_hot.layout_.width
        self.shape, self.dtype = (source.shape[0], width), np.dtype(np.float64)
        self.layout = None if one_hot is None else one_hot.layout_

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return self.filler.transform(self.with_missing(rows))

    def with_missing(self, rows):
        """Return encoded rows with NaN for what is missing, float64."""
        part = self.source_rows(rows)
        if self.one_hot is not None:
            return self.one_hot.transform(part)
        return np.asarray(part, dtype=np.float64)

    def source_rows(self, rows):
        """Return rows before encoding, dense, with NaN for what is missing."""
        part = self.source[rows]
        return part.toarray() if sp.issparse(part) else part

    def content(self, rows):
        """Return numbers that tell rows apart, the same wherever a row stands."""
        if sp.issparse(self.source) and self.source.shape[1] > _NARROW:
            return _sparse_digest(self.source[rows])
        return self.source_rows(rows)

    def part(self, rows):
        """Return a view of some rows."""
        return Table(self.source[rows], self.one_hot, self.filler)

    @property
    def block_rows(self):
        """How many rows may be dense at once."""
        return max(_BLOCK_VALUES // max(self.shape[1], 1), 256)


class Targets:
    """Scaled rows of a `Table` as targets: NaN where there is nothing to rebuild.

    Parameters
    ----------
    table : Table
    scaler : skanomaly.preprocessing._scaling.RowScaler or None
        None leaves them unscaled.
    """

    def __init__(self, table, scaler):
        self.table, self.scaler, self.shape = table, scaler, table.shape

    def __len__(self):
        return len(self.table)

    def __getitem__(self, rows):
        part = self.table.with_missing(rows)
        return part.astype(np.float32) if self.scaler is None else self.scaler.transform(part)


class TableEncoder:
    """What is learnt from training rows to turn any rows into what the engine sees.

    Attributes
    ----------
    one_hot_ : skanomaly.preprocessing._categories.OneHot or None
    filler_ : skanomaly.preprocessing._imputation.ConditionalMean
        Of the columns' means alone where the training rows are dense numbers, none missing.
    """

    def fit(self, source, is_categorical=None, weight=None):
        """Learn from the rows that `read_rows` returns and their frequencies."""
        self.one_hot_ = None
        if is_categorical is not None:
            columns = (_column(source, j) for j in np.flatnonzero(is_categorical))
            self.one_hot_ = OneHot(is_categorical).fit(columns, weight)
        if self.one_hot_ is None and not has_missing(source):
            self.filler_ = ConditionalMean.of_means(source)
            return self
        table = Table(source, self.one_hot_, None)
        row_indices = repeat_rows(canonical_order(table), weight)
        most = min(MAX_ROWS, max(_SAMPLE_VALUES // table.shape[1], 64))
        # in canonical order, which is that of hashes, every k-th row is as good as a draw
        sample = table.with_missing(row_indices[:: -(-len(row_indices) // most)])
        n_factors = 0 if table.shape[1] > MAX_COLUMNS else None
        self.filler_ = ConditionalMean(n_factors).fit(sample)
        return self

    def view(self, source):
        """Return the rows as the engine sees them: themselves, or a `Table`."""
        if self.one_hot_ is None and _is_plain(source):
            return source
        return Table(source, self.one_hot_, self.filler_)


def check_columns(source, weight, estimator):
    """Refuse rows with a column that holds no value at all."""
    if not has_missing(source):
        return
    if weight is not None and not np.all(weight > 0):
        source = source[np.flatnonzero(weight)]
    empty = np.flatnonzero(_n_missing(source) == source.shape[0])
    if len(empty):
        names = getattr(estimator, "feature_names_in_", np.arange(source.shape[1])).tolist()
        others = f" (and {len(empty) - 1} more)" if len(empty) > 1 else ""
        raise ValueError(
            f"The column {names[empty[0]]!r} of X{others} holds missing values only. "
            f"{type(estimator).__name__} expects at least one value in each column. Drop the "
            "column, or fill it."
        )


def has_missing(source):
    """Tell whether anything is missing in an array or a CSR matrix."""
    if sp.issparse(source):
        return bool(np.isnan(source.data).any())
    return any(np.isnan(source[rows]).any() for rows in _blocks(source))


def nothing_seen(X):
    """Return which rows of a `Table` hold no value, (n_samples,) bool, or None when none does."""
    if isinstance(X, np.ndarray) or sp.issparse(X.source) or not has_missing(X.source):
        return None
    empty = np.concatenate([np.isnan(X.source[rows]).all(axis=1) for rows in _blocks(X.source)])
    return empty if empty.any() else None


def dense_sample(X, row_indices):
    """Return an array to learn column statistics from, and its rows' frequencies.

    An array is its own sample; of a `Table` so many rows are taken as fit in bounded memory.

    Parameters
    ----------
    X : ndarray or Table
    row_indices : ndarray of shape (n_row_indices,)
        Row numbers in canonical order, repeated by weight.
    """
    if isinstance(X, np.ndarray):
        return X, np.bincount(row_indices, minlength=len(X)).astype(np.float64)
    step = -(-len(row_indices) * X.shape[1] // _SAMPLE_VALUES)
    return X[row_indices[::step]], None


def needs_targets(X):
    """Tell whether a reconstruction of rows needs targets besides the rows themselves."""
    return not isinstance(X, np.ndarray) and (X.layout is not None or has_missing(X.source))


def targets(X, scaler):
    """Return the targets of a reconstruction: scaled rows, NaN where nothing is to be rebuilt."""
    rows = ScaledRows(X, scaler) if isinstance(X, np.ndarray) else Targets(X, scaler)
    few = len(rows) * rows.shape[1] <= _SAMPLE_VALUES
    return rows[np.arange(len(rows))] if few else rows


def missing_features(X):
    """Return what is missing in the features of a `Table`'s rows, or None when nothing is."""
    if isinstance(X, np.ndarray) or not has_missing(X.source):
        return None
    return np.isnan(X.source_rows(slice(None)))[:, _feature_order(X)]


def missing_columns(X):
    """Return what is missing in the encoded columns of a `Table`'s rows."""
    return np.isnan(X.with_missing(slice(None)))


def _feature_order(X):
    return slice(None) if X.layout is None else X.layout.order


def _is_plain(source):
    return not sp.issparse(source) and not has_missing(source)


def _n_missing(source):
    if sp.issparse(source):
        places = source.indices[np.isnan(source.data)]
        return np.bincount(places, minlength=source.shape[1])
    return sum(np.isnan(source[rows]).sum(axis=0) for rows in _blocks(source))


def _sparse_digest(rows):
    """Return three numbers of 24 bits a row, from a hash of its entries other than zero."""
    hashes = pd.util.hash_array(rows.data.astype(np.float32))
    hashes = (hashes ^ ((rows.indices.astype(np.uint64) + np.uint64(1)) * _MIX[0])) * _MIX[1]
    hashes = np.where(rows.data == 0, np.uint64(0), hashes ^ (hashes >> np.uint64(31)))
    ends = np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashes, dtype=np.uint64)])
    sums = ends[rows.indptr[1:]] - ends[rows.indptr[:-1]]  # modulo 2**64
    shifts = np.array([0, 21, 42], np.uint64)
    return ((sums[:, None] >> shifts) & np.uint64(2**22 - 1)).astype(np.float32)


def _column(source, place):
    if sp.issparse(source):
        return source[:, [place]].toarray().ravel()
    return np.asarray(source[:, place], dtype=np.float64)


def _blocks(source):
    step = max(_BLOCK_VALUES // max(source.shape[1], 1), 1)
    return [slice(start, start + step) for start in range(0, source.shape[0], step)]
