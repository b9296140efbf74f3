"""Rules without labels: shares of rows, robust deviations, tails beyond the lowest row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import norm

from skanomaly.thresholds import contamination_threshold, pot_threshold, robust_threshold
from skanomaly.thresholds._unlabelled import (
    contamination_offset,
    false_alarm_offset,
    robust_offset,
)


def normal_scores(n):
    """Exact quantiles of the standard normal distribution: no luck involved."""
    return norm.ppf((np.arange(n) + 0.5) / n)


@pytest.mark.parametrize("n", [2, 3, 10, 57, 300])
def test_contamination_is_exact_without_ties(n):
    scores = np.random.default_rng(n).permutation(n) * 0.37
    for k in range(1, n // 2 + 1):
        offset = contamination_threshold(scores, k / n)
        assert np.sum(scores < offset) == k
        assert offset == np.percentile(scores, 100 * (k / n))


@pytest.mark.filterwarnings("ignore:no row lies below the threshold:UserWarning")
@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=1, max_size=15).filter(
        lambda rows: any(w for _, w in rows)
    ),
    st.floats(0.001, 0.5),
)
def test_integer_weights_repeat_rows(rows, contamination):
    scores, weight = np.array(rows).T
    repeated = np.repeat(scores, weight)
    np.testing.assert_allclose(
        contamination_offset(scores, contamination, weight),
        contamination_offset(repeated, contamination),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        contamination_offset(scores, "auto", weight), robust_offset(repeated), atol=1e-9
    )


@pytest.mark.parametrize("scale", [1e-6, 0.1, 0.3, 12.7, 1e5 / 3])
def test_float_weights_have_no_scale(scale):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=101)
    np.testing.assert_allclose(
        contamination_threshold(scores, 0.07, sample_weight=np.full(101, scale)),
        np.percentile(scores, 7),
    )
    weight = rng.uniform(0.1, 3, size=101)
    np.testing.assert_allclose(
        contamination_threshold(scores, 0.07, sample_weight=weight * scale),
        contamination_threshold(scores, 0.07, sample_weight=weight),
    )


def test_float_weights_count_by_ratio():
    scores = np.arange(100.0)
    heavy_low = np.where(scores < 10, 9.5, 0.5)
    # The 10 lowest rows carry 95 of 140 parts, so the 5% quantile lies within them.
    assert contamination_threshold(scores, 0.05, sample_weight=heavy_low) < 1
    assert contamination_threshold(scores, 0.05, sample_weight=heavy_low[::-1].copy()) > 10


def test_auto_is_the_robust_rule():
    scores = np.random.default_rng(0).normal(size=200)
    assert contamination_threshold(scores, "auto") == robust_threshold(scores)


def test_robust_false_positive_rate_of_normal_scores():
    offset = robust_threshold(normal_scores(10_001))
    assert norm.cdf(offset) == pytest.approx(0.00135, abs=0.0001)


@pytest.mark.parametrize(
    ("lowest", "contamination", "expected"),
    [(20, 0.2, 20), (25, 0.2, 25), (30, 0.2, 30), (39, 0.2, 39), (15, 0.2, 20), (1, 0.01, 1)],
)
def test_tied_scores_fall_together_where_that_is_nearer(lowest, contamination, expected):
    scores = np.r_[np.full(lowest, -3.0), np.linspace(0, 1, 100 - lowest)]
    assert np.sum(scores < contamination_threshold(scores, contamination)) == expected
    weight = np.r_[lowest, np.ones(100 - lowest)]
    offset = contamination_threshold(scores[lowest - 1 :], contamination, sample_weight=weight)
    assert offset == pytest.approx(contamination_threshold(scores, contamination))


def test_rounding_does_not_break_ties():
    tied = np.r_[np.full(4, -3.0), np.linspace(-2, -1, 23)]
    rounded = tied + np.r_[np.arange(4) * 1e-12, np.zeros(23)]
    expected, found = (contamination_threshold(scores, 0.1) for scores in (tied, rounded))
    assert (tied < expected).sum() == (rounded < found).sum() == 4
    np.testing.assert_allclose(found, expected)


def test_ties_in_between_fall_on_the_nearer_side():
    scores = np.r_[np.arange(10.0), np.full(20, 50.0), np.full(70, 99.0)]
    for contamination, expected in ((0.15, 10), (0.2, 10), (0.25, 30), (0.3, 30)):
        assert np.sum(scores < contamination_threshold(scores, contamination)) == expected


def test_too_many_at_the_lowest_score_are_told():
    scores = np.r_[np.zeros(60), np.ones(40)]
    with pytest.warns(UserWarning, match="asks for 10 of 100 rows, but 60 share the lowest"):
        assert contamination_threshold(scores, 0.1) == 0.0


def test_the_robust_rule_never_calls_what_is_usual_an_anomaly():
    rng = np.random.default_rng(0)
    halves = np.r_[rng.normal(0, 1e-3, 500), rng.normal(-1, 0.3, 500)]
    assert np.mean(halves < robust_threshold(halves)) < 0.25
    steps = -np.exp(rng.normal(0, 4, 2000))
    assert np.mean(steps < robust_threshold(steps)) < 0.26


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
@pytest.mark.parametrize("distance", [8, 1e6])
def test_anomalies_do_not_move_the_robust_threshold(share, distance):
    normal = normal_scores(4_000)
    n_anomalies = round(4_000 * share / (1 - share))
    anomalies = np.linspace(-distance - 1, -distance, n_anomalies)
    offset = robust_threshold(np.concatenate([normal, anomalies]))
    assert offset == pytest.approx(robust_threshold(normal), abs=0.05)


def test_robust_threshold_follows_scale_and_shift():
    scores = np.random.default_rng(1).normal(size=300)
    np.testing.assert_allclose(robust_threshold(scores * 7 - 3), robust_threshold(scores) * 7 - 3)


def test_robust_threshold_allows_for_a_longer_lower_tail():
    scores = -np.random.default_rng(0).exponential(size=20_000)
    assert 0.02 < np.mean(scores < robust_threshold(scores)) < 0.04


def test_inside_the_package_equal_scores_flag_nothing():
    assert robust_offset(np.array([2.0, 2.0, 2.0])) == 2.0
    assert contamination_offset(np.array([5.0]), 0.1) == 5.0


@pytest.mark.parametrize("contamination", [0, 0.51, -1, np.nan, "some", None])
def test_contamination_out_of_range(contamination):
    with pytest.raises(ValueError, match=r"'auto' or a number in \(0, 0.5\], got"):
        contamination_threshold([0.0, 1.0], contamination)


@pytest.mark.parametrize("contamination", ["auto", 0.1])
@pytest.mark.parametrize(
    ("scores", "weight", "match"),
    [
        ([], None, "at least one row"),
        ([1.0, np.inf], None, "finite"),
        ([1.0, 2.0], [1.0], "one weight for each of the 2 rows"),
        ([1.0, 2.0], [0.0, 0.0], "not all zero"),
        ([1.0, 2.0], [1.0, -1.0], "not negative"),
        ([1.0, 2.0], [1.0, np.nan], "finite"),
    ],
)
def test_unusable_scores_and_weights(contamination, scores, weight, match):
    with pytest.raises(ValueError, match=match):
        contamination_threshold(scores, contamination, sample_weight=weight)


# Peaks over threshold


@pytest.mark.parametrize("distribution", [stats.expon, stats.norm, stats.t(4), stats.gamma(3)])
def test_true_rate_is_near_the_one_asked_for(distribution):
    rates = [
        distribution.sf(-pot_threshold(-distribution.rvs(size=1_000, random_state=seed), 1e-4))
        for seed in range(30)
    ]
    assert 2e-5 < np.mean(rates) < 5e-4
    # the lowest of 1,000 rows stands for ten times that rate
    assert np.median(rates) < 4e-4


def test_quantile_of_a_pareto_tail_is_recovered():
    tail = stats.genpareto(0.3, scale=2)
    scores = -tail.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert tail.sf(-pot_threshold(scores, 1e-4)) == pytest.approx(1e-4, rel=0.3)


def test_it_follows_scale_and_shift():
    scores = -np.random.default_rng(1).exponential(size=500)
    np.testing.assert_allclose(
        pot_threshold(scores * 1e-9 - 7, 1e-3), pot_threshold(scores, 1e-3) * 1e-9 - 7, rtol=1e-6
    )


def test_smaller_rates_have_lower_thresholds():
    scores = np.random.default_rng(0).normal(size=300)
    offsets = [pot_threshold(scores, rate) for rate in (1e-2, 1e-3, 1e-5, 1e-9)]
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
    assert np.isfinite(pot_threshold(scores, 1e-3))


@pytest.mark.parametrize(
    ("scores", "rate", "tail", "match"),
    [
        (np.arange(100.0), 0.0, 0.2, r"number in \(0, 1\), got 0.0"),
        (np.arange(100.0), 0.2, 0.2, "For larger rates use a quantile"),
        (np.arange(100.0), 0.01, 0.6, r"tail must be a number in \(0, 0.5\], got 0.6"),
        (np.arange(50.0), 0.01, 0.1, "10 different scores below.*got 5 among 50"),
        (np.r_[np.zeros(50), np.ones(50)], 0.01, 0.5, "got 1 among 100|got 0 among 100"),
        (np.r_[np.nan, np.arange(99.0)], 0.01, 0.2, "finite, got 1"),
    ],
)
def test_refusals(scores, rate, tail, match):
    with pytest.raises(ValueError, match=match):
        pot_threshold(scores, rate, tail=tail)


@pytest.mark.parametrize("n", [34, 60, 250])
@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_false_alarms_of_new_rows_are_as_many_as_said_even_after_few_rows(n, draw):
    rng = np.random.default_rng(0)
    scores = -getattr(rng, draw)(size=(1000, n))
    new = -getattr(rng, draw)(size=4000)
    rates = [(new < false_alarm_offset(row, 0.02)).mean() for row in scores]
    assert np.mean(rates) == pytest.approx(0.02, abs=0.004 if n > 50 else 0.012)


def test_an_anomaly_among_few_rows_does_not_hide_itself():
    scores = np.random.default_rng(2).normal(size=30)
    for far in (-10.0, -1e6):
        offset = false_alarm_offset(np.r_[scores, far], 0.02)
        assert far < offset < scores.min() + 0.5


def test_false_alarm_offset_of_weighted_equal_and_few_scores():
    scores = np.random.default_rng(1).normal(size=80)
    twice = false_alarm_offset(np.repeat(scores, 2), 0.02)
    assert false_alarm_offset(scores, 0.02, np.full(80, 2)) == pytest.approx(twice)
    for same in (np.zeros(5), np.zeros(20), np.zeros(500)):
        assert false_alarm_offset(same, 0.02) == 0
    assert np.isfinite(false_alarm_offset(np.array([-1e300, 1e300] * 6), 0.02))


@pytest.mark.parametrize("threshold", [contamination_threshold, robust_threshold])
def test_rows_of_no_weight_tell_no_rows_apart(threshold):
    with pytest.raises(ValueError, match="all scores are equal"):
        threshold([1.0, 3.0, 3.0], sample_weight=[0, 1, 1])
