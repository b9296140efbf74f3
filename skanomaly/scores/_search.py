"""The nearest of some reference rows, exactly, for a few rows or millions.

Owns the search alone. Matrix products find candidates, differences measure them, because the
products lose the small distances: copies of a row must come out at 0, and no distance may depend
on the other rows searched with it.
"""

import threading

import numpy as np

from skanomaly.scores._mahalanobis import float_rows
from skanomaly.utils._blas import single_threaded_products
from skanomaly.utils._threads import in_threads

#: Up to this many rows, the plain way is the quicker one.
_FEW_ROWS = 16
#: Rows at a time, and reference rows: their products, 512 KiB, are looked at before they leave
#: the processor's own memory.
_BLOCK_ROWS, _TILE = 128, 1024
_BLOCK_CELLS = 2**20
#: Candidates of a row, as a multiple of k and a number beside, before it goes the plain way.
_MANY = 4, 64


def nearest_distances(reference, X, k, square):
    """Return the distances to the k nearest reference rows, exactly, and the nearest of them.

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
        In ascending order.
    nearest : ndarray of shape (n_samples,), int
        Number of the nearest reference row.
    """
    X = float_rows(X)
    distances, nearest = np.empty((len(X), k)), np.empty(len(X), np.int64)
    if len(X) <= _FEW_ROWS:
        _search_plainly(reference, X, square, distances, nearest)
        return distances, nearest
    blocks = _Blocks(reference, square, k)

    def search(start):
        rows = slice(start, start + _BLOCK_ROWS)
        with np.errstate(all="ignore"):
            blocks.search(X[rows], distances[rows], nearest[rows])

    starts = range(0, len(X), _BLOCK_ROWS)
    with single_threaded_products():
        in_threads(search, starts, most=max(len(starts) // 4, 1))
    return distances, nearest


class _Blocks:
    """Search by single-precision products, in which rounding is allowed for.

    The reference rows are dealt out to groups, and only groups whose nearest member may be among
    the k nearest rows are looked at: k groups have a member as near as the k-th of the groups'
    nearest members, so that the k nearest rows are no farther.
    """

    def __init__(self, reference, square, k):
        n, n_features = reference.shape
        self.reference, self.square, self.k = reference, square, k
        self.size = 2 ** max(round(np.log2(n / k) / 2), 0)  # of a group
        padded = -(-n // self.size) * self.size
        edges = np.array([*range(0, padded, _TILE), padded])
        # a group has every so-manieth row of its tile
        n_groups = np.diff(edges) // self.size
        self.tiles = list(zip(edges[:-1], edges[1:], n_groups, strict=True))
        self.strides = np.repeat(n_groups, n_groups)
        self.starts = np.concatenate([start + np.arange(n) for start, _, n in self.tiles])
        self.members = np.arange(self.size)
        self.factors = np.zeros((padded, n_features + 1), np.float32)
        with np.errstate(over="ignore"):
            self.factors[:n, :-1], self.factors[:n, -1] = -2 * reference, square
        self.factors[n:, -1] = np.inf
        self.rounding = 2 * (n_features + 4) * 2.0**-24
        self.held = threading.local()

    def search(self, X, distances, nearest):
        """Fill in what `nearest_distances` returns for a block of rows."""
        far, group = self._products(X)
        row, number, unclear = self._candidates(X, far, group)
        if unclear.any():
            found = np.empty((unclear.sum(), self.k)), np.empty(unclear.sum(), np.int64)
            _search_plainly(self.reference, X[unclear], self.square, *found)
            distances[unclear], nearest[unclear] = found
        if unclear.all():
            return
        exact = _squared_distances(self.reference, X, number, row)
        order = np.lexsort((exact, row))
        clear = np.flatnonzero(~unclear)
        first = order[row.searchsorted(clear)[:, None] + np.arange(self.k)]
        distances[clear], nearest[clear] = np.sqrt(exact[first]), number[first[:, 0]]

    def _products(self, X):
        """Return squared distances less the row's own squared norm, roughly, and groups' least.

        Returns
        -------
        far : ndarray of shape (n_padded, _BLOCK_ROWS), float32
            The thread's own, until it asks again.
        group : ndarray of shape (n_samples, n_groups), float32
        """
        if not hasattr(self.held, "far"):
            self.held.far = np.empty((len(self.factors), _BLOCK_ROWS), np.float32)
        far, group = self.held.far, np.empty((len(self.starts), _BLOCK_ROWS), np.float32)
        rows = np.zeros((X.shape[1] + 1, _BLOCK_ROWS), np.float32)
        rows[:-1, : len(X)], rows[-1] = X.T, 1
        done = 0
        for start, stop, n_groups in self.tiles:
            np.matmul(self.factors[start:stop], rows, out=far[start:stop])
            tile, least = far[start:stop].reshape(self.size, -1), group[done : done + n_groups]
            tile.min(axis=0, out=least.reshape(-1))
            done += n_groups
        return far, group.T[: len(X)].copy()

    def _candidates(self, X, far, group):
        """Return pairs of rows and reference rows near them, and for which rows there are none."""
        limit = np.partition(group, self.k - 1, axis=1)[:, self.k - 1].astype(np.float64)
        norm = np.sqrt(np.einsum("ij,ij->i", X, X))
        reach = 2 * norm + np.sqrt(np.maximum(limit + norm**2, 0))
        limit = (limit + 2 * self.rounding * reach**2).astype(np.float32)
        row, place = np.nonzero(group <= limit[:, None])
        enough = np.bincount(row, minlength=len(X)) <= _MANY[0] * self.k + _MANY[1]
        row, place = row[enough[row]], place[enough[row]]
        numbers = self.starts[place][:, None] + self.strides[place][:, None] * self.members
        held = far.ravel().take(numbers * _BLOCK_ROWS + row[:, None])
        pair, member = np.nonzero(held <= limit[row][:, None])
        row, number = row[pair], numbers[pair, member]
        counts = np.bincount(row, minlength=len(X))
        clear = (counts >= self.k) & (counts <= _MANY[0] * self.k + _MANY[1])
        return row[clear[row]], number[clear[row]], ~clear


def _search_plainly(reference, X, square, distances, nearest):
    """Fill in what `nearest_distances` returns, by double-precision products."""
    k = distances.shape[1]
    step = max(1, _BLOCK_CELLS // len(reference))
    for start in range(0, len(X), step):
        rows = slice(start, start + step)
        found = np.argpartition(square - 2 * (X[rows] @ reference.T), k - 1, axis=1)[:, :k]
        row = np.repeat(np.arange(start, start + len(found)), k)
        exact = _squared_distances(reference, X, found.ravel(), row).reshape(found.shape)
        first = exact.argmin(axis=1)[:, None]
        nearest[rows] = np.take_along_axis(found, first, axis=1)[:, 0]
        distances[rows] = np.sqrt(np.sort(exact, axis=1))


def _squared_distances(reference, X, numbers, rows):
    """Return the squared distances of pairs of reference rows and rows, by their numbers."""
    squares = np.empty(len(rows))
    step = max(1, _BLOCK_CELLS // reference.shape[1])
    for start in range(0, len(rows), step):
        pairs = slice(start, start + step)
        difference = reference.take(numbers[pairs], axis=0)
        difference -= X.take(rows[pairs], axis=0)
        squares[pairs] = np.einsum("ij,ij->i", difference, difference)
    return squares
