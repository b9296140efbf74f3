"""Checked rows as learners see them: a plain array, or a view where something has to be done.

Owns that view: sparse rows become dense, categories one-hot columns, and missing values are
filled, all of it for the rows that are asked for and no others. Input is checked in
``preprocessing._validation``; how categories are coded and missing values are filled is the
business of ``preprocessing._categories`` and ``preprocessing._imputation``.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp

from skanomaly.preprocessing._categories import OneHot, value_names
from skanomaly.preprocessing._imputation import MAX_COLUMNS, MAX_ROWS, ConditionalMean
from skanomaly.preprocessing._missing import MissingValues
from skanomaly.preprocessing._scaling import ScaledRows, as_float32
from skanomaly.preprocessing._views import RowView

#: Values of a table that are made dense at once, or that column statistics are learnt from.
_BLOCK_VALUES, _SAMPLE_VALUES = 2**20, 2**23
#: Sparse rows with more columns are told apart by their entries other than zero alone.
_NARROW = 256
#: Odd constants that mix the bits of a hash (splitmix64).
_MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


class Table(RowView):
    """A view of checked rows as learners see them: dense, encoded, complete.

    Parameters
    ----------
    source : ndarray or CSR matrix of shape (n_samples, n_features)
        What `read_rows` returns.
    one_hot : skanomaly.preprocessing._categories.OneHot or None
        None leaves columns as they are.
    filler : skanomaly.preprocessing._imputation.ConditionalMean
        Fills missing values.
    missing : skanomaly.preprocessing._missing.MissingValues
        What is missing in `source`.
    """

    def __init__(self, source, one_hot, filler, missing):
        self.source, self.one_hot, self.filler = source, one_hot, filler
        self.missing = missing
        width = source.shape[1] if one_hot is None else one_hot.layout_.width
        self.shape, self.dtype = (source.shape[0], width), np.dtype(np.float64)
        self.layout = None if one_hot is None else one_hot.layout_

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
        return Table(self.source[rows], self.one_hot, self.filler, self.missing.part(rows))

    @property
    def block_rows(self):
        """How many rows may be dense at once."""
        return max(_BLOCK_VALUES // max(self.shape[1], 1), 256)


class Targets(RowView):
    """Scaled rows of a `Table` as targets: NaN where there is nothing to rebuild.

    Parameters
    ----------
    table : Table
    scaler : skanomaly.preprocessing._scaling.RowScaler or None
        None leaves them unscaled.
    """

    def __init__(self, table, scaler):
        self.table, self.scaler, self.shape = table, scaler, table.shape

    @property
    def block_rows(self):
        """How many rows may be dense at once."""
        return self.table.block_rows

    def __getitem__(self, rows):
        part = self.table.with_missing(rows)
        return as_float32(part) if self.scaler is None else self.scaler.transform(part)


class TableEncoder:
    """What is learnt from training rows to turn any rows into what learners see.

    Attributes
    ----------
    one_hot_ : skanomaly.preprocessing._categories.OneHot or None
    filler_ : skanomaly.preprocessing._imputation.ConditionalMean
        Of the columns' means alone where the training rows are dense numbers, none missing.
    """

    def fit(self, rows, is_categorical=None):
        """Learn from training rows, of which some columns may be categories.

        Parameters
        ----------
        rows : skanomaly.preprocessing._training_rows.TrainingRows
        is_categorical : ndarray of shape (n_features,), bool, default=None
            None when no column is a category.

        Returns
        -------
        self : TableEncoder
        """
        source, self.one_hot_ = rows.source, None
        if is_categorical is not None:
            columns = (_column(source, j) for j in np.flatnonzero(is_categorical))
            self.one_hot_ = OneHot(is_categorical).fit(columns, rows.weight)
        if self.one_hot_ is None and not rows.missing:
            self.filler_ = ConditionalMean.of_means(source)
            return self
        table = Table(source, self.one_hot_, None, rows.missing)
        most = min(MAX_ROWS, max(_SAMPLE_VALUES // table.shape[1], 64))
        # in canonical order, which is that of hashes, every k-th row is as good as a draw
        step = -(-len(rows.row_indices) // most)
        sample = table.with_missing(rows.row_indices[::step])
        n_factors = 0 if table.shape[1] > MAX_COLUMNS else None
        self.filler_ = ConditionalMean(n_factors).fit(sample)
        return self

    def view(self, source, missing=None):
        """Return the rows as learners see them: themselves, or a `Table`.

        `missing` says what is missing in them, and is found out if it is not given.
        """
        missing = MissingValues(source) if missing is None else missing
        if self.one_hot_ is None and not missing and not sp.issparse(source):
            return source
        return Table(source, self.one_hot_, self.filler_, missing)

    def named(self, values, background=None):
        """Return values of each feature as the data have them.

        Parameters
        ----------
        values : ndarray of shape (n_features, n_values)
            Of a category the numbers of its one-hot columns.
        background : ndarray or DataFrame of shape (n_background, n_features), default=None
            Rows that hold the values of categories by name.

        Returns
        -------
        named : list of ndarray of shape (n_values,)
            Floats, or words of a category's values.
        """
        named = list(values)
        if self.one_hot_ is None:
            return named
        rows = None if background is None else pd.DataFrame(background)
        columns = np.flatnonzero(self.one_hot_.is_categorical)
        for column, known in zip(columns, self.one_hot_.known_, strict=True):
            ids = np.append(known, np.nan)[values[column].round().astype(int)]
            named[column] = value_names(ids, None if rows is None else rows.iloc[:, column])
        return named


def empty_rows(X):
    """Return which rows hold no value, (n_samples,) bool, or None when none does."""
    return None if isinstance(X, np.ndarray) else X.missing.empty_rows


def dense_sample(rows):
    """Return an array to learn column statistics from, and its rows' frequencies.

    An array is its own sample; of a `Table` so many rows are taken as fit in bounded memory.

    Parameters
    ----------
    rows : skanomaly.preprocessing._training_rows.TrainingRows
    """
    if isinstance(rows.X, np.ndarray):
        return rows.X, rows.counts
    step = -(-len(rows.row_indices) * rows.X.shape[1] // _SAMPLE_VALUES)
    return rows.X[rows.row_indices[::step]], None


def needs_targets(X):
    """Tell whether a reconstruction of rows needs targets besides the rows themselves."""
    return not isinstance(X, np.ndarray) and (X.layout is not None or bool(X.missing))


def targets(X, scaler):
    """Return the targets of a reconstruction: scaled rows, NaN where nothing is to be rebuilt."""
    rows = ScaledRows(X, scaler) if isinstance(X, np.ndarray) else Targets(X, scaler)
    few = len(rows) * rows.shape[1] <= _SAMPLE_VALUES
    return rows[np.arange(len(rows))] if few else rows


def missing_features(X):
    """Return what is missing in the features of a `Table`'s rows, or None when nothing is."""
    if isinstance(X, np.ndarray) or not X.missing:
        return None
    return np.isnan(X.source_rows(slice(None)))[:, _feature_order(X)]


def missing_columns(X):
    """Return what is missing in the encoded columns of a `Table`'s rows."""
    return np.isnan(X.with_missing(slice(None)))


def _feature_order(X):
    return slice(None) if X.layout is None else X.layout.order


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
