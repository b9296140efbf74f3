"""``skanomaly detect``: fit a detector to a table and say which of its rows are strange."""

import sys

from skanomaly.cli._columns import features_of, labels_of, position_of
from skanomaly.cli._files import Table, read_table
from skanomaly.cli._outputs import check_out, same_file
from skanomaly.cli._reasons import explain_rows, reasons
from skanomaly.cli._report import print_figures, print_flagged, print_held_out, print_rows
from skanomaly.cli._saying import sayer
from skanomaly.cli._training import check_choices, fit_and_score
from skanomaly.cli._words import CommandError, count
from skanomaly.cli._writing import write_table

REPORT_SUFFIXES = {".html": None, ".htm": None}


def detect(arguments):
    """Run the command."""
    say = sayer(arguments)
    check_choices(arguments)
    check_outputs(arguments)
    table, features, labels = prepare(arguments, say)
    detector, scores, held_out = fit_and_score(features.frame, labels, arguments, say)
    shown = _most_anomalous(scores, labels, arguments.top)
    whys = _reasons(detector, table, features, scores, shown, arguments)
    if arguments.out is not None:
        # Before the report: whoever reads that may close the pipe early.
        write_table(
            table,
            _results(scores, whys),
            arguments.out,
            arguments.label,
            arguments.format,
            arguments.escape_formulas,
        )
    if arguments.report is not None:
        from skanomaly.cli._html import write_report

        write_report(detector, table, features, labels, scores, held_out, arguments)
    to = sys.stderr if arguments.out == "-" else None
    if held_out is not None:
        print_held_out(*held_out, to)
    print_flagged(int((scores < 0).sum()), len(scores), to)
    _print_shown(table, features, labels, scores, shown, whys, arguments, to)
    if table.known is not None and labels is None:
        print("\nMeasured against the diagnosis, which the detector did not see:", file=to)
        print_figures(table.known, scores, to)
    for path in (arguments.out, arguments.report):
        if path not in (None, "-"):
            say(f"wrote {count(len(scores), 'row')} to {path}" if path == arguments.out
                else f"wrote a report to {path}")  # fmt: skip


def check_outputs(arguments):
    """Refuse outputs that cannot be written, before the time for training is spent."""
    if arguments.format is not None and arguments.out is None:
        arguments.out = "-"
    if arguments.out is not None:
        check_out(arguments.out, arguments.file, arguments.format)
    if getattr(arguments, "report", None) is not None:
        from skanomaly.cli._html import require_report

        require_report()
        check_out(arguments.report, arguments.file, option="--report", suffixes=REPORT_SUFFIXES)
        if arguments.out is not None and same_file(arguments.out, arguments.report):
            raise CommandError(
                f"--out and --report are the same file ({arguments.out}); name another one"
            )


def prepare(arguments, say):
    """Return the table, its features, and its labels."""
    notes = []  # told once nothing stands in the way: an error comes alone
    if not arguments.file:
        table = _demo(arguments.label is not None)
    else:
        table = read_table(arguments, notes.append)
    label = None if arguments.label is None else position_of(table, arguments.label)
    labels = None if label is None else labels_of(table, label, arguments, notes.append)
    features = features_of(table, label, arguments, notes.append)
    for note in notes:
        say(note)
    return table, features, labels


def _most_anomalous(scores, labels, top):
    """Return the rows to show: of partly labelled ones, those without a label."""
    import numpy as np

    rows = np.arange(len(scores))
    if labels is not None and (labels == 0).any():
        rows = np.flatnonzero(labels == 0)
    return rows[np.argsort(scores[rows], kind="stable")][:top]


def _reasons(detector, table, features, scores, shown, arguments):
    """Return why rows are strange, by row: those shown, and flagged ones that are written."""
    import numpy as np

    rows = shown
    if arguments.out is not None or arguments.report is not None:
        flagged = np.argsort(scores, kind="stable")[: arguments.reasons]
        rows = np.union1d(shown, flagged[scores[flagged] < 0])
    if len(rows) == 0:
        return {}
    explanation = explain_rows(detector, features.frame, rows)
    texts = reasons(explanation, table.frame, features.plans, rows)
    return dict(zip(rows.tolist(), texts, strict=True))


def _results(scores, whys):
    """Return the columns to add to the table."""
    import numpy as np

    rank = np.empty(len(scores), dtype=np.int64)
    rank[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
    texts = [whys.get(row, "") if score < 0 else "" for row, score in enumerate(scores)]
    return {"score": scores, "is_anomaly": scores < 0, "rank": rank, "reason": texts}


def _print_shown(table, features, labels, scores, shown, whys, arguments, to):
    partly = labels is not None and bool((labels == 0).any())
    names = ([] if labels is None or partly else [arguments.label]) + features.tells[:2]
    told = {name: table.frame[name].iloc[shown].to_list() for name in names}
    print_rows(
        [int(row) + 1 for row in shown],
        scores[shown],
        told,
        [whys[row] for row in shown.tolist()],
        to,
        "unlabelled " if partly else "",
    )


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
