"""Standardises rows on their way into a network, without ever copying the table.

Owns the training rows' means and scales and a view that hands out standardised float32 rows
on demand.
"""

import numpy as np

from skanomaly._weighted import column_moments

#: Standardised values are cut off here: one absurd entry must not drown a row's others.
CLIP = 20.0
_BLOCK = 16_384


class RowScaler:
    """Means and standard deviations of the training rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows.
    sample_weight : ndarray of shape (n_samples,), default=None
        Frequencies.
    limit : float, default=20.0
        Clip to [-limit, limit], in standard deviations: far-off values stay far off without
        ruling a network's arithmetic.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,), float64
        A constant column has scale 1. Both are rounded to 24 bits of the scale, as coarse as
        float32, so that neither the order of the rows nor the split of a weight into copies
        shows in the last digits.
    """

    def __init__(self, X, sample_weight=None, limit=CLIP):
        mean, scale = column_moments(X, sample_weight)
        scale = np.where(_is_noise(mean, scale, X.dtype), 1.0, scale)
        layout = getattr(X, "layout", None)
        if layout is not None:  # the columns of a category weigh as one number
            scale = layout.scales(scale)
        self.scale_ = _rounded(scale, scale)
        self.mean_ = _rounded(mean, self.scale_)
        self.limit = limit

    def transform(self, X, dtype=np.float32):
        """Return standardised, clipped rows of type `dtype`."""
        with np.errstate(over="ignore"):
            scaled = np.subtract(X, self.mean_, dtype=np.float64)
            scaled /= self.scale_  # in place: one table of float64 and no more
        np.clip(scaled, -self.limit, self.limit, out=scaled)
        return scaled.astype(dtype, copy=False)

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

    @property
    def block_rows(self):
        """How many rows may be at hand at once."""
        return getattr(self.X, "block_rows", _BLOCK)

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
    """Apply a function of rows to bounded chunks of a table and join the results.

    A table may say how many rows are a chunk (`block_rows`) and hand out views (`part`).
    """
    step = min(getattr(X, "block_rows", _BLOCK), _BLOCK)
    if len(X) <= step:
        return function(X)
    part = getattr(X, "part", X.__getitem__)
    first = function(part(slice(0, step)))
    joined = np.empty((len(X), *first.shape[1:]), first.dtype)
    joined[:step] = first
    for start in range(step, len(X), step):
        joined[start : start + step] = function(part(slice(start, start + step)))
    return joined


def _is_noise(mean, scale, dtype):
    """Tell columns that vary only because their type cannot hold their value exactly."""
    return (dtype == np.float32) & (scale <= 1e-7 * np.abs(mean))


def _rounded(values, scale):
    """Round to 24 bits of a power of two near the scale; values far above it have no more."""
    steps = np.ldexp(1.0, np.maximum(np.frexp(scale)[1] - 24, -1074))
    with np.errstate(over="ignore"):
        count = values / steps
    return np.where(np.abs(count) < 2.0**53, np.rint(count) * steps, values)
