"""Checks of scores that all rules share."""

import numpy as np

from skanomaly.utils._validation import check_column


def check_scores(scores):
    """Return scores as a finite float64 column with at least one row."""
    scores = check_column(scores, "scores")
    if len(scores) == 0:
        raise ValueError(
            "scores must have shape (n_samples,) with at least one row, got none. Pass the "
            "scores of rows that the rule may look at."
        )
    return scores


def check_spread(scores):
    """Return scores as `check_scores` does, and refuse those that are all equal."""
    scores = check_scores(scores)
    if scores.min() == scores.max():
        raise ValueError(
            f"all scores are equal ({scores[0]}, n_samples={len(scores)}): no threshold tells "
            "rows apart. Check the data the detector was fitted on."
        )
    return scores


def check_threshold(threshold, rule):
    """Return a rule's answer as a float; one that is not finite would flag no row or all."""
    name = rule if isinstance(rule, str) else getattr(rule, "__name__", type(rule).__name__)
    if isinstance(threshold, np.ndarray) and threshold.size == 1:
        threshold = threshold.reshape(-1)[0]
    if not (np.isscalar(threshold) and np.isrealobj(threshold) and _is_finite(threshold)):
        raise ValueError(
            f"the rule {name!r} must answer one finite number, got {threshold!r}. Check what it "
            "makes of these scores and labels, or pass a number as the threshold."
        )
    return float(threshold)


def _is_finite(value):
    return not isinstance(value, (str, bytes)) and bool(np.isfinite(value))


def offset_of_count(scores, n):
    """Return the offset below which the n lowest scores lie, midway to the next one."""
    ordered = np.sort(scores)
    if n == 0:
        return float(ordered[0])
    if n == len(ordered):
        return float(np.nextafter(ordered[-1], np.inf))
    low, high = ordered[n - 1 : n + 1]
    middle = low + (high - low) / 2
    return float(high if middle <= low else middle)
