"""Compiled programs kept for the next call: a command starts in half the time.

Owns where they are kept unless the user says so: in a folder that nobody else can write. Turned
off by an empty ``SKANOMALY_CACHE_DIR``.
"""

import os
from pathlib import Path

SETTING = "SKANOMALY_CACHE_DIR"
#: Bytes that the folder may hold; of more, the oldest files go.
LARGEST = 256 * 2**20


def use_cache():
    """Name the folder for compiled programs, unless the user has."""
    if SETTING in os.environ:
        return
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home, "skanomaly")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name != "nt":
            held = folder.stat()
            if held.st_uid != os.getuid() or held.st_mode & 0o022:
                return
        if not os.access(folder, os.W_OK):
            return
        _shrink(folder)
    except (OSError, RuntimeError):  # no home, or no room in it
        return
    os.environ[SETTING] = str(folder)


def _shrink(folder):
    """Remove the files used longest ago, where there is too much."""
    files = [(entry, entry.stat()) for entry in os.scandir(folder) if entry.is_file()]
    total = sum(held.st_size for _, held in files)
    for entry, held in sorted(files, key=lambda pair: pair[1].st_atime):
        if total <= LARGEST:
            return
        Path(entry.path).unlink(missing_ok=True)
        total -= held.st_size
