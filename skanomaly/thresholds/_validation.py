"""Checks of scores and weights that all rules share."""

import numpy as np


def check_scores(scores):
    """Return scores as a finite float64 array."""
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


def check_spread(scores):
    """Return scores as `check_scores` does, and refuse those that are all equal."""
    scores = check_scores(scores)
    if scores.min() == scores.max():
        raise ValueError(
            f"all scores are equal ({scores[0]}, n_samples={len(scores)}): no threshold tells "
            "rows apart. Check the data the detector was fitted on."
        )
    return scores


def check_weight(weight, n_samples):
    """Return frequencies as a float64 array, or None where there are none."""
    if weight is None:
        return None
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
