"""Memory of a worker's arrays: a side effect of Dask's settings, undone.

Dask starts its workers with ``MALLOC_TRIM_THRESHOLD_``. With that set, glibc no longer adapts the
size from which an array gets pages of its own, and keeps to 128 KiB: every larger array comes
with new pages and takes them along when it goes, which is half of a worker's time. Here glibc is
told what it would have come to by itself; 64 MiB at most stay with the worker for that.
"""

import ctypes
import functools
import os

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
#: The largest size that glibc takes, where its own adapting ends, too.
LARGEST = 32 * 2**20


@functools.cache
def keep_pages():
    """Have arrays share pages, unless the user decided; tell whether anything was set."""
    named = os.environ.keys()
    if "MALLOC_TRIM_THRESHOLD_" not in named or "MALLOC_MMAP_THRESHOLD_" in named:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is None:
        return False
    return mallopt(_M_MMAP_THRESHOLD, LARGEST) == mallopt(_M_TRIM_THRESHOLD, 2 * LARGEST) == 1
