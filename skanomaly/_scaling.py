"""Standardises rows on their way into a network, without ever copying the table.

Owns the training rows' means and scales and a view that hands out standardised float32 rows
on demand. NumPy only.
"""

import numpy as np

#: Standardised values are cut off here: one absurd entry must not drown a row's others.
CLIP = 20.0
_BLOCK = 65_536


class RowScaler:
    """Means and standard deviations of the training rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows.
    sample_weight : ndarray of shape (n_samples,), default=None
        Frequencies.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,), float64
        A constant column has scale 1. Both are rounded to float32, so that neither the order
        of the rows nor the split of a weight into copies shows in the last digits.
    """

    def __init__(self, X, sample_weight=None):
        total = len(X) if sample_weight is None else sample_weight.sum()
        mean = _weighted_sum(X, sample_weight, lambda block: block) / total
        variance = _weighted_sum(X, sample_weight, lambda block: (block - mean) ** 2) / total
        scale = np.sqrt(variance)
        constant = scale <= 1e-7 * np.maximum(np.abs(mean), np.finfo(np.float32).tiny)
        self.mean_ = _rounded(mean)
        self.scale_ = np.where(constant, 1.0, _rounded(scale))

    def transform(self, X):
        """Return standardised, clipped rows, float32."""
        scaled = (np.asarray(X, dtype=np.float64) - self.mean_) / self.scale_
        return np.clip(scaled, -CLIP, CLIP).astype(np.float32)

    def inverse_transform(self, Z):
        """Return standardised rows in the units of the data, float64."""
        return np.asarray(Z, dtype=np.float64) * self.scale_ + self.mean_


class ScaledRows:
    """A view of a table whose rows come standardised when they are asked for.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The table.
    scaler : RowScaler or None
        None hands the rows out as they are, in float32.
    """

    def __init__(self, X, scaler):
        self.X, self.scaler = X, scaler
        self.shape = X.shape

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        part = self.X[rows]
        if self.scaler is None:
            return np.asarray(part, dtype=np.float32)
        return self.scaler.transform(part)


class StackedRows:
    """A view of two tables one below the other.

    Parameters
    ----------
    top, bottom : object
        Tables with the same columns, indexed by integer arrays.
    """

    def __init__(self, top, bottom):
        self.top, self.bottom = top, bottom
        self.shape = (len(top) + len(bottom), bottom.shape[1])

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        rows = np.asarray(rows, dtype=np.int64)
        low = rows >= len(self.top)
        part = np.empty((len(rows), self.shape[1]), np.float32)
        part[~low] = self.top[rows[~low]]
        part[low] = self.bottom[rows[low] - len(self.top)]
        return part


def in_chunks(function, X):
    """Apply a function of rows to bounded chunks of a table and join the results."""
    if len(X) <= _BLOCK:
        return function(X)
    starts = range(0, len(X), _BLOCK)
    return np.concatenate([function(X[start : start + _BLOCK]) for start in starts])


def _weighted_sum(X, weight, function):
    """Sum a function of the rows block by block in float64."""
    total = np.zeros(X.shape[1])
    for start in range(0, len(X), _BLOCK):
        block = function(np.asarray(X[start : start + _BLOCK], dtype=np.float64))
        if weight is None:
            total += block.sum(axis=0)
        else:
            total += weight[start : start + _BLOCK] @ block
    return total


def _rounded(values):
    """Round to float32, short of infinity."""
    limit = np.finfo(np.float32).max
    return np.clip(values, -limit, limit).astype(np.float32).astype(np.float64)
