"""Members in halves train like all of them at once."""

import keras
import numpy as np
import pytest
from keras_twins import BATCH, BatchCounter, D, N, X, assert_same_weights, on_jax

from skanomaly.networks._autoencoders import member_autoencoder
from skanomaly.networks._layers import MultiscaleNoise
from skanomaly.training import _member_halves
from skanomaly.training._model import FusedModel


def train_members(
    optimizer="adam", l2=0.0, dropout=0.0, n_members=4, n_parts=2, n_folds=None, **kwargs
):
    """Train members with noise; weights, seeds and batches are the same at every call."""
    keras.utils.set_random_seed(0)
    shape = {"hidden_layer_sizes": (4,), "latent_dim": 2, "activation": "tanh"}
    network = member_autoencoder(D, n_members, **shape, l2=l2, dropout=dropout)
    noise = MultiscaleNoise(0.1, 1.0, n_members, 7, None, n_parts, n_folds)
    model = FusedModel(network, noise, n_members)
    model.compile(optimizer=optimizer, loss="mse")
    settings = {"rows": np.arange(N), "batch_size": BATCH, "epochs": 3} | kwargs
    model.fit(X, rng=np.random.default_rng(3), **settings)
    return model


@on_jax
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"l2": 0.1, "optimizer": "rmsprop"},
        {"n_members": 2},
        {"n_folds": 4},
        {"rows": np.arange(30), "validation_rows": np.arange(30, N), "patience": 1, "epochs": 9},
    ],
    ids=["adam", "penalty", "one_each", "folds", "early_stopping"],
)
def test_halves_train_like_all_members_at_once(settings, monkeypatch):
    halves = train_members(**settings)
    assert _member_halves.n_parts(halves) == 2
    with monkeypatch.context() as patch:
        patch.setattr(_member_halves, "n_parts", lambda model: 1)
        whole = train_members(**settings)
    assert_same_weights(halves, whole)
    for a, b in zip(halves.optimizer.variables, whole.optimizer.variables, strict=True):
        np.testing.assert_allclose(a.value, b.value, rtol=1e-4, atol=1e-6)
    ours, theirs = (model.history.history for model in (halves, whole))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)


@on_jax
def test_halves_train_like_members_in_keras_own_loop():
    counter = BatchCounter()
    assert_same_weights(train_members(), train_members(callbacks=[counter]))
    assert counter.batches == 9


@on_jax
def test_halves_go_on_where_they_stood():
    model = train_members()
    generators = [np.array(v.value) for v in model.non_trainable_variables]
    model.fit(X, rows=np.arange(N), batch_size=BATCH, rng=np.random.default_rng(4))
    assert int(model.optimizer.iterations) == 12
    for before, after in zip(generators, model.non_trainable_variables, strict=True):
        assert before[0] == after.value[0]
        assert before[1] < after.value[1]


@on_jax
@pytest.mark.parametrize(
    "settings",
    [
        {"dropout": 0.2},
        {"n_parts": 1},
        {"optimizer": keras.optimizers.Adam(global_clipnorm=1.0)},
        {"optimizer": "adafactor"},
        {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())},
    ],
    ids=["dropout", "noise", "clipping", "adafactor", "loss_scale"],
)
def test_members_with_something_in_common_train_together(settings):
    assert _member_halves.n_parts(train_members(epochs=1, **settings)) == 1
