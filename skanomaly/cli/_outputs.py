"""Where output goes: all of the new file or the old one as it was, and nothing beside it.

Owns the names of outputs, temporary files and what becomes of them when the command is ended. Does
not own how tables are written (``cli._writing``).
"""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from skanomaly.cli._files import require_openpyxl, require_pyarrow
from skanomaly.cli._words import CommandError, reason

#: Formats by the end of a file's name.
SUFFIXES = {
    ".csv": "csv", ".csv.gz": "csv", ".json": "json", ".jsonl": "jsonl", ".jsonl.gz": "jsonl",
    ".parquet": "parquet", ".xlsx": "xlsx",
}  # fmt: skip
FORMATS = ("csv", "json", "jsonl", "parquet", "xlsx")
#: Temporary files that are not finished; whatever ends the process removes them.
UNFINISHED = set()
_FAILURES = (ValueError, TypeError, NotImplementedError, OverflowError)


def check_out(path, sources, wanted=None, option="--out", suffixes=SUFFIXES):
    """Refuse an output that cannot be written, before the time for training is spent."""
    if path == "-":
        _require_libraries(wanted or "csv")
        return
    target = Path(path)
    if wanted is None and not target.name.lower().endswith(tuple(suffixes)):
        raise CommandError(f"{option} must end in {', '.join(suffixes)}, got {path}")
    if target.is_dir():
        raise CommandError(f"{option} is a folder: {path}")
    if not target.parent.is_dir():
        raise CommandError(f"{option}: no such folder: {target.parent}")
    there = [Path(source) for source in sources or () if source != "-"]
    if target.exists() and any(one.exists() and os.path.samefile(target, one) for one in there):
        raise CommandError(f"{option} is the file that is read ({path}); name another one")
    _require_libraries(wanted or format_of(path))
    if _is_device(target):
        return
    try:
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        message = f"{option}: cannot write in {target.parent}: {reason(error)}"
        raise CommandError(message) from error


def same_file(one, other):
    """Tell whether two names are of one file, there or not, of which one would be lost."""
    return os.path.realpath(one) == os.path.realpath(other) and not _is_device(one)


def format_of(path):
    """Return the format that the name of a file says, or None."""
    name = str(path).lower()
    return next((SUFFIXES[end] for end in sorted(SUFFIXES, key=len) if name.endswith(end)), None)


def _require_libraries(wanted):
    if wanted == "parquet":
        require_pyarrow()
    elif wanted == "xlsx":
        require_openpyxl()


@contextlib.contextmanager
def replacing(path):
    """Open a new file that takes the place of another one once it is complete.

    What is no file, such as a pipe with a name or a device, is written to as it comes.
    """
    if _is_device(path):
        try:
            with open(path, "wb") as file:
                yield file
        except OSError as error:
            raise _not_written(path, error) from error
        return
    target = Path(os.path.realpath(path))  # a link stays a link
    number, unfinished = tempfile.mkstemp(prefix=".skanomaly-", suffix=".tmp", dir=target.parent)
    UNFINISHED.add(unfinished)
    try:
        with open(number, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(unfinished, _mode_of(target))
        os.replace(unfinished, target)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(unfinished)
        UNFINISHED.discard(unfinished)


def _is_device(path):
    """Tell what is there and is no file, which nothing may replace: devices, pipes, sockets."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def refusing(path):
    """Turn what a format cannot hold into an error for the user."""
    try:
        yield
    except _FAILURES as error:
        raise _not_written(path, error) from error


def _not_written(path, error):
    if path == "-":
        return CommandError(f"cannot write to standard output: {reason(error)}")
    kept = "" if _is_device(path) else "; it is unchanged"
    return CommandError(f"cannot write {path}: {reason(error)}{kept}")


def _mode_of(target):
    """Return the mode of an existing file, or the one that a new file gets here."""
    try:
        return target.stat().st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def remove_unfinished():
    """Remove all temporary files: for those who end the process without unwinding it."""
    for path in list(UNFINISHED):
        with contextlib.suppress(OSError):
            os.unlink(path)
