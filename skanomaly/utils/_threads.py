"""Threads of our own: one for each processor, and never inside one another.

Owns how work on parts of a table is shared out. Threads that start threads wait for each other:
two on two processors took half as long again as one after the other.
"""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from skanomaly.utils._blas import single_threaded_products

#: More threads than this hold more rows at once than they are worth.
MAX_THREADS = 16
_here = threading.local()


def n_threads():
    """Return how many threads `in_threads` would use now; 1 inside one of them."""
    if getattr(_here, "inside", False):
        return 1
    return min(os.cpu_count() or 1, MAX_THREADS)


@contextlib.contextmanager
def alone():
    """Start no threads inside: for one of several tasks that are run at once by others."""
    before = getattr(_here, "inside", False)
    _here.inside = True
    try:
        with single_threaded_products():
            yield
    finally:
        _here.inside = before


def in_threads(function, items, most=None):
    """Return what a function makes of each item, in their order.

    Parameters
    ----------
    function : callable
        Called from any thread. An error of its own ends the work and is raised here.
    items : sequence
        What is worked on.
    most : int, default=None
        Use no more threads than this.

    Returns
    -------
    results : list
    """
    most = len(items) if most is None else min(most, len(items))
    n = most if most <= 1 else min(n_threads(), most)  # to count processors takes 0.1 ms
    if n <= 1:
        return [function(item) for item in items]
    with single_threaded_products(), ThreadPoolExecutor(n, initializer=_enter) as pool:
        return list(pool.map(function, items))


def _enter():
    _here.inside = True
