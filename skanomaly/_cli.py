"""The command line: ``python -m skanomaly detect``.

Owns the arguments, what is read from and written to files, which columns become features, and
what is printed. It trains and scores through the public detectors only. Everything heavy is
imported inside functions, so that ``--help`` answers at once.

Results go to standard output; progress, notes and errors go to standard error. A wrong argument
or a bad file ends in one line and exit code 2, an interrupt in 130, a closed pipe in 141.
"""

import argparse
import codecs
import csv
import dataclasses
import difflib
import gzip
import io
import itertools
import os
import re
import shlex
import shutil
import sys
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

HELD_OUT = 0.2  # the share of the labelled rows that measures the classifier
FEW_ANOMALIES = 10  # held-out figures on fewer anomalies than this come with a caution
MOST_LABELS = 20  # more different values than this are a measurement, not a label
LARGEST = 1e100  # squares of larger values overflow in the scaler
RESULTS = ("score", "is_anomaly")
OUTPUTS = (".csv", ".csv.gz", ".parquet")
SEPARATORS = ",;\t|"
HEAD = 2**20  # bytes: enough for the first records of very wide files
WRITTEN = {  # numbers by their decimal mark, with or without marks between the thousands
    ".": r"[-+]?(\d{1,3}([,\s']\d{3})+|\d+)(\.\d+)?([eE][-+]?\d+)?",
    ",": r"[-+]?(\d{1,3}([.\s']\d{3})+|\d+)(,\d+)?([eE][-+]?\d+)?",
}

DESCRIPTION = """\
Find the anomalous rows of a table.

Without --label an AutoencoderDetector learns what the rows have in common; with --label a
NeuralAnomalyClassifier learns from the rows whose label is known. Both use the columns that
hold numbers or true/false. Missing values are filled with the column's mean, and every column
is scaled to mean 0 and standard deviation 1.
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


class CommandError(Exception):
    """What the user has to hear in one line, instead of a traceback."""


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
    >>> from skanomaly._cli import main
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
        return _stop(_reason(error), 2)


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
    print(f"skanomaly: error: {_one_line(message)}", file=sys.stderr)
    return code


def _silence(stream):
    """Keep the interpreter from complaining once more, when it flushes the stream at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):
        return  # not a file of the operating system, so there is nothing to close


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"skanomaly: warning: {_one_line(message)}", file=sys.stderr)


# ------------------------------------------------------------------------------- arguments


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
        help="do not learn from this column, such as an identifier; may be repeated",
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
    add("--encoding", help="the text encoding, such as latin-1; default: utf-8")
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


# ------------------------------------------------------------------------------- detecting


@dataclasses.dataclass
class _Table:
    """A table as read, how its file writes numbers, and what is known beside it."""

    frame: Any
    name: str
    sep: str | None = None
    decimal: str = "."
    known: Any = None  # -1 for anomalies and +1, never shown to a detector without --label


def _detect(arguments):
    say = _say_nothing if arguments.quiet else _say
    if arguments.out is not None:
        _check_out(arguments.out, arguments.file)
    notes = []  # told once nothing stands in the way: an error comes alone
    if arguments.file is None:
        table = _demo(arguments.label is not None)
    else:
        table = _read(arguments, notes.append)
    label = None if arguments.label is None else _position(table, arguments.label)
    labels = None if label is None else _labels(table, label, arguments, notes.append)
    features, texts = _features(table, label, arguments.drop, notes.append)
    for note in notes:
        say(note)
    say(
        f"{table.name}: {_count(len(features), 'row')}, learning from "
        f"{_count(features.shape[1], 'column')}"
    )
    try:
        scores = _fit_and_score(features.to_numpy(), labels, arguments, say)
    except (ValueError, ImportError) as error:
        raise CommandError(f"training failed: {error}") from error
    if arguments.out is not None:
        # Before the report: whoever reads that may close the pipe early.
        _write(table, scores, arguments.out, arguments.label)
    _report(table, features, texts, labels, scores, arguments)
    if arguments.out is not None:
        say(f"wrote {_count(len(scores), 'row')} to {arguments.out}")


def _say(line):
    print(line, file=sys.stderr, flush=True)


def _say_nothing(line):
    pass


def _fit_and_score(values, labels, arguments, say):
    """Return the decision function of every row; with labels, print held-out figures first."""
    if labels is None:
        return _fit(values, None, arguments).decision_function(values)
    train, held_out = _split(labels, arguments.random_state)
    say(f"1 of 2: training without {_count(len(held_out), 'held-out row')}")
    model = _fit(values[train], labels[train], arguments)
    scores = _decisions(model, values[held_out], values[train], arguments.contamination)
    _print_held_out(labels[held_out], scores)
    say("2 of 2: training on all rows")
    model = _fit(values, labels, arguments)
    return _decisions(model, values, values, arguments.contamination)


def _fit(values, labels, arguments):
    import numpy as np
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

    common = {"random_state": arguments.random_state, "verbose": 0 if arguments.quiet else 1}
    if labels is None:
        detector = AutoencoderDetector(contamination=arguments.contamination, **common)
    else:
        detector = NeuralAnomalyClassifier(**common)
        labels = np.where(labels == 0, np.nan, labels)  # the coding that leaves no doubt
    # A column may be empty in the training part alone: it must keep its place.
    imputer = SimpleImputer(keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler(), detector).fit(values, labels)


def _decisions(model, values, training_values, contamination):
    """Return the classifier's decision function, at another threshold where one is asked for."""
    import numpy as np

    scores = model.decision_function(values)
    if contamination == "auto":
        return scores
    return scores - np.percentile(model.decision_function(training_values), 100 * contamination)


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
    return _Table(frame, name, known=np.where(target == 0, -1, 1))


# ---------------------------------------------------------------------- labels and features


def _position(table, name):
    """Return where the column of this name is."""
    names = list(table.frame.columns)
    if name in names:
        return names.index(name)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise CommandError(f"no column {name!r} in {table.name}; {hint}it has {_listed(names)}")


def _labels(table, label, arguments, say):
    """Return -1 for an anomaly, +1 for a normal row, 0 for an unlabelled one."""
    from skanomaly._labels import read_labels

    column = table.frame.iloc[:, label]
    where = f"column {arguments.label!r} of {table.name}"
    chosen = _chosen_label(column.dropna().unique(), arguments.anomaly_label, where)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            labels = read_labels(column, anomaly_label=chosen)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{where}: {error}") from error
    counts = {meaning: int((labels == meaning).sum()) for meaning in (-1, 1, 0)}
    _check_labels(counts, where)
    named = _listed(column[labels == -1].unique())
    say(
        f"labels in {arguments.label!r}: {_count(counts[-1], 'anomaly', 'anomalies')} ({named}), "
        f"{counts[1]} normal, {counts[0]} unlabelled"
    )
    if caught:
        say(f"note: {named} is the rarest label; --anomaly-label names another anomaly")
    return labels


def _chosen_label(values, wanted, where):
    """Return the value of the column that --anomaly-label, which is text, means."""
    if wanted is None:
        if len(values) > MOST_LABELS:
            raise CommandError(
                f"{where} holds {len(values)} different values ({_listed(values, 3)}): not a "
                "label; name another column, or the anomalies with --anomaly-label"
            )
        return "auto"
    for value in values:
        if str(value) in (wanted, f"{wanted}.0"):
            return value
    raise CommandError(f"{where} has no value {wanted!r}; it holds {_listed(values)}")


def _check_labels(counts, where):
    for meaning, name in ((-1, "anomalies"), (1, "normal rows")):
        if counts[meaning] < 2:
            raise CommandError(
                f"{where} must label at least 2 {name}, since one is held out, but it labels "
                f"{counts[meaning]}; label more rows, check --anomaly-label, or leave out --label"
            )


def _features(table, label, drop, say):
    """Return the columns to learn from, as floats, and the names of the text columns."""
    import pandas as pd

    reasons = _reasons_given(table, label, drop)
    columns, left_out, texts = {}, [], []
    for position, name in enumerate(table.frame.columns):
        column = table.frame.iloc[:, position]
        reason = reasons.get(position) or _why_unusable(column, table)
        if reason == "text" and column.nunique() > 1:
            texts.append(name)
        if not reason:
            columns[name] = _as_floats(column, table)
        elif position != label:
            left_out.append(f"{name!r} ({reason})")
    _leave_out_row_numbers(columns, left_out, table)
    if left_out:
        say(f"left out {_count(len(left_out), 'column')}: {_joined(left_out)}")
    if not columns:
        raise CommandError(_nothing_to_learn_from(table, left_out))
    for name, values in columns.items():
        _check_size(values, name, table)
        _hint_identifier(values, name, say)
    if table.sep is not None:
        for name in texts:
            _hint_marker(table.frame[name], name, say)
    return pd.DataFrame(columns, index=table.frame.index), texts


def _reasons_given(table, label, drop):
    """Return the positions of columns that are not to be learnt from, whatever they hold."""
    reasons = {}
    for name in _earlier_results(table.frame):
        reasons[_position(table, name)] = "an earlier result"
    for name in drop:
        reasons[_position(table, name)] = "--drop"
    if label is not None:
        reasons[label] = "the label"
    return reasons


def _earlier_results(frame):
    """Return the columns that an earlier run added; both, or it was not such a run."""
    return [name for name in RESULTS if set(RESULTS) <= set(frame.columns)]


def _why_unusable(column, table):
    """Return why nothing can be learnt from this column, or an empty string."""
    kind = _kind(column)
    if kind == "empty":
        return "no values"
    if kind not in ("number", "text"):
        return kind
    if kind == "text" and not _written_as_numbers(column, table):
        return "text"
    if column.nunique() == 1:
        return f"nothing but {_shown(column.dropna().iloc[0])}"
    return ""


def _kind(column):
    import pandas as pd

    if column.isna().all():
        return "empty"
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("integer", "floating", "boolean", "decimal", "mixed-integer-float"):
        return "number"
    return "text" if kind in ("string", "mixed-integer", "mixed") else kind


def _as_floats(column, table):
    if _kind(column) == "text":
        column = _without_marks(column, table.decimal)
    return column.astype("Float64").to_numpy("float64", na_value=float("nan"))


def _leave_out_row_numbers(columns, left_out, table):
    """Leave out a first column that only counts the rows, as a saved index does."""
    first = table.frame.columns[0]
    values = columns.get(first, [])
    if len(columns) > 1 and len(values) >= 10 and (values[1:] - values[:-1] == 1).all():
        del columns[first]
        left_out.append(f"{first!r} (numbers the rows)")


def _nothing_to_learn_from(table, left_out):
    parts = [f"no numeric column to learn from in {table.name}"]
    if left_out:
        parts.append(f"left out: {_joined(left_out)}")
    if table.sep is not None:
        parts.append(f"columns are separated at {table.sep!r}, which --sep can change")
    return "; ".join(parts)


def _check_size(values, name, table):
    for row in (abs(values) > LARGEST).nonzero()[0][:1]:
        raise CommandError(
            f"column {name!r} of {table.name} holds {values[row]:g} in row {row + 1}; expected "
            f"numbers up to {LARGEST:g}: mend the file, or leave the column out with --drop"
        )


def _hint_identifier(values, name, say):
    whole = len(values) >= 10 and (values % 1 == 0).all()
    if whole and name.lower().endswith("id") and len(set(values)) == len(values):
        say(f"note: {name!r} looks like an identifier; --drop {shlex.quote(name)} leaves it out")


def _hint_marker(column, name, say):
    """Point at a column that would be numeric but for one text, such as '?'."""
    import pandas as pd

    texts = column.dropna().astype(str)
    others = texts[pd.to_numeric(texts, errors="coerce").isna()].unique()
    if len(others) == 1 and (texts != others[0]).any():
        marker = shlex.quote(others[0])
        say(f"note: {name!r} holds numbers and {marker}; --missing={marker} reads that as missing")


# ------------------------------------------------------------------------------- printing


def _print_held_out(labels, scores):
    """Print how well the scores of rows the model has not seen tell the anomalies."""
    anomalies = int((labels == -1).sum())
    print(
        f"Held-out part: {_count(len(labels), 'row')} the model did not see, with "
        f"{_count(anomalies, 'anomaly', 'anomalies')}"
    )
    _print_figures(labels, scores)
    if anomalies < FEW_ANOMALIES:
        print("  With so few held-out anomalies these figures are rough.")
    print(flush=True)


def _print_figures(labels, scores):
    from sklearn import metrics

    truth, flagged = labels == -1, scores < 0
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, flagged, average="binary", zero_division=0
    )
    print(f"  ROC AUC            {metrics.roc_auc_score(truth, -scores):.3f}")
    print(f"  average precision  {metrics.average_precision_score(truth, -scores):.3f}")
    print(f"  precision          {precision:.3f}  (of the flagged rows, how many are anomalies)")
    print(f"  recall             {recall:.3f}  (of the anomalies, how many are flagged)")
    print(f"  F1                 {f1:.3f}")


def _report(table, features, texts, labels, scores, arguments):
    import numpy as np

    flagged = int((scores < 0).sum())
    share = flagged / len(scores)
    print(f"Flagged as anomalies: {flagged} of {_count(len(scores), 'row')} ({share:.1%})")
    rows, whose = np.arange(len(scores)), ""
    if labels is not None and (labels == 0).any():
        rows, whose = np.flatnonzero(labels == 0), "unlabelled "
    rows = rows[np.argsort(scores[rows], kind="stable")][: arguments.top]
    if len(rows):
        names = ([] if labels is None or whose else [arguments.label]) + texts[:2]
        print(f"\nThe most anomalous {whose}rows (row 1 is the first one of data):")
        _print_rows(table.frame[names], features, scores, rows)
    if table.known is not None and labels is None:
        print("\nMeasured against the diagnosis, which the detector did not see:")
        _print_figures(table.known, scores)


def _print_rows(told, features, scores, rows):
    """Print a line per row: score, texts that tell which row it is, its extreme values."""
    lines = [["row", "score", "anomaly", *map(_shortened, told.columns)]]
    for row in rows:
        flag = "yes" if scores[row] < 0 else "no"
        texts = [_shortened(text) for text in told.iloc[row]]
        lines.append([str(row + 1), f"{scores[row]:.4g}", flag, *texts])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = [">", ">"] + ["<"] * (len(widths) - 2)
    last = ["extreme values (standard deviations from the mean)", *_extremes(features, rows)]
    for line, values in zip(lines, last, strict=True):
        cells = [
            f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True)
        ]
        print(_fitted("  ".join(["", *cells, values])))


def _extremes(features, rows, at_most=3):
    """Describe, for each row, the values farthest from their column's mean."""
    import numpy as np

    values = features.iloc[rows]
    deviations = (values - features.mean()) / features.std(ddof=0)
    lines = []
    for row, away in zip(values.to_numpy(), deviations.to_numpy(), strict=True):
        order = np.argsort(-np.abs(away), kind="stable")[:at_most]  # missing values come last
        known = [i for i in order if not np.isnan(away[i])]
        names = [_shortened(features.columns[i]) for i in known]
        told = zip(names, known, strict=True)
        lines.append(", ".join(f"{name}={row[i]:.4g} ({away[i]:+.1f})" for name, i in told))
    return lines


def _fitted(line):
    """Cut a line at the width of the terminal, where there is one."""
    if sys.stdout is None or not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else line[: width - 3] + "..."


def _shortened(value, at_most=24):
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return text if len(text) <= at_most else text[: at_most - 3] + "..."


def _shown(value):
    return repr(value) if isinstance(value, str) else str(value)


def _listed(values, at_most=10):
    return _joined([_shown(value) for value in values], at_most)


def _joined(parts, at_most=10):
    rest = len(parts) - at_most
    return ", ".join(parts[:at_most]) + (f" and {rest} more" if rest > 0 else "")


def _count(number, one, many=None):
    return f"{number} {one if number == 1 else many or one + 's'}"


def _one_line(message):
    return " ".join(str(message).split())


def _reason(error):
    return getattr(error, "strerror", None) or str(error)


# -------------------------------------------------------------------------------- reading


def _read(arguments, say):
    """Read the file into a table; whatever is wrong with it becomes a CommandError."""
    path = arguments.file
    data = _bytes(path)
    if data.startswith(b"PAR1") or path.lower().endswith(".parquet"):
        table = _Table(_read_parquet(data, path), path)
    else:
        table = _read_csv(data, arguments, say)
    rows = len(table.frame)
    if rows < 2:
        raise CommandError(
            f"{path} has {_count(rows, 'row')} of data below its header; expected 2 or more"
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
        raise CommandError(f"cannot read {path}: {_reason(error)}") from error
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
        raise CommandError(f"{path} has several columns named {_listed(twice)}; rename them")
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
    encoding = arguments.encoding or _marked_encoding(data)
    records = _first_records(data, encoding, path, arguments.sep)
    sep = arguments.sep or _find_separator(records)
    names = next(iter(records[sep]), [])
    header = arguments.header
    if header is None:
        header = not _is_data(names)
        if not header:
            say("note: the first line holds numbers, so it is read as data; --header if not")
    frame = _parse_csv(data, sep, encoding, header, arguments)
    if header:
        _tell_repeated_names(names, say)
    table = _Table(frame, path, sep)
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
            f"{path} is malformed: {problem} (columns are separated at {sep!r})"
        ) from error
    if not header:
        frame.columns = [f"column_{number + 1}" for number in range(frame.shape[1])]
    return frame


def _marked_encoding(data):
    """Return the encoding that the first bytes give away, as Excel's "Unicode text" does."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if marked else "utf-8"


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
            f"note: several columns are named {_listed(repeated)}; "
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
    """Return the decimal mark that reads more of the text columns as numbers."""
    texts = [name for name in table.frame if _kind(table.frame[name]) == "text"]
    read = {}
    for mark in (",", ".") if table.sep == ";" else (".", ","):
        candidate = dataclasses.replace(table, decimal=mark)
        read[mark] = sum(_written_as_numbers(table.frame[name], candidate) for name in texts)
    return max(read, key=read.get) if any(read.values()) else "."


def _written_as_numbers(column, table):
    """Tell whether all texts of a CSV column are numbers such as 1.234,5 or 1,234.5."""
    if table.sep is None:
        return False
    texts = column.dropna().astype(str)
    written = re.compile(WRITTEN[table.decimal]).fullmatch
    # In Python, since most text columns are told by their first row.
    read = all(written(text.strip()) for text in texts)
    return read and bool(texts.str.contains("[.,]").any())  # or it may be a telephone number


def _without_marks(column, decimal):
    """Turn such texts into what every parser reads."""
    thousands = r"[.\s']" if decimal == "," else r"[,\s']"
    texts = column.astype("string").str.replace(thousands, "", regex=True)
    return texts.str.replace(decimal, ".", regex=False)


# -------------------------------------------------------------------------------- writing


def _check_out(path, source):
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
        raise CommandError(f"--out: cannot write in {target.parent}: {_reason(error)}") from error


def _write(table, scores, path, label):
    """Write the table with its scores; the file holds the old content or all of the new."""
    frame = table.frame.drop(columns=set(_earlier_results(table.frame)) - {label})
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
        raise CommandError(f"cannot write {path}: {_reason(error)}; it is unchanged") from error
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
