"""The forest beside the networks: honest votes, bounded rows, the same in any process."""

import numpy as np
import pytest

from skanomaly import _forest
from skanomaly._forest import Forest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3)).astype(np.float32)
LABELS = (X[:, 0] > 1.2).astype(float)


@pytest.fixture(scope="module")
def forest():
    return Forest(seed=1).fit(X, LABELS)


def test_log_odds_tell_the_classes_apart(forest):
    new = np.zeros((2, 3), np.float32)
    new[1, 0] = 2.0
    normal, anomaly = forest.logits(new)
    assert normal < -3 < 0 < anomaly


def test_votes_on_training_rows_are_honest():
    guessed = RNG.permutation(LABELS)  # nothing to learn: only trees that saw a row know its label
    forest = Forest().fit(X, guessed)
    seen, honest = forest.logits(X), forest.honest_
    assert seen[guessed > 0].min() > seen[guessed == 0].max()
    assert abs(np.mean(honest[guessed > 0]) - np.mean(honest[guessed == 0])) < 0.5


def test_log_odds_are_finite_where_all_trees_agree(forest):
    logits = forest.logits(np.full((1, 3), -9.0, np.float32))
    assert logits == pytest.approx(-np.log(99))


def test_a_row_is_judged_by_itself(forest):
    alone = [forest.logits(X[k : k + 1])[0] for k in range(9)]
    np.testing.assert_array_equal(forest.logits(X[:9]), alone)


def test_the_seed_decides(forest):
    again, other = Forest(seed=1).fit(X, LABELS), Forest(seed=2).fit(X, LABELS)
    np.testing.assert_array_equal(again.honest_, forest.honest_)
    assert (other.honest_ != forest.honest_).any()


@pytest.mark.parametrize("n_anomalies", [1, 299])
def test_one_row_of_a_class_is_enough(n_anomalies):
    labels = (np.arange(300) < n_anomalies).astype(float)
    assert np.isfinite(Forest().fit(X, labels).honest_).all()


@pytest.mark.parametrize("turned", [False, True])
def test_of_many_rows_a_part_is_enough(turned, monkeypatch):
    monkeypatch.setattr(_forest, "MAX_ROWS", 80)
    labels = 1 - LABELS if turned else LABELS
    forest = Forest().fit(X, labels)
    assert forest.forests_[0].estimators_[0].tree_.n_node_samples[0] <= 80
    assert len(forest.honest_) == 300
    assert np.mean((forest.honest_ > 0) == labels) > 0.95


def test_the_rare_class_is_drawn_first_and_weighs_what_it_did(monkeypatch):
    monkeypatch.setattr(_forest, "MAX_ROWS", 80)
    rows, weight = Forest()._drawn(LABELS)
    rare = LABELS[rows] > 0
    assert len(rows) == 80
    assert rare.sum() == min(40, LABELS.sum())
    assert weight[rare].sum() == pytest.approx(LABELS.sum())
    assert weight.sum() == pytest.approx(300)
    assert (np.diff(rows) > 0).all()
