"""Peaks over threshold: rates of false alarms beyond the lowest row."""

import numpy as np
import pytest
from scipy import stats

from skanomaly.thresholds._unlabelled import tail_offset


@pytest.mark.parametrize("distribution", [stats.expon, stats.norm, stats.t(4), stats.gamma(3)])
def test_true_rate_is_near_the_one_asked_for(distribution):
    rates = [
        distribution.sf(-tail_offset(-distribution.rvs(size=1_000, random_state=seed), 1e-4))
        for seed in range(30)
    ]
    assert 2e-5 < np.mean(rates) < 5e-4
    # the lowest of 1,000 rows stands for ten times that rate
    assert np.median(rates) < 4e-4


def test_quantile_of_a_pareto_tail_is_recovered():
    tail = stats.genpareto(0.3, scale=2)
    scores = -tail.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert tail.sf(-tail_offset(scores, 1e-4)) == pytest.approx(1e-4, rel=0.3)


def test_it_follows_scale_and_shift():
    scores = -np.random.default_rng(1).exponential(size=500)
    np.testing.assert_allclose(
        tail_offset(scores * 1e-9 - 7, 1e-3), tail_offset(scores, 1e-3) * 1e-9 - 7, rtol=1e-6
    )


def test_smaller_rates_have_lower_thresholds():
    scores = np.random.default_rng(0).normal(size=300)
    offsets = [tail_offset(scores, rate) for rate in (1e-2, 1e-3, 1e-5, 1e-9)]
    assert np.isfinite(offsets).all()
    assert (np.diff(offsets) < 0).all()
    assert offsets[2] < scores.min()


@pytest.mark.parametrize(
    "scores",
    [
        np.r_[np.zeros(180), -np.linspace(1, 1.0001, 20)],  # next to no spread beyond a gap
        np.r_[np.zeros(180), -np.logspace(0, 12, 20)],  # a tail without a mean
        np.r_[np.linspace(0, 1, 190), np.full(10, -5.0), -np.linspace(6, 7, 10)],  # ties
        np.linspace(0, 1, 200),  # ends abruptly
    ],
)
def test_degenerate_tails_have_finite_thresholds(scores):
    assert np.isfinite(tail_offset(scores, 1e-3))


@pytest.mark.parametrize(
    ("scores", "rate", "tail", "match"),
    [
        (np.arange(100.0), 0.0, 0.2, r"number in \(0, 0.2\).*got 0.0"),
        (np.arange(100.0), 0.2, 0.2, "For larger rates use a quantile"),
        (np.arange(100.0), 0.01, 0.6, r"tail must be a number in \(0, 0.5\], got 0.6"),
        (np.arange(50.0), 0.01, 0.1, "10 different scores below.*got 5 among 50"),
        (np.r_[np.zeros(50), np.ones(50)], 0.01, 0.5, "got 1 among 100|got 0 among 100"),
        (np.r_[np.nan, np.arange(99.0)], 0.01, 0.2, "finite, got 1"),
    ],
)
def test_refusals(scores, rate, tail, match):
    with pytest.raises(ValueError, match=match):
        tail_offset(scores, rate, tail)
