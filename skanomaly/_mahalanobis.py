"""Mahalanobis distances of rows, with means and covariances that outliers do not bend.

Owns the weighted Ledoit-Wolf covariance and the channel built on it. Inputs are finite arrays;
a higher score is *more anomalous*, float64. Weights are read as in `skanomaly._weighted`.
"""

import numpy as np

from skanomaly._weighted import column_moments, frequencies, weighted_quantile

#: Far above rounding noise (about 1e-22), far below any squared distance of a real row.
_TINY = 1e-12


class TrimmedMahalanobis:
    """Logarithm of a Mahalanobis distance, softened and trimmed if asked.

    Columns are divided by their training standard deviation; mean and covariance (Ledoit and
    Wolf 2004, plus 1e-6 of the mean variance) may be fitted again on the rows that are not
    outlying, as often as `trims` says. The score is ``log(sum_j p_j^2 / w_j^power)`` over
    eigenvectors j, with projections p and eigenvalues w.

    Parameters
    ----------
    power : float, default=0.5
        1 is the squared Mahalanobis distance, 0 the squared Euclidean one.
    trims : int, default=3
        How often to fit again on the rows with ``log q <= median + 3 s``, where q is the squared
        Mahalanobis distance and s = (median - 10% quantile) / 1.2816 comes from the side
        that anomalies do not reach; at least 60% of the rows stay. 0 uses all rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._mahalanobis import TrimmedMahalanobis
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> channel = TrimmedMahalanobis().fit(X)
    >>> bool(channel.score(np.array([[9.0, 9.0]]))[0] > channel.score(X).max())
    True
    """

    def __init__(self, power=0.5, trims=3):
        self.power, self.trims = power, trims

    def fit(self, A, sample_weight=None):
        """Fit mean and covariance on rows `A` of shape (n_samples, n_features)."""
        A = float_rows(A)
        weight = frequencies(sample_weight, len(A))
        self.spread_ = column_moments(A, weight)[1]
        A = A / self.spread_
        kept = np.ones(len(A), dtype=bool)
        self.mean_, values, vectors = ledoit_wolf_axes(A, weight)
        for _ in range(self.trims):
            before, kept = kept, self._inliers(A, weight, values, vectors)
            if np.array_equal(kept, before):
                break
            self.mean_, values, vectors = ledoit_wolf_axes(A, weight * kept)
        self.axes_ = vectors / values ** (self.power / 2)
        return self

    def _inliers(self, A, weight, values, vectors):
        log_q = _log_square_norm((A - self.mean_) @ (vectors / np.sqrt(values)))
        p10, median, floor = weighted_quantile(log_q, [0.1, 0.5, 0.6], weight)
        cut = max(median + 3 * (median - p10) / 1.2816, floor)
        # Copies of a row can differ in the last bit after a matrix product: keep all or none.
        return log_q <= cut + 1e-9

    def project(self, A):
        """Return rows in the space where this channel's distance is the Euclidean one."""
        return (float_rows(A) / self.spread_ - self.mean_) @ self.axes_

    def score(self, A):
        """Return the log distance of rows `A` from the mean, shape (n_samples,)."""
        return _log_square_norm(self.project(A))


def plain_mahalanobis():
    """Return the channel of the log squared Mahalanobis distance on all rows."""
    return TrimmedMahalanobis(power=1.0, trims=0)


def ledoit_wolf_axes(A, weight):
    """Return mean, eigenvalues and eigenvectors of the Ledoit-Wolf covariance of weighted rows.

    Equals ``sklearn.covariance.LedoitWolf`` on rows repeated `weight` times (which has no
    weights), plus 1e-6 of the mean variance on the diagonal.

    Parameters
    ----------
    A : ndarray of shape (n_samples, n_features), float64
        Rows, in columns of about unit size.
    weight : ndarray of shape (n_samples,)
        Frequencies.

    Returns
    -------
    mean : ndarray of shape (n_features,)
    values : ndarray of shape (n_features,), positive
    vectors : ndarray of shape (n_features, n_features)
        One eigenvector a column.
    """
    total, p = weight.sum(), A.shape[1]
    mean = weight @ A / total
    centred = A - mean
    square = np.einsum("ij,ij->i", centred, centred)
    centred *= np.sqrt(weight)[:, None]
    covariance = centred.T @ centred / total
    variance = np.trace(covariance) / p
    norm = np.sum(covariance**2)
    # Distance to the scaled identity, and how much of it estimation noise explains.
    delta = norm / p - variance**2
    beta = (weight @ square**2 / total - norm) / (total * p)
    shrinkage = 0.0 if p == 1 or delta <= 0 else min(max(beta / delta, 0.0), 1.0)
    values, vectors = np.linalg.eigh(covariance)
    # Scaled columns have variance 1: less than this is rounding, and all directions are alike.
    ridge = 1e-6 * variance if variance > _TINY else 1.0
    values = (1 - shrinkage) * np.maximum(values, 0) + shrinkage * variance + ridge
    return mean, values, vectors


def float_rows(X):
    """Return rows as a contiguous float64 array."""
    return np.ascontiguousarray(X, dtype=np.float64)


def _log_square_norm(A):
    return np.log(np.einsum("ij,ij->i", A, A) + _TINY)
