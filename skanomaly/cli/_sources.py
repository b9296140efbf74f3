"""Bytes of tables: files or standard input, decompressed while they are read, within bounds.

Owns: which compression and which format a file has, and that no small file fills the memory.
Does not own: what the bytes say (``cli._csv``, ``cli._files``).
"""

import bz2
import gzip
import io
import lzma
import os
import sys
import zipfile
import zlib

from skanomaly.cli._words import CommandError, reason, size

HEAD = 2**20  # bytes: enough for the first records of very wide files
#: A compressed file may become this much larger, and that large whatever its size.
MOST_EXPANSION, ALWAYS = 200, 64 * 2**20
#: A table takes about so many times the memory of its file.
MEMORY_PER_BYTE = 5
_COMPRESSED = {
    b"\x1f\x8b": ("gzip", lambda raw: gzip.GzipFile(fileobj=raw)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
}
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


class Source:
    """A stream of decompressed bytes that can be looked into before it is read.

    Parameters
    ----------
    path : str
        A file, or "-" for standard input.

    Attributes
    ----------
    name : str
        What the user calls it.
    format : {"csv", "json", "jsonl", "parquet", "xlsx"}
        What its name or its first bytes say.
    head : bytes
        The first of them.
    """

    def __init__(self, path):
        self.name = "standard input" if path == "-" else str(path)
        self._raw = _opened(path)
        self.packing, self.head, self._position, self._served = None, b"", 0, 0
        try:
            self._size = _size_of(self._raw)
            self._stream = self._unpacked()
            while len(self.head) < HEAD and (part := self._read(HEAD - len(self.head))):
                self.head += part
            self.format = self._find_format()
            if not self.head.strip() and self.format != "jsonl":  # which may have no rows
                raise CommandError(f"{self.name} is empty")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _unpacked(self):
        start = self._raw.peek(8)[:8] if hasattr(self._raw, "peek") else b""
        for magic, (name, opener) in _COMPRESSED.items():
            if start.startswith(magic):
                self.packing = name
                return opener(self._raw)
        if start.startswith(b"PK\x03\x04"):
            return self._inside_zip()
        return self._raw

    def _inside_zip(self):
        raw = self._raw if self._raw.seekable() else io.BytesIO(self._raw.read())
        self.packing = "zip"
        try:
            archive = zipfile.ZipFile(raw)
            members = [member for member in archive.infolist() if not member.is_dir()]
            members = [m for m in members if not m.filename.startswith("__MACOSX/")]
            if any(member.filename == "[Content_Types].xml" for member in members):
                self.packing = None
                self._check_workbook(members)
                raw.seek(0)
                return raw
            if len(members) != 1:
                raise CommandError(
                    f"{self.name} is an archive of {len(members)} files; expected a single one"
                )
            return archive.open(members[0])
        except _BROKEN as error:
            raise CommandError(f"{self.name} is a damaged zip file: {reason(error)}") from error

    def _check_workbook(self, members):
        total = sum(member.file_size for member in members)
        if total > max(ALWAYS, MOST_EXPANSION * self._size):
            raise CommandError(f"{self.name}: {self._too_much()}")

    def _find_format(self):
        start, name = self.head.removeprefix(b"\xef\xbb\xbf").lstrip(), self.name.lower()
        if start.startswith(b"PAR1") or name.endswith(".parquet"):
            return "parquet"
        if start.startswith(b"PK\x03\x04"):
            return "xlsx"
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            raise CommandError(f"{self.name} is an old Excel file; save it as .xlsx or CSV first")
        named = any(f".{kind}" in name for kind in ("json", "jsonl", "ndjson"))
        if start.startswith(b"[") and (named or start[1:].lstrip().startswith(b"{")):
            return "json"
        if start.startswith(b"{") and (named or b'"' in start[:80]):
            return "jsonl"
        if not start and any(f".{kind}" in name for kind in ("jsonl", "ndjson")):
            return "jsonl"
        return "csv"

    def read(self, n=-1):
        """Read bytes; all that are left where `n` is negative, if memory allows."""
        if n is None or n < 0:
            return self._read_all()
        part = self.head[self._served : self._served + n]
        self._served += len(part)
        return part or self._read(n)

    def _read_all(self):
        parts, total, room = [], 0, _room()
        while part := self.read(2**22):
            parts.append(part)
            total += len(part)
            if total * MEMORY_PER_BYTE > room:
                raise CommandError(
                    f"{self.name} is too large for this computer's memory ({size(room)} are "
                    f"free): take a part of its rows; 'score' reads files of any length"
                )
        return b"".join(parts)

    def _read(self, n):
        try:
            part = self._stream.read(n)
        except _BROKEN as error:
            if self.packing is None:
                raise CommandError(f"cannot read {self.name}: {reason(error)}") from error
            raise CommandError(
                f"{self.name} is a damaged {self.packing} file: {reason(error)}"
            ) from error
        self._position += len(part)
        if self.packing is not None and self._position > ALWAYS:
            packed = max(self._size, self._consumed())
            if packed and self._position > MOST_EXPANSION * packed:
                raise CommandError(f"{self.name}: {self._too_much()}")
        return part

    def _consumed(self):
        try:
            return self._raw.tell()
        except (OSError, ValueError):
            return 0

    def _too_much(self):
        return (
            f"more than {MOST_EXPANSION} times larger once decompressed, which no table is; "
            "decompress it first if it is one"
        )

    def progress(self):
        """Return the share of the file that has been read, or None where that is not known."""
        return min(self._consumed() / self._size, 1.0) if self._size else None

    def seekable_file(self):
        """Return a file that can be read anywhere, for formats that have to be."""
        if self._raw is self._stream and self._raw.seekable():
            self._raw.seek(0)
            return self._raw
        return io.BytesIO(self._read_all())

    # what pandas asks of a file
    def readable(self):
        return True

    def __iter__(self):
        return iter(())

    def close(self):
        if self._raw is not getattr(sys.stdin, "buffer", None):
            self._raw.close()


def _opened(path):
    if path == "-":
        if sys.stdin is None:
            raise CommandError("standard input is closed; name a file")
        return getattr(sys.stdin, "buffer", None) or io.BytesIO(sys.stdin.read().encode())
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise CommandError(f"no such file: {path}") from None
    except IsADirectoryError:
        raise CommandError(f"{path} is a folder; expected a table") from None
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot read {path}: {reason(error)}") from error


def _size_of(raw):
    try:
        return os.fstat(raw.fileno()).st_size
    except (OSError, AttributeError):
        return 0


def _room():
    """Return how much memory is free, in bytes."""
    rooms = [2**63]
    for path, field in (("/proc/meminfo", "MemAvailable:"), ("/sys/fs/cgroup/memory.max", None)):
        try:
            with open(path, encoding="ascii") as file:
                rooms += [_number(line, field) for line in file]
        except OSError:
            continue  # not a Linux, or no limit
    return min(rooms)


def _number(line, field):
    words = line.split()
    if field is None:
        return int(words[0]) if words[0].isdigit() else 2**63
    return int(words[1]) * 1024 if words[0] == field else 2**63
