"""Metrics of series, where an anomaly is a stretch of time and not a row.

Owns: which events were found and how soon, range-based precision and recall, and the volumes under
the surfaces, which the package dtaianomaly computes. Does not own: the meaning of labels
(``utils._labels``).
"""

import numpy as np
import pandas as pd

from skanomaly.metrics._labelled import check_predictions
from skanomaly.utils._docs import documented
from skanomaly.utils._intervals import intervals
from skanomaly.utils._labels import read_labels
from skanomaly.utils._validation import check_column, check_integer, check_number


@documented
def event_report(y_true, y_pred, *, anomaly_label="auto", merge=0):
    """List the true events with what was found of them.

    Parameters
    ----------
    y_true : array-like of shape (n_timestamps,)
        Labels in any coding, in the order of time; a stretch of anomalies is an event. Time
        stamps without a label count as normal.
    %(series_y_pred)s
    %(anomaly_label)s
    merge : int, default=0
        Predicted anomalies with at most this many normal time stamps between them are one.

    Returns
    -------
    report : DataFrame
        A line for each true event: ``start`` and ``end`` (places of its first and last time
        stamp), ``found`` (whether a predicted event touches it), ``covered`` (share of its time
        stamps that are predicted anomalies), ``delay`` (time stamps from its start to the first
        predicted anomaly in it, missing where there is none) and ``onset_error`` (time stamps from
        its start to the start of the nearest predicted event that touches it, negative when that
        begins before).

    Raises
    ------
    ValueError
        If lengths differ, `y_pred` holds other values than -1 and 1, or `merge` is no whole number
        of at least 0.

    Examples
    --------
    >>> from skanomaly.metrics import event_report
    >>> event_report([0, 0, 1, 1, 1, 0, 0, 1], [1, 1, 1, -1, -1, 1, 1, 1])
       start  end  found   covered  delay  onset_error
    0      2    4   True  0.666667    1.0          1.0
    1      7    7  False  0.000000    NaN          NaN
    """
    check_integer(merge, "merge", 0)
    true, predicted = _flags(y_true, y_pred, anomaly_label)
    guesses = intervals(predicted, merge=merge)
    lines = []
    for first, last in intervals(true):
        inside = np.flatnonzero(predicted[first : last + 1])
        touching = guesses[(guesses[:, 0] <= last) & (guesses[:, 1] >= first), 0] - first
        nearest = touching[np.abs(touching).argmin()] if len(touching) else np.nan
        lines.append(
            {
                "start": first,
                "end": last,
                "found": len(touching) > 0,
                "covered": len(inside) / (last - first + 1),
                "delay": float(inside[0]) if len(inside) else np.nan,
                "onset_error": float(nearest),
            }
        )
    columns = ["start", "end", "found", "covered", "delay", "onset_error"]
    return pd.DataFrame(lines, columns=columns)


@documented
def onset_delay(y_true, y_pred, *, anomaly_label="auto"):
    """Mean time from the start of an event to the first alarm in it, over the events found.

    %(series_labels_and_predictions)s

    Returns
    -------
    delay : float
        Time stamps; NaN where no event was found.

    Examples
    --------
    >>> from skanomaly.metrics import onset_delay
    >>> onset_delay([0, 0, 1, 1, 1, 0], [1, 1, 1, -1, -1, 1])
    1.0
    """
    delays = event_report(y_true, y_pred, anomaly_label=anomaly_label)["delay"].dropna()
    return float(delays.mean()) if len(delays) else float("nan")


@documented
def range_precision_score(y_true, y_pred, *, anomaly_label="auto"):
    """Share of predicted events that is true, the mean over predicted events.

    Range-based precision of Tatbul et al. [1]_ with flat bias: the covered share of an event,
    divided by the number of pieces that cover it.

    %(series_labels_and_predictions)s

    Returns
    -------
    value : float
        In [0, 1]; 0 where nothing is predicted.

    References
    ----------
    .. [1] N. Tatbul, T. J. Lee, S. Zdonik, M. Alam and J. Gottschlich, "Precision and Recall for
       Time Series", NeurIPS 2018.

    Examples
    --------
    >>> from skanomaly.metrics import range_precision_score
    >>> range_precision_score([0, 0, 1, 1, 1, 0], [1, -1, -1, 1, 1, 1])
    0.5
    """
    true, predicted = _flags(y_true, y_pred, anomaly_label)
    return _coverage(predicted, true, alpha=0.0)


@documented
def range_recall_score(y_true, y_pred, *, alpha=0.0, anomaly_label="auto"):
    """Share of true events that is found, the mean over true events.

    Range-based recall of Tatbul et al. (2018) with flat bias, see `range_precision_score`.

    Parameters
    ----------
    %(series_y_true)s
    %(series_y_pred)s
    alpha : float in [0, 1], default=0.0
        Weight of having found anything of an event at all.
    %(anomaly_label)s

    %(in_unit_interval)s

    Raises
    ------
    ValueError
        If `y_true` has no anomaly.

    Examples
    --------
    >>> from skanomaly.metrics import range_recall_score
    >>> y_true, y_pred = [0, 0, 1, 1, 1, 1], [1, -1, -1, 1, 1, 1]
    >>> range_recall_score(y_true, y_pred), range_recall_score(y_true, y_pred, alpha=1.0)
    (0.25, 1.0)
    """
    true, predicted = _flags(y_true, y_pred, anomaly_label)
    if not true.any():
        raise ValueError("y_true has no anomaly: range_recall_score needs at least one event.")
    alpha = check_number(alpha, "alpha", high=1, closed="both")
    return _coverage(true, predicted, alpha=alpha)


@documented
def range_f1_score(y_true, y_pred, *, anomaly_label="auto"):
    """Harmonic mean of `range_precision_score` and `range_recall_score`.

    %(series_labels_and_predictions)s

    %(in_unit_interval)s

    Raises
    ------
    ValueError
        As `range_recall_score`.

    Examples
    --------
    >>> from skanomaly.metrics import range_f1_score
    >>> range_f1_score([0, 0, 1, 1], [1, 1, -1, -1])
    1.0
    """
    precision = range_precision_score(y_true, y_pred, anomaly_label=anomaly_label)
    recall = range_recall_score(y_true, y_pred, anomaly_label=anomaly_label)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@documented
def vus_pr_score(y_true, scores, *, max_buffer=100, anomaly_label="auto"):
    """Volume under the precision-recall surface, which forgives small shifts in time [1]_.

    Needs the package dtaianomaly: ``pip install 'skanomaly[series]'``.

    %(volume)s

    References
    ----------
    .. [1] J. Paparrizos, P. Boniol, T. Palpanas, R. S. Tsay, A. Elmore and M. J. Franklin, "Volume
       Under the Surface: A New Accuracy Evaluation Measure for Time-Series Anomaly Detection",
       PVLDB 2022.
    """
    return _volume("VolumeUnderPR", y_true, scores, max_buffer, anomaly_label)


@documented
def vus_roc_score(y_true, scores, *, max_buffer=100, anomaly_label="auto"):
    """Volume under the ROC surface, see `vus_pr_score`.

    %(volume)s
    """
    return _volume("VolumeUnderROC", y_true, scores, max_buffer, anomaly_label)


def _volume(name, y_true, scores, max_buffer, anomaly_label):
    scores = check_column(scores, "scores")
    true = read_labels(y_true, anomaly_label=anomaly_label, n_samples=len(scores)) == -1
    try:
        from dtaianomaly import evaluation
    except ImportError as error:
        raise ImportError(
            "vus_pr_score and vus_roc_score need dtaianomaly. Install it with: "
            "pip install 'skanomaly[series]'"
        ) from error
    max_buffer = int(check_number(max_buffer, "max_buffer", high=1e9, closed="left"))
    metric = getattr(evaluation, name)(max_buffer_size=max_buffer)
    return float(metric.compute(true.astype(int), -scores))


def _flags(y_true, y_pred, anomaly_label):
    """Return which time stamps are anomalies, and which are said to be."""
    y_pred = check_predictions(y_pred)
    labels = read_labels(y_true, anomaly_label=anomaly_label, n_samples=len(y_pred))
    return labels == -1, y_pred == -1


def _coverage(events, cover, alpha):
    """Return the mean over events of how much of them is covered, and in how few pieces."""
    values = []
    for first, last in intervals(events):
        pieces = intervals(cover[first : last + 1])
        share = np.mean(cover[first : last + 1]) / max(1, len(pieces))
        values.append(alpha * (len(pieces) > 0) + (1 - alpha) * share)
    return float(np.mean(values)) if values else 0.0
