"""Scales rows on their way into a network, without ever copying the table.

Owns the training rows' means and scales, robust scales, soft limits, and a view that hands out
standardised float32 rows on demand.
"""

import numpy as np

from skanomaly.preprocessing._views import RowView, block_rows
from skanomaly.utils._weights import column_moments, column_quantiles

#: Standardised values are cut off here: one absurd entry must not drown a row's others.
CLIP = 20.0


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
        A constant column has scale 1. Both are rounded to float32 precision relative to the
        scale. Sums over reordered or repeated rows differ in the last digits of float64;
        rounding makes them equal.
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
        return by_blocks(self._scaled, X, len(self.mean_), dtype)

    def _scaled(self, rows):
        with np.errstate(over="ignore"):
            scaled = rows - self.mean_
            scaled /= self.scale_
        return np.clip(scaled, -self.limit, self.limit, out=scaled)

    def inverse_transform(self, Z):
        """Return standardised rows in the units of the data, float64."""
        return np.asarray(Z, dtype=np.float64) * self.scale_ + self.mean_


def as_float32(values):
    """Return finite numbers as float32; those beyond its range as its largest ones."""
    if values.dtype == np.float32:
        return values
    largest = np.finfo(np.float32).max
    return np.clip(values, -largest, largest).astype(np.float32)


class ScaledRows(RowView):
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

    @property
    def block_rows(self):
        """How many rows may be at hand at once."""
        return block_rows(self.X)

    def __getitem__(self, rows):
        part = self.X[rows]
        if self.scaler is None:
            return as_float32(part)
        return self.scaler.transform(part)


class StackedRows(RowView):
    """A view of two tables one below the other.

    Parameters
    ----------
    top, bottom : object
        Tables with the same columns, indexed by integer arrays.
    """

    def __init__(self, top, bottom):
        self.top, self.bottom = top, bottom
        self.shape = (len(top) + len(bottom), bottom.shape[1])

    def __getitem__(self, rows):
        rows = np.asarray(rows, dtype=np.int64)
        low = rows >= len(self.top)
        part = np.empty((len(rows), self.shape[1]), np.float32)
        part[~low] = self.top[rows[~low]]
        part[low] = self.bottom[rows[low] - len(self.top)]
        return part


def _is_noise(mean, scale, dtype):
    """Tell columns that vary only because their type cannot hold their value exactly."""
    return (dtype == np.float32) & (scale <= 1e-7 * np.abs(mean))


def _rounded(values, scale):
    """Round to 24 bits of a power of two near the scale; values far above it have no more."""
    steps = np.ldexp(1.0, np.maximum(np.frexp(scale)[1] - 24, -1074))
    with np.errstate(over="ignore"):
        count = values / steps
    return np.where(np.abs(count) < 2.0**53, np.rint(count) * steps, values)


BLOCK_ROWS = 65_536
#: Values at once, fewer rows where that is less: the processor's own memory holds them.
_BLOCK_CELLS = 16_384


class StandardClip:
    """`RowScaler` as a step that is first made, then fitted.

    Parameters
    ----------
    limit : float, default=20.0
        Clip to [-limit, limit], in standard deviations.

    Attributes
    ----------
    scaler_ : RowScaler
        Training means and standard deviations.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.preprocessing._scaling import StandardClip
    >>> StandardClip(limit=3.0).fit(np.array([[0.0], [2.0]])).transform(np.array([[2.0], [99.0]]))
    array([[1.],
           [3.]])
    """

    def __init__(self, limit=CLIP):
        self.limit = limit

    def fit(self, X, sample_weight=None):
        """Learn means and standard deviations of `X`, (n_samples, n_features)."""
        self.scaler_ = RowScaler(X, sample_weight, self.limit)
        return self

    def transform(self, X, dtype=np.float64):
        """Return scaled rows, (n_samples, n_features), of type `dtype`."""
        return self.scaler_.transform(X, dtype)


class RobustScaling:
    """Scale columns by median and quartiles, and squash what lies far outside.

    ``z = (x - median) / IQR``, then ``z / sqrt(1 + (z / 3)^2)``, which stays within -3 and 3.
    Where the quartiles coincide, half the range takes the place of the IQR; constant columns
    become 0. From RealMLP (Holzmüller, Grinsztajn and Steinwart 2024).

    Attributes
    ----------
    median_, factor_ : ndarray of shape (n_features,)
        What is subtracted, and what the difference is multiplied by.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.preprocessing._scaling import RobustScaling
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    >>> RobustScaling().fit(X).transform(np.array([[2.0], [4.0], [1e9]])).round(2)
    array([[0.  ],
           [0.95],
           [3.  ]])
    """

    def fit(self, X, sample_weight=None):
        """Learn medians and quartiles of `X`, (n_samples, n_features)."""
        low, q25, self.median_, q75, high = column_quantiles(
            X, [0.0, 0.25, 0.5, 0.75, 1.0], sample_weight
        )
        width = np.where(q75 > q25, q75 - q25, (high - low) / 2)
        self.factor_ = np.divide(1.0, width, out=np.zeros_like(width), where=width > 0)
        return self

    def transform(self, X, dtype=np.float64):
        """Return scaled rows, (n_samples, n_features), of type `dtype`."""

        def scale(rows):
            return soft_clip((rows - self.median_) * self.factor_)

        return by_blocks(scale, X, len(self.median_), dtype)


def soft_clip(z, limit=3.0):
    """Return ``z / sqrt(1 + (z / limit)^2)``: about z near 0, within -limit and limit.

    Parameters
    ----------
    z : ndarray
        Scaled values.
    limit : float, default=3.0
        Bound.

    Returns
    -------
    clipped : ndarray of the shape of `z`
    """
    return z / np.hypot(1.0, z / limit)


def by_blocks(function, X, width, dtype):
    """Apply a function of rows in bounded memory, into an array of the wanted type."""
    out = np.empty((len(X), width), dtype)
    step = min(max(_BLOCK_CELLS // max(width, 1), 1), BLOCK_ROWS)
    for start in range(0, len(X), step):
        rows = slice(start, start + step)
        out[rows] = function(np.asarray(X[rows], dtype=np.float64))
    return out
