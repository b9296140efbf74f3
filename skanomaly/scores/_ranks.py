"""Rank-to-Gaussian columns: a second view of a table, in which only the order of values counts.

Owns that transform. Inputs are finite arrays; a row's output does not depend on the other rows.
"""

import numpy as np
from scipy.special import ndtri

from skanomaly.scores._mahalanobis import float_rows

#: Normal scores are cut off here.
LIMIT = 4.0


class NormalScores:
    """Normal quantile of the share of training values below each value.

    Equal values count half, so that the values of a binary column lie as far from each other as
    their frequencies say, and the common one near zero. With scikit-learn's
    `QuantileTransformer`, which puts the lowest and highest value of a column at the ends
    however frequent they are, nearest neighbours find .013 less ROC AUC (40 tables).

    Parameters
    ----------
    n_columns : int, default=None
        Transform so many first columns and leave the others as they are; None is all.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._ranks import NormalScores
    >>> scores = NormalScores().fit(np.array([[1.0], [2.0], [1000.0]]))
    >>> scores.transform(np.array([[2.0], [500.0], [1e9]])).round(2).ravel()
    array([0.  , 0.32, 1.15])
    """

    def __init__(self, n_columns=None):
        self.n_columns = n_columns

    def fit(self, X):
        """Keep the sorted columns of `X` of shape (n_samples, n_features)."""
        self.sorted_ = np.sort(float_rows(X).T[: self.n_columns], axis=1)
        return self

    def shares(self, X):
        """Return the shares of training values below each value, in (0, 1)."""
        n = self.sorted_.shape[1]
        shares = np.empty((len(X), len(self.sorted_)))
        for j, known in enumerate(self.sorted_):
            below = known.searchsorted(X[:, j], side="left")
            shares[:, j] = (below + known.searchsorted(X[:, j], side="right")) / 2
        return (shares + 0.5) / (n + 1)

    def transform(self, X):
        """Return rows with normal scores, float64."""
        X = float_rows(X)
        scores = np.clip(ndtri(self.shares(X)), -LIMIT, LIMIT)
        return np.concatenate([scores, X[:, scores.shape[1] :]], axis=1)
