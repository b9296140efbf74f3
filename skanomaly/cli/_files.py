"""Tables of the command line: reading and writing CSV and Parquet files.

Whatever is wrong with a file becomes a :class:`CommandError`, which is one line for the user.
"""

import codecs
import csv
import dataclasses
import gzip
import io
import itertools
import os
import re
import shutil
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

from skanomaly.cli._texts import kind_of, numbers_of

RESULTS = ("score", "is_anomaly")
OUTPUTS = (".csv", ".csv.gz", ".parquet")
SEPARATORS = ",;\t|"
HEAD = 2**20  # bytes: enough for the first records of very wide files
WINDOWS = "cp1252"  # what Excel writes in western Europe and America
FIRST = 10_000  # different texts of a column that tell its decimal mark


class CommandError(Exception):
    """What the user has to hear in one line, instead of a traceback."""


@dataclasses.dataclass
class Table:
    """A table as read, how its file writes numbers, and what is known beside it."""

    frame: Any
    name: str
    sep: str | None = None
    decimal: str = "."
    known: Any = None  # -1 for anomalies and +1, to measure a detector by that has not seen it
    truth: str | None = None  # the column that has the same


def read_table(arguments, say):
    """Read the file into a table; whatever is wrong with it becomes a CommandError."""
    path = arguments.file
    data = _bytes(path)
    if data.startswith(b"PAR1") or path.lower().endswith(".parquet"):
        table = Table(_read_parquet(data, path), path)
    else:
        table = _read_csv(data, arguments, say)
    rows = len(table.frame)
    if rows < 2:
        raise CommandError(
            f"{path} has {count(rows, 'row')} of data below its header; expected 2 or more"
        )
    return table


def _bytes(path):
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise CommandError(f"no such file: {path}") from None
    except IsADirectoryError:
        raise CommandError(f"{path} is a folder; expected a .csv or .parquet file") from None
    except OSError as error:
        raise CommandError(f"cannot read {path}: {reason(error)}") from error
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{path} is a damaged gzip file: {error}") from error
    if not data.strip():
        raise CommandError(f"{path} is empty")
    return data


def _read_parquet(data, path):
    import pandas as pd

    _require_pyarrow()
    try:
        frame = pd.read_parquet(io.BytesIO(data), engine="pyarrow")
    except Exception as error:  # a damaged file can fail in any layer of pyarrow
        raise CommandError(f"{path} is not a readable Parquet file: {error}") from error
    frame.columns = [str(name) for name in frame.columns]
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()]
        raise CommandError(f"{path} has several columns named {listed(twice)}; rename them")
    return frame


def _require_pyarrow():
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise CommandError(
            "Parquet files need pyarrow: pip install 'skanomaly[parquet]', or use CSV"
        ) from None


def _read_csv(data, arguments, say):
    path = arguments.file
    encoding = arguments.encoding or _likely_encoding(data, say)
    data, told = _told_separator(data)
    records = _first_records(data, encoding, path, arguments.sep or told)
    sep = arguments.sep or told or _find_separator(records)
    names = next(iter(records[sep]), [])
    header = arguments.header
    if header is None:
        header = not _is_data(names)
        if not header:
            say("note: the first line holds numbers, so it is read as data; --header if not")
    frame = _parse_csv(data, sep, encoding, header, arguments)
    if header:
        _tell_repeated_names(names, say)
    table = Table(frame, path, sep)
    table.decimal = arguments.decimal or _find_decimal(table)
    return table


def _parse_csv(data, sep, encoding, header, arguments):
    import pandas as pd

    path = arguments.file
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(data),
                sep=sep,
                encoding=encoding,
                header=0 if header else None,
                index_col=False,  # or the first column of overlong rows becomes an index
                na_values=arguments.missing,
                skipinitialspace=True,
                low_memory=False,
                dtype_backend="numpy_nullable",  # whole numbers stay whole beside missing values
            )
    except UnicodeError:
        raise CommandError(_broken_encoding(data, encoding, path)) from None
    except pd.errors.ParserWarning:
        raise CommandError(f"{path} is malformed: rows have more fields than the header") from None
    except ValueError as error:
        problem = str(error).removeprefix("Error tokenizing data. C error: ")
        raise CommandError(
            f"{path} is malformed: {problem} (columns are separated at {sep!r}; "
            "lines above the header have to go)"
        ) from error
    if not header:
        frame.columns = [f"column_{number + 1}" for number in range(frame.shape[1])]
    return frame


def _likely_encoding(data, say):
    """Return UTF-8 or what else the bytes give away, as those that Excel writes do."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", WINDOWS):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == WINDOWS:
            say(f"note: the file is no UTF-8 text, so it is read as {WINDOWS}; --encoding if not")
        return encoding
    return "utf-8"  # the error will say where it is not


def _told_separator(data):
    """Return the data below a first line such as sep=; and what that says, or None."""
    line = re.match(rb'(?:\xef\xbb\xbf)?"?sep=([ -~\t])"?\r?\n', data)
    return (data[line.end() :], line[1].decode()) if line else (data, None)


def _first_records(data, encoding, path, sep):
    """Return the first records of a CSV file, split at each separator that it may have."""
    if data.startswith(b"PK\x03\x04"):
        raise CommandError(f"{path} is an Excel file or another archive; save it as CSV first")
    try:
        head = data[:HEAD].decode(encoding, errors="replace").removeprefix("\ufeff")
    except (LookupError, UnicodeError) as error:
        raise CommandError(f"--encoding: {error}") from None
    if "\0" in head:
        raise CommandError(f"{path} is not a text file; expected CSV or Parquet")
    records = {}
    for candidate in SEPARATORS if sep is None else sep:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=candidate)
        records[candidate] = list(itertools.islice(filter(None, _until_error(reader)), 20))
    return records


def _until_error(reader):
    try:
        yield from reader
    except csv.Error:  # the parser proper will tell what is wrong
        return


def _find_separator(records):
    """Return the separator that splits the first records evenly, into the most fields."""

    def fit(sep):
        widths = [len(record) for record in records[sep]] or [0]
        return (widths[0] > 1 and len(set(widths)) == 1, widths[0])

    return max(records, key=fit)


def _is_data(names):
    """Tell whether the first line holds data: numbers that no one counts columns or years by."""
    numbers = [float(name.replace(",", ".")) for name in names if _is_number(name)]
    counting = all(before < after for before, after in itertools.pairwise(numbers))
    whole = all(number.is_integer() for number in numbers)
    return not counting and (not whole or len(numbers) == len(names))


def _is_number(text):
    return re.fullmatch(r"\s*[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?\s*", text) is not None


def _tell_repeated_names(names, say):
    names = [name.strip() for name in names]
    repeated = list(dict.fromkeys(name for name in names if names.count(name) > 1 and name))
    if repeated:
        say(
            f"note: several columns are named {listed(repeated)}; "
            f"the later ones are called {repeated[0]}.1 and so on"
        )


def _broken_encoding(data, encoding, path):
    where = path
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        where = f"line {line} of {path} (byte 0x{data[error.start]:02x})"
    except UnicodeError:  # the whole of it, such as UTF-16 without its mark
        pass
    return f"{where} is not {encoding} text; name its encoding, such as --encoding latin-1"


def _find_decimal(table):
    """Return the decimal mark that reads more of the texts as numbers."""
    import numpy as np
    import pandas as pd

    texts, floats = [], False
    for name in table.frame:
        column = table.frame[name]
        floats = floats or pd.api.types.is_float_dtype(column)
        if kind_of(column) == "text":
            distinct = column.drop_duplicates().iloc[:FIRST]
            texts.append(distinct[distinct.str.contains("[.,]").fillna(False)])
    candidates = (",", ".") if table.sep == ";" and not floats else (".", ",")
    read = {
        mark: sum(np.count_nonzero(~np.isnan(numbers_of(part, mark))) for part in texts)
        for mark in candidates
    }
    return max(read, key=read.get) if any(read.values()) else "."


def earlier_results(frame):
    """Return the columns that an earlier run added; both, or it was not such a run."""
    return [name for name in RESULTS if set(RESULTS) <= set(frame.columns)]


def check_out(path, source):
    """Refuse an output that cannot be written, before the time for training is spent."""
    target = Path(path)
    if not target.name.lower().endswith(OUTPUTS):
        raise CommandError(f"--out must end in {', '.join(OUTPUTS)}, got {path}")
    if target.is_dir():
        raise CommandError(f"--out is a folder: {path}")
    if not target.parent.is_dir():
        raise CommandError(f"--out: no such folder: {target.parent}")
    if source is not None and target.exists() and os.path.samefile(target, source):
        raise CommandError(f"--out is the file that is read ({path}); name another one")
    if target.name.lower().endswith(".parquet"):
        _require_pyarrow()
    try:
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise CommandError(f"--out: cannot write in {target.parent}: {reason(error)}") from error


def write_table(table, scores, path, label):
    """Write the table with its scores; the file holds the old content or all of the new."""
    frame = table.frame.drop(columns=set(earlier_results(table.frame)) - {label})
    for name, values in zip(RESULTS, (scores, scores < 0), strict=True):
        while name in frame.columns:
            name = f"skanomaly_{name}"
        frame = frame.assign(**{name: values})
    target = Path(os.path.realpath(path))  # a link stays a link
    unfinished = target.with_name(f".skanomaly-{os.getpid()}.tmp")
    try:
        with open(unfinished, "xb") as file:
            _write_frame(frame, file, target.name.lower(), table)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, unfinished)
        os.replace(unfinished, target)
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise CommandError(f"cannot write {path}: {reason(error)}; it is unchanged") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _write_frame(frame, file, name, table):
    if name.endswith(".parquet"):
        frame.to_parquet(file, engine="pyarrow")
        return
    numbered = type(frame.index).__name__ == "RangeIndex"
    compression = {"method": "gzip", "mtime": 0} if name.endswith(".gz") else None
    frame.to_csv(
        file,
        sep=table.sep or ",",
        decimal=table.decimal,
        index=not numbered,
        compression=compression,
    )


def shortened(value, at_most=24):
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return text if len(text) <= at_most else text[: at_most - 3] + "..."


def shown(value):
    return repr(value) if isinstance(value, str) else str(value)


def listed(values, at_most=10):
    return joined([shown(value) for value in values], at_most)


def joined(parts, at_most=10):
    rest = len(parts) - at_most
    return ", ".join(parts[:at_most]) + (f" and {rest} more" if rest > 0 else "")


def count(number, one, many=None):
    return f"{number} {one if number == 1 else many or one + 's'}"


def percent(share):
    return f"{share:.0%}" if share >= 0.01 else "<1%"


def one_line(message):
    return " ".join(str(message).split())


def reason(error):
    return getattr(error, "strerror", None) or str(error)
