"""The user's own network: built, copied or refused."""

import functools
import re

import keras
import numpy as np
import pytest
from small_trainers import D

from skanomaly import AutoencoderDetector
from skanomaly.backend._seeding import seeded
from skanomaly.networks._user_model import user_network


def bare(n_features):
    return keras.Sequential([keras.Input((n_features,)), keras.layers.Dense(n_features)])


def by_meta(meta, units=3):
    n_features = meta["n_features_in_"]
    layers = [keras.layers.Dense(units), keras.layers.Dense(n_features)]
    return keras.Sequential([keras.Input((n_features,)), *layers])


def without_arguments():
    return keras.Sequential([keras.layers.Dense(D)])


class Builder:
    def __call__(self, n_features_in_):
        return bare(n_features_in_)

    def method(self, n_features):
        return bare(n_features)


@pytest.mark.parametrize(
    "model",
    [
        bare,
        by_meta,
        functools.partial(by_meta, units=7),
        functools.partial(bare, n_features=D),
        without_arguments,
        Builder(),
        Builder().method,
        lambda **kwargs: bare(D),
    ],
    ids=["name", "meta", "partial", "bound", "unbuilt", "object", "method", "keywords"],
)
def test_builders(model):
    with seeded(0):
        network = user_network(model, D)
    assert network.built
    assert network.output_shape == (None, D)


def test_a_builder_must_return_a_network():
    with pytest.raises(TypeError, match=r"must return a keras\.Model, got list"):
        user_network(lambda: [1], D)


class OwnStep(keras.Model):
    def __init__(self, width=D):
        super().__init__()
        self.dense = keras.layers.Dense(width)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {}


def with_method(name):
    return type("Own", (OwnStep,), {name: lambda self, *args, **kwargs: None})


@pytest.mark.parametrize(
    "name", ["train_step", "compute_loss", "test_step", "predict_step", "fit"]
)
def test_networks_that_train_in_a_way_of_their_own_are_refused(name):
    with pytest.raises(ValueError, match=rf"is a Own with a {name} of its own.*`loss`"):
        user_network(lambda: with_method(name)(), D)
    assert user_network(lambda: OwnStep(), D).built


def test_compiled_metrics_are_told_to_play_no_part():
    network = keras.Sequential([keras.Input((D,)), keras.layers.Dense(D)])
    network.compile("adam", "mse", metrics=["mae"])
    with pytest.warns(UserWarning, match="compiled with metrics, which the detector does not use"):
        user_network(network, D)


@pytest.mark.parametrize("builder", [set, dict])
def test_a_builtin_is_no_builder_of_networks(builder):
    with pytest.raises(TypeError, match="must return a keras"):
        AutoencoderDetector("plain", model=builder, epochs=1).fit(np.eye(20, 2))


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (lambda: bare(D + 1), rf"made for inputs of shape \(None, {D + 1}\)"),
        (lambda: two_inputs(), "expects 2"),
        (keras.Sequential, "has no layers"),
    ],
    ids=["too wide", "two inputs", "empty"],
)
def test_networks_for_other_rows_are_refused_by_their_inputs(model, told):
    with pytest.raises(ValueError, match=rf"does not take rows of {D} columns") as caught:
        user_network(model, D)
    assert re.search(told, str(caught.value))
    assert "\x1b" not in str(caught.value)


def two_inputs():
    inputs = keras.Input((D,)), keras.Input((D,))
    return keras.Model(inputs, keras.layers.Add()(inputs))


def test_several_outputs_are_named():
    inputs = keras.Input((D,))
    model = keras.Model(inputs, [keras.layers.Dense(D)(inputs), keras.layers.Dense(1)(inputs)])
    with pytest.raises(ValueError, match="must have one output, got 2"):
        user_network(model, D)


def test_builders_with_other_arguments_are_refused_by_name():
    with pytest.raises(TypeError, match="missing a required argument: 'width'"):
        user_network(lambda width: bare(D), D)
