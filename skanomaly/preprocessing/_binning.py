"""Bins: piecewise-linear features, which networks read best, and plain bin numbers.

Owns: the bins. Does not own: scaling, missing values, categories. Inputs are finite 2-D arrays.

Weights are frequencies: an integer weight w gives what w copies of the row give, rounding
aside. A row's output does not depend on the rows transformed with it. Whatever is fitted
pickles.
"""

import numpy as np

from skanomaly.preprocessing._scaling import BLOCK_ROWS, by_blocks
from skanomaly.utils._weights import column_quantiles, frequencies


class PiecewiseLinearEncoding:
    """Encode every column by how far its value has come through each of its quantile bins.

    With edges b_0 < ... < b_T at quantiles of the training column, component t is
    ``(x - b_{t-1}) / (b_t - b_{t-1})``, cut to [0, 1] except that the first component
    goes down to -1 and the last up to 2: one bin width beyond the training values, where the
    paper (Gorishniy, Rubachev and Babenko 2022) sets no bound. Components are centred by their
    training means.

    Every column has T outputs, whatever its values. Where several quantiles are equal, the bins
    between them have no width, and their outputs are always 0; so are those of a constant column.

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
    >>> from skanomaly.preprocessing._binning import PiecewiseLinearEncoding
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
        starts = range(0, len(X), BLOCK_ROWS)
        rows = [slice(start, start + BLOCK_ROWS) for start in starts]
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
        return by_blocks(self._encode, X, self.n_outputs_, dtype)


class QuantileBins:
    """The number of the bin that each value lies in, for networks that tell bins apart.

    Bin 0 lies below all training values, the last bin above them; the training values take the
    bins between, one each where a column has few distinct values, else of about equal counts.

    Parameters
    ----------
    n_bins : int
        Bins of a column, 4 at least.

    Attributes
    ----------
    edges_ : list of ndarray
        Of each column the lowest value, the edges between bins, and the highest value.
    middles_ : ndarray of shape (n_features, n_bins)
        The values that stand for the bins.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.preprocessing._binning import QuantileBins
    >>> bins = QuantileBins(4).fit(np.array([[1.0], [2.0], [3.0], [4.0]]))
    >>> bins.transform(np.array([[0.0], [1.0], [4.0], [9.0], [np.nan]])).ravel()
    array([ 0.,  1.,  2.,  3., -1.], dtype=float32)
    """

    def __init__(self, n_bins):
        self.n_bins = n_bins

    def fit(self, X):
        """Learn bins of the values of `X`, (n_samples, n_features), NaN where one is missing."""
        columns = [column[~np.isnan(column)] for column in X.T]
        self.edges_ = [self._edges(values) for values in columns]
        self.middles_ = np.array(list(map(self._middles, columns, self.edges_)))
        return self

    def _middles(self, values, edges):
        """Return the median of the training values in each bin, the nearest value if none is."""
        bins = edges[1:-1].searchsorted(values, side="right")
        middles = np.full(self.n_bins, edges[-1])
        middles[0] = edges[0]
        for number in np.unique(bins):
            middles[1 + number] = np.median(values[bins == number])
        return middles

    def _edges(self, values):
        """Return the lowest value, the edges between bins, and the highest value."""
        if len(values) == 0:
            return np.zeros(2)
        levels = np.unique(values)
        inner = (levels[1:] + levels[:-1]) / 2
        if len(inner) > self.n_bins - 3:
            quantiles = np.linspace(0, 1, self.n_bins - 1)[1:-1]
            inner = np.unique(np.quantile(values, quantiles))
        return np.concatenate([levels[:1], inner, levels[-1:]])

    def transform(self, X):
        """Return bin numbers, -1 where a value is missing, float32."""
        bins = np.empty(X.shape, np.float32)
        for j, edges in enumerate(self.edges_):
            x = X[:, j]
            bins[:, j] = 1 + edges[1:-1].searchsorted(x, side="right")
            bins[x < edges[0], j] = 0
            bins[x > edges[-1], j] = self.n_bins - 1
        bins[np.isnan(X)] = -1
        return bins
