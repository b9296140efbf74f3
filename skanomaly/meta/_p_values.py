"""Conformal p-values from counts of calibration scores, and selections from them.

Owns: the arithmetic, on arrays alone. Does not own: detectors, or which rows calibrate.

A count is the number of calibration scores at or below a row's score (lower is more abnormal).
With no anomaly in play the counts 0 to n are equally likely, so that ``(count + 1) / (n + 1)``
is a p-value.
"""

import math

import numpy as np
from scipy.special import gammaln
from scipy.stats import false_discovery_control

#: Relative slack of comparisons with a level: 0.1 * 10 must not be less than 1.
SLACK = 1 + 1e-12


def marginal_table(n_calibration):
    """Return the p-value of every count, (n_calibration + 1,): right on average over calibrations.

    Examples
    --------
    >>> from skanomaly.meta._p_values import marginal_table
    >>> marginal_table(4)
    array([0.2, 0.4, 0.6, 0.8, 1. ])
    """
    return np.arange(1, n_calibration + 2) / (n_calibration + 1)


def conditional_table(n_calibration, delta):
    """Return the p-value of every count, (n_calibration + 1,): right for most calibrations.

    With a probability of at least ``1 - delta`` over the calibration rows, p-values of new normal
    rows are at or below any level t with a probability of at most t, at all levels at once. They
    follow from the generalised Simes inequality with ``k = n_calibration / 2`` (Bates, Candès,
    Lei, Romano and Sesia, "Testing for Outliers with Conformal p-values", Annals of Statistics
    51, 2023, proposition 2).

    Examples
    --------
    >>> from skanomaly.meta._p_values import conditional_table
    >>> conditional_table(4, 0.1).round(3)
    array([0.684, 0.776, 0.871, 1.   , 1.   ])
    """
    n = n_calibration
    k = max(n // 2, 1)
    i = np.arange(n, k - 1, -1)  # for smaller i the product holds a zero
    # (i ... (i - k + 1)) / (n ... (n - k + 1)), by logarithms lest it overflows
    log_ratio = gammaln(i + 1) - gammaln(i - k + 1) - gammaln(n + 1) + gammaln(n - k + 1)
    table = np.ones(n + 1)
    table[: len(i)] = 1 - np.exp((math.log(delta) + log_ratio) / k)
    return table


def smoothed_p_values(below, equal, n_calibration, rng):
    """Return p-values with ties broken at random; a row counts as tied with itself.

    For exchangeable rows they are exactly uniform, while those without random ties are a little
    too large (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005).
    """
    return (below + rng.uniform(size=len(below)) * (1 + equal)) / (n_calibration + 1)


def benjamini_hochberg(p_values, level):
    """Return which hypotheses are rejected so that the false discovery rate stays at a level.

    Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate", JRSS B 57, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._p_values import benjamini_hochberg
    >>> benjamini_hochberg(np.array([0.01, 0.02, 0.9, 0.5]), 0.05)
    array([ True,  True, False, False])
    """
    if len(p_values) == 0:
        return np.zeros(0, dtype=bool)
    return false_discovery_control(p_values) <= level * SLACK


def within_count(scores, centre, scale):
    """Map scores into (0, 1), rising: an order of the rows that share a count."""
    u = (scores - centre) / scale
    with np.errstate(over="ignore"):
        inside = np.where(u < 0, 0.5 / (1 + np.abs(u)), 1 - 0.5 / (1 + np.abs(u)))
    return np.minimum(inside, 1 - 1e-6)  # the sum with a count must stay below the next one
