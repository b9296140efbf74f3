"""The text that sums up a detector's decisions.

Owns the choice of figures and their layout; the figures are those of ``metrics._labelled``.
"""

import numpy as np
from sklearn import metrics as _sk

from skanomaly.metrics._labelled import (
    average_precision_score,
    balanced_accuracy_score,
    known_predictions,
    matthews_corrcoef,
    precision_at_n_score,
    roc_auc_score,
)
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._validation import check_number


@documented
def anomaly_report(
    y_true, y_pred, scores=None, *, anomaly_label="auto", digits=3, output_dict=False
):
    """Summarise a detector's decisions, like scikit-learn's ``classification_report``.

    Parameters
    ----------
    %(y_true)s
    %(y_pred)s
    scores : array-like of shape (n_samples,), default=None
        ``score_samples``; adds the metrics that judge the order of the rows.
    %(anomaly_label)s
    digits : int, default=3
        Decimals in the text.
    output_dict : bool, default=False
        Return the figures instead of the text.

    Returns
    -------
    report : str or dict
        For "anomaly" and "normal": precision, recall, f1-score and support. Below them
        balanced accuracy, MCC and, with `scores`, ROC AUC, average precision and precision at n;
        then the share of anomalies and how many rows have no label.

    Raises
    ------
    ValueError
        As `f1_score` and `roc_auc_score`.

    Examples
    --------
    >>> from skanomaly.metrics import anomaly_report
    >>> y, y_pred, scores = [0, 0, 0, 1, None], [1, 1, -1, -1, 1], [4, 3, 1, 2, 5]
    >>> print(anomaly_report(y, y_pred, scores))
                  precision    recall  f1-score   support
         anomaly      0.500     1.000     0.667         1
          normal      1.000     0.667     0.800         3
    <BLANKLINE>
    balanced accuracy      0.833
    MCC                    0.577
    ROC AUC                0.667
    average precision      0.500
    precision at n         0.000
    share of anomalies     0.250
    <BLANKLINE>
    rows without a label, left out: 1
    """
    digits = int(check_number(digits, "digits", high=17, closed="both"))
    labels = read_labels(y_true, anomaly_label=anomaly_label)
    y_true = np.where(labels == 0, np.nan, labels)
    known, decided, _ = known_predictions(y_true, y_pred, "auto", None)
    names = {"labels": [-1, 1], "target_names": ["anomaly", "normal"], "zero_division": 0.0}
    classes = _sk.classification_report(known, decided, output_dict=True, **names)
    report = {name: classes[name] for name in ("anomaly", "normal")}
    report["balanced accuracy"] = balanced_accuracy_score(y_true, y_pred)
    report["MCC"] = matthews_corrcoef(y_true, y_pred)
    if scores is not None:
        report["ROC AUC"] = roc_auc_score(y_true, scores)
        report["average precision"] = average_precision_score(y_true, scores)
        report["precision at n"] = precision_at_n_score(y_true, scores)
    report["share of anomalies"] = float(np.mean(known == -1))
    report["rows without a label"] = int(np.sum(labels == 0))
    return report if output_dict else _report_text(report, digits)


def _report_text(report, digits):
    columns = ["precision", "recall", "f1-score", "support"]
    lines = [" " * 12 + "".join(f"{column:>10}" for column in columns).rstrip()]
    for name in ("anomaly", "normal"):
        figures = "".join(f"{report[name][column]:>10.{digits}f}" for column in columns[:3])
        lines.append(f"{name:>12}{figures}{report[name]['support']:>10.0f}")
    lines.append("")
    lines += [
        f"{name:<19}{value:>9.{digits}f}"
        for name, value in report.items()
        if isinstance(value, float)
    ]
    if report["rows without a label"]:
        lines += ["", f"rows without a label, left out: {report['rows without a label']}"]
    return "\n".join(lines)
