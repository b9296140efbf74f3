"""Rules that turn scores and labels into a threshold.

Owns: the best F1, a least precision or recall, the lowest cost, and what detectors that learn from
labels set themselves. Does not own: rules without labels (``thresholds._unlabelled``), or the
reading of labels (``utils._labels``).

A function called ``*_threshold`` is public: it checks scores and reads labels. One called
``*_offset`` is for the package alone and takes both as they are: finite scores, labels -1 and 1.
"""

import numpy as np

from skanomaly.thresholds._validation import check_scores
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._validation import LARGEST, check_number


@documented
def f1_threshold(scores, y, *, anomaly_label="auto"):
    """Return the threshold with the best F1 of the anomaly class.

    Parameters
    ----------
    %(labelled_scores)s
    %(anomaly_label)s

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies. Of several equally good ones the lowest.

    Raises
    ------
    ValueError
        If a class is absent, or all scores are equal or some are not finite.

    Examples
    --------
    >>> from skanomaly.thresholds import f1_threshold
    >>> f1_threshold([0.0, 1.0, 2.0, 3.0], [1, 1, 0, 0])
    1.5
    """
    return best_f1_offset(*_labelled(scores, y, anomaly_label))


def best_f1_offset(scores, labels):
    """Compute `f1_threshold`.

    Where scores carry no information this may call every row an anomaly: that is where F1 has its
    maximum then.
    """
    offsets, found, false_alarms = _cuts(scores, labels)
    # F1 = 2 TP / (2 TP + FP + FN), whose denominator is flagged rows + anomalies: never 0.
    return float(offsets[np.argmax(2 * found / (found + false_alarms + found[-1]))])


@documented
def precision_threshold(scores, y, precision, *, anomaly_label="auto"):
    """Return the threshold that finds most anomalies with at least a given precision.

    Parameters
    ----------
    %(labelled_scores)s
    precision : float in (0, 1]
        Smallest acceptable share of anomalies among the rows below the threshold.
    %(anomaly_label)s

    %(threshold)s

    Raises
    ------
    ValueError
        If no threshold reaches `precision`, a class is absent, or all scores are equal.

    Examples
    --------
    >>> from skanomaly.thresholds import precision_threshold
    >>> precision_threshold([0.0, 1.0, 2.0, 3.0], [1, 0, 1, 0], precision=0.6)
    2.5
    """
    check_number(precision, "precision", high=1, closed="right")
    offsets, found, false_alarms = _cuts(*_labelled(scores, y, anomaly_label))
    reached = found / np.maximum(found + false_alarms, 1)
    if not (reached >= precision).any():
        raise ValueError(
            f"precision={precision} cannot be reached: the best any offset gives is "
            f"{reached.max():.3g}. Ask for less, or use a rule without labels."
        )
    return float(offsets[np.argmax(np.where(reached >= precision, found, -1))])


@documented
def recall_threshold(scores, y, recall, *, anomaly_label="auto"):
    """Return the threshold that has the fewest false alarms with at least a given recall.

    Parameters
    ----------
    %(labelled_scores)s
    recall : float in (0, 1]
        Smallest acceptable share of the anomalies that lie below the threshold.
    %(anomaly_label)s

    %(threshold)s

    Raises
    ------
    ValueError
        If a class is absent, or all scores are equal or some are not finite.

    Examples
    --------
    >>> from skanomaly.thresholds import recall_threshold
    >>> recall_threshold([0.0, 1.0, 2.0, 3.0], [1, 0, 1, 0], recall=0.5)
    0.5
    """
    check_number(recall, "recall", high=1, closed="right")
    offsets, found, _ = _cuts(*_labelled(scores, y, anomaly_label))
    # Compared as shares, exactly as the user would compute the recall afterwards.
    return float(offsets[np.argmax(found / found[-1] >= recall)])


@documented
def cost_threshold(scores, y, cost_fp=1.0, cost_fn=1.0, *, anomaly_label="auto"):
    """Return the threshold with the lowest total cost of mistakes.

    Parameters
    ----------
    %(labelled_scores)s
    cost_fp, cost_fn : float, default=1.0
        Cost of one false alarm and of one missed anomaly; not negative, not both 0.
    %(anomaly_label)s

    %(threshold)s

    Raises
    ------
    ValueError
        If a cost is unusable, a class is absent, or all scores are equal.

    Examples
    --------
    >>> from skanomaly.thresholds import cost_threshold
    >>> cost_threshold([0.0, 1.0, 2.0, 3.0], [1, 0, 1, 0], cost_fp=1, cost_fn=5)
    2.5
    """
    names = {"cost_fp": cost_fp, "cost_fn": cost_fn}
    bounds = {"high": LARGEST, "closed": "left"}
    costs = [check_number(value, name, **bounds) for name, value in names.items()]
    if not any(costs):
        raise ValueError(
            "cost_fp and cost_fn must be finite, not negative and not both 0, got "
            f"cost_fp={cost_fp!r} and cost_fn={cost_fn!r}."
        )
    offsets, found, false_alarms = _cuts(*_labelled(scores, y, anomaly_label))
    return float(offsets[np.argmin(costs[0] * false_alarms + costs[1] * (found[-1] - found))])


def expected_f1_offset(scores, probabilities):
    """Return the offset with the highest expected F1 of the anomaly class.

    Probabilities vary less from sample to sample than the labels they were calibrated on (Ye,
    Chai, Lee and Chieu, "Optimizing F-measure: A Tale of Two Approaches", ICML 2012).

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores, higher is more normal.
    probabilities : ndarray of shape (n_samples,)
        Calibrated probabilities of being an anomaly.

    Returns
    -------
    offset : float
        Midway between two distinct scores, or the highest of all.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.thresholds._labelled import expected_f1_offset
    >>> expected_f1_offset(np.arange(4.0), np.array([0.9, 0.8, 0.1, 0.1]))
    1.5
    """
    order = np.argsort(scores)
    ranked, found = scores[order], np.cumsum(probabilities[order])
    last = np.flatnonzero(np.append(np.diff(ranked) > 0, True))  # equal scores go together
    best = last[np.argmax(found[last] / (last + 1 + found[-1]))]
    return float(ranked[best] / 2 + ranked[min(best + 1, len(ranked) - 1)] / 2)


def few_labels_offset(scores, labels):
    """Return the offset that suits labels which name some of the anomalies only.

    F1 needs complete labels. The square of the recall of the known anomalies over the share of
    flagged rows rises and falls with it, and needs no more than these (Lee and Liu, "Learning
    with Positive and Unlabeled Examples Using Weighted Logistic Regression", ICML 2003).

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores of rows that their own label had no part in, higher is more normal.
    labels : ndarray of shape (n_samples,)
        -1 for known anomalies, +1 for all other rows.

    Returns
    -------
    offset : float
        Of several equally good ones the lowest.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.thresholds._labelled import few_labels_offset
    >>> few_labels_offset(np.arange(4.0), np.array([-1, 1, 1, 1]))
    0.5
    """
    offsets, found, others = _cuts(scores, labels)
    return float(offsets[np.argmax(found**2 / np.maximum(found + others, 1))])


def _cuts(scores, labels):
    """Return every offset that matters, rising, with anomalies found and false alarms."""
    levels, level_of = np.unique(scores, return_inverse=True)
    found = np.bincount(level_of, weights=labels == -1)
    false_alarms = np.bincount(level_of, weights=labels == 1)
    offsets = np.concatenate([levels[:1], _midway(levels), [np.nextafter(levels[-1], np.inf)]])
    return offsets, np.append(0, np.cumsum(found)), np.append(0, np.cumsum(false_alarms))


def _midway(levels):
    low, high = levels[:-1], levels[1:]
    middle = low / 2 + high / 2  # cannot overflow
    # Between neighbouring floats there is no middle; "below high" still includes low.
    return np.where((low < middle) & (middle < high), middle, high)


def _labelled(scores, y, anomaly_label):
    """Return the scores and labels (-1, 1) of the rows that have a label, or refuse them."""
    scores = check_scores(scores)
    labels = read_labels(y, anomaly_label=anomaly_label, n_samples=len(scores))
    n_anomalies, n_normal = np.sum(labels == -1), np.sum(labels == 1)
    if n_anomalies == 0 or n_normal == 0:
        raise ValueError(
            "y must hold at least one anomaly and one normal row, got "
            f"{n_anomalies} anomalies and {n_normal} normal rows. Use a rule without labels."
        )
    scores, labels = scores[labels != 0], labels[labels != 0]
    if scores.min() == scores.max():
        raise ValueError(
            f"all labelled rows have the same score, {scores[0]}: no offset separates them. "
            "Check the data the detector was fitted on, or use a rule without labels."
        )
    return scores, labels
