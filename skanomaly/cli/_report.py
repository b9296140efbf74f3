"""What the command line prints: held-out figures and the most anomalous rows."""

import shutil
import sys

from skanomaly.cli._files import count, percent, shortened
from skanomaly.cli._texts import kind_of

FEW_ANOMALIES = 10  # held-out figures on fewer anomalies than this come with a caution


def print_held_out(labels, scores):
    """Print how well the scores of rows the model has not seen tell the anomalies."""
    anomalies = int((labels == -1).sum())
    print(
        f"Held-out part: {count(len(labels), 'row')} the model did not see, with "
        f"{count(anomalies, 'anomaly', 'anomalies')}"
    )
    _print_figures(labels, scores)
    if anomalies < FEW_ANOMALIES:
        print("  With so few held-out anomalies these figures are rough.")
    print()


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


def print_report(table, features, labels, scores, arguments):
    import numpy as np

    flagged = int((scores < 0).sum())
    share = flagged / len(scores)
    print(f"Flagged as anomalies: {flagged} of {count(len(scores), 'row')} ({share:.1%})")
    rows, whose = np.arange(len(scores)), ""
    if labels is not None and (labels == 0).any():
        rows, whose = np.flatnonzero(labels == 0), "unlabelled "
    rows = rows[np.argsort(scores[rows], kind="stable")][: arguments.top]
    if len(rows):
        names = ([] if labels is None or whose else [arguments.label]) + features.tells[:2]
        print(f"\nThe most anomalous {whose}rows (row 1 is the first one of data):")
        _print_rows(table.frame, names, features, scores, rows)
    if table.known is not None and labels is None:
        print("\nMeasured against the diagnosis, which the detector did not see:")
        _print_figures(table.known, scores)


def _print_rows(frame, names, features, scores, rows):
    """Print a line per row: score, values that tell which row it is, its extreme values."""
    lines = [["row", "score", "anomaly", *map(shortened, names)]]
    for row in rows:
        flag = "yes" if scores[row] < 0 else "no"
        told = [_cell(frame[name].iloc[row]) for name in names]
        lines.append([str(row + 1), f"{scores[row]:.4g}", flag, *told])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = [">", ">"] + ["<"] * (len(widths) - 2)
    last = [_heading(features.frame), *_extremes(frame, features, rows)]
    for line, values in zip(lines, last, strict=True):
        cells = [
            f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True)
        ]
        print(_fitted("  ".join(["", *cells, values])))


def _cell(value):
    import pandas as pd

    return "" if pd.isna(value) else shortened(value)


def _heading(frame):
    measures = ["standard deviations from the mean", "share of rows"]
    held = [any(_is_category(frame[name]) == kind for name in frame) for kind in (False, True)]
    told = [measure for measure, is_held in zip(measures, held, strict=True) if is_held]
    return f"extreme values ({' or '.join(told)})"


def _is_category(column):
    return column.dtype.kind == "O"


def _extremes(frame, features, rows, at_most=3):
    """Describe, for each row, the values farthest from their column's mean, or rarest.

    Besides the first they are those that a third of the rows exceeds at most.
    """
    import numpy as np

    told = [_extremes_of(features.frame[name], rows) for name in features.frame]
    away = np.array([distances for distances, _ in told]).T  # 0 where the value is missing
    lines = []
    for place, row in enumerate(rows):
        order = np.argsort(-away[place], kind="stable")[:at_most]
        far = [j for j in order if away[place, j] > (0 if j == order[0] else 1)]
        shown = [_shown_value(frame, features, j, row) for j in far]
        cells = zip(shown, far, strict=True)
        lines.append(", ".join(f"{value} ({told[j][1][place]})" for value, j in cells))
    return lines


def _extremes_of(column, rows):
    """Return how far out the rows' values are, in standard deviations, and how to say that.

    A value that a share p of the rows has is as far out as the number that a share p of
    normally distributed ones exceeds, on either side.
    """
    import numpy as np
    from scipy.stats import norm

    if _is_category(column):
        shares = column.value_counts(normalize=True)
        shares = column.iloc[rows].astype(object).map(shares).fillna(1.0).to_numpy(float)
        return norm.isf(shares / 2), [percent(share) for share in shares]
    away = ((column.iloc[rows] - column.mean()) / column.std(ddof=0)).to_numpy()
    return np.nan_to_num(np.abs(away)), [f"{value:+.1f}" for value in away]


def _shown_value(frame, features, place, row):
    """Return a value with its name: as the file has it, but numbers in four digits."""
    name, source = features.frame.columns[place], features.sources[place]
    value = features.frame.iat[row, place]
    if name == source and (isinstance(value, str) or kind_of(frame[source]) != "number"):
        value = frame[source].iloc[row]
    return f"{shortened(name)}={f'{value:.4g}' if isinstance(value, float) else shortened(value)}"


def _fitted(line):
    """Cut a line at the width of the terminal, where there is one."""
    if sys.stdout is None or not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else line[: width - 3] + "..."
