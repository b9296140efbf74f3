"""The command line: ``python -m skanomaly detect``.

Owns the arguments, the exit codes, and the order of reading, training and printing, whose parts
are ``cli._files``, ``cli._columns`` and ``cli._report``. It trains and scores through the public
detectors only. Everything heavy is imported inside functions, so that ``--help`` is quick.

Results go to standard output; progress, notes and errors go to standard error. A wrong argument
or a bad file ends in one line and exit code 2, an interrupt in 130, a closed pipe in 141.
"""

import argparse
import os
import sys
import warnings

from skanomaly.cli._columns import features_of, labels_of, position_of
from skanomaly.cli._files import (
    CommandError,
    Table,
    check_out,
    count,
    one_line,
    read_table,
    reason,
    write_table,
)
from skanomaly.cli._report import print_held_out, print_report

HELD_OUT = 0.2  # the share of the labelled rows that measures the classifier
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

With --label, anomalies are -1 in labels of -1 and 1, 1 in labels of 0 and 1, and True; of other
labels --anomaly-label names the anomaly, or else the rarest is taken. Rows without a label are
unlabelled. A stratified fifth of the labelled rows is held out to measure a first model; a
second model, fitted on all rows, then scores the whole table. So the printed figures tell what
to expect on new rows, while the scores of labelled rows come from a model that knew their label.

examples:
  python -m skanomaly detect                          try it on real data (tumour measurements)
  python -m skanomaly detect --label diagnosis        the same data, with the labels
  python -m skanomaly detect sales.csv --out scored.csv
  python -m skanomaly detect parts.parquet --label defective --top 20
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise CommandError(f"{message} (see {self.prog} --help)")


def main(argv=None):
    """Run the command line and return the exit code.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments after the program's name. None takes those of the process.

    Returns
    -------
    code : int
        0 when all went well, 2 for a wrong argument or a bad file, 130 after an interrupt,
        141 when whoever read the output stopped reading.

    Examples
    --------
    >>> from skanomaly.cli._main import main
    >>> main(["--version"])
    skanomaly ...
    0
    """
    try:
        code = _run(argv)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except CommandError as error:
        return _stop(error, 2)
    except MemoryError:
        return _stop("not enough memory for this table", 2)
    except KeyboardInterrupt:
        print("skanomaly: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _silence(sys.stdout)
        return 141
    except OSError as error:  # such as a full disk behind standard output
        _silence(sys.stdout)
        return _stop(reason(error), 2)


def _run(argv):
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack letters that a file has
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as done:  # --help and --version
        return done.code or 0
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        for meant_for_developers in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", meant_for_developers)
        warnings.showwarning = _show_warning
        arguments.run(arguments)
    return 0


def _stop(message, code):
    print(f"skanomaly: error: {one_line(message)}", file=sys.stderr)
    return code


def _silence(stream):
    """Keep the interpreter from complaining once more, when it flushes the stream at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):
        return  # not a file of the operating system, so there is nothing to close


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"skanomaly: warning: {one_line(message)}", file=sys.stderr)


def _parser():
    from skanomaly import __version__

    parser = _Parser(
        prog="python -m skanomaly",
        description="Neural anomaly detection on tables.",
        epilog="'python -m skanomaly detect --help' tells more.",
    )
    parser.add_argument("--version", action="version", version=f"skanomaly {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="detect", required=True)
    detect = commands.add_parser(
        "detect",
        help="find the anomalous rows of a CSV or Parquet file",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    detect.set_defaults(run=_detect)
    _add_model_arguments(detect.add_argument)
    _add_output_arguments(detect.add_argument_group("output").add_argument)
    _add_reading_arguments(detect.add_argument_group("reading CSV files").add_argument)
    return parser


def _add_model_arguments(add):
    add(
        "file",
        metavar="FILE",
        nargs="?",
        help="a .csv, .csv.gz or .parquet file; without it, scikit-learn's breast cancer data",
    )
    add("--label", metavar="COLUMN", help="the column that says which rows are anomalies")
    add("--anomaly-label", metavar="VALUE", help="the label of the anomalies")
    add(
        "--contamination",
        metavar="SHARE",
        type=_contamination,
        default="auto",
        help="flag this share of the rows, above 0 and at most 0.5; default: auto, the "
        "detector's own threshold (with --label, learnt from the labels)",
    )
    add(
        "--drop",
        metavar="COLUMN",
        action="append",
        default=[],
        help="do not learn from this column; may be repeated",
    )
    add(
        "--category",
        metavar="COLUMN",
        action="append",
        default=[],
        help="take the values of this column as categories, such as numbers that stand for "
        "kinds, or texts with many different values; may be repeated",
    )
    add(
        "--random-state",
        metavar="SEED",
        type=_whole_number,
        default=0,
        help="the same seed gives the same result; default: 0",
    )


def _add_output_arguments(add):
    add(
        "--out",
        metavar="FILE",
        help="write all rows and columns, and the columns score and is_anomaly, to this .csv, "
        ".csv.gz or .parquet file; an existing file is replaced only once all is written",
    )
    add(
        "--top",
        metavar="N",
        type=_whole_number,
        default=10,
        help="how many of the most anomalous rows to print; default: 10",
    )
    add("--quiet", action="store_true", help="print results, warnings and errors only")


def _add_reading_arguments(add):
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


def _separator(text):
    text = {r"\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise argparse.ArgumentTypeError(f"expected one character, or tab, got {text!r}")
    return text


def _detect(arguments):
    say = _say_nothing if arguments.quiet else _say
    if arguments.out is not None:
        check_out(arguments.out, arguments.file)
    table, features, labels = _prepare(arguments, say)
    try:
        scores, held_out = _fit_and_score(features.frame, labels, arguments, say)
    except (ValueError, ImportError) as error:
        raise CommandError(f"training failed: {error}") from error
    if arguments.out is not None:
        # Before the report: whoever reads that may close the pipe early.
        write_table(table, scores, arguments.out, arguments.label)
    if held_out is not None:
        print_held_out(*held_out)
    print_report(table, features, labels, scores, arguments)
    if arguments.out is not None:
        say(f"wrote {count(len(scores), 'row')} to {arguments.out}")


def _prepare(arguments, say):
    """Return the table, its features, and its labels."""
    notes = []  # told once nothing stands in the way: an error comes alone
    if arguments.file is None:
        table = _demo(arguments.label is not None)
    else:
        table = read_table(arguments, notes.append)
    label = None if arguments.label is None else position_of(table, arguments.label)
    labels = None if label is None else labels_of(table, label, arguments, notes.append)
    features = features_of(table, label, arguments, notes.append)
    for note in notes:
        say(note)
    return table, features, labels


def _say(line):
    print(line, file=sys.stderr, flush=True)


def _say_nothing(line):
    pass


def _fit_and_score(frame, labels, arguments, say):
    """Return the scores of all rows; with labels, also the labels and scores held out."""
    if labels is None:
        return _fit(frame, None, arguments).decision_function(frame), None
    train, held_out = _split(labels, arguments.random_state)
    say(f"1 of 2: training without {count(len(held_out), 'held-out row')}")
    part = frame.iloc[train]
    known = frame.loc[:, part.notna().any()]  # a column may be empty in the training part alone
    model = _fit(known.iloc[train], labels[train], arguments)
    decisions = _decisions(model, known, train, arguments.contamination)
    say("2 of 2: training on all rows")
    model = _fit(frame, labels, arguments)
    scores = _decisions(model, frame, slice(None), arguments.contamination)
    return scores, (labels[held_out], decisions[held_out])


def _fit(frame, labels, arguments):
    import numpy as np

    from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

    common = {"random_state": arguments.random_state, "verbose": 0 if arguments.quiet else 1}
    if labels is None:
        detector = AutoencoderDetector(contamination=arguments.contamination, **common)
    else:
        detector = NeuralAnomalyClassifier(**common)
        labels = np.where(labels == 0, np.nan, labels)  # the coding that leaves no doubt
    return detector.fit(frame, labels)


def _decisions(model, frame, trained, contamination):
    """Return the classifier's decision function, at another threshold where one is asked for."""
    import numpy as np

    scores = model.decision_function(frame)
    if contamination == "auto":
        return scores
    return scores - np.percentile(scores[trained], 100 * contamination)


def _split(labels, random_state):
    """Hold out a fifth of each class, at least one row; unlabelled rows always train."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    held_out = []
    for value in (-1, 1):
        rows = np.flatnonzero(labels == value)
        _, part = train_test_split(rows, test_size=HELD_OUT, random_state=random_state)
        held_out.extend(part)
    return np.setdiff1d(np.arange(len(labels)), held_out), np.sort(held_out)


def _demo(labelled):
    """Return real measurements of tumours, with the diagnosis as a column of text."""
    import numpy as np
    from sklearn.datasets import load_breast_cancer

    frame, target = load_breast_cancer(return_X_y=True, as_frame=True)
    frame["diagnosis"] = target.map({0: "malignant", 1: "benign"})
    name = "breast cancer data"
    if not labelled:  # anomalies are rare, and 37% malignant rows are not
        malignant = np.flatnonzero(target == 0)
        kept = np.union1d(np.flatnonzero(target == 1), malignant[::10])
        frame, target = frame.iloc[kept].reset_index(drop=True), target.iloc[kept]
        name += ", all benign and every tenth malignant row"
    return Table(frame, name, known=np.where(target == 0, -1, 1), truth="diagnosis")
