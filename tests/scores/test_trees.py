"""Trees as arrays say what scikit-learn's say, and arrays that are no trees are refused."""

import pickle

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, IsolationForest

from skanomaly.scores._trees import IsolationPaths, Trees

X = np.random.default_rng(0).normal(size=(200, 3))


@pytest.fixture(scope="module")
def forest():
    return ExtraTreesRegressor(n_estimators=5, random_state=0).fit(X, X[:, 0] * X[:, 1])


@pytest.fixture(scope="module")
def trees(forest):
    grown = [tree.tree_ for tree in forest.estimators_]
    return Trees(grown, [tree.value[:, 0, 0] for tree in grown])


def test_the_total_is_that_of_scikit_learn(forest, trees):
    total = sum(tree.predict(X) for tree in forest.estimators_)
    np.testing.assert_array_equal(trees.total(X), total)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(trees)).total(X), total)
    assert len(trees) == 5


@pytest.mark.parametrize("size", [1, 3, 16, 17])
def test_the_total_of_a_row_is_the_same_alone_and_among_others(trees, size):
    parts = [trees.total(X[start : start + size]) for start in range(0, len(X), size)]
    np.testing.assert_array_equal(np.concatenate(parts), trees.total(X))


@pytest.mark.parametrize("max_samples", [1, 2, 64, 1.0])
def test_isolation_scores_are_those_of_scikit_learn(max_samples):
    forest = IsolationForest(n_estimators=7, max_samples=max_samples, random_state=0).fit(X)
    np.testing.assert_array_equal(IsolationPaths(forest).score(X), -forest.score_samples(X))


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("left", 0, 10**6),
        ("left", 0, 0),
        ("right", 0, -5),
        ("right", 0, -1),
        ("feature", 0, 3),
        ("feature", 0, -1),
        ("counts", 0, 10**6),
        ("counts", 1, 0),
    ],
)
def test_arrays_that_lead_a_row_astray_are_refused(trees, name, place, value):
    state = {key: np.copy(part) for key, part in trees.__getstate__().items()}
    state["n_features"] = trees.n_features
    state[name][place] = value
    with pytest.raises(ValueError, match="holds no trees"):
        Trees.__new__(Trees).__setstate__(state)
