"""Rules with labels: each is the best of all cuts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score

from skanomaly.thresholds import (
    cost_threshold,
    f1_threshold,
    precision_threshold,
    recall_threshold,
)
from skanomaly.thresholds._labelled import expected_f1_offset, few_labels_offset
from skanomaly.utils._labels_handed_on import recode

RULES = [
    f1_threshold,
    lambda s, y: precision_threshold(s, y, 0.5),
    lambda s, y: recall_threshold(s, y, 0.5),
    lambda s, y: cost_threshold(s, y, 1, 1),
]


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
    offset = f1_threshold(scores, recode(labels))
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
    offset = recall_threshold(scores, recode(labels), recall)

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
            precision_threshold(scores, recode(labels), precision)
        return
    offset = precision_threshold(scores, recode(labels), precision)
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

    offset = cost_threshold(scores, recode(labels), cost_fp, cost_fn)
    best = min(cost(cut) for cut in every_cut(seen))
    assert cost(offset) == best
    assert all(cost(cut) > best for cut in every_cut(seen) if cut < offset - 1)


def test_offsets_lie_midway():
    scores, labels = [0.0, 1.0, 3.0, 9.0], [-1, -1, 1, 1]
    assert f1_threshold(scores, labels) == 2.0
    assert precision_threshold(scores, labels, 1.0) == 2.0
    assert recall_threshold(scores, labels, 0.5) == 0.5
    assert cost_threshold(scores, labels, 1, 1) == 2.0


def test_neighbouring_and_huge_floats_are_separated():
    low, high = 1.0, np.nextafter(1.0, 2.0)
    offset = f1_threshold([low, high], [-1, 1])
    assert low < offset <= high
    assert f1_threshold([1.7e308, 1.6e308], [1, -1]) == pytest.approx(1.65e308)


def test_everything_or_nothing_flagged():
    scores, labels = np.array([0.0, 1.0, 2.0]), [1, 1, -1]
    assert np.sum(scores < recall_threshold(scores, labels, 1.0)) == 3
    assert np.sum(scores < cost_threshold(scores, labels, 10, 1)) == 0


def test_unlabelled_rows_are_ignored():
    assert f1_threshold([0.0, 0.9, 2.0, 5.0], [-1, None, 1, None]) == 1.0


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("scores", "labels", "match"),
    [
        ([0.0, 1.0], [-1, -1], "one normal row"),
        ([0.0, 1.0], [1, 1], "got 0 anomalies and 2 normal rows"),
        ([0.0, 1.0, 1.0], [None, 1, -1], "same score, 1.0"),
        ([0.0, 1.0], [-1, 1, 1], "expected 2 labels, got 3"),
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
        precision_threshold([0.0, 1.0], [-1, 1], value)
    with pytest.raises(ValueError, match=r"recall must be a number in \(0, 1\]"):
        recall_threshold([0.0, 1.0], [-1, 1], value)


@pytest.mark.parametrize("costs", [(0, 0), (-1, 1), (1, np.inf), (np.nan, 1)])
def test_costs_out_of_range(costs):
    with pytest.raises(ValueError, match=r"cost_f[pn] .*must be"):
        cost_threshold([0.0, 1.0], [-1, 1], *costs)


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
