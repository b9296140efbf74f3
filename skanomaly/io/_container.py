"""The bytes of a file: a zip archive with a description, closed by a digest of all of it.

Owns telling a whole file from any other. Does not own what the archive holds. The digest stands in
the archive's comment, at the very end: a byte changed anywhere, or cut off, shows before a byte is
interpreted. It guards against accidents; against a forger nothing but the refusal of unknown
classes does.
"""

import contextlib
import hashlib
import io
import json
import os
import zipfile

#: Member of the archive that describes it.
_DESCRIPTION = "skanomaly.json"
_MARK = b"skanomaly.io, sha256 of all before: "
_DIGITS = 64


def write(path, content, description):
    """Write an archive with its description and digest, in one step.

    Parameters
    ----------
    path : str or path-like
        File to write; a link is followed. An old file keeps its permissions.
    content : bytes
        A zip archive.
    description : dict
        What JSON can hold.
    """
    from skanomaly.utils._replacing import replace  # its package is more than reading needs

    replace(path, _closed(content, description))


def read(path):
    """Return the archive in a file, and its description.

    Raises
    ------
    ValueError
        If the file is not one of `write`, or not as it was written.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - len(_MARK) - _DIGITS, 0))
        if not file.read(len(_MARK) + _DIGITS).startswith(_MARK):
            raise ValueError(
                f"{path} is no file of skanomaly.io.save, or its end is damaged or missing. Save "
                "the estimator again; files of skops.io.dump are for skops.io.load."
            )
        file.seek(0)
        content = file.read()
    if _digest(memoryview(content)[:-_DIGITS]) != content[-_DIGITS:]:
        raise ValueError(
            f"{path} is damaged: its content is not what was written. Take it from a backup, or "
            "save the estimator again."
        )
    with refusing_damage(path), zipfile.ZipFile(io.BytesIO(content)) as archive:
        return content, json.loads(archive.read(_DESCRIPTION))


@contextlib.contextmanager
def refusing_damage(path, besides=ValueError):
    """Turn whatever a forged archive does to its reader into one kind of error."""
    try:
        yield
    except (ValueError, besides):
        raise
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read ({type(error).__name__}: {error}). It is damaged, was not "
            "written by skanomaly.io.save, or needs a package that is not installed."
        ) from error


def _digest(content):
    return hashlib.sha256(content).hexdigest().encode()


def _closed(content, description):
    """Return the archive with the description as a member and the digest as its comment."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(_DESCRIPTION, json.dumps(description, indent=1))
        archive.comment = _MARK + b"0" * _DIGITS
    body = buffer.getvalue()[:-_DIGITS]
    return body + _digest(body)
