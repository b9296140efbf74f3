"""The forests beside the networks: out_of_fold votes, bounded rows, the same in any process."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from skanomaly.learners import _forest
from skanomaly.learners._forest import Forest, Forests, SearchingForest, log_odds

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3)).astype(np.float32)
LABELS = (X[:, 0] > 1.2).astype(float)
FEW = LABELS * (np.cumsum(LABELS) <= 6)


def grow(forest, rows, labels):
    return forest.grow(rows, labels, np.ones(len(rows)))


@pytest.fixture(scope="module")
def forest():
    forest = Forest(complete=True, seed=1)
    return forest, grow(forest, X, LABELS)


def test_votes_tell_the_classes_apart(forest):
    forest, _ = forest
    new = np.zeros((2, 3), np.float32)
    new[1, 0] = 2.0
    normal, anomaly = forest.votes(new)
    assert normal < 0.05
    assert anomaly > 0.7


@pytest.mark.parametrize("complete", [True, False])
def test_votes_on_training_rows_are_out_of_bag(complete):
    guessed = RNG.permutation(LABELS)  # nothing to learn: only trees that saw a row know its label
    forest = Forest(complete)
    unseen = grow(forest, X, guessed)
    gaps = [v[guessed > 0].mean() - v[guessed == 0].mean() for v in (forest.votes(X), unseen)]
    assert gaps[0] > 0.4
    assert abs(gaps[1]) < 0.08


def test_few_labels_find_the_anomalies_that_have_none():
    hidden, others = (LABELS > 0) & (FEW == 0), LABELS == 0
    few, complete = (grow(Forest(kind), X, FEW) for kind in (False, True))
    assert np.median(few[hidden]) > 0.4 > np.quantile(few[others], 0.9)
    assert np.median(complete[hidden]) < 0.2  # taken for normal rows, as they are labelled


def test_searching_trees_find_the_value_that_a_few_anomalies_share():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(2000, 25)).astype(np.float32)
    odd = np.arange(2000) % 200 == 0
    rows[:, 7] = np.where(odd, 1.02, 1) * rng.uniform(odd, 1)  # little beyond the others
    known = np.where(odd & (np.arange(2000) < 600), 1.0, 0.0)  # 3 of 10
    forests = Forests(complete=False)
    forests.fit_votes(rows[:1000], known[:1000])
    votes = forests.votes(rows[1000:])
    precision = [average_precision_score(odd[1000:], of) for of in votes.T]
    assert precision[1] == 1.0
    assert precision[0] < 0.9


@pytest.mark.parametrize(("n_columns", "tried"), [(1, 1), (2, 1), (9, 4), (60, 16), (1500, 38)])
def test_searching_trees_look_through_half_the_columns_but_not_through_very_many(n_columns, tried):
    assert SearchingForest()._tree(0, n_columns, 0).max_features == tried


def test_log_odds_are_finite_where_all_trees_agree():
    np.testing.assert_allclose(log_odds(np.array([0.0, 0.5, 1.0])), np.log([1 / 199, 1, 199]))


def test_a_row_is_judged_by_itself(forest):
    forest, _ = forest
    alone = [forest.votes(X[k : k + 1])[0] for k in range(9)]
    np.testing.assert_array_equal(forest.votes(X[:9]), alone)


def test_the_seed_decides(forest):
    again, other = (grow(Forest(True, seed), X, LABELS) for seed in (1, 2))
    np.testing.assert_array_equal(again, forest[1])
    assert (other != again).any()


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("n_anomalies", [1, 299])
def test_one_row_of_a_class_is_enough(n_anomalies, complete):
    labels = (np.arange(300) < n_anomalies).astype(float)
    unseen = Forests(complete).fit_votes(X, labels)
    assert unseen.shape == (300, 2)
    assert ((unseen >= 0) & (unseen <= 1)).all()


@pytest.mark.parametrize("turned", [False, True])
def test_of_many_rows_a_part_is_enough(turned, monkeypatch):
    monkeypatch.setattr(_forest, "MAX_ROWS", 80)
    labels = 1 - LABELS if turned else LABELS
    forests = Forests(complete=True)
    votes = forests.fit_votes(X, labels)
    assert len(votes) == 300
    for kind, forest in enumerate(forests.kinds):
        assert forest.trees_.counts.max() <= 2 * 80 - 1
        assert np.mean((votes[:, kind] > 0.5) == labels) > 0.95


@pytest.mark.parametrize("turned", [False, True])
def test_the_rare_class_is_drawn_first_and_weighs_what_it_did(turned, monkeypatch):
    monkeypatch.setattr(_forest, "MAX_ROWS", 80)
    labels = 1 - LABELS if turned else LABELS
    rows, weight = Forests(complete=True)._drawn(labels)
    rare = LABELS[rows] > 0
    assert len(rows) == 80
    assert rare.sum() == min(40, LABELS.sum())
    assert weight[rare].sum() == pytest.approx(LABELS.sum())
    assert weight.sum() == pytest.approx(300)
    assert (np.diff(rows) > 0).all()
