"""What the command line prints: held-out figures and the most anomalous rows."""

import shutil
import sys

from skanomaly.cli._words import count, shortened

FEW_ANOMALIES = 10  # held-out figures on fewer anomalies than this come with a caution


def print_held_out(labels, scores, to=None):
    """Print how well the scores of rows the model has not seen tell the anomalies."""
    anomalies = int((labels == -1).sum())
    print(
        f"Held-out part: {count(len(labels), 'row')} the model did not see, with "
        f"{count(anomalies, 'anomaly', 'anomalies')}",
        file=to,
    )
    print_figures(labels, scores, to)
    if anomalies < FEW_ANOMALIES:
        print("  With so few held-out anomalies these figures are rough.", file=to)
    print(file=to)


def print_figures(labels, scores, to=None):
    """Print figures of scores and decisions (below 0 is an anomaly) against labels."""
    from sklearn import metrics

    truth, flagged = labels == -1, scores < 0
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, flagged, average="binary", zero_division=0
    )
    for line in (
        f"  ROC AUC            {metrics.roc_auc_score(truth, -scores):.3f}",
        f"  average precision  {metrics.average_precision_score(truth, -scores):.3f}",
        f"  precision          {precision:.3f}  (of the flagged rows, how many are anomalies)",
        f"  recall             {recall:.3f}  (of the anomalies, how many are flagged)",
        f"  F1                 {f1:.3f}",
    ):
        print(line, file=to)


def print_flagged(flagged, rows, to=None):
    """Print how many rows are called anomalies."""
    share = flagged / max(rows, 1)
    print(f"Flagged as anomalies: {flagged} of {count(rows, 'row')} ({share:.1%})", file=to)


def print_rows(numbers, scores, told, reasons, to=None, whose=""):
    """Print a line per row: number, score, what tells which row it is, and why.

    Parameters
    ----------
    numbers : list of int
        Which rows, counted from 1.
    scores : sequence of float
        Their decisions.
    told : dict of str to sequence
        Values that tell which row it is, by column.
    reasons : list of str
        Why each is strange.
    to : file, default=None
        Where to; None is standard output.
    whose : str, default=""
        What kind of rows these are.
    """
    if not numbers:
        return
    print(f"\nThe most anomalous {whose}rows (row 1 is the first one of data):", file=to)
    lines = [["row", "score", "anomaly", *map(shortened, told)]]
    for place, (number, score) in enumerate(zip(numbers, scores, strict=True)):
        cells = [_cell(values[place]) for values in told.values()]
        lines.append([str(number), f"{score:.4g}", "yes" if score < 0 else "no", *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = [">", ">"] + ["<"] * (len(widths) - 2)
    for line, reason in zip(lines, ["reason", *reasons], strict=True):
        cells = [
            f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True)
        ]
        print(_fitted("  ".join(["", *cells, reason]), to), file=to)


def _cell(value):
    import pandas as pd

    missing = pd.api.types.is_scalar(value) and pd.isna(value)
    return "" if missing else shortened(value)


def _fitted(line, to):
    """Cut a line at the width of the terminal, where there is one."""
    to = sys.stdout if to is None else to
    if to is None or not to.isatty():
        return line.rstrip()
    width = shutil.get_terminal_size().columns
    return line.rstrip() if len(line) <= width else line[: width - 3] + "..."
