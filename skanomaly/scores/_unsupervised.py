"""Three unsupervised scores of rows, which labelled networks see as columns of their own.

Owns an isolation forest, the mean distance to ten neighbours and a principal-component
reconstruction; scikit-learn and NumPy, no Keras.
"""

import numpy as np

from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.scores._trees import IsolationPaths

_NEIGHBOURS = tuple(range(1, 11))


class UnsupervisedScores:
    """Three anomaly scores that need no labels, as inputs: logarithms, higher is odder.

    Columns: isolation forest (Liu, Ting and Zhou 2008); mean distance to the 10 nearest training
    rows, where a row equal to a training row drops that match (so that training rows do not
    see themselves); mean squared error of a reconstruction from half as many principal
    components as columns. Distances and errors enter as ``log(value + 0.05 m)``, with m their
    mean over training rows.

    Parameters
    ----------
    seed : int, default=0
        Seed of the forest.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._unsupervised import UnsupervisedScores
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> scores = UnsupervisedScores().fit(X)
    >>> scores.transform(np.full((1, 4), 9.0)).round(1), scores.transform(X).max(axis=0).round(1)
    (array([[-0.3,  2.8,  2.6]]), array([-0.5,  1. ,  0.9]))
    """

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, X):
        """Learn from scaled rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Scaled training rows, at most some thousands, in an order that their content decides,
            repeated by weight: that makes the forest's draws the same ones.

        Returns
        -------
        self : UnsupervisedScores
        """
        from sklearn.ensemble import IsolationForest  # slow to load, and scores need none

        kept = np.asarray(X, dtype=np.float64)
        self.forest_ = IsolationPaths(IsolationForest(random_state=self.seed).fit(kept))
        self.near_ = NeighbourDistances(_NEIGHBOURS).fit(kept)
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
            self.forest_.score(X),
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
