"""Metrics of the anomaly class, with labels in any coding.

Owns: which rows a metric looks at, and the metrics of scores and of predictions. Does not own:
the meaning of labels (``utils._labels``), nor scorers (``metrics._scorer``).
"""

import numpy as np
from sklearn import metrics as _sk

from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._validation import check_column, check_weight


@documented
def roc_auc_score(y_true, scores, *, anomaly_label="auto", sample_weight=None):
    """Area under the ROC curve: the chance that an anomaly scores below a normal row.

    %(labels_and_scores)s

    Returns
    -------
    value : float
        In [0, 1]: 1 is perfect, 0.5 is chance.

    Raises
    ------
    %(unreadable_scores)s

    Examples
    --------
    >>> from skanomaly.metrics import roc_auc_score
    >>> roc_auc_score([0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1])
    1.0
    """
    labels, scores, weight = known_scores(y_true, scores, anomaly_label, sample_weight)
    return float(_sk.roc_auc_score(labels == -1, -scores, sample_weight=weight))


@documented
def average_precision_score(y_true, scores, *, anomaly_label="auto", sample_weight=None):
    """Average precision: the precision at each anomaly found, averaged from the top down.

    %(labels_and_scores)s

    Returns
    -------
    value : float
        In (0, 1]: 1 is perfect, chance is the share of anomalies.

    Raises
    ------
    ValueError
        As `roc_auc_score`.

    Examples
    --------
    >>> from skanomaly.metrics import average_precision_score
    >>> average_precision_score(["ok", "ok", "bad", "ok"], [4, 3, 2, 1], anomaly_label="bad")
    0.5
    """
    labels, scores, weight = known_scores(y_true, scores, anomaly_label, sample_weight)
    return float(_sk.average_precision_score(labels == -1, -scores, sample_weight=weight))


@documented
def precision_at_n_score(y_true, scores, *, n=None, anomaly_label="auto"):
    """Share of anomalies among the n most anomalous rows.

    Parameters
    ----------
    %(y_true)s
    %(scores)s
    n : int, default=None
        How many rows to look at. None looks at as many as there are labelled anomalies, where
        precision equals recall.
    %(anomaly_label)s

    Returns
    -------
    value : float
        In [0, 1]. Where scores are tied at the n-th place, the value expected if the tie
        were broken at random, so that the order of the rows does not matter.

    Raises
    ------
    ValueError
        As `roc_auc_score`, and if `n` is not between 1 and the number of labelled rows.

    Examples
    --------
    >>> from skanomaly.metrics import precision_at_n_score
    >>> precision_at_n_score([1, 0, 1, 0, 0], [0.1, 0.2, 0.3, 0.8, 0.9], n=2)
    0.5
    """
    labels, scores, _ = known_scores(y_true, scores, anomaly_label, None)
    n = int(np.sum(labels == -1)) if n is None else n
    if not (isinstance(n, (int, np.integer)) and 1 <= n <= len(labels)):
        raise ValueError(
            f"n must be an integer from 1 to {len(labels)}, the number of labelled rows, "
            f"got {n!r}."
        )
    last = np.partition(scores, n - 1)[n - 1]
    surely, tied = scores < last, scores == last
    from_the_tie = np.mean(labels[tied] == -1) * (n - surely.sum())
    return float((np.sum(labels[surely] == -1) + from_the_tie) / n)


@documented
def f1_score(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """F1 of the anomaly class: the harmonic mean of its precision and recall.

    %(labels_and_predictions)s

    Returns
    -------
    value : float
        In [0, 1]; 0 if no anomaly was found.

    Raises
    ------
    ValueError
        If lengths differ, predictions are not -1/+1, or only one class is labelled.

    Examples
    --------
    >>> from skanomaly.metrics import f1_score
    >>> f1_score([0, 0, 1, 1], [1, -1, -1, -1])
    0.8
    """
    return _of_predictions(_sk.f1_score, y_true, y_pred, anomaly_label, sample_weight)


@documented
def precision_score(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """Precision of the anomaly class: how many of the alarms are anomalies.

    %(labels_and_predictions)s

    Returns
    -------
    value : float
        In [0, 1]; 0 if there was no alarm.

    Raises
    ------
    %(as_f1_score)s

    Examples
    --------
    >>> from skanomaly.metrics import precision_score
    >>> precision_score([0, 0, 0, 1], [1, 1, -1, -1])
    0.5
    """
    return _of_predictions(_sk.precision_score, y_true, y_pred, anomaly_label, sample_weight)


@documented
def recall_score(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """Recall of the anomaly class: how many of the anomalies were found.

    %(labels_and_predictions)s

    %(in_unit_interval)s

    Raises
    ------
    %(as_f1_score)s

    Examples
    --------
    >>> from skanomaly.metrics import recall_score
    >>> recall_score([0, 0, 1, 1], [1, 1, 1, -1])
    0.5
    """
    return _of_predictions(_sk.recall_score, y_true, y_pred, anomaly_label, sample_weight)


@documented
def balanced_accuracy_score(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """Mean of the shares of anomalies found and of normal rows left alone.

    %(labels_and_predictions)s

    Returns
    -------
    value : float
        In [0, 1]: 0.5 is chance, whatever the share of anomalies.

    Raises
    ------
    %(as_f1_score)s

    Examples
    --------
    >>> from skanomaly.metrics import balanced_accuracy_score
    >>> balanced_accuracy_score([0, 0, 0, 0, 1], [1, 1, 1, -1, -1])
    0.875
    """
    labels, y_pred, weight = known_predictions(y_true, y_pred, anomaly_label, sample_weight)
    return float(_sk.balanced_accuracy_score(labels, y_pred, sample_weight=weight))


@documented
def matthews_corrcoef(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """Correlation of labels and predictions: the Matthews correlation coefficient.

    %(labels_and_predictions)s

    Returns
    -------
    value : float
        In [-1, 1]: 1 is perfect, 0 is chance (also if all predictions are the same).

    Raises
    ------
    %(as_f1_score)s

    Examples
    --------
    >>> from skanomaly.metrics import matthews_corrcoef
    >>> matthews_corrcoef([True, False, False], [-1, 1, 1])
    1.0
    """
    labels, y_pred, weight = known_predictions(y_true, y_pred, anomaly_label, sample_weight)
    return float(_sk.matthews_corrcoef(labels, y_pred, sample_weight=weight))


def _of_predictions(function, y_true, y_pred, anomaly_label, sample_weight):
    labels, y_pred, weight = known_predictions(y_true, y_pred, anomaly_label, sample_weight)
    options = {"pos_label": -1, "zero_division": 0.0, "sample_weight": weight}
    return float(function(labels, y_pred, **options))


def known_scores(y_true, scores, anomaly_label, sample_weight):
    """Return labels (-1, 1), scores and weights of the rows that have a label."""
    scores = check_column(scores, "scores")
    return _known_rows(y_true, scores, anomaly_label, sample_weight)


def known_predictions(y_true, y_pred, anomaly_label, sample_weight):
    """Return labels, predictions and weights of the rows that have a label."""
    return _known_rows(y_true, check_predictions(y_pred), anomaly_label, sample_weight)


def check_predictions(y_pred):
    """Return what `predict` of an outlier detector answers, -1 and +1; refuse other codings."""
    codes = check_column(y_pred, "y_pred")
    boolean = np.asarray(y_pred).dtype.kind == "b"  # True would pass for 1, which is normal
    if boolean or not np.isin(codes, (-1, 1)).all():
        raise ValueError(
            "y_pred must hold -1 (anomaly) and +1 (normal) as predict of an outlier detector "
            f"answers, got {'booleans' if boolean else f'the values {np.unique(codes)[:6]}'}. "
            "Pass scores only to metrics of scores, and recode predictions in other codings."
        )
    return codes


def _known_rows(y_true, answer, anomaly_label, sample_weight):
    """Read the labels and drop the rows that have none."""
    labels = read_labels(y_true, anomaly_label=anomaly_label)
    if len(answer) != len(labels):
        raise ValueError(
            "y_true and the detector's answers must have the same length, got "
            f"{len(labels)} labels and {len(answer)} values."
        )
    weight = check_weight(sample_weight, len(labels))
    counted = labels if weight is None else labels[weight > 0]
    n_anomalies, n_normal = np.sum(counted == -1), np.sum(counted == 1)
    if n_anomalies == 0 or n_normal == 0:
        raise ValueError(
            "y_true must hold at least one anomaly and one normal row, got "
            f"{n_anomalies} anomalies and {n_normal} normal rows. In cross-validation use "
            "skanomaly.model_selection.StratifiedAnomalyKFold; if the coding of y was not "
            "understood, pass anomaly_label."
        )
    known = labels != 0
    return labels[known], answer[known], None if weight is None else weight[known]
