"""Completes rows: the mean of a missing value, given the values that are there.

Owns that conditional mean alone, under a model of a few common factors. NumPy only; it knows
neither tables nor networks. A row's completion does not depend on the other rows.
"""

import numpy as np

from skanomaly.preprocessing._scaling import CLIP

#: Rows the factors are fitted on at most; tables with more columns get the columns' means.
MAX_ROWS, MAX_COLUMNS = 4096, 2048
#: Most factors, and rounds of the fit.
_FACTORS, _ROUNDS = 16, 15


class ConditionalMean:
    """Fill missing values with their mean given the row's other values.

    Columns are standardised; a row is a sum of a few common factors and noise (probabilistic
    principal components, Tipping and Bishop 1999, fitted to rows with missing values by
    expectation-maximisation). A row without any value becomes the mean.

    Parameters
    ----------
    n_factors : int, default=None
        Most factors, 16 by default; never more than half of the columns or a quarter of the
        rows. 0 fills with the columns' means.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_columns,)
        Of the values that are there; 0 and 1 for a column without any.
    factors_ : ndarray of shape (n_columns, n_factors)
    noise_ : float
        Variance that the factors leave.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.preprocessing._imputation import ConditionalMean
    >>> a = np.random.default_rng(0).normal(size=200)
    >>> X = np.stack([a, 2 * a, -a], axis=1)
    >>> X[::3, 1] = np.nan
    >>> ConditionalMean().fit(X).transform(np.array([[1.0, np.nan, -1.0]])).round()
    array([[ 1.,  2., -1.]])
    """

    def __init__(self, n_factors=None):
        self.n_factors = n_factors

    @classmethod
    def of_means(cls, X):
        """Return a filler with the means of rows without missing values, in one quick pass."""
        filler = cls(0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = X.mean(axis=0, dtype=np.float64)  # of a sparse matrix, too
            filler.mean_ = np.nan_to_num(np.asarray(mean).reshape(-1))
        filler.scale_ = np.ones(X.shape[1])
        filler.factors_, filler.noise_ = np.zeros((X.shape[1], 0)), 1.0
        return filler

    def fit(self, X):
        """Learn from rows `X` of shape (n_samples, n_columns) with NaN for missing values."""
        self.mean_, self.scale_ = _moments(X)
        n, p = X.shape
        most = _FACTORS if self.n_factors is None else self.n_factors
        width = min(most, p // 2, n // 4)
        self.factors_, self.noise_ = np.zeros((p, 0)), 1.0
        if width > 0:
            Z, seen = self._standardised(X)
            self.factors_, self.noise_ = _fit_factors(Z, seen.astype(np.float64), width)
        return self

    def transform(self, X):
        """Return rows with their missing values filled, float64."""
        X = np.array(X, dtype=np.float64)
        rows = np.flatnonzero(np.isnan(X).any(axis=1))
        if len(rows):
            Z, seen = self._standardised(X[rows])
            if self.factors_.shape[1]:
                Z = _posterior(Z, seen.astype(np.float64), self.factors_, self.noise_)[0]
                Z = np.clip(Z @ self.factors_.T, -CLIP, CLIP)
            X[rows] = np.where(seen, X[rows], Z * self.scale_ + self.mean_)
        return X

    def _standardised(self, X):
        """Return standardised, clipped values with zeros for the missing, and what is there."""
        seen = ~np.isnan(X)
        with np.errstate(over="ignore"):
            Z = (X - self.mean_) / self.scale_
        return np.where(seen, np.clip(Z, -CLIP, CLIP), 0.0), seen


def _moments(X):
    """Return mean and deviation of the values that are there; 1e300 does not overflow."""
    seen = ~np.isnan(X)
    count = np.maximum(seen.sum(axis=0), 1)
    filled = np.where(seen, X, 0.0)
    top = np.abs(filled).max(axis=0)
    top[top == 0] = 1.0
    mean = (filled / top).sum(axis=0) / count
    deviation = np.sqrt((np.where(seen, filled / top - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean * top, np.where(deviation > 1e-13, deviation * top, 1.0)


def _fit_factors(Z, seen, width):
    """Return factors and noise variance (expectation-maximisation from the covariance)."""
    pairs = np.maximum(seen.T @ seen, 1)
    values, vectors = np.linalg.eigh((Z.T @ Z) / pairs)
    values, vectors = values[-width:], vectors[:, -width:]
    noise = max((Z.var() - values.sum() / Z.shape[1]), 0.05)
    factors = vectors * np.sqrt(np.maximum(values - noise, 0.01))
    for _ in range(_ROUNDS):
        scores, spread = _posterior(Z, seen, factors, noise)
        moment = scores[:, :, None] * scores[:, None] + spread
        moment = (seen.T @ moment.reshape(len(Z), -1)).reshape(-1, width, width)
        # a hair of ridge: a column that is hardly ever there must not rule the factors
        moment += noise * np.eye(width)
        factors = np.linalg.solve(moment, (Z.T @ scores)[:, :, None])[:, :, 0]
        error = np.sum((Z - seen * (scores @ factors.T)) ** 2)
        spread = (seen.T @ spread.reshape(len(Z), -1)).reshape(-1, width, width)
        error += np.einsum("jk,jkl,jl->", factors, spread, factors)
        noise = max(error / max(seen.sum(), 1), 1e-3)
    return factors, noise


def _posterior(Z, seen, factors, noise):
    """Return mean and covariance of each row's factor scores, given the values that are there."""
    width = factors.shape[1]
    outer = (factors[:, :, None] * factors[:, None]).reshape(len(factors), -1)
    precision = (seen @ outer).reshape(-1, width, width) + noise * np.eye(width)
    inverse = np.linalg.inv(precision)
    scores = np.einsum("ijk,ik->ij", inverse, Z @ factors)
    return scores, noise * inverse
