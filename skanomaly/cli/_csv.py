"""CSV files as people and Excel write them: encoding, separator, header and decimal mark.

Owns how they are found, and the options that say so instead. Does not own what the columns
mean (``cli._kinds``).
"""

import codecs
import csv
import dataclasses
import io
import itertools
import re
import warnings

from skanomaly.cli._sources import HEAD
from skanomaly.cli._texts import decimal_in, in_thousands
from skanomaly.cli._words import CommandError, listed

SEPARATORS = ",;\t|"
WINDOWS = "cp1252"  # what Excel writes in western Europe and America
#: Texts that are missing values in a column of numbers. In one of texts, NA is Namibia.
_MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
_FIRST_RECORDS = 20  # that tell the separator
_DIGITS = r"0\d+"
_DECIMALS = re.compile(r"[^\d,]*[\d.' ]*\d,\d+[^\d,]*")  # 3,66, also beside a unit
_TYPED = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[-+]?inf(inity)?|true|false", re.I)


@dataclasses.dataclass
class Dialect:
    """How a CSV file is written."""

    encoding: str
    sep: str
    header: bool
    skip: int  # bytes above the header
    names: list  # of the columns
    decimal: str | None  # as told, or found in the first records; None if nothing tells
    texts: set  # columns that are to be left as they are written


def find_dialect(head, whole, arguments, name, say, numbers=None):
    """Find out from its first bytes how a CSV file is written.

    Parameters
    ----------
    head : bytes
        The first bytes, or all.
    whole : bool
        Whether these are all.
    arguments : argparse.Namespace
        What the user said of it.
    name : str
        What the user calls it.
    say : callable
        Takes notes for the user.
    numbers : collection of str, default=None
        Columns that tell the decimal mark; None is all that the user did not name otherwise.

    Returns
    -------
    dialect : Dialect
    """
    encoding = arguments.encoding or _likely_encoding(head, whole, say)
    rest, told = _told_separator(head)
    text = _decoded(rest, encoding, name)
    candidates = arguments.sep or told or SEPARATORS
    records = {one: _split(text, one, _FIRST_RECORDS) for one in candidates}
    sep = arguments.sep or told or _find_separator(records, arguments.decimal)
    names = next(iter(records[sep]), [])
    header = arguments.header
    if header is None:
        header = not _is_data(names)
        if not header:
            say("note: the first line holds numbers, so it is read as data; --header if not")
    if header:
        _tell_repeated_names(names, say)
    dialect = Dialect(encoding, sep, header, len(head) - len(rest), [], None, set())
    dialect.names = _names_of(rest, dialect) if header else _numbered(range(len(names)))
    some = _split(text, sep, None)[header:]
    if not whole or len(rest) > HEAD:
        some = some[:-1]  # it may be cut in the middle of a number
    cells = _cells_of(some, dialect.names, arguments)
    dialect.decimal = find_decimal(cells, sep, arguments, numbers)
    dialect.texts = {
        column
        for column, texts in cells.items()
        if zeros_or_thousands(texts, dialect.decimal)
        or (column not in (numbers or ()) and _holds_words(texts))
    }
    return dialect


def _cells_of(records, names, arguments):
    """Return the texts in each column of some records, without missing ones."""
    import pandas as pd

    missing = {"", *arguments.missing}
    cells = {}
    for column, texts in zip(names, itertools.zip_longest(*records, fillvalue=""), strict=False):
        texts = pd.Series(texts, dtype="string").str.strip()
        cells[column] = texts[~texts.isin(missing)]
    return cells


def find_decimal(columns, sep, arguments, numbers=None):
    """Return the decimal mark that the user told, or that columns of texts tell, or None."""
    if arguments.decimal is not None:
        return arguments.decimal
    kinds = ("category", "id", "drop")
    others = {name for kind in kinds for name in getattr(arguments, kind, None) or ()}
    others.add(getattr(arguments, "label", None))
    asked = set(columns) - others if numbers is None else set(columns) & set(numbers)
    columns = {name: columns[name] for name in columns if name in asked}
    return decimal_in(columns, sep, getattr(arguments, "number", None) or ())


def zeros_or_thousands(texts, decimal):
    """Tell whether numbers among texts would not be read as they are written: 007, or 85.076.

    Points stand between thousands in a file with decimal commas, if they can in all numbers.
    """
    codes = texts.str.strip().str.fullmatch(_DIGITS)
    return bool(codes.any()) or (decimal == "," and in_thousands(texts))


def _holds_words(texts):
    """Tell whether pandas leaves texts as they are, so that NA among them is one, too."""
    others = texts[~texts.isin(_MISSING)].drop_duplicates()
    return len(texts) > 0 and (len(others) == 0 or not all(map(_TYPED.fullmatch, others.tolist())))


def _numbered(places):
    return [f"column_{place + 1}" for place in places]


def _names_of(data, dialect):
    """Return the columns' names as pandas makes them, which differ where the file repeats one."""
    import pandas as pd

    try:
        first = pd.read_csv(
            io.BytesIO(data), sep=dialect.sep, encoding=dialect.encoding, nrows=0,
            index_col=False, skipinitialspace=True,
        )  # fmt: skip
    except (ValueError, OverflowError):
        return []  # the parser proper will tell what is wrong
    return list(first.columns)


def parse_csv(stream, dialect, arguments, name, texts=(), only=None, **options):
    """Parse a CSV file; whatever is wrong with it becomes a CommandError.

    Parameters
    ----------
    stream : file
        Bytes below `dialect.skip`.
    dialect : Dialect
        How it is written.
    arguments : argparse.Namespace
        What the user said of it.
    name : str
        What the user calls it.
    texts : collection of str, default=()
        Columns to leave as texts, of which blank ones alone are missing.
    only : list of str, default=None
        Columns to read; None is all.
    **options : dict
        Passed to ``pandas.read_csv``.

    Yields
    ------
    frame : pandas.DataFrame
        All rows, or with ``chunksize`` some at a time.
    """
    import pandas as pd

    # without a header pandas knows columns by their numbers
    keys = dialect.names if dialect.header else range(len(dialect.names))
    keys = dict(zip(dialect.names, keys, strict=True))
    missing = {
        key: [*([""] if column in texts else _MISSING), *arguments.missing]
        for column, key in keys.items()
    }
    if only is not None:
        options["usecols"] = [keys[column] for column in only]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            read = pd.read_csv(
                stream,
                sep=dialect.sep,
                encoding=dialect.encoding,
                header=0 if dialect.header else None,
                index_col=False,  # or the first column of overlong rows becomes an index
                na_values=missing or arguments.missing,
                keep_default_na=not missing,
                dtype={key: "string" for column, key in keys.items() if column in texts},
                skipinitialspace=True,
                low_memory=False,
                dtype_backend="numpy_nullable",  # whole numbers stay whole beside missing values
                **options,
            )
            for frame in [read] if isinstance(read, pd.DataFrame) else read:
                if not dialect.header:
                    frame.columns = _numbered(frame.columns)
                yield frame
    except UnicodeError:
        raise CommandError(_broken_encoding(stream, dialect, name)) from None
    except pd.errors.ParserWarning:
        raise CommandError(f"{name} is malformed: rows have more fields than the header") from None
    except (ValueError, OverflowError) as error:
        problem = str(error).removeprefix("Error tokenizing data. C error: ")
        raise CommandError(
            f"{name} is malformed: {problem} (columns are separated at {dialect.sep!r}; "
            "lines above the header have to go)"
        ) from error


def _likely_encoding(head, whole, say):
    """Return UTF-8 or what else the bytes give away, as those that Excel writes do."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", WINDOWS):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head, whole)
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


def _decoded(data, encoding, name):
    """Return the first text of a CSV file."""
    try:
        head = data[:HEAD].decode(encoding, errors="replace").removeprefix("\ufeff")
    except (LookupError, UnicodeError) as error:
        raise CommandError(f"--encoding: {error}") from None
    if "\0" in head:
        raise CommandError(
            f"{name} is not a text file; expected CSV, JSON, Parquet or an Excel workbook"
        )
    return head


def _split(text, sep, n):
    """Return the first n records of a text."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sep)
    return list(itertools.islice(filter(None, _until_error(reader)), n))


def _until_error(reader):
    try:
        yield from reader
    except csv.Error:  # the parser proper will tell what is wrong
        return


def _find_separator(records, decimal):
    """Return the separator that splits the first records evenly, into the most fields.

    That is no comma where another one leaves numbers with decimal commas, or the user told of
    such.
    """

    def fit(sep):
        widths = [len(record) for record in records[sep]] or [0]
        even = widths[0] > 1 and len(set(widths)) == 1
        whole = even and sep != "," and decimal != "."
        return (even, whole and (decimal == "," or _holds_decimals(records[sep])), widths[0])

    return max(records, key=fit)


def _holds_decimals(records):
    """Tell whether all commas of a column are decimal ones."""
    columns = zip(*records[1:], strict=True)
    commas = [[cell for cell in column if "," in cell] for column in columns]
    return any(cells and all(map(_DECIMALS.fullmatch, cells)) for cells in commas)


def _is_data(names):
    """Tell whether the first line holds data: numbers that no one counts columns or years by."""
    numbers = [float(name.replace(",", ".")) for name in names if _is_number(name)]
    counting = all(before < after for before, after in itertools.pairwise(numbers))
    whole = all(number.is_integer() for number in numbers)
    return not counting and (not whole or len(numbers) == len(names))


def _is_number(text):
    return re.fullmatch(r"\s*[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?\s*", text) is not None


def _tell_repeated_names(names, say):
    seen, repeated = set(), {}
    for name in (name.lstrip() for name in names):
        if name in seen and name:
            repeated[name] = None
        seen.add(name)
    if repeated:
        first = next(iter(repeated))
        say(
            f"note: several columns are named {listed(list(repeated))}; "
            f"the later ones are called {first}.1 and so on"
        )


def _broken_encoding(stream, dialect, name):
    """Say where a file is not in its encoding, as far as that can be seen again."""
    where, encoding = name, dialect.encoding
    data = stream.getvalue() if isinstance(stream, io.BytesIO) else b""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        where = f"line {line} of {name} (byte 0x{data[error.start]:02x})"
    except UnicodeError:  # the whole of it, such as UTF-16 without its mark
        pass
    return f"{where} is not {encoding} text; name its encoding, such as --encoding latin-1"
