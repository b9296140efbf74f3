"""The arguments of the command line, and what they say of themselves."""

import argparse
import os
import sys

from skanomaly.cli._outputs import FORMATS
from skanomaly.cli._words import CommandError

#: Rows that a model keeps to explain others with.
KEPT_ROWS = 256
DESCRIPTION = """\
Find the anomalous rows of a table.

Without --label an AutoencoderDetector learns what the rows have in common; with --label a
NeuralAnomalyClassifier learns from the rows whose label is known.

Columns are used as they are: numbers, true/false, texts of few different values as categories,
dates as days and hours of the day. Missing values stay missing. Left out, and named, are texts
with more than 64 different values or that hardly recur, identifiers, and columns that are empty
or hold one value only.
"""
EPILOG = """\
score is the detector's decision_function: below 0 is an anomaly, and the lower, the stranger.
reason names the values that made a row strange, and what was expected instead.

With --label, anomalies are -1 in labels of -1 and 1, 1 in labels of 0 and 1, and True; of other
labels --anomaly-label names the anomaly, or else the rarest is taken. Rows without a label are
unlabelled. A stratified fifth of the labelled rows is held out to measure a first model; a
second model, fitted on all rows, then scores the whole table. So the printed figures tell what
to expect on new rows, while the scores of labelled rows come from a model that knew their label.

examples:
  skanomaly detect                          try it on real data (tumour measurements)
  skanomaly detect --label diagnosis        the same data, with the labels
  skanomaly detect sales.csv --out scored.csv --report report.html
  skanomaly detect parts.parquet --label defective --top 20
"""
FIT = """\
Learn from a table once, and save a model that scores other tables with the same columns.

A quarter of the rows, 20,000 at most, is held out of the training: 'score' compares new rows with
them, and tells when they are no longer alike.
"""
SCORE = """\
Score tables of any length with a model of 'skanomaly fit', some rows at a time.

Columns are matched by name. The table is also compared with the rows of the fit: where it has
drifted, the model may no longer be right, and should be fitted anew.
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        raise CommandError(f"{message} (see {self.prog} --help)")


def make_parser(commands):
    """Return the parser; `commands` has what each command runs, by its name."""
    from skanomaly import __version__

    parser = Parser(
        prog="skanomaly",
        description="Neural anomaly detection on tables.",
        epilog="'skanomaly COMMAND --help' tells more.",
    )
    parser.add_argument("--version", action="version", version=f"skanomaly {__version__}")
    group = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (summary, describe, add_arguments) in _COMMANDS.items():
        command = group.add_parser(
            name,
            help=summary,
            description=describe or summary.capitalize() + ".",
            epilog=EPILOG if name == "detect" else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=commands[name])
        add_arguments(command)
    return parser


def _add_detect(parser):
    _add_files(parser, "*", "; without any, scikit-learn's breast cancer data")
    _add_columns(parser.add_argument)
    _add_contamination(parser.add_argument)
    _add_recipe(parser.add_argument)
    add = parser.add_argument_group("output").add_argument
    _add_output(add)
    add("--report", metavar="FILE", help="write a report to this .html file")
    _add_top(add)
    _add_reading(parser)


def _add_fit(parser):
    _add_files(parser, "+")
    parser.add_argument(
        "--model", metavar="FILE", required=True, help="the .skops file to write the model to"
    )
    _add_columns(parser.add_argument)
    _add_contamination(parser.add_argument)
    _add_recipe(parser.add_argument)
    parser.add_argument(
        "--clean",
        action="store_true",
        help="the rows are known to be normal, and all of them are learnt from; without --label",
    )
    _add_budget(parser.add_argument)
    parser.add_argument(
        "--keep-rows",
        metavar="N",
        type=_whole_number,
        default=KEPT_ROWS,
        help="keep at most N normal rows in the model, to explain others by comparing; with 0 "
        f"they are compared with the rows of their own file; default: {KEPT_ROWS}",
    )
    _add_quiet(parser.add_argument)
    _add_reading(parser)


def _add_score(parser):
    _add_files(parser, "+")
    _add_model(parser.add_argument)
    parser.add_argument(
        "--fail-on-drift", action="store_true", help="end with exit code 3 where there is drift"
    )
    _add_budget(parser.add_argument)
    add = parser.add_argument_group("output").add_argument
    _add_output(add)
    _add_top(add)
    _add_id(add)
    _add_reading(parser)


def _add_explain(parser):
    _add_files(parser, "+")
    _add_model(parser.add_argument)
    parser.add_argument(
        "--row", metavar="N", type=_row_number, required=True, help="which row; 1 is the first"
    )
    _add_top(parser.add_argument)
    _add_quiet(parser.add_argument)
    _add_reading(parser)


def _add_info(parser):
    parser.add_argument("model", metavar="MODEL", help="a .skops file of 'skanomaly fit'")


def _add_compare(parser):
    _add_files(parser, "+")
    _add_columns(parser.add_argument)
    add = parser.add_argument
    add(
        "--folds",
        metavar="N",
        type=_folds,
        default=3,
        help="parts that are held out in turn; default: 3",
    )
    add("--out", "-o", metavar="FILE", help="write the table of results to this .csv file")
    _add_quiet(add)
    _add_reading(parser)


_COMMANDS = {
    "detect": ("find the anomalous rows of a table", DESCRIPTION, _add_detect),
    "fit": ("learn from a table and save the model", FIT, _add_fit),
    "score": ("score tables of any length with a saved model", SCORE, _add_score),
    "explain": ("say why a row is strange", None, _add_explain),
    "info": ("say what a saved model is", None, _add_info),
    "compare": ("measure which detector suits a table", None, _add_compare),
}


def _add_files(parser, number, more=""):
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs=number,
        help="CSV, JSON, JSON Lines, Parquet or .xlsx, also compressed (.gz, .bz2, .xz, .zip); "
        f"several files with the same columns are one table; - is standard input{more}",
    )


def _add_model(add):
    add("--model", metavar="FILE", required=True, help="a .skops file of 'skanomaly fit'")


def _add_columns(add):
    add("--label", metavar="COLUMN", help="the column that says which rows are anomalies")
    add("--anomaly-label", metavar="VALUE", help="the label of the anomalies")
    for name, told in {
        "drop": "do not learn from this column",
        "category": "take the values of this column as categories, such as numbers that stand "
        "for kinds, or texts with many different values",
        "number": "take the values of this column as numbers, and other texts as missing",
    }.items():
        add(
            f"--{name}",
            metavar="COLUMN",
            action="append",
            default=[],
            help=f"{told}; may be repeated",
        )
    _add_id(add)
    add(
        "--random-state",
        metavar="SEED",
        type=_whole_number,
        default=0,
        help="the same seed gives the same result; default: 0",
    )


def _add_id(add):
    add(
        "--id",
        metavar="COLUMN",
        action="append",
        default=[],
        help="this column tells rows apart: it is shown, not learnt from; may be repeated",
    )


def _add_contamination(add):
    add(
        "--contamination",
        metavar="SHARE",
        type=_contamination,
        default="auto",
        help="flag this share of the rows, above 0 and at most 0.5; default: auto, the "
        "detector's own threshold (with --label, learnt from the labels)",
    )


def _add_recipe(add):
    add(
        "--recipe",
        choices=["auto", "fast", "plain"],
        default="auto",
        help="auto finds most; plain, one small network, is several times faster; fast, without "
        "--label, looks at rows alone and lies between; default: auto",
    )


def _add_budget(add):
    add("--alerts", metavar="N", type=_positive, help="flag at most about N rows ...")
    add("--per", metavar="ROWS", type=_positive, help="... in so many rows, such as a day's")


def _add_output(add):
    add(
        "--out",
        "-o",
        metavar="FILE",
        type=_output,
        help="write all rows and columns, with score, is_anomaly and reason, to this .csv, "
        ".csv.gz, .json, .jsonl, .parquet or .xlsx file, or - for standard output; an existing "
        "file is replaced only once all is written",
    )
    add("--format", choices=FORMATS, help="the format of --out, whatever its name")
    add(
        "--reasons",
        metavar="N",
        type=_whole_number,
        default=100,
        help="give reasons for so many flagged rows that are written; default: 100",
    )
    add(
        "--escape-formulas",
        action="store_true",
        help="write an apostrophe before texts that a spreadsheet would take for formulas",
    )
    _add_quiet(add)


def _add_top(add):
    add(
        "--top",
        metavar="N",
        type=_whole_number,
        default=10,
        help="how many of the most anomalous rows (or features) to print; default: 10",
    )


def _add_quiet(add):
    add("--quiet", action="store_true", help="print results, warnings and errors only")


def _add_reading(parser):
    add = parser.add_argument_group("reading files").add_argument
    add("--sep", metavar="CHAR", type=_separator, help="what separates columns; default: found")
    add("--decimal", metavar="MARK", choices=[".", ","], help=". or , - default: found")
    add(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first line names the columns; default: found",
    )
    add("--encoding", help="the text encoding, such as cp1251; default: found, utf-8 or cp1252")
    add(
        "--missing",
        metavar="TEXT",
        action="append",
        default=[],
        help="read this text as a missing value too, such as '?'; may be repeated",
    )
    add("--sheet", metavar="NAME", help="which sheet of a workbook; default: the first with rows")


def _output(text):
    """Return "-" for other names of the standard output, such as /dev/stdout."""
    try:
        same = sys.stdout is not None and os.path.samestat(os.stat(text), os.fstat(1))
    except (OSError, ValueError):
        return text
    return "-" if same else text


def _contamination(text):
    if text == "auto":
        return text
    try:
        share = float(text)
    except ValueError:
        share = float("nan")
    if not 0 < share <= 0.5:
        raise argparse.ArgumentTypeError(
            f"expected 'auto' or a number above 0 and at most 0.5, got {text!r}"
        )
    return share


def _whole_number(text):
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {text!r}")
    return int(text)


def _row_number(text):
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"rows count from 1, got {text!r}")
    return int(text)


def _folds(text):
    if not (text.isascii() and text.isdigit() and 2 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"expected a whole number from 2 to 100, got {text!r}")
    return int(text)


def _positive(text):
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return number


def _separator(text):
    text = {r"\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise argparse.ArgumentTypeError(f"expected one character, or tab, got {text!r}")
    return text
