"""Tests of the rules that turn scores into an offset."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import f1_score, precision_score, recall_score

from skanomaly.thresholds._labelled import (
    best_f1_offset,
    cost_offset,
    expected_f1_offset,
    few_labels_offset,
    precision_offset,
    recall_offset,
)
from skanomaly.thresholds._unlabelled import contamination_offset, robust_offset

LABEL_RULES = [
    best_f1_offset,
    lambda s, y: precision_offset(s, y, 0.5),
    lambda s, y: recall_offset(s, y, 0.5),
    lambda s, y: cost_offset(s, y, 1, 1),
]


def normal_scores(n):
    """Exact quantiles of the standard normal distribution: no luck involved."""
    return norm.ppf((np.arange(n) + 0.5) / n)


@pytest.mark.parametrize("n", [2, 3, 10, 57, 300])
def test_contamination_is_exact_without_ties(n):
    scores = np.random.default_rng(n).permutation(n) * 0.37
    for k in range(1, n // 2 + 1):
        offset = contamination_offset(scores, k / n)
        assert np.sum(scores < offset) == k
        assert offset == np.percentile(scores, 100 * (k / n))


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
        np.percentile(repeated, 100 * contamination),
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
        contamination_offset(scores, 0.07, np.full(101, scale)), np.percentile(scores, 7)
    )
    weight = rng.uniform(0.1, 3, size=101)
    np.testing.assert_allclose(
        contamination_offset(scores, 0.07, weight * scale),
        contamination_offset(scores, 0.07, weight),
    )


def test_float_weights_count_by_ratio():
    scores = np.arange(100.0)
    heavy_low = np.where(scores < 10, 9.5, 0.5)
    # The 10 lowest rows carry 95 of 140 parts, so the 5% quantile lies within them.
    assert contamination_offset(scores, 0.05, heavy_low) < 1
    assert contamination_offset(scores, 0.05, heavy_low[::-1].copy()) > 10


def test_auto_is_the_robust_rule():
    scores = np.random.default_rng(0).normal(size=200)
    assert contamination_offset(scores, "auto") == robust_offset(scores)


def test_robust_false_positive_rate_of_normal_scores():
    offset = robust_offset(normal_scores(10_001))
    assert norm.cdf(offset) == pytest.approx(0.00135, abs=0.0001)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
@pytest.mark.parametrize("distance", [8, 1e6])
def test_anomalies_do_not_move_the_robust_offset(share, distance):
    normal = normal_scores(4_000)
    n_anomalies = round(4_000 * share / (1 - share))
    anomalies = np.linspace(-distance - 1, -distance, n_anomalies)
    offset = robust_offset(np.concatenate([normal, anomalies]))
    assert offset == pytest.approx(robust_offset(normal), abs=0.05)


def test_robust_offset_follows_scale_and_shift():
    scores = np.random.default_rng(1).normal(size=300)
    np.testing.assert_allclose(robust_offset(scores * 7 - 3), robust_offset(scores) * 7 - 3)


def test_robust_offset_allows_for_a_longer_lower_tail():
    scores = -np.random.default_rng(0).exponential(size=20_000)
    assert 0.02 < np.mean(scores < robust_offset(scores)) < 0.04


def test_robust_offset_of_equal_scores_flags_nothing():
    assert robust_offset([2.0, 2.0, 2.0]) == 2.0
    assert robust_offset([5.0]) == 5.0


labelled = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from([-1, -1, 1, 1, 0])), min_size=2, max_size=14
).filter(
    lambda rows: (
        {-1, 1} <= {label for _, label in rows} and len({s for s, label in rows if label}) > 1
    )
)


def every_cut(scores):
    """Return one offset per distinct prediction, lowest first."""
    levels = np.unique(scores)
    return [*(levels - 0.5), levels[-1] + 0.5]


def flagged(scores, offset):
    return np.where(scores < offset, -1, 1)


@settings(max_examples=150, deadline=None)
@given(labelled)
def test_best_f1_is_the_best_and_the_strictest(rows):
    scores, labels = np.array(rows).T
    offset = best_f1_offset(scores, labels)
    seen, truth = scores[labels != 0], labels[labels != 0]

    def f1(cut):
        return f1_score(truth, flagged(seen, cut), pos_label=-1, zero_division=0)

    all_f1 = [f1(cut) for cut in every_cut(seen)]
    assert f1(offset) == pytest.approx(max(all_f1))
    strictest = every_cut(seen)[int(np.argmax(np.round(all_f1, 12)))]
    assert (flagged(seen, offset) == flagged(seen, strictest)).all()


@settings(max_examples=150, deadline=None)
@given(labelled, st.floats(0.05, 1))
def test_recall_is_reached_with_fewest_false_alarms(rows, recall):
    scores, labels = np.array(rows).T
    seen, truth = scores[labels != 0], labels[labels != 0]
    offset = recall_offset(scores, labels, recall)

    def got(cut):
        return recall_score(truth, flagged(seen, cut), pos_label=-1)

    assert got(offset) >= recall
    for cut in every_cut(seen):
        if np.sum(seen < cut) < np.sum(seen < offset):
            assert got(cut) < recall


@settings(max_examples=150, deadline=None)
@given(labelled, st.floats(0.05, 1))
def test_precision_is_reached_with_most_found(rows, precision):
    scores, labels = np.array(rows).T
    seen, truth = scores[labels != 0], labels[labels != 0]

    def got(cut):
        return precision_score(truth, flagged(seen, cut), pos_label=-1, zero_division=0)

    allowed = [cut for cut in every_cut(seen) if got(cut) >= precision]
    if not allowed:
        with pytest.raises(ValueError, match="cannot be reached: the best"):
            precision_offset(scores, labels, precision)
        return
    offset = precision_offset(scores, labels, precision)
    found = [np.sum(truth[seen < cut] == -1) for cut in allowed]
    assert got(offset) >= precision
    assert np.sum(truth[seen < offset] == -1) == max(found)


@settings(max_examples=150, deadline=None)
@given(labelled, st.integers(0, 5), st.integers(1, 5))
def test_cost_is_lowest(rows, cost_fp, cost_fn):
    scores, labels = np.array(rows).T
    seen, truth = scores[labels != 0], labels[labels != 0]

    def cost(cut):
        return cost_fp * np.sum(truth[seen < cut] == 1) + cost_fn * np.sum(
            truth[seen >= cut] == -1
        )

    offset = cost_offset(scores, labels, cost_fp, cost_fn)
    best = min(cost(cut) for cut in every_cut(seen))
    assert cost(offset) == best
    assert all(cost(cut) > best for cut in every_cut(seen) if cut < offset - 1)


def test_offsets_lie_midway():
    scores, labels = [0.0, 1.0, 3.0, 9.0], [-1, -1, 1, 1]
    assert best_f1_offset(scores, labels) == 2.0
    assert precision_offset(scores, labels, 1.0) == 2.0
    assert recall_offset(scores, labels, 0.5) == 0.5
    assert cost_offset(scores, labels, 1, 1) == 2.0


def test_neighbouring_and_huge_floats_are_separated():
    low, high = 1.0, np.nextafter(1.0, 2.0)
    offset = best_f1_offset([low, high], [-1, 1])
    assert low < offset <= high
    assert best_f1_offset([1.7e308, 1.6e308], [1, -1]) == pytest.approx(1.65e308)


def test_everything_or_nothing_flagged():
    scores, labels = np.array([0.0, 1.0, 2.0]), [1, 1, -1]
    assert np.sum(scores < recall_offset(scores, labels, 1.0)) == 3
    assert np.sum(scores < cost_offset(scores, labels, 10, 1)) == 0


def test_unlabelled_rows_are_ignored():
    assert best_f1_offset([0.0, 0.9, 2.0, 5.0], [-1, 0, 1, 0]) == 1.0


@pytest.mark.parametrize("rule", LABEL_RULES)
@pytest.mark.parametrize(
    ("scores", "labels", "match"),
    [
        ([0.0, 1.0], [-1, -1], "one normal row"),
        ([0.0, 1.0], [1, 0], "at least one anomaly"),
        ([0.0, 1.0, 1.0], [0, 1, -1], "same score, 1.0"),
        ([0.0, 1.0], [-1, 2], "out of -1, 0 and 1"),
        ([0.0, 1.0], [-1, 1, 1], "2 values out of"),
        ([np.nan, 1.0], [-1, 1], "finite, got 1"),
        ([[0.0, 1.0]], [-1, 1], r"shape \(n_samples,\)"),
    ],
)
def test_label_rules_refuse(rule, scores, labels, match):
    with pytest.raises(ValueError, match=match):
        rule(scores, labels)


@pytest.mark.parametrize("value", [0, -0.1, 1.1, np.nan, "high", None])
def test_shares_out_of_range(value):
    with pytest.raises(ValueError, match=r"precision must be a number in \(0, 1\]"):
        precision_offset([0.0, 1.0], [-1, 1], value)
    with pytest.raises(ValueError, match=r"recall must be a number in \(0, 1\]"):
        recall_offset([0.0, 1.0], [-1, 1], value)


@pytest.mark.parametrize("costs", [(0, 0), (-1, 1), (1, np.inf), (np.nan, 1)])
def test_costs_out_of_range(costs):
    with pytest.raises(ValueError, match="cost_fp and cost_fn must be finite"):
        cost_offset([0.0, 1.0], [-1, 1], *costs)


@pytest.mark.parametrize("contamination", [0, 0.51, -1, np.nan, "some", None])
def test_contamination_out_of_range(contamination):
    with pytest.raises(ValueError, match=r"'auto' or a number in \(0, 0.5\], got"):
        contamination_offset([0.0, 1.0], contamination)


@pytest.mark.parametrize("contamination", ["auto", 0.1])
@pytest.mark.parametrize(
    ("scores", "weight", "match"),
    [
        ([], None, "at least one row"),
        ([1.0, np.inf], None, "finite"),
        ([1.0, 2.0], [1.0], "sample_weight must have shape"),
        ([1.0, 2.0], [0.0, 0.0], "not all 0"),
        ([1.0, 2.0], [1.0, -1.0], "not negative"),
        ([1.0, 2.0], [1.0, np.nan], "finite"),
    ],
)
def test_unusable_scores_and_weights(contamination, scores, weight, match):
    with pytest.raises(ValueError, match=match):
        contamination_offset(scores, contamination, weight)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.floats(0.01, 1)), min_size=1, max_size=30))
def test_expected_f1_is_the_best_of_all_cuts(rows):
    scores, probabilities = np.array(rows).T

    def expected(cut):
        found = probabilities[scores < cut].sum()
        return 2 * found / ((scores < cut).sum() + probabilities.sum())

    offset = expected_f1_offset(scores, probabilities)
    best = max(map(expected, every_cut(scores)))
    everything = offset == scores.max()  # stands for calling every row an anomaly, too
    assert expected(offset) == pytest.approx(best) or (
        everything and expected(offset + 1) == pytest.approx(best)
    )


def test_few_labels_offset_catches_known_anomalies_with_few_rows():
    scores = np.r_[np.linspace(-9, -8, 10), np.linspace(0, 1, 90)]
    labels = np.where(np.arange(100) < 3, -1, 1)  # seven of ten anomalies are not known
    offset = few_labels_offset(scores, labels)
    assert scores[2] < offset < scores[3]
    # a known anomaly among the normal rows is not worth flagging half of them
    labels[50] = -1
    assert few_labels_offset(scores, labels) == offset
