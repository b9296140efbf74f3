"""A learner in ten lines: what it gets for nothing."""

import numpy as np
from small_rows import X, schedule, training_rows

from skanomaly.learners._base import Learner
from skanomaly.networks._autoencoders import dense_autoencoder
from skanomaly.preprocessing._scaling import ScaledRows
from skanomaly.training._trainer import assemble


class Rebuilding(Learner):
    def build(self, n_columns):
        shape = {"hidden_layer_sizes": (4,), "latent_dim": None, "activation": "tanh"}
        return assemble(dense_autoencoder(n_columns, **shape, l2=0.0, dropout=0.0))

    def score(self, X):
        Z = ScaledRows(X, self.scaler)[:]
        return np.square(self.forward(Z) - Z).mean(axis=1)


def learner(seed=0, settings=None, **own):
    return Rebuilding(settings or {}, schedule(**own), seed)


def test_by_default_it_rebuilds_scaled_rows():
    one = learner(steps=300)
    assert one.fit(training_rows()) is None
    np.testing.assert_allclose(one.scaler.mean_, X.mean(axis=0))
    assert one.score(X).shape == (100,)
    assert one.trainer.history["loss"][-1] < one.trainer.history["loss"][0]


def test_rows_are_left_as_they_are_on_request():
    one = learner(settings={"standardize": False})
    one.fit(training_rows())
    assert one.scaler is None


def test_the_seed_decides_and_the_order_of_rows_does_not():
    first, again, other = learner(), learner(), learner(seed=1)
    first.fit(training_rows())
    again.fit(training_rows(X=X[::-1].copy()))
    other.fit(training_rows())
    np.testing.assert_allclose(again.score(X), first.score(X), rtol=1e-5)
    assert np.abs(other.score(X) - first.score(X)).max() > 1e-3


def test_a_warm_start_goes_on_and_leaves_the_learner_before_alone():
    before = learner()
    before.fit(training_rows())
    scores = before.score(X)
    after = learner()
    after.fit(training_rows(X=X + 1), before)
    assert after.scaler is before.scaler
    np.testing.assert_array_equal(before.score(X), scores)
    assert (after.score(X) != scores).any()
