"""Tables of the command line: reading files of any format, whole or some rows at a time.

Whatever is wrong with a file becomes a :class:`CommandError`, which is one line for the user.
Does not own: bytes (``cli._sources``), how CSV is written (``cli._csv``), or writing
(``cli._writing``).
"""

import codecs
import dataclasses
import io
import itertools
import json
import warnings
from typing import Any

from skanomaly.cli._csv import find_decimal, find_dialect, parse_csv, zeros_or_thousands
from skanomaly.cli._sources import HEAD, Source
from skanomaly.cli._texts import (
    ENOUGH,
    kind_of,
    numbers_in,
    numbers_of,
    texts_of,
    unit_of,
    without,
)
from skanomaly.cli._words import CommandError, count, listed

#: Columns that a run adds.
RESULTS = ("score", "is_anomaly", "rank", "reason")
CHUNK = 50_000  # rows at a time


@dataclasses.dataclass
class Table:
    """A table as read, how its file writes numbers, and what is known beside it."""

    frame: Any
    name: str
    sep: str | None = None
    decimal: str | None = "."  # None where nothing tells
    typed: bool = False  # whether the file itself tells numbers from texts
    types: dict = dataclasses.field(default_factory=dict)  # of nested columns in Parquet
    index: list = dataclasses.field(default_factory=list)  # columns that were a pandas index
    missing: list = dataclasses.field(default_factory=list)  # numbers that stand for none
    known: Any = None  # -1 for anomalies and +1, to measure a detector by that has not seen it
    truth: str | None = None  # the column that has the same


def read_table(arguments, say):
    """Read one or several files into a table; what is wrong with them becomes a CommandError."""
    paths = arguments.file if isinstance(arguments.file, list) else [arguments.file]
    tables = [_read_one(path, arguments, say) for path in paths]
    table = tables[0] if len(tables) == 1 else _together(tables, arguments)
    table.decimal = table.decimal or "."
    table.missing = numbers_in(arguments.missing)
    rows = len(table.frame)
    if rows < 2:
        raise CommandError(
            f"{table.name} has {count(rows, 'row')} of data below its header; expected 2 or more"
        )
    return table


def _together(tables, arguments):
    """Put the rows of several files below each other, with a column that says which."""
    import pandas as pd

    first = tables[0]
    for table in tables[1:]:
        others = set(first.frame.columns) ^ set(table.frame.columns)
        if others:
            raise CommandError(
                f"{table.name} and {first.name} have different columns: "
                f"{listed(sorted(others))} in one of them alone"
            )
    marks = {table.decimal for table in tables} - {None}
    if len(marks) > 1:
        for table in tables:
            _use_points(table, arguments)
        marks = {"."}
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    names = [table.name for table in tables for _ in range(len(table.frame))]
    column = "file" if "file" not in frame else "skanomaly_file"
    frame[column] = names
    index = [*dict.fromkeys(name for table in tables for name in table.index), column]
    return dataclasses.replace(
        first,
        frame=frame,
        name=count(len(tables), "file"),
        decimal=min(marks, default=None),
        index=index,
    )


def _use_points(table, arguments):
    """Make numbers of a table's texts, or write those with units or beside "?" with points."""
    import numpy as np
    import pandas as pd

    if table.decimal != ",":
        return
    others = {*arguments.category, *arguments.id, arguments.label}
    for name in set(table.frame) - others:
        column = table.frame[name]
        if kind_of(column) != "text":
            continue
        texts = texts_of(column)
        unit = unit_of(texts, ",")
        numbers = numbers_of(texts, ",", unit)
        known, held = ~np.isnan(numbers), texts.notna().sum()
        if not unit and known.sum() == held:
            table.frame[name] = pd.array(numbers, dtype="Float64")
        elif known.sum() >= ENOUGH * held or name in arguments.number:
            turned = texts.str.translate(str.maketrans(".,", ",."))
            table.frame[name] = column.mask(known, turned)


def _read_one(path, arguments, say):
    with Source(path) as source:
        if source.format == "csv":
            return _read_csv(source, arguments, say)
        return _finish(_READERS[source.format](source, arguments), source, arguments, say)


def _finish(frame, source, arguments, say, numbers=None):
    """Make a table of a frame of any other format than CSV."""
    types, frame.attrs = frame.attrs, {}
    frame.columns = [str(name) for name in frame.columns]
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()]
        raise CommandError(f"{source.name} has several columns named {listed(twice)}; rename them")
    frame, index = _without_index(frame)
    for place in range(frame.shape[1]) if arguments.missing else ():
        frame.isetitem(place, without(frame.iloc[:, place], arguments.missing))
    typed = source.format == "parquet"
    table = Table(frame, source.name, typed=typed, types=types, index=index)
    table.decimal = _find_decimal(table, arguments, numbers)
    if index:
        say(
            f"note: the index {listed(index)} tells rows apart and is not learnt from; write it "
            "as a column if it should be"
        )
    return table


def _without_index(frame):
    """Return a frame whose index has become columns, where it says anything, and their names."""
    if type(frame.index).__name__ == "RangeIndex" and frame.index.name is None:
        return frame, []
    names = [name for name in frame.index.names if name is not None]
    if len(names) < frame.index.nlevels or set(names) & set(frame.columns):
        names = [f"index_{level}" if level else "index" for level in range(frame.index.nlevels)]
        names = [f"{name}'" if name in frame.columns else name for name in names]
    frame = frame.rename_axis(names).reset_index()
    frame.columns = [str(name) for name in frame.columns]
    return frame, [str(name) for name in names]


def _read_csv(source, arguments, say):
    data = source.read()
    dialect = find_dialect(data, True, arguments, source.name, say)
    texts = _texts_in(dialect, arguments)

    def parse(texts, only=None):
        stream = io.BytesIO(data[dialect.skip :])
        return next(parse_csv(stream, dialect, arguments, source.name, texts, only))

    frame = parse(texts)
    table = Table(frame, source.name, dialect.sep)
    table.decimal = dialect.decimal or _find_decimal(table, arguments)
    label = getattr(arguments, "label", None)
    others = [name for name in frame if name in dialect.names and name not in {*texts, label}]
    doubtful = [name for name in others if _may_be_texts(frame[name], table.decimal)]
    if doubtful:
        again = parse(doubtful, doubtful)
        kept = {
            name: again[name]
            for name in doubtful
            if frame[name].dtype.kind not in "iuf"
            or zeros_or_thousands(again[name], table.decimal)
        }
        table.frame = with_columns(frame, kept)
    return table


def _may_be_texts(column, decimal):
    """Tell whether a column may hold texts that were lost: NA, 007, or thousands as 85.076."""
    if column.dtype.kind in "iuf":
        return column.dtype.kind != "f" or decimal == ","
    return kind_of(column) in ("text", "empty") and column.isna().any()


def _texts_in(dialect, arguments, known=()):
    """Return the columns of a CSV file to leave as they are written."""
    told = [name for kind in ("category", "id") for name in getattr(arguments, kind, None) or ()]
    return {*known, *dialect.texts, *told} - {getattr(arguments, "label", None)}


def _read_parquet(source, arguments):
    import pandas as pd

    require_pyarrow()
    import pyarrow.parquet

    try:
        file = source.seekable_file()
        frame = pd.read_parquet(file, engine="pyarrow")
        return _typed(frame, pyarrow.parquet.read_schema(file))
    except CommandError:
        raise
    except Exception as error:  # a damaged file can fail in any layer of pyarrow
        raise CommandError(f"{source.name} is not a readable Parquet file: {error}") from error


def _typed(frame, schema):
    """Return a frame that knows the types of what it holds as lists, dicts and tuples."""
    import pyarrow

    frame.attrs = {one.name: one.type for one in schema if pyarrow.types.is_nested(one.type)}
    return frame


def _read_xlsx(source, arguments):
    import pandas as pd

    require_openpyxl()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a workbook has besides cells
            book = pd.read_excel(
                source.seekable_file(), sheet_name=None, engine="openpyxl",
                dtype=object, keep_default_na=False, na_values=[""],  # cells know what they hold
            )  # fmt: skip
    except CommandError:
        raise
    except Exception as error:  # a damaged file can fail in any layer of openpyxl
        raise CommandError(f"{source.name} is not a readable Excel file: {error}") from error
    wanted = arguments.sheet
    if wanted is not None and wanted not in book:
        raise CommandError(f"no sheet {wanted!r} in {source.name}; it has {listed(book)}")
    held = [name for name in book if len(book[name])] or list(book)
    return book[wanted or held[0]].convert_dtypes(dtype_backend="numpy_nullable")


def _read_json(source, arguments):
    try:
        records = json.loads(source.read())
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{source.name} is no JSON: {error}") from error
    return _frame_of(records, source.name)


def _read_jsonl(source, arguments):
    import pandas as pd

    return pd.concat(_json_lines(source), ignore_index=True)


def _json_lines(source, rows=CHUNK):
    """Yield the rows of JSON Lines, some at a time; a single object may span several lines."""
    stream = io.TextIOWrapper(io.BufferedReader(_Raw(source)), "utf-8-sig")
    numbered = enumerate(stream, start=1)
    empty = True
    while lines := list(itertools.islice(numbered, rows)):
        records = []
        for number, line in lines:
            try:
                if line.strip():
                    records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise CommandError(
                    f"line {number} of {source.name} is no JSON object: {error}"
                ) from error
        if records:
            empty = False
            yield _frame_of(records, source.name)
    if empty:
        yield _frame_of([], source.name)


class _Raw(io.RawIOBase):
    """A source as Python's own streams take it."""

    def __init__(self, source):
        self._source = source

    def readable(self):
        return True

    def readinto(self, buffer):
        part = self._source.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def _frame_of(records, name):
    """Return a frame of JSON objects; what is nested gets names with a dot."""
    import pandas as pd

    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise CommandError(f"{name} holds no list of JSON objects; expected one object per row")
    return pd.json_normalize(records).convert_dtypes(dtype_backend="numpy_nullable")


def require_pyarrow():
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise CommandError(
            "Parquet files need pyarrow: pip install 'skanomaly[parquet]', or use CSV"
        ) from None


def require_openpyxl():
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise CommandError(
            "Excel files need openpyxl: pip install 'skanomaly[excel]', or use CSV"
        ) from None


_READERS = {
    "parquet": _read_parquet,
    "xlsx": _read_xlsx,
    "json": _read_json,
    "jsonl": _read_jsonl,
}


def read_chunks(path, arguments, reader, say, rows=CHUNK):
    """Read a file some rows at a time, in memory that does not grow with its length.

    Parameters
    ----------
    path : str
        A file, or "-".
    arguments : argparse.Namespace
        What the user said of it.
    reader : TableReader
        Knows which columns hold texts, and which numbers: what a part of the rows looks like
        must not decide.
    say : callable
        Takes notes for the user.
    rows : int, default=50000
        Rows at a time.

    Yields
    ------
    table : Table
        The next rows.
    source : Source
        Tells how far it has been read.
    """
    decimal = None  # the first rows that tell the mark speak for those below
    with Source(path) as source:
        for table in _chunks(source, arguments, reader, say, rows):
            decimal = table.decimal = decimal or table.decimal
            yield table, source


def _chunks(source, arguments, reader, say, rows):
    if source.format == "csv":
        yield from _csv_chunks(source, arguments, reader, say, rows)
        return
    frames = {"parquet": _parquet_chunks, "jsonl": _json_lines}.get(source.format)
    frames = frames(source, rows) if frames else [_READERS[source.format](source, arguments)]
    for frame in frames:
        yield _finish(frame, source, arguments, say, reader.numbers())
        say = _heard


def _heard(line):
    """Take a note that the user has heard with the first rows."""


def _csv_chunks(source, arguments, reader, say, rows):
    whole, numbers = len(source.head) < HEAD, reader.numbers()
    dialect = find_dialect(source.head, whole, arguments, source.name, say, numbers)
    source.read(dialect.skip) if dialect.skip else None
    texts = _texts_in(dialect, arguments, reader.texts())
    stream = source  # pandas reads UTF-8 from anything, and other texts from Python's own streams
    if codecs.lookup(dialect.encoding).name != "utf-8":
        stream = io.BufferedReader(_Raw(source))
    for frame in parse_csv(stream, dialect, arguments, source.name, texts, chunksize=rows):
        table = Table(frame, source.name, dialect.sep)
        table.decimal = dialect.decimal or _find_decimal(table, arguments, numbers)
        yield table


def _parquet_chunks(source, rows):
    require_pyarrow()
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(source.seekable_file())
        if file.metadata.num_rows == 0:
            yield _typed(file.schema_arrow.empty_table().to_pandas(), file.schema_arrow)
        for batch in file.iter_batches(batch_size=rows):
            yield _typed(batch.to_pandas(), file.schema_arrow)
    except CommandError:
        raise
    except Exception as error:  # a damaged file can fail in any layer of pyarrow
        raise CommandError(f"{source.name} is not a readable Parquet file: {error}") from error


def _find_decimal(table, arguments, numbers=None):
    """Return the decimal mark that the user told, or that the texts of a table tell, or None."""
    frame = table.frame
    texts = {name: frame[name] for name in frame if kind_of(frame[name]) == "text"}
    return find_decimal(texts, table.sep, arguments, numbers)


def with_columns(frame, columns):
    """Return a frame with other or more columns; one may be named like an argument, "self"."""
    frame = frame.copy(deep=False)
    for name, values in columns.items():
        frame[name] = values
    return frame


def earlier_results(frame):
    """Return the columns that an earlier run added; score and answer, or it was not such a run."""
    if not set(RESULTS[:2]) <= set(frame.columns):
        return []
    return [name for name in RESULTS if name in frame.columns]
