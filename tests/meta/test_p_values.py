"""The arithmetic of conformal p-values."""

import numpy as np
import pytest
from scipy import stats

from skanomaly.meta._p_values import (
    benjamini_hochberg,
    conditional_table,
    marginal_table,
    smoothed_p_values,
    within_count,
)


def test_marginal_p_values_are_uniform():
    np.testing.assert_allclose(marginal_table(3), [0.25, 0.5, 0.75, 1])


@pytest.mark.parametrize("n", [1, 2, 3, 10, 51, 1_000, 50_000])
def test_conditional_p_values_are_larger_and_rise(n):
    table = conditional_table(n, 0.1)
    assert len(table) == n + 1
    assert (np.diff(table) >= -1e-12).all()
    assert (table >= marginal_table(n) - 1e-12).all()
    assert table[-1] == 1
    assert (conditional_table(n, 0.01) >= table - 1e-12).all()


def test_conditional_table_is_the_formula_of_the_paper():
    n, delta = 12, 0.2
    k = n // 2
    by_hand = [1.0] * (n + 1)  # by_hand[j - 1] bounds the j-th smallest of n uniform numbers
    for i in range(1, n + 1):
        top = np.prod([float(i - j) for j in range(k)]) if i >= k else 0.0
        bottom = np.prod([float(n - j) for j in range(k)])
        by_hand[n - i] = 1 - delta ** (1 / k) * (top / bottom) ** (1 / k)
    np.testing.assert_allclose(conditional_table(n, delta), by_hand)


@pytest.mark.parametrize(("n", "delta"), [(20, 0.1), (100, 0.3)])
def test_conditional_p_values_hold_for_most_calibrations(n, delta):
    """The rates of false alarms at all levels at once: n order statistics of uniform scores."""
    rng = np.random.default_rng(0)
    order = np.sort(rng.uniform(size=(4_000, n)), axis=1)
    # new rows have a count of at most j with the probability of the (j + 1)th calibration score
    failed = (order > conditional_table(n, delta)[:n]).any(axis=1).mean()
    assert failed <= delta + 3 * np.sqrt(delta * (1 - delta) / 4_000)
    assert (order > marginal_table(n)[:n]).any(axis=1).mean() > 0.5


def test_smoothed_p_values_are_uniform_despite_ties():
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 3, size=(4_000, 10))
    below = (draws[:, :9] < draws[:, 9:]).sum(axis=1)
    equal = (draws[:, :9] == draws[:, 9:]).sum(axis=1)
    smoothed = smoothed_p_values(below, equal, 9, rng)
    assert stats.kstest(smoothed, "uniform").pvalue > 0.01
    assert (smoothed <= (below + equal + 1) / 10).all()


def test_benjamini_hochberg():
    p_values = np.array([0.9, 0.01, 0.03, 0.02, 0.8])
    by_hand = [False, True, True, True, False]  # 0.03 <= 3 / 5 * 0.05
    assert benjamini_hochberg(p_values, 0.05).tolist() == by_hand
    assert not benjamini_hochberg(p_values, 0.04).any()
    assert benjamini_hochberg(np.full(10, 0.1), 0.1).all()  # equality counts
    assert benjamini_hochberg(np.array([]), 0.1).shape == (0,)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_order_within_a_count(scale):
    scores = np.array([-1e290, -1e12, -5, -1, 0, 2, 1e12, 1e290]) * scale
    inside = within_count(scores, 0.0, scale)
    assert (np.diff(inside) >= 0).all()
    assert (np.diff(inside[1:6]) > 0).all()
    assert inside.min() >= 0
    assert (inside + 1e6 < 1e6 + 1).all()
