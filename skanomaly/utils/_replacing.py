"""Files that are written whole or not at all.

Owns what takes the place of an old file, and when. Does not own what a file holds.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path


def replace(path, data):
    """Write a file in one step: whoever reads it meanwhile sees the old one or the new one.

    Parameters
    ----------
    path : str or path-like
        File to write; a link is followed. An old file keeps its permissions; what is no file,
        such as a device, is written to.
    data : bytes
        What it is to hold.

    Raises
    ------
    OSError
        If it cannot be written, by the path that was given; an old file is as it was.
    """
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            target.write_bytes(data)
            return
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(beside, stat.S_IMODE(mode))
        os.replace(beside, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
