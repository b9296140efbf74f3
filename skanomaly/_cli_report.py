"""What the command line prints: held-out figures and the most anomalous rows."""

import shutil
import sys

from skanomaly._cli_files import count, shortened

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


def print_report(table, features, texts, labels, scores, arguments):
    import numpy as np

    flagged = int((scores < 0).sum())
    share = flagged / len(scores)
    print(f"Flagged as anomalies: {flagged} of {count(len(scores), 'row')} ({share:.1%})")
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
    lines = [["row", "score", "anomaly", *map(shortened, told.columns)]]
    for row in rows:
        flag = "yes" if scores[row] < 0 else "no"
        texts = [shortened(text) for text in told.iloc[row]]
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
        names = [shortened(features.columns[i]) for i in known]
        told = zip(names, known, strict=True)
        lines.append(", ".join(f"{name}={row[i]:.4g} ({away[i]:+.1f})" for name, i in told))
    return lines


def _fitted(line):
    """Cut a line at the width of the terminal, where there is one."""
    if sys.stdout is None or not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else line[: width - 3] + "..."
