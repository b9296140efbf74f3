"""Compiled steps: optimizers, losses and precision end like those of Keras."""

import keras
import numpy as np
import pytest
from keras import ops
from keras_twins import (
    D,
    Y,
    assert_same_weights,
    dense,
    fused,
    on_jax,
    sequential,
    train_with_keras,
    twin,
)

from skanomaly.training import _compiled


def decaying():
    return keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)


def cosine():
    return keras.optimizers.schedules.CosineDecay(0.0, 4, warmup_target=0.05, warmup_steps=2)


OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "decay": lambda: keras.optimizers.SGD(0.05, weight_decay=0.1),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "clipnorm": lambda: keras.optimizers.SGD(0.5, clipnorm=0.1),
    "global_clipnorm": lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.1),
    "clipvalue": lambda: keras.optimizers.SGD(0.5, clipvalue=0.01),
    "schedule": lambda: keras.optimizers.SGD(decaying()),
    "cosine": lambda: keras.optimizers.SGD(cosine()),
    "average": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
    "accumulation": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
}


@on_jax
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_step_like_those_of_keras(name):
    network = sequential()
    theirs = twin(network)
    train_with_keras(theirs, OPTIMIZERS[name]())
    model = fused(network, OPTIMIZERS[name]())
    assert_same_weights(network, theirs)
    assert int(model.optimizer.iterations) == int(theirs.optimizer.iterations)
    assert float(model.optimizer.learning_rate) == pytest.approx(
        float(theirs.optimizer.learning_rate)
    )


@on_jax
@pytest.mark.parametrize("loss", ["binary_crossentropy", keras.losses.Huber(0.5)])
def test_targets_and_losses(loss):
    network = keras.Sequential([keras.Input((D,)), keras.layers.Dense(1, activation="sigmoid")])
    theirs = twin(network)
    train_with_keras(theirs, keras.optimizers.SGD(0.5), loss, Y)
    fused(network, keras.optimizers.SGD(0.5), loss, Y)
    assert_same_weights(network, theirs)


@on_jax
def test_own_loss_functions_do_not_share_a_program():
    def halved(y_true, y_pred):
        return 0.5 * ops.mean(ops.square(y_true - y_pred), axis=-1)

    first = halved

    def halved(y_true, y_pred):
        return 5.0 * ops.mean(ops.square(y_true - y_pred), axis=-1)

    histories = []
    for loss in (first, halved):
        keras.utils.set_random_seed(0)
        histories.append(fused(dense(), loss=loss, epochs=1).history.history["loss"][0])
    assert histories[1] == pytest.approx(10 * histories[0], rel=0.05)


@on_jax
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        network = dense()
        theirs = twin(network)
        train_with_keras(theirs, keras.optimizers.SGD(0.1))
        model = fused(network, keras.optimizers.SGD(0.1))
    finally:
        keras.config.set_dtype_policy(before)
    assert type(model.optimizer) is type(theirs.optimizer)
    assert network.layers[0].compute_dtype == policy.removeprefix("mixed_")
    assert_same_weights(network, theirs, rtol=2e-2, atol=3e-3)


def test_programs_survive_their_eviction(monkeypatch):
    monkeypatch.setattr(_compiled, "MAX_COMPILED", 1)
    losses = [fused(dense(), epochs=1).history.history["loss"][0] for _ in range(2)]
    assert np.isfinite(losses).all()
