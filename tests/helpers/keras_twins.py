"""Small networks trained twice: by the package's loops, and by Keras' own."""

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.networks._autoencoders import dense_autoencoder
from skanomaly.training._loop import Plan
from skanomaly.training._model import FusedModel

on_jax = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="the compiled loop is for JAX alone"
)
N, D, BATCH = 44, 5, 16  # three batches, the last of 12 rows
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def dense(l2=0.0, dropout=0.0):
    return dense_autoencoder(
        D, hidden_layer_sizes=(7, 6), latent_dim=None, activation="tanh", l2=l2, dropout=dropout
    )


def sequential(*layers):
    return keras.Sequential([keras.Input((D,)), *layers, keras.layers.Dense(D)])


def train_with_keras(network, optimizer, loss="mse", y=None, epochs=2):
    """Train on the batches of `plan`, with nothing of the package but their order."""
    eager = not any("Cell" in type(layer).__name__ for layer in network._flatten_layers())
    network.compile(optimizer=optimizer, loss=loss, run_eagerly=eager)
    batches = plan()
    for epoch in range(epochs):
        for index, count in zip(*batches.epoch(epoch), strict=True):
            rows = index[:count]
            network.train_on_batch(X[rows], (X if y is None else y)[rows])
    network.optimizer.finalize_variable_values(network.trainable_weights)


def plan(epochs=2, seed=3, steps=None, batch=BATCH):
    return Plan(np.arange(N), batch, np.random.default_rng(seed), epochs, steps)


def twin(network):
    """Return a copy with the same weights and random states, built without the package."""
    copy = network.__class__.from_config(network.get_config())
    if not copy.built:
        copy.build((None, D))
    assert len(copy.variables) == len(network.variables)
    for ours, theirs in zip(copy.variables, network.variables, strict=True):
        ours.assign(np.array(ops.convert_to_numpy(theirs)))  # Keras deletes what it trains on
    return copy


def fused(network, optimizer="adam", loss="mse", y=None, epochs=2, callbacks=(), **kwargs):
    model = FusedModel(network)
    model.compile(optimizer=optimizer, loss=loss)
    model.fit(
        X, y, rows=np.arange(N), batch_size=BATCH, epochs=epochs, callbacks=list(callbacks),
        rng=np.random.default_rng(3), **kwargs,
    )  # fmt: skip
    return model


def assert_same_weights(ours, theirs, rtol=3e-5, atol=3e-6):
    ours, theirs = ours.get_weights(), theirs.get_weights()
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls, self.rates, self.weights, self.logs = [], [], [], []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"+{epoch}")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"-{epoch}")
        self.rates.append(float(ops.convert_to_numpy(self.model.optimizer.learning_rate)))
        self.weights.append(self.model.get_weights())
        self.logs.append(dict(logs))

    def on_train_end(self, logs=None):
        self.calls.append("end")


class BatchCounter(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1


def stopped(callbacks=(), patience=2, seed=0, epochs=40, network=None):
    keras.utils.set_random_seed(seed)
    network = network or dense(dropout=0.1)
    model = FusedModel(network)
    model.compile(optimizer=keras.optimizers.SGD(1.2), loss="mse")
    model.fit(
        X, rows=np.arange(30), validation_rows=np.arange(30, N), patience=patience,
        batch_size=BATCH, epochs=epochs, callbacks=list(callbacks), rng=np.random.default_rng(3),
    )  # fmt: skip
    return model


def validation_loss(model):
    output = ops.convert_to_numpy(model.network(X[30:]))
    return float(np.mean((output - X[30:]) ** 2))
