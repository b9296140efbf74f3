"""What Keras' callbacks see of a training."""

import keras
import numpy as np
import pytest

from skanomaly.training._callbacks import (
    history_of,
    observers,
    refuse_setters_of_a_schedule,
    shown,
    wants_batches,
)
from skanomaly.training._model import FusedModel


@pytest.fixture
def model():
    fused = FusedModel(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]))
    fused.compile(optimizer=keras.optimizers.SGD(0.25), loss="mse")
    return fused


def test_the_network_stands_for_the_model_and_is_itself_again(model):
    with shown(model):
        assert model.network.optimizer is model.optimizer
        assert model.network.stop_training is False
    assert "optimizer" not in vars(model.network)


def test_callbacks_know_the_network_and_the_budget(model):
    callback = keras.callbacks.Callback()
    told = observers(model, [callback], epochs=5, steps=7)
    assert callback.model is model.network
    assert callback.params == {"verbose": 1, "epochs": 5, "steps": 7}
    assert isinstance(history_of(told), keras.callbacks.History)


@pytest.mark.parametrize(
    ("callback", "expected"),
    [
        (keras.callbacks.Callback(), False),
        (keras.callbacks.LambdaCallback(on_epoch_end=print), False),
        (keras.callbacks.LambdaCallback(on_train_batch_end=print), True),
    ],
)
def test_who_listens_to_batches(callback, expected):
    assert wants_batches(callback) is expected


def test_a_rate_has_one_master():
    setter = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    refuse_setters_of_a_schedule(keras.optimizers.SGD(0.1), [setter])
    with pytest.raises(ValueError, match="LearningRateScheduler sets the learning rate"):
        refuse_setters_of_a_schedule(keras.optimizers.SGD(decay), [setter])
    assert np.isfinite(decay(3))
