"""One thread for each matrix product, while threads of our own share out the rows.

Owns that limit alone. Products of a few hundred rows are slower with all of BLAS' threads than
with one (five times, on two busy cores), and those of several callers wait for each other.
"""

import contextlib
import functools
import threading

import threadpoolctl

_lock = threading.Lock()
_users, _limit = 0, None


@functools.cache
def _controller():
    return threadpoolctl.ThreadpoolController()  # finds the libraries, which takes 7 ms


@contextlib.contextmanager
def single_threaded_products():
    """Keep BLAS to one thread inside; the last one to leave restores what was before."""
    global _users, _limit
    with _lock:
        if _users == 0:
            _limit = _controller().limit(limits=1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limit.restore_original_limits()
                _limit = None
