"""Views of a table: rows that are made when they are asked for, and no sooner.

Owns what all such views have in common. Which rows they hand out is each view's own business.
"""

from abc import ABC, abstractmethod

import numpy as np

from skanomaly.utils._threads import in_threads, n_threads

#: Rows at hand at once, unless a view says otherwise.
BLOCK_ROWS = 16_384


class RowView(ABC):
    """Rows of a table, made when they are asked for.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    """

    def __len__(self):
        return self.shape[0]

    @property
    def block_rows(self):
        """How many rows may be at hand at once."""
        return BLOCK_ROWS

    @abstractmethod
    def __getitem__(self, rows):
        """Return rows by a slice or an array of row numbers."""


def block_rows(X):
    """Return how many rows of a table or a view may be at hand at once."""
    return min(getattr(X, "block_rows", BLOCK_ROWS), BLOCK_ROWS)


def in_chunks(function, X, threads=False):
    """Apply a function of rows to bounded chunks of a table and join the results.

    A table may say how many rows are a chunk (`block_rows`) and hand out views (`part`). With
    `threads`, the function is called from several at once, on as many rows altogether.
    """
    step = block_rows(X)
    if len(X) <= step:
        return function(X)
    if threads:
        step = max(step // n_threads(), 1)
    part = getattr(X, "part", X.__getitem__)
    first = function(part(slice(0, step)))
    joined = np.empty((len(X), *first.shape[1:]), first.dtype)
    joined[:step] = first

    def fill(start):
        joined[start : start + step] = function(part(slice(start, start + step)))

    in_threads(fill, range(step, len(X), step), most=None if threads else 1)
    return joined
