"""Mahalanobis distances of rows, plain or softened.

Owns the Ledoit-Wolf covariance and the channel built on it. Inputs are finite arrays; a higher
score is *more anomalous*, float64.
"""

import numpy as np

from skanomaly.utils._weights import column_moments

#: Far above rounding noise (about 1e-22), far below any squared distance of a real row.
_TINY = 1e-12
#: What a row leaves of its own squared distance at least.
_LEAST_LEFT = 0.05


class Mahalanobis:
    """Logarithm of the squared Mahalanobis distance, softened if asked.

    Columns are divided by their training standard deviation; the covariance is that of Ledoit
    and Wolf (2004), plus 1e-6 of the mean variance. The score is
    ``log(sum_j p_j^2 / w_j^power)`` over eigenvectors j, with projections p and eigenvalues w.

    Parameters
    ----------
    power : float, default=1.0
        1 is the squared Mahalanobis distance, 0 the squared Euclidean one.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._mahalanobis import Mahalanobis
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> channel = Mahalanobis().fit(X)
    >>> channel.score(np.array([[9.0, 9.0]])).round(), channel.score(X).max().round()
    (array([5.]), ...3.0...)
    """

    def __init__(self, power=1.0):
        self.power = power

    def fit(self, A):
        """Fit mean and covariance on rows `A` of shape (n_samples, n_features)."""
        A = float_rows(A)
        self.spread_ = column_moments(A)[1]
        self.mean_, values, vectors, shrinkage = ledoit_wolf_axes(A / self.spread_)
        self.axes_ = vectors / values ** (self.power / 2)
        n = len(A)
        self.own_ = (1 - shrinkage) * n / max(n - 1, 1) ** 2
        return self

    def project(self, A):
        """Return rows in the space where this channel's distance is the Euclidean one."""
        return (float_rows(A) / self.spread_ - self.mean_) @ self.axes_

    def score(self, A, known=None):
        """Return the log distance of rows `A` from the mean, shape (n_samples,).

        Rows that are among those of the fit (`known`, bool; None: none is) are compared with the
        others alone: by the formula of Sherman and Morrison (1950) for a covariance without one
        row, for the plain Mahalanobis distance.
        """
        squares = np.square(self.project(A)).sum(axis=1)
        if known is not None:
            left = np.maximum(1 - self.own_ * squares, _LEAST_LEFT)
            squares = np.where(known, squares / left, squares)
        return np.log(squares + _TINY)


def ledoit_wolf_axes(A):
    """Return mean, eigenvalues and eigenvectors of the Ledoit-Wolf covariance of rows.

    Equals ``sklearn.covariance.LedoitWolf``, plus 1e-6 of the mean variance on the diagonal, in
    half the time.

    Parameters
    ----------
    A : ndarray of shape (n_samples, n_features), float64
        Rows, in columns of about unit size.

    Returns
    -------
    mean : ndarray of shape (n_features,)
    values : ndarray of shape (n_features,), positive
    vectors : ndarray of shape (n_features, n_features)
        One eigenvector a column.
    shrinkage : float in [0, 1]
        Share of the scaled identity in the covariance.
    """
    n, p = A.shape
    once = np.ones(n)  # sums over rows as products
    mean = once @ A / n
    centred = A - mean
    square = np.einsum("ij,ij->i", centred, centred)
    covariance = centred.T @ centred / n
    variance = np.trace(covariance) / p
    norm = np.sum(covariance**2)
    # Distance to the scaled identity, and how much of it estimation noise explains.
    delta = norm / p - variance**2
    beta = (once @ square**2 / n - norm) / (n * p)
    shrinkage = 0.0 if p == 1 or delta <= 0 else min(max(beta / delta, 0.0), 1.0)
    values, vectors = np.linalg.eigh(covariance)
    # Scaled columns have variance 1: less than this is rounding, and all directions are alike.
    ridge = 1e-6 * variance if variance > _TINY else 1.0
    values = (1 - shrinkage) * np.maximum(values, 0) + shrinkage * variance + ridge
    return mean, values, vectors, shrinkage


def float_rows(X):
    """Return rows as a contiguous float64 array."""
    return np.ascontiguousarray(X, dtype=np.float64)
