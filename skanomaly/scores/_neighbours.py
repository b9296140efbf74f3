"""Distances to the nearest training rows.

Owns the exact search and the two neighbour channels. Inputs are finite, scaled arrays; a higher
score is *more anomalous*, float64, and that of one row does not depend on the other rows scored
with it.
"""

import numpy as np
import sklearn

from skanomaly.scores._mahalanobis import float_rows

#: Which neighbours to look at.
KS = (1, 20, 50)
#: Below this many rows NumPy finds neighbours sooner than scikit-learn starts its threads.
_FEW_ROWS = 16
_BLOCK_ROWS = 4096
_BLOCK_CELLS = 2**20


class NeighbourDistances:
    """Log distances to the k-th nearest training rows, for several k in one search.

    A row within ``1e-6 sqrt(n_features)`` of a training row drops that one match, so that
    training rows (which would find themselves) and new rows go through one function. Distances
    enter as ``log(distance + 0.05 m)``, with m the mean distance of training rows to
    *other* training rows. `k` is capped at the number of other training rows.

    Parameters
    ----------
    ks : tuple of int, default=(1, 20, 50)
        Which neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._neighbours import NeighbourDistances
    >>> channel = NeighbourDistances(ks=(1, 2)).fit(np.array([[0.0], [1.0], [3.0]]))
    >>> channel.distances(np.array([[0.0], [5.0]]))[0]  # the first row drops its match
    array([[1., 3.],
           [2., 4.]])
    """

    def __init__(self, ks=KS):
        self.ks = ks

    def fit(self, X):
        """Keep rows `X` of shape (n_reference, n_features) for comparison."""
        self.fit_score(X)
        return self

    def fit_score(self, X):
        """Fit and return the scores of the same rows, shape (n_reference, len(ks))."""
        self.reference_ = float_rows(X)
        self.square_ = np.einsum("ij,ij->i", self.reference_, self.reference_)
        self.tolerance_ = 1e-6 * np.sqrt(X.shape[1])
        distances, _ = self.distances(self.reference_)
        self.floor_ = np.maximum(0.05 * distances.mean(axis=0), self.tolerance_)
        return np.log(distances + self.floor_)

    def score(self, X, matches=None):
        """Return log distances of rows `X`, shape (n_samples, len(ks))."""
        return self.search(X, matches)[0]

    def search(self, X, matches=None):
        """Return the scores of rows `X`, and the match that each of them dropped.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.
        matches : ndarray of shape (n_samples,), int, default=None
            Rows with a number drop their nearest training row, those with -1 do not; by default
            those that equal it.

        Returns
        -------
        scores : ndarray of shape (n_samples, len(ks))
        matches : ndarray of shape (n_samples,), int
            Numbers of training rows, -1 for none.
        """
        distances, matches = self.distances(X, matches)
        return np.log(distances + self.floor_), matches

    def distances(self, X, matches=None):
        """Return what `search` returns, with plain distances for scores."""
        most = len(self.reference_)
        k = min(max(self.ks) + 1, most)
        near, nearest = nearest_distances(self.reference_, X, k, self.square_)
        if matches is None:
            matches = np.where(near[:, 0] <= self.tolerance_, nearest, -1)
        capped = np.maximum(np.minimum(self.ks, most - 1), 1)
        columns = np.minimum(capped - 1 + (matches >= 0)[:, None], most - 1)
        return np.take_along_axis(near, columns, axis=1), matches


def nearest_distances(reference, X, k, square):
    """Return the distances to the k nearest reference rows, exactly, and the nearest of them.

    Matrix products in double precision find the candidates: scikit-learn's blocked, threaded
    search, or plain NumPy for a few rows (0.1 against 0.5 to 5 ms for one). Their distances are
    then computed from differences, because the products lose the small ones: copies of a
    row must come out at 0, and no distance may depend on the other rows searched with it.

    Parameters
    ----------
    reference : ndarray of shape (n_reference, n_features), float64
        Rows to search among.
    X : ndarray of shape (n_samples, n_features)
        Rows to search for.
    k : int
        At most n_reference.
    square : ndarray of shape (n_reference,)
        Squared norms of the reference rows.

    Returns
    -------
    distances : ndarray of shape (n_samples, k)
    nearest : ndarray of shape (n_samples,), int
        Number of the nearest reference row.
    """
    X = float_rows(X)
    find = _few_candidates(reference, k, square)
    if len(X) > _FEW_ROWS:
        find = _many_candidates(reference, k)
    distances, nearest = np.empty((len(X), k)), np.empty(len(X), np.int64)
    for start in range(0, len(X), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        found = find(X[rows])
        distances[rows] = _exact_distances(reference, X[rows], found)
        first = distances[rows].argmin(axis=1)[:, None]
        nearest[rows] = np.take_along_axis(found, first, axis=1)[:, 0]
    return np.sort(distances, axis=1), nearest


def _few_candidates(reference, k, square):
    def find(X):
        return np.argpartition(square - 2 * (X @ reference.T), k - 1, axis=1)[:, :k]

    return find


def _many_candidates(reference, k):
    from sklearn.neighbors import NearestNeighbors  # slow to load, and one row needs none

    with sklearn.config_context(assume_finite=True):
        search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(reference)

    def find(X):
        with sklearn.config_context(assume_finite=True):
            return search.kneighbors(X, return_distance=False)

    return find


def _exact_distances(reference, X, candidates):
    distances = np.empty(candidates.shape)
    step = max(1, _BLOCK_CELLS // (candidates.shape[1] * reference.shape[1]))
    for start in range(0, len(X), step):
        rows = slice(start, start + step)
        difference = reference[candidates[rows]]
        difference -= X[rows, None]
        distances[rows] = np.einsum("ijk,ijk->ij", difference, difference)
    return np.sqrt(distances)
