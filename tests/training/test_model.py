"""A fused model: its objective, its loops, what it keeps."""

import keras
import numpy as np
import pytest
from keras import ops
from keras_twins import (
    BatchCounter,
    D,
    Recorder,
    X,
    Y,
    assert_same_weights,
    dense,
    fused,
    on_jax,
    stopped,
    twin,
    validation_loss,
)

from skanomaly.training import _loop
from skanomaly.training._model import FusedModel


@pytest.mark.parametrize("y", [None, Y], ids=["reconstruction", "targets"])
def test_callbacks_for_batches_train_the_same_with_keras_own_loop(y):
    network = dense(dropout=0.2) if y is None else keras.Sequential(
        [keras.Input((D,)), keras.layers.Dense(1, activation="sigmoid")]
    )  # fmt: skip
    copy = twin(network)
    counter = BatchCounter()
    ours = fused(network, keras.optimizers.SGD(0.1), y=y)
    theirs = fused(copy, keras.optimizers.SGD(0.1), y=y, callbacks=[counter])
    assert counter.batches == 6
    assert_same_weights(network, copy)
    losses = [model.history.history["loss"] for model in (ours, theirs)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_early_stopping_keeps_the_best_weights():
    model = stopped()
    losses = model.history.history["val_loss"]
    assert 2 < len(losses) < 40
    assert np.argmin(losses) == len(losses) - 3
    assert validation_loss(model) == pytest.approx(min(losses), rel=1e-5)
    assert int(model.optimizer.iterations) == 2 * len(losses)


def test_early_stopping_is_that_of_keras():
    ours = stopped()
    theirs = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    keras_model = stopped([theirs], patience=None)
    slow = stopped([BatchCounter()])
    assert ours.history.history["val_loss"] == keras_model.history.history["val_loss"]
    for a, b in zip(ours.get_weights(), keras_model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(
        slow.history.history["val_loss"], ours.history.history["val_loss"], rtol=1e-3
    )
    assert_same_weights(ours, slow, rtol=1e-3, atol=1e-4)


def test_the_best_weights_come_back_without_stopping_too():
    model = stopped(patience=100, epochs=12)
    losses = model.history.history["val_loss"]
    assert len(losses) == 12
    assert np.argmin(losses) < 11
    assert validation_loss(model) == pytest.approx(min(losses), rel=1e-5)


def test_looking_callbacks_leave_early_stopping_as_it_is():
    quiet, watched = stopped(), stopped([Recorder()])
    assert quiet.history.history == watched.history.history


@pytest.mark.parametrize("n", [1, 255, 257, 1500])
def test_validation_loss_over_any_number_of_rows(n):
    x = np.random.default_rng(1).normal(size=(n + 20, D)).astype("float32")
    network = dense()
    model = FusedModel(network)
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    model.fit(x, rows=np.arange(20), validation_rows=20 + np.arange(n), epochs=1)
    expected = np.mean((ops.convert_to_numpy(network(x[20:])) - x[20:]) ** 2)
    assert model.history.history["val_loss"] == pytest.approx([float(expected)], rel=1e-5)


@on_jax
def test_validation_rows_are_not_held_when_they_are_many(monkeypatch):
    monkeypatch.setattr(_loop, "CALL_VALUES", 64)
    streamed = stopped().history.history
    monkeypatch.undo()
    assert streamed == stopped().history.history


def test_batches_of_one_row_and_of_more_rows_than_there_are():
    for size in (1, 1000):
        network = dense()
        model = FusedModel(network)
        model.compile(optimizer="adam", loss="mse")
        history = model.fit(X[:3], rows=np.arange(3), batch_size=size, epochs=1)
        assert np.isfinite(history.history["loss"][0])
        assert int(model.optimizer.iterations) == -(-3 // size)
