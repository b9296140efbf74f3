"""Rows told from noise, a few columns at a time."""

import numpy as np
from small_rows import schedule, training_rows

from skanomaly.learners._subspaces import Subspaces

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 5)).astype(np.float32)


def fitted(rows=X, **own):
    settings = {"hidden_layer_sizes": (8,), "activation": "tanh", "dropout": 0.0}
    plan = schedule(steps=100, loss=Subspaces.new_loss(), **own)
    learner = Subspaces(settings, plan, seed=0)
    learner.fit(training_rows(X=rows))
    return learner


def test_every_member_sees_few_columns():
    settings = {"hidden_layer_sizes": (8,), "activation": "tanh", "dropout": 0.0}
    model = Subspaces(settings, schedule(), 0).build(5)
    [picked] = [layer for layer in model.network.layers if layer.name.endswith("columns")]
    assert np.shape(picked.columns) == (32, 3)
    assert all(len(set(columns)) == 3 for columns in picked.columns)


def test_rows_far_from_all_others_have_the_highest_score():
    scores = fitted().score(np.vstack([X, np.full((1, 5), 9.0, np.float32)]))
    assert scores.argmax() == 200
    assert np.isfinite(scores).all()


def test_a_row_is_judged_by_itself():
    learner = fitted()
    np.testing.assert_allclose(learner.score(X[:1]), learner.score(X)[:1], rtol=1e-6)
