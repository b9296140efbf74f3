"""Distances to the nearest training rows.

Owns what becomes of distances. Does not own the search (``scores._search``). Inputs are finite,
scaled arrays; a higher score is *more anomalous*, float64, and that of one row does not depend on
the other rows scored with it.
"""

import copy
import functools

import numpy as np

from skanomaly.scores._mahalanobis import float_rows
from skanomaly.scores._search import nearest_distances

#: Which neighbours to look at.
KS = (1, 20, 50)


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
        self.fit_search(X)
        return self

    def fit_score(self, X):
        """Fit and return the scores of the same rows, shape (n_reference, len(ks))."""
        return self.fit_search(X)[0]

    def fit_search(self, X):
        """Fit and return what `search` returns for the same rows."""
        self.compare_with(X)
        self.tolerance_ = 1e-6 * np.sqrt(X.shape[1])
        distances, matches = self.distances(self.reference_)
        self.floor_ = np.maximum(0.05 * distances.mean(axis=0), self.tolerance_)
        return np.log(distances + self.floor_), matches

    def compare_with(self, X):
        """Take rows to search among, as they were at the fit."""
        self.reference_ = float_rows(X)
        vars(self).pop("_on_a_line", None)
        self.square_ = np.einsum("ij,ij->i", self.reference_, self.reference_)

    def without_reference(self):
        """Return what has been learnt from the rows, without them."""
        other = copy.copy(self)
        del other.reference_, other.square_
        return other

    @functools.cached_property
    def _on_a_line(self):
        """A line, and the places of the training rows on it in ascending order."""
        line = np.random.default_rng(0).normal(size=self.reference_.shape[1])
        line /= np.linalg.norm(line)
        return line, np.sort(self.reference_ @ line)

    def __getstate__(self):
        derived = "square_", "_on_a_line"
        return {name: value for name, value in vars(self).items() if name not in derived}

    def __setstate__(self, state):
        vars(self).update(state)
        if "reference_" in state:
            self.compare_with(self.reference_)

    def matches(self, X):
        """Return the training rows that rows equal, as `search` does; -1 for none.

        Equal rows lie at the same place of any line: only rows near to a training row's place on
        one are searched for.
        """
        X = float_rows(X)
        line, places = self._on_a_line
        slack = 2 * self.tolerance_ + 1e-12 * (np.abs(X) @ np.abs(line))
        here = X @ line
        near = places.searchsorted(here - slack) < places.searchsorted(here + slack, "right")
        near |= ~np.isfinite(here)
        matches = np.full(len(X), -1)
        if near.any():
            matches[near] = self.distances(X[near])[1]
        return matches

    def score(self, X, matches=None, ks=None):
        """Return log distances of rows `X`, shape (n_samples, len(ks))."""
        return self.search(X, matches, ks)[0]

    def search(self, X, matches=None, ks=None):
        """Return the scores of rows `X`, and the match that each of them dropped.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.
        matches : ndarray of shape (n_samples,), int, default=None
            Rows with a number drop their nearest training row, those with -1 do not; by default
            those that equal it.
        ks : tuple of int, default=None
            Which of the neighbours; None is all. Fewer are found sooner.

        Returns
        -------
        scores : ndarray of shape (n_samples, len(ks))
        matches : ndarray of shape (n_samples,), int
            Numbers of training rows, -1 for none.
        """
        ks = self.ks if ks is None else ks
        distances, matches = self.distances(X, matches, ks)
        return np.log(distances + self.floor_[[self.ks.index(k) for k in ks]]), matches

    def distances(self, X, matches=None, ks=None):
        """Return what `search` returns, with plain distances for scores."""
        ks, most = self.ks if ks is None else ks, len(self.reference_)
        near, nearest = nearest_distances(self.reference_, X, min(max(ks) + 1, most), self.square_)
        if matches is None:
            matches = np.where(near[:, 0] <= self.tolerance_, nearest, -1)
        capped = np.maximum(np.minimum(ks, most - 1), 1)
        columns = np.minimum(capped - 1 + (matches >= 0)[:, None], most - 1)
        return np.take_along_axis(near, columns, axis=1), matches
