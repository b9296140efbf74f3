"""Input preparation for the networks: scaling, piecewise-linear features, unsupervised scores.

Owns: what is learnt from training rows to turn numbers into network inputs. Does not own:
missing values, categories, checks of user input, the networks. Inputs are finite 2-D arrays.

Weights are frequencies: an integer weight w gives what w copies of the row give, rounding
aside. A row's output does not depend on the rows transformed with it. Whatever is fitted
pickles.
"""

from functools import partial

import numpy as np
from sklearn.ensemble import IsolationForest

from skanomaly._neighbours import MAX_REFERENCE, NeighbourDistances, reference_rows
from skanomaly._sampling import canonical_order
from skanomaly._scaling import CLIP, RowScaler
from skanomaly._weighted import column_quantiles, frequencies

_BLOCK_ROWS = 65_536
_NEIGHBOURS = tuple(range(1, 11))


class StandardClip:
    """`skanomaly._scaling.RowScaler` as one of the steps here: first made, then fitted.

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
    >>> from skanomaly._encoding import StandardClip
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
        scale = partial(self.scaler_.transform, dtype=np.float64)
        return _by_blocks(scale, X, len(self.scaler_.mean_), dtype)


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
    >>> from skanomaly._encoding import RobustScaling
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

        return _by_blocks(scale, X, len(self.median_), dtype)


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


class PiecewiseLinearEncoding:
    """Encode every column by how far its value has come through each of its quantile bins.

    With edges b_0 < ... < b_T at quantiles of the training column, component t is
    ``(x - b_{t-1}) / (b_t - b_{t-1})``, cut to [0, 1] except that the first component
    goes down to -1 and the last up to 2: one bin width beyond the training values, where the
    paper (Gorishniy, Rubachev and Babenko 2022) sets no bound. Components are centred by their
    training means.

    Every column takes T outputs, so that the width depends on the number of columns alone.
    Bins that ties leave without width give 0 always, as constant columns do.

    Parameters
    ----------
    max_bins : int, default=16
        Most bins of a column.
    budget : int, default=256
        Outputs to aim at: T is ``budget // n_features``, but at least 2, at most `max_bins`.

    Attributes
    ----------
    n_bins_ : int
        T.
    n_outputs_ : int
        Columns of the result, T * n_features.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._encoding import PiecewiseLinearEncoding
    >>> encoding = PiecewiseLinearEncoding(max_bins=2).fit(np.array([[0.0], [2.0], [4.0]]))
    >>> encoding.transform(np.array([[1.0], [4.0]])) + encoding.centre_
    array([[0.5, 0. ],
           [1. , 1. ]])
    """

    def __init__(self, max_bins=16, budget=256):
        self.max_bins, self.budget = max_bins, budget

    def fit(self, X, sample_weight=None):
        """Learn bins and centres of `X`, (n_samples, n_features)."""
        n_features = X.shape[1]
        self.n_bins_ = int(np.clip(self.budget // n_features, 2, self.max_bins))
        self.n_outputs_ = self.n_bins_ * n_features
        edges = column_quantiles(X, np.linspace(0, 1, self.n_bins_ + 1), sample_weight)
        width = np.diff(edges, axis=0)
        used = width > 1e-12 * np.abs(edges).max(axis=0)
        self.start_ = edges[:-1]
        self.slope_ = np.divide(1.0, width, out=np.zeros_like(width), where=used)
        bins = np.arange(self.n_bins_)[:, None]
        last = self.n_bins_ - 1 - np.argmax(used[::-1], axis=0)
        self.low_ = np.where(bins == np.argmax(used, axis=0), -1.0, 0.0)
        self.high_ = np.where(bins == last, 2.0, 1.0)
        self.centre_ = np.zeros(self.n_outputs_)
        self.centre_ = self._mean(X, sample_weight)
        return self

    def _mean(self, X, sample_weight):
        weight = frequencies(sample_weight, len(X))
        starts = range(0, len(X), _BLOCK_ROWS)
        rows = [slice(start, start + _BLOCK_ROWS) for start in starts]
        return sum(weight[r] @ self._encode(X[r]) for r in rows) / weight.sum()

    def _encode(self, X):
        coded = np.empty((*X.shape, self.n_bins_))
        for t in range(self.n_bins_):
            passed = (X - self.start_[t]) * self.slope_[t]
            np.clip(passed, self.low_[t], self.high_[t], out=coded[:, :, t])
        coded = coded.reshape(len(X), -1)
        coded -= self.centre_
        return coded

    def transform(self, X, dtype=np.float64):
        """Return encoded rows, (n_samples, n_outputs_), the bins of a column side by side."""
        return _by_blocks(self._encode, X, self.n_outputs_, dtype)


class UnsupervisedScores:
    """Three anomaly scores that need no labels, as inputs: logarithms, higher is odder.

    Columns: isolation forest (Liu, Ting and Zhou 2008); mean distance to the 10 nearest training
    rows, where a row equal to a training row drops that match (so that training rows do not
    see themselves); mean squared error of a reconstruction from half as many principal
    components as columns. Distances and errors enter as ``log(value + 0.05 m)``, with m their
    mean over training rows.

    Parameters
    ----------
    max_reference : int, default=8192
        Training rows that forest and neighbours use at most, see
        `skanomaly._neighbours.reference_rows`.
    seed : int, default=0
        Seed of that draw and of the forest.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._encoding import UnsupervisedScores
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> scores = UnsupervisedScores().fit(X)
    >>> bool((scores.transform(np.full((1, 4), 9.0)) > scores.transform(X).max(axis=0)).all())
    True
    """

    def __init__(self, max_reference=MAX_REFERENCE, seed=0):
        self.max_reference, self.seed = max_reference, seed

    def fit(self, X, sample_weight=None, order=None):
        """Learn from scaled rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Scaled training rows.
        sample_weight : ndarray of shape (n_samples,), default=None
            Frequencies.
        order : ndarray of shape (n_samples,), default=None
            Canonical order of the rows, computed from `X` by default.

        Returns
        -------
        self : UnsupervisedScores
        """
        order = canonical_order(X) if order is None else order
        rows = reference_rows(order, sample_weight, self.max_reference, self.seed)
        kept = np.asarray(X[rows], dtype=np.float64)
        # Rows in canonical order, repeated by weight, make the forest's draws the same ones.
        self.forest_ = IsolationForest(random_state=self.seed).fit(kept)
        self.near_ = NeighbourDistances(_NEIGHBOURS).fit(kept, order=np.arange(len(kept)))
        self.mean_, self.axes_ = principal_axes(kept, X.shape[1] // 2)
        self.error_floor_ = 0.05 * self._errors(kept).mean() + 1e-12
        return self

    def _errors(self, X):
        centred = X - self.mean_
        left = centred - centred @ self.axes_ @ self.axes_.T
        return np.einsum("ij,ij->i", left, left) / left.shape[1]

    def transform(self, X):
        """Return the log scores of rows, shape (n_samples, 3), float64."""
        X = np.asarray(X, dtype=np.float64)
        distances, _ = self.near_.distances(X)
        values = (
            -self.forest_.score_samples(X),
            distances.mean(axis=1) + self.near_.floor_.mean(),
            self._errors(X) + self.error_floor_,
        )
        return np.log(np.stack(values, axis=1))


def principal_axes(X, n_axes):
    """Return the mean of rows and their first principal axes.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    n_axes : int
        Axes wanted. Never more than half of what the rows span at most: the rest would fit
        training rows without error and call every new row an anomaly. Directions without
        variance are left out, since which of them come first is a matter of rounding.

    Returns
    -------
    mean : ndarray of shape (n_features,)
    axes : ndarray of shape (n_features, at most n_axes)
        Orthonormal columns.
    """
    mean = X.mean(axis=0)
    values, vectors = np.linalg.eigh((X - mean).T @ (X - mean) / len(X))
    n_axes = min(n_axes, (len(X) - 1) // 2, np.count_nonzero(values > 1e-10 * values[-1]))
    return mean, vectors[:, len(values) - n_axes :]


def _by_blocks(function, X, width, dtype):
    """Apply a function of rows in bounded memory, into an array of the wanted type."""
    out = np.empty((len(X), width), dtype)
    for start in range(0, len(X), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        out[rows] = function(np.asarray(X[rows], dtype=np.float64))
    return out
