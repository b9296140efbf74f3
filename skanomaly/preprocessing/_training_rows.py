"""Training rows with all that is worked out once about them: order, copies, what is missing.

Owns that one object, which a detector's base makes and everything below reads. Does not own how
rows are read (``preprocessing._validation``) or encoded (``preprocessing._table``).
"""

import warnings
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from skanomaly.preprocessing._missing import MissingValues
from skanomaly.preprocessing._table import Table, TableEncoder
from skanomaly.utils._weights import canonical_order, repeat_rows

#: Rows that are compared at once.
_BLOCK_ROWS = 4096


class TrainingRows:
    """Rows to learn from.

    Parameters
    ----------
    source : ndarray or CSR matrix of shape (n_samples, n_features)
        What `read_rows` returns.
    labels : ndarray of shape (n_samples,), int, default=None
        -1 anomaly, +1 normal, 0 unlabelled; None where labels play no part.
    weight : ndarray of shape (n_samples,), default=None
        Frequencies of the rows.

    Attributes
    ----------
    X : ndarray or Table of shape (n_samples, n_columns)
        The rows as learners see them; there after `encode`.
    passes : callable or None
        Gives an epoch's rows to train a network on, in blocks like `X`, where these are not all
        in memory; None trains it on the rows themselves.
    """

    passes = None

    def __init__(self, source, labels=None, weight=None):
        self.source, self.labels, self.weight = source, labels, weight

    def __len__(self):
        return self.source.shape[0]

    @cached_property
    def missing(self):
        """What is missing in the rows."""
        return MissingValues(self.source)

    @cached_property
    def row_indices(self):
        """Row numbers of one pass: in an order that content alone decides, repeated by weight."""
        order = canonical_order(Table(self.source, None, None, self.missing), self.labels)
        return repeat_rows(order, self.weight, self.labels)

    @cached_property
    def counts(self):
        """How often each row occurs in a pass, (n_samples,), float64."""
        return np.bincount(self.row_indices, minlength=len(self)).astype(np.float64)

    def encode(self, encoder=None, is_categorical=None):
        """Make the view `X` with an encoder, by default one that learns from these rows.

        Returns
        -------
        encoder : TableEncoder
        """
        if encoder is None:
            encoder = TableEncoder().fit(self, is_categorical)
        self.X = encoder.view(self.source, self.missing)
        return encoder

    def refuse_empty_columns(self, estimator):
        """Raise a ValueError if a column holds no value at all."""
        empty = self._empty_columns()
        if len(empty) == 0:
            return
        names = getattr(estimator, "feature_names_in_", np.arange(self.source.shape[1])).tolist()
        others = f" (and {len(empty) - 1} more)" if len(empty) > 1 else ""
        raise ValueError(
            f"The column {names[empty[0]]!r} of X{others} holds missing values only. "
            f"{type(estimator).__name__} expects at least one value in each column. Drop the "
            "column, or fill it."
        )

    def refuse_no_values(self, estimator):
        """Raise a ValueError if no row holds any value."""
        if len(self._empty_columns()) == self.source.shape[1]:
            raise ValueError(
                f"X holds missing values only, in all {self.source.shape[0]} rows so far. "
                f"{type(estimator).__name__} expects at least one value to begin with: pass a "
                "chunk with values first."
            )

    def warn_if_constant(self, estimator):
        """Warn if all rows that count are the same: any other one will be an anomaly."""
        first = self.row_indices[0]
        blocks = np.array_split(self.row_indices, max(1, len(self.row_indices) // _BLOCK_ROWS))
        if all(_same(self.source[rows], self.source[[first]]) for rows in blocks):
            n_drawn = np.count_nonzero(self.counts)
            what = f"All {len(self)} rows of X are the same"
            if self.weight is not None and n_drawn < np.count_nonzero(self.weight):
                what = (
                    f"sample_weight leaves {n_drawn} of {len(self)} rows to learn from, all alike"
                )
            warnings.warn(
                f"{what}: {type(estimator).__name__} will call "
                "every row that differs in the least an anomaly. Expected rows that vary. Check "
                "how X was made.",
                UserWarning,
                stacklevel=5,
            )

    def _empty_columns(self):
        """Return the numbers of the columns without a value in rows that count."""
        if not self.missing:
            return ()
        counted = slice(None) if self.weight is None else np.flatnonzero(self.weight > 0)
        n_counted = len(self) if self.weight is None else len(counted)
        empty = np.flatnonzero(self.missing.by_column >= n_counted)
        if len(empty) == 0 or n_counted == len(self):
            return empty
        nothing = np.isnan(_dense(self.source[counted][:, empty])).all(axis=0)
        return empty[nothing]


def _same(rows, row):
    """Tell whether all rows equal one; what is missing equals what is missing."""
    if sp.issparse(rows):
        return abs(rows - row[[0] * rows.shape[0]]).nnz == 0
    return bool(((rows == row) | (np.isnan(rows) & np.isnan(row))).all())


def _dense(rows):
    return rows.toarray() if sp.issparse(rows) else rows
