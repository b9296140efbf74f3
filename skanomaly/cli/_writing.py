"""Writing tables, each format in its own way.

Owns what the formats hold and what they cannot. Where it goes is the business of ``cli._outputs``.
"""

import contextlib
import gzip
import io
import json
import math
import sys

from skanomaly.cli._files import earlier_results, with_columns
from skanomaly.cli._outputs import format_of, refusing, replacing

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_table(table, results, path, label, wanted=None, escape=False):
    """Write a table with its results; the file holds the old content or all of the new.

    Parameters
    ----------
    table : skanomaly.cli._files.Table
        As read.
    results : dict of str to array
        Columns to add.
    path : str
        Where to, or "-" for standard output.
    label : str or None
        A column of the table to keep, although an earlier run may have written it.
    wanted : str, default=None
        One of `FORMATS`; None goes by the name.
    escape : bool, default=False
        Put an apostrophe before texts that a spreadsheet would take for formulas.
    """
    frame = with_results(table, results, label)
    name = f".{wanted}" if wanted else ".csv" if path == "-" else str(path).lower()
    if escape:
        frame = escaped(frame)
    if path == "-":
        with _standard_output() as file, refusing(path):
            _write_frame(frame, file, name, table)
        return
    with replacing(path) as file, refusing(path):
        _write_frame(frame, file, name, table)


@contextlib.contextmanager
def _standard_output():
    """Collect a file and send it to standard output when it is complete."""
    file = io.BytesIO()
    yield file
    sys.stdout.flush()
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.write(file.getvalue().decode("utf-8"))
    else:
        binary.write(file.getvalue())


def with_results(table, results, label=None):
    """Return the rows with columns added, under names that the table does not have."""
    frame = table.frame.drop(columns=set(earlier_results(table.frame)) - {label})
    for name, values in results.items():
        while name in frame.columns:
            name = f"skanomaly_{name}"
        frame = with_columns(frame, {name: values})
    return frame


def escaped(frame):
    """Return a frame in which no text begins like a formula of a spreadsheet."""
    import pandas as pd

    def safe(text):
        return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text

    frame = frame.rename(columns=safe)
    for place, kind in enumerate(frame.dtypes):
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)):
            column = frame.iloc[:, place]
            frame = with_columns(frame, {frame.columns[place]: column.astype(object).map(safe)})
    return frame


def _write_frame(frame, file, name, table):
    writer = writer_for(name, file, table)
    writer.write(frame)
    writer.close()


def writer_for(name, file, table):
    """Return what writes rows, some at a time, in the format that a name ends in."""
    form = format_of(name)
    if name.endswith(".gz"):
        file = gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="")
    return _WRITERS[form](file, table)


class _CsvWriter:
    fixes_columns = True  # the first rows decide which there are

    def __init__(self, file, table):
        self._file, self._table, self._begun, self._columns = file, table, False, None

    def abandon(self):
        """Let go of a file that is not finished."""

    def write(self, frame):
        self._columns = list(frame.columns) if self._columns is None else self._columns
        _with_plain_floats(frame[self._columns]).to_csv(
            self._file,
            sep=self._table.sep or ",",
            decimal=self._table.decimal or "." if self._table.sep else ".",
            index=False,
            header=not self._begun,
        )
        self._begun = True

    def close(self):
        if isinstance(self._file, gzip.GzipFile):
            self._file.close()


def _with_plain_floats(frame):
    """Return a frame of which pandas writes the same text, a quarter sooner."""
    import numpy as np
    import pandas as pd

    plain = {
        name: frame[name].to_numpy(kind.numpy_dtype, na_value=np.nan)
        for name, kind in frame.dtypes.items()
        if isinstance(kind, (pd.Float32Dtype, pd.Float64Dtype))
    }
    return with_columns(frame, plain)


class _JsonLinesWriter(_CsvWriter):
    fixes_columns = False
    _before, _between, _after = "", "", ""

    def write(self, frame):
        for record in _plain(frame):
            before = self._between if self._begun else self._before
            text = json.dumps(record, ensure_ascii=False, default=str, allow_nan=False)
            self._file.write(f"{before}{text}{self._end}".encode())
            self._begun = True

    _end = "\n"


class _JsonWriter(_JsonLinesWriter):
    _before, _between, _end = "[\n", ",\n", ""

    def close(self):
        self._file.write(b"\n]\n" if self._begun else b"[]\n")
        super().close()


class _ParquetWriter(_CsvWriter):
    _writer, _nothing = None, None

    def write(self, frame):
        import pyarrow

        if len(frame) == 0 and self._writer is None:
            self._nothing = frame
            return
        if self._columns is None:
            self._columns = list(frame.columns)
            # of a column without a value so far, text holds whatever comes
            self._open = [name for name in frame if frame[name].isna().all()]
        frame = frame[self._columns].astype(dict.fromkeys(self._open, "string"))
        frame = self._as_parquet(frame)
        if self._writer is None:
            self._begin(frame)
        try:
            rows = pyarrow.Table.from_pandas(frame, schema=self._writer.schema)
        except (pyarrow.ArrowException, TypeError) as error:
            raise ValueError(
                f"a column holds values of another kind than in the first rows ({error}), which "
                "Parquet cannot hold; write CSV or JSON Lines"
            ) from error
        self._writer.write_table(rows)

    def _as_parquet(self, frame):
        """Return a frame with the index and the nested types of the file that was read."""
        import pandas as pd
        import pyarrow

        nested = {
            name: pd.array(
                pyarrow.array(frame[name], type=kind, from_pandas=True), dtype=pd.ArrowDtype(kind)
            )
            for name, kind in self._table.types.items()
            if name in frame and frame[name].dtype == object
        }
        frame = with_columns(frame, nested)
        held = [name for name in self._table.index if name in frame and name != "file"]
        return frame.set_index(held) if held else frame

    def _begin(self, frame):
        import pyarrow
        import pyarrow.parquet

        rows = pyarrow.Table.from_pandas(frame)
        self._writer = pyarrow.parquet.ParquetWriter(self._file, rows.schema)

    def abandon(self):
        if self._writer is not None:
            self._writer.close()

    def close(self):
        if self._writer is None and self._nothing is not None:
            self._begin(self._as_parquet(self._nothing))
        self.abandon()


class _XlsxWriter(_CsvWriter):
    def __init__(self, file, table):
        import openpyxl

        super().__init__(file, table)
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet("skanomaly")

    def write(self, frame):
        if not self._begun:
            self._columns = list(frame.columns)
            self._sheet.append([self._cell(name) for name in self._columns])
        self._begun = True
        for record in _plain(frame[self._columns], dates=True):
            self._sheet.append([self._cell(value) for value in record.values()])

    def _cell(self, value):
        """Return a cell; a text is a text, whatever it begins with."""
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        if not isinstance(value, str):
            return value
        cell = WriteOnlyCell(self._sheet, ILLEGAL_CHARACTERS_RE.sub("", value)[:32767])
        cell.data_type = "s"
        return cell

    def close(self):
        file = io.BytesIO()  # a zip file complains when it cannot be finished on a full disk
        self._book.save(file)
        self._file.write(file.getbuffer())


def _without_infinity(value):
    """Return plain Python values, with a text for infinity: no format of numbers holds that."""
    import numpy as np

    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, list | tuple):
        return [_without_infinity(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _without_infinity(one) for name, one in value.items()}
    return value


def _plain(frame, dates=False):
    """Yield rows as dicts of plain Python values, with None for what is missing."""
    import pandas as pd

    names = list(frame.columns)
    columns = [frame.iloc[:, place].astype(object) for place in range(len(names))]
    columns = [column.where(column.notna(), None).to_list() for column in columns]
    for values in zip(*columns, strict=True):
        record = {}
        for name, value in zip(names, values, strict=True):
            value = _without_infinity(value)
            if isinstance(value, pd.Timestamp):
                value = value.tz_localize(None).to_pydatetime() if dates else value.isoformat()
            elif dates and not isinstance(value, (str, int, float, bool, type(None))):
                value = str(value)
            record[name] = value
        yield record


_WRITERS = {
    "csv": _CsvWriter,
    "json": _JsonWriter,
    "jsonl": _JsonLinesWriter,
    "parquet": _ParquetWriter,
    "xlsx": _XlsxWriter,
}
