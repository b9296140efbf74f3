"""Rules for thresholds by name, as `ThresholdedDetector` and ``set_threshold`` take them.

Owns: the names, and what each of them needs. Does not own: the rules (``thresholds._unlabelled``).
"""

from numbers import Real

import numpy as np
from sklearn.base import clone

from skanomaly.thresholds._labelled import (
    best_f1_offset,
    cost_offset,
    precision_offset,
    recall_offset,
)
from skanomaly.thresholds._unlabelled import contamination_threshold, fpr_threshold, pot_threshold
from skanomaly.thresholds._validation import offset_of_count

#: Each rule by name: what `level` means to it (None: it takes none), and whether it needs labels.
RULES = {
    "auto": (None, False),
    "contamination": ("the share of rows to call anomalies", False),
    "fpr": ("the rate of false alarms", False),
    "pot": ("the rate of false alarms", False),
    "f1": (None, True),
    "precision": ("the least precision", True),
    "recall": ("the least recall", True),
    "cost": (None, True),
}
#: Levels that a rule takes, from 0 exclusive: the highest, and whether that itself is allowed.
_HIGHEST = {
    "contamination": (0.5, True),
    "fpr": (1, False),
    "pot": (0.1, False),
    "precision": (1, True),
    "recall": (1, True),
}


def check_rule(rule, level=None, codes=None):
    """Refuse a rule that is unknown, or lacks its level or its labels, before any work starts."""
    if callable(rule) or hasattr(rule, "eval"):
        return
    if not isinstance(rule, str) or rule not in RULES:
        raise ValueError(
            f"rule must be one of {list(RULES)}, a callable, or a rule of PyThresh, got {rule!r}."
        )
    meaning, needs_labels = RULES[rule]
    if meaning is None and level is not None:
        raise ValueError(f"the rule {rule!r} takes no level, got level={level!r}. Leave it out.")
    if meaning is not None and not _in_range(level, *_HIGHEST[rule]):
        highest, included = _HIGHEST[rule]
        raise ValueError(
            f"the rule {rule!r} needs a level in (0, {highest}{']' if included else ')'}, "
            f"{meaning}: for example level=0.05. Got level={level!r}."
        )
    if needs_labels and not has_both(codes):
        free = [name for name, (_, needs) in RULES.items() if not needs]
        raise ValueError(
            f"the rule {rule!r} needs a y with anomalies and normal rows, got {_counted(codes)}. "
            f"Pass such a y, or use a rule without labels: {free}."
        )


def _in_range(level, highest, included):
    number = isinstance(level, Real) and 0 < level <= highest
    return number and (included or level < highest)


def has_both(codes):
    """Return whether label codes hold anomalies and normal rows."""
    return codes is not None and bool((codes == -1).any() and (codes == 1).any())


def _counted(codes):
    if codes is None:
        return "y=None"
    return f"{np.sum(codes == -1)} anomalies and {np.sum(codes == 1)} normal rows"


def rule_threshold(rule, scores, codes=None, *, level=None, cost_fp=1.0, cost_fn=1.0):
    """Return the threshold of a rule given by name, or by a callable.

    Parameters
    ----------
    rule : str, callable or object
        A name of `RULES`, or ``rule(scores, codes)``, or a rule of PyThresh.
    scores : ndarray of shape (n_samples,)
        Scores, higher is more normal.
    codes : ndarray of shape (n_samples,), default=None
        -1 anomaly, +1 normal, 0 unlabelled. Rules about normal rows leave the known anomalies
        out.
    level, cost_fp, cost_fn : float
        What the rule takes.

    Returns
    -------
    threshold : float
    """
    check_rule(rule, level, codes)
    if hasattr(rule, "eval"):
        return _by_eval(rule, scores)
    if callable(rule):
        return float(rule(scores, codes))
    if rule in ("fpr", "pot"):
        normal = scores if codes is None else scores[codes != -1]
        return fpr_threshold(normal, level) if rule == "fpr" else pot_threshold(normal, level)
    if rule in ("auto", "contamination"):
        return contamination_threshold(scores, "auto" if rule == "auto" else level)
    if rule == "f1":
        return best_f1_offset(scores, codes)
    if rule == "cost":
        return cost_offset(scores, codes, cost_fp, cost_fn)
    function = {"precision": precision_offset, "recall": recall_offset}
    return function[rule](scores, codes, level)


def _by_eval(rule, scores):
    """Return the threshold of a rule of PyThresh, which labels scores that grow with abnormality.

    Its own threshold is on a scale of its own: as many rows as it labels 1 lie below ours.
    """
    labels = np.asarray(clone(rule, safe=False).eval(-scores))  # it writes on itself
    if labels.shape != scores.shape or not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"the rule {type(rule).__name__} must answer 0 or 1 for each of {len(scores)} scores, "
            f"got the shape {labels.shape} with the values {np.unique(labels)[:4].tolist()}."
        )
    return offset_of_count(scores, np.count_nonzero(labels))


def as_threshold(threshold, scores, codes=None, **options):
    """Return a number as it is, or what a rule finds on scores.

    Parameters
    ----------
    threshold : float, str, callable or object
        The threshold itself, or a rule.
    scores : callable
        Called without arguments for the scores, by rules alone.
    codes : ndarray of shape (n_samples,), default=None
        Labels of these scores.
    **options : dict
        ``level``, ``cost_fp``, ``cost_fn``.

    Returns
    -------
    threshold : float
    """
    if isinstance(threshold, Real) and not isinstance(threshold, bool):
        if not np.isfinite(threshold):
            raise ValueError(f"threshold must be finite, got {threshold!r}.")
        return float(threshold)
    check_rule(threshold, options.get("level"), codes)
    return rule_threshold(threshold, scores(), codes, **options)
