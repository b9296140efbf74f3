"""Turn scores into an offset: rows whose score lies below it are anomalies.

Owns: the rules that choose an offset from scores, with or without labels.
Does not own: scores, predictions, or the reading of labels (``_labels``).

Everywhere here a higher score is more normal, and a row is an anomaly where
``score < offset``, so that ``decision_function = score_samples - offset``.
"""

from numbers import Real

import numpy as np

from skanomaly._weighted import WeightedSample

# Standard normal quantiles: they turn distances between quantiles into standard deviations.
_Z75, _Z90 = 0.6744897501960817, 1.2815515655446004


def contamination_offset(scores, contamination, sample_weight=None):
    """Return the offset below which a given share of the training scores lies.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Training scores, higher is more normal.
    contamination : "auto" or float in (0, 0.5]
        Share of anomalies: when no scores are tied, exactly the ``k`` lowest scores lie below
        the offset for ``contamination = k / n_samples``. "auto" uses `robust_offset`.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies of the rows. Integers give the offset of the sample in which each row is
        repeated so often; of other numbers, and of integers with a mean above 100, only the
        ratios count.

    Returns
    -------
    offset : float
        ``numpy.percentile(scores, 100 * contamination)``, weighted if asked.

    Raises
    ------
    ValueError
        If `contamination` is out of range, or scores or weights are unusable.

    Examples
    --------
    >>> from skanomaly._threshold import contamination_offset
    >>> contamination_offset([0.0, 1.0, 2.0, 3.0, 4.0], 0.2)
    0.8
    """
    if isinstance(contamination, str) and contamination == "auto":
        return robust_offset(scores, sample_weight)
    if not (isinstance(contamination, Real) and 0 < contamination <= 0.5):
        raise ValueError(
            "contamination must be 'auto' or a number in (0, 0.5], got "
            f"{contamination!r}. Pass the expected share of anomalies, for example 0.01."
        )
    scores = check_scores(scores)
    if sample_weight is None:
        return float(np.percentile(scores, 100 * contamination))
    return float(_weighted(scores, sample_weight).quantile(contamination))


def robust_offset(scores, sample_weight=None):
    """Return the median score minus three robust standard deviations.

    The standard deviation is the larger of two: ``(q90 - median) / 1.28`` on the normal
    (upper) side, which anomalies do not reach, and ``(median - q25) / 0.67`` on the lower
    side, so that scores with a longer lower tail get a lower offset. Both are taken
    again over the rows at or above the offset until nothing changes: up to about a fifth of
    clear anomalies then leave no trace in the offset.

    When the scores of normal rows are normally distributed, about 0.13% of them fall below the
    offset (false positives). Longer lower tails give more: about 3% for exponential ones.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Training scores, higher is more normal.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies of the rows, as in `contamination_offset`.

    Returns
    -------
    offset : float
        The common score if all scores are equal: then no training row is an anomaly.

    Raises
    ------
    ValueError
        If scores or weights are unusable.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._threshold import robust_offset
    >>> scores = np.random.default_rng(0).normal(size=10_000)
    >>> anomalies = np.full(1_000, -50.0)
    >>> round(robust_offset(scores), 1), round(robust_offset([*scores, *anomalies]), 1)
    (-3.0, -3.0)
    """
    scores = check_scores(scores)
    sample = _weighted(scores, sample_weight)
    offset = _three_sigma_below(sample)
    # A trimmed row never returns, so the sample shrinks until it is stable.
    while sample.values[0] < offset:
        sample = sample.at_or_above(offset)
        offset = _three_sigma_below(sample)
    return offset


def best_f1_offset(scores, labels):
    """Return the offset with the highest F1 of the anomaly class.

    Where scores carry no information this may be the one that calls every row an anomaly: that
    is where F1 has its maximum then.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, higher is more normal.
    labels : array-like of shape (n_samples,)
        -1 anomaly, +1 normal, 0 unlabelled (ignored), as `read_labels` returns them.

    Returns
    -------
    offset : float
        Midway between two distinct scores, or just above the highest if calling every row an
        anomaly is best; of several equally good ones the lowest.

    Raises
    ------
    ValueError
        If one class is absent, all scores are equal, or scores or labels are unusable.

    Examples
    --------
    >>> from skanomaly._threshold import best_f1_offset
    >>> best_f1_offset([0.0, 1.0, 2.0, 3.0], [-1, -1, 1, 1])
    1.5
    """
    offsets, found, false_alarms = _cuts(scores, labels)
    # F1 = 2 TP / (2 TP + FP + FN), whose denominator is flagged rows + anomalies: never 0.
    return float(offsets[np.argmax(2 * found / (found + false_alarms + found[-1]))])


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
    >>> from skanomaly._threshold import expected_f1_offset
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
    scores : array-like of shape (n_samples,)
        Scores of rows that their own label had no part in, higher is more normal.
    labels : array-like of shape (n_samples,)
        -1 for known anomalies, +1 for all other rows.

    Returns
    -------
    offset : float
        Of several equally good ones the lowest.

    Raises
    ------
    ValueError
        As `best_f1_offset`.

    Examples
    --------
    >>> from skanomaly._threshold import few_labels_offset
    >>> few_labels_offset([0.0, 1.0, 2.0, 3.0], [-1, 1, 1, 1])
    0.5
    """
    offsets, found, others = _cuts(scores, labels)
    return float(offsets[np.argmax(found**2 / np.maximum(found + others, 1))])


def precision_offset(scores, labels, precision):
    """Return the offset that finds most anomalies with at least the given precision.

    Parameters
    ----------
    scores, labels : array-like of shape (n_samples,)
        As in `best_f1_offset`.
    precision : float in (0, 1]
        Smallest acceptable share of anomalies among the rows below the offset.

    Returns
    -------
    offset : float
        As from `best_f1_offset`; of several offsets that find as many the lowest.

    Raises
    ------
    ValueError
        As `best_f1_offset`, and if no offset reaches `precision`.

    Examples
    --------
    >>> from skanomaly._threshold import precision_offset
    >>> precision_offset([0.0, 1.0, 2.0, 3.0], [-1, 1, -1, 1], precision=0.6)
    2.5
    """
    _check_share(precision, "precision")
    offsets, found, false_alarms = _cuts(scores, labels)
    reached = found / np.maximum(found + false_alarms, 1)
    if not (reached >= precision).any():
        raise ValueError(
            f"precision={precision} cannot be reached: the best any offset gives is "
            f"{reached.max():.3g}. Ask for less, or use a rule without labels."
        )
    return float(offsets[np.argmax(np.where(reached >= precision, found, -1))])


def recall_offset(scores, labels, recall):
    """Return the lowest offset, with the fewest false alarms, that has at least a given recall.

    Parameters
    ----------
    scores, labels : array-like of shape (n_samples,)
        As in `best_f1_offset`.
    recall : float in (0, 1]
        Smallest acceptable share of the anomalies that lie below the offset.

    Returns
    -------
    offset : float
        Midway between two distinct scores, or just above the highest score if every row has to
        be called an anomaly.

    Raises
    ------
    ValueError
        As `best_f1_offset`.

    Examples
    --------
    >>> from skanomaly._threshold import recall_offset
    >>> recall_offset([0.0, 1.0, 2.0, 3.0], [-1, 1, -1, 1], recall=0.5)
    0.5
    """
    _check_share(recall, "recall")
    offsets, found, _ = _cuts(scores, labels)
    # Compared as shares, exactly as the user would compute the recall afterwards.
    return float(offsets[np.argmax(found / found[-1] >= recall)])


def cost_offset(scores, labels, cost_fp, cost_fn):
    """Return the offset with the lowest total cost of mistakes.

    Parameters
    ----------
    scores, labels : array-like of shape (n_samples,)
        As in `best_f1_offset`.
    cost_fp, cost_fn : float
        Cost of one false alarm and of one missed anomaly; not negative, not both 0.

    Returns
    -------
    offset : float
        Midway between two distinct scores, the lowest score if calling no row an anomaly is
        cheapest, or just above the highest if calling all of them so is.

    Raises
    ------
    ValueError
        As `best_f1_offset`, and if a cost is negative, not finite, or both are 0.

    Examples
    --------
    >>> from skanomaly._threshold import cost_offset
    >>> cost_offset([0.0, 1.0, 2.0, 3.0], [-1, 1, -1, 1], cost_fp=1, cost_fn=5)
    2.5
    """
    costs = np.array([cost_fp, cost_fn], dtype=np.float64)
    if not (np.isfinite(costs).all() and (costs >= 0).all() and costs.any()):
        raise ValueError(
            "cost_fp and cost_fn must be finite, not negative and not both 0, got "
            f"cost_fp={cost_fp!r} and cost_fn={cost_fn!r}."
        )
    offsets, found, false_alarms = _cuts(scores, labels)
    return float(offsets[np.argmin(costs[0] * false_alarms + costs[1] * (found[-1] - found))])


def _weighted(scores, sample_weight):
    if sample_weight is not None:
        sample_weight = _check_weight(sample_weight, len(scores))
    return WeightedSample(scores, sample_weight)


def _three_sigma_below(sample):
    q25, median, q90 = map(float, sample.quantile([0.25, 0.5, 0.9]))
    return median - 3 * max((q90 - median) / _Z90, (median - q25) / _Z75)


def _cuts(scores, labels):
    """Return every offset that matters, rising, with anomalies found and false alarms."""
    scores, labels = check_scores(scores), _check_labels(labels, len(scores))
    scores, labels = scores[labels != 0], labels[labels != 0]
    levels, level_of = np.unique(scores, return_inverse=True)
    if len(levels) == 1:
        raise ValueError(
            f"all labelled rows have the same score, {levels[0]}: no offset separates them. "
            "Check the data the detector was fitted on, or use a rule without labels."
        )
    found = np.bincount(level_of, weights=labels == -1)
    false_alarms = np.bincount(level_of, weights=labels == 1)
    offsets = np.concatenate([levels[:1], _midway(levels), [np.nextafter(levels[-1], np.inf)]])
    return offsets, np.append(0, np.cumsum(found)), np.append(0, np.cumsum(false_alarms))


def _midway(levels):
    low, high = levels[:-1], levels[1:]
    middle = low / 2 + high / 2  # cannot overflow
    # Between neighbouring floats there is no middle; "below high" still includes low.
    return np.where((low < middle) & (middle < high), middle, high)


def check_scores(scores):
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(
            f"scores must have shape (n_samples,) with at least one row, got {scores.shape}."
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"scores must be finite, got {np.sum(~np.isfinite(scores))} that are NaN or "
            "infinite. Check the detector that gave them: its training may have diverged."
        )
    return scores


def _check_labels(labels, n_samples):
    labels = np.asarray(labels)
    if labels.shape != (n_samples,) or not np.isin(labels, (-1, 0, 1)).all():
        raise ValueError(
            f"labels must be {n_samples} values out of -1, 0 and 1 (see read_labels), got "
            f"shape {labels.shape} with values {np.unique(labels)[:6]}."
        )
    if not ((labels == -1).any() and (labels == 1).any()):
        raise ValueError(
            "labels must hold at least one anomaly (-1) and one normal row (1), got "
            f"{np.sum(labels == -1)} anomalies and {np.sum(labels == 1)} normal rows. "
            "Use a rule without labels."
        )
    return labels


def _check_weight(weight, n_samples):
    weight = np.asarray(weight, dtype=np.float64)
    if weight.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},) like scores, got {weight.shape}."
        )
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise ValueError(
            "sample_weight must be finite, not negative and not all 0, got values from "
            f"{weight.min()} to {weight.max()}."
        )
    return weight


def _check_share(value, name):
    if not (isinstance(value, Real) and 0 < value <= 1):
        raise ValueError(f"{name} must be a number in (0, 1], got {value!r}.")
