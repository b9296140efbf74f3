"""Rules for thresholds by name, as `ThresholdedDetector` and ``set_threshold`` take them.

Owns: the names, and what each of them needs. Does not own: the rules (``thresholds._unlabelled``,
``thresholds._labelled``).
"""

from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from skanomaly.thresholds._labelled import (
    cost_threshold,
    f1_threshold,
    precision_threshold,
    recall_threshold,
)
from skanomaly.thresholds._unlabelled import (
    contamination_threshold,
    fpr_threshold,
    pot_threshold,
    robust_threshold,
)
from skanomaly.thresholds._validation import check_threshold, offset_of_count
from skanomaly.utils._labels_handed_on import recode


class _Rule(NamedTuple):
    """A rule: what its `level` means and how high it may be, and whether it needs labels."""

    function: Callable
    level: str | None = None  # None: it takes none
    highest: float = 1  # levels start from 0, exclusive
    inclusive: bool = True
    needs_labels: bool = False


_FALSE_ALARMS = "the rate of false alarms"
#: Each rule by its name.
RULES = {
    "auto": _Rule(robust_threshold),
    "contamination": _Rule(contamination_threshold, "the share of rows to call anomalies", 0.5),
    "fpr": _Rule(fpr_threshold, _FALSE_ALARMS, inclusive=False),
    "pot": _Rule(pot_threshold, _FALSE_ALARMS, 0.1, inclusive=False),
    "f1": _Rule(f1_threshold, needs_labels=True),
    "precision": _Rule(precision_threshold, "the least precision", needs_labels=True),
    "recall": _Rule(recall_threshold, "the least recall", needs_labels=True),
    "cost": _Rule(cost_threshold, needs_labels=True),
}


def is_own_rule(rule):
    """Tell whether a rule is a function of the user's, or one of PyThresh."""
    return callable(rule) or hasattr(rule, "eval")


def refuse_unknown(name):
    """Refuse the name of no rule."""
    if not is_own_rule(name) and (not isinstance(name, str) or name not in RULES):
        raise ValueError(
            f"rule must be one of {list(RULES)}, a callable, or a rule of PyThresh, got {name!r}."
        )


def check_rule(name, level=None, codes=None):
    """Refuse a rule that is unknown, or lacks its level or its labels, before any work starts."""
    if is_own_rule(name):
        return
    refuse_unknown(name)
    rule = RULES[name]
    if rule.level is None and level is not None:
        raise ValueError(f"the rule {name!r} takes no level, got level={level!r}. Leave it out.")
    if rule.level is not None and not _in_range(level, rule):
        raise ValueError(
            f"the rule {name!r} needs a level in (0, {rule.highest}"
            f"{']' if rule.inclusive else ')'}, {rule.level}: for example level=0.05. "
            f"Got level={level!r}."
        )
    if rule.needs_labels and not has_both(codes):
        free = [name for name, rule in RULES.items() if not rule.needs_labels]
        raise ValueError(
            f"the rule {name!r} needs a y with anomalies and normal rows, got {_counted(codes)}. "
            f"Pass such a y, or use a rule without labels: {free}."
        )


def _in_range(level, rule):
    number = isinstance(level, Real) and 0 < level <= rule.highest
    return number and (rule.inclusive or level < rule.highest)


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
        return check_threshold(rule(scores, codes), rule)
    if rule in ("fpr", "pot") and codes is not None:
        scores = scores[codes != -1]
    labels = [recode(codes)] if RULES[rule].needs_labels else []
    parameters = [] if level is None else [level]
    parameters = [cost_fp, cost_fn] if rule == "cost" else parameters
    return check_threshold(RULES[rule].function(scores, *labels, *parameters), rule)


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
