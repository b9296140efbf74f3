"""Initialisers and noise: what they state, and their configurations."""

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.backend._serialization import deserialize, serialize
from skanomaly.networks import _autoencoders, _layers
from skanomaly.networks._autoencoders import dense_autoencoder, dense_classifier
from skanomaly.networks._layers import FanAverageUniform, FanInNormal, MultiscaleNoise, row_folds
from skanomaly.networks._member_layers import MemberDense, SwapMembers

SHAPE = {"hidden_layer_sizes": (8, 4), "latent_dim": 2, "activation": "silu", "dropout": 0.0}


def test_plain_networks_start_as_in_keras():
    kernel = FanAverageUniform(seed=0)((300, 200))
    theirs = keras.initializers.GlorotUniform(seed=0)((300, 200))
    ours, theirs = (ops.convert_to_numpy(k) for k in (kernel, theirs))
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    assert ours.max() == pytest.approx(theirs.max(), rel=0.01)
    networks = (
        dense_autoencoder(5, **SHAPE, l2=0.0),
        dense_classifier(5, hidden_layer_sizes=(3,), activation="relu", dropout=0.0),
    )
    for layer in (layer for network in networks for layer in network.layers):
        assert isinstance(layer.kernel_initializer, FanAverageUniform)


def test_initialisers_repeat_with_a_seed():
    one, two, other = FanInNormal(seed=1), FanInNormal(seed=1), FanInNormal(seed=2)
    values = [ops.convert_to_numpy(init((3, 2))) for init in (one, two, other)]
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).all()


@pytest.mark.parametrize("members", [None, 3])
def test_noise_of_many_levels(members):
    layer = MultiscaleNoise(0.3, 3.0, members, seed=0)
    x = np.zeros((4000, 5), np.float32)
    corrupted, weight = (ops.convert_to_numpy(v) for v in layer(x))
    lead = (4000,) if members is None else (4000, 3)
    assert corrupted.shape == (*lead, 5)
    assert weight.shape == lead
    level = np.sqrt(1 / weight - 0.3**2)
    assert 0.299 < level.min() < 0.31
    assert 2.9 < level.max() < 3.001
    np.testing.assert_allclose(np.quantile(level, 0.5), np.sqrt(0.9), rtol=0.1)
    spread = (corrupted / level[..., None]).std()
    assert spread == pytest.approx(1.0, rel=0.03)
    again = ops.convert_to_numpy(layer(x)[0])
    assert np.abs(again - corrupted).max() > 0.1


def test_noise_from_two_generators_is_that_of_two_layers():
    x = np.ones((6, 5), np.float32)
    parts = [MultiscaleNoise(0.3, 3.0, 2, seed=seed) for seed in (4, 5)]
    both = MultiscaleNoise(0.3, 3.0, 4, seed=4, n_parts=2)
    for whole, *halves in zip(both(x), *(part(x) for part in parts), strict=True):
        joined = np.concatenate([ops.convert_to_numpy(half) for half in halves], axis=1)
        np.testing.assert_array_equal(ops.convert_to_numpy(whole), joined)
    assert serialize(both.resized(2))["config"] | {"name": ""} == (
        serialize(parts[0])["config"] | {"name": ""}
    )


def test_members_learn_nothing_from_the_rows_of_their_own_fold():
    x = np.random.default_rng(0).normal(size=(400, 5)).astype(np.float32)
    layer = MultiscaleNoise(0.3, 3.0, 4, seed=4, n_parts=2, n_folds=4)
    weight = ops.convert_to_numpy(layer(x)[1])
    folds = row_folds(x.astype(np.float64), 4)
    np.testing.assert_array_equal(weight == 0, folds[:, None] == np.arange(4))
    alone = MultiscaleNoise(0.3, 3.0, seed=4, n_folds=4)
    np.testing.assert_array_equal(ops.convert_to_numpy(alone(x)[1]) == 0, folds == 0)
    half = layer.resized(2)
    half.folds.assign([2.0, 3.0])  # as a part of the members has it
    weight = ops.convert_to_numpy(half(x)[1])
    np.testing.assert_array_equal(weight == 0, folds[:, None] == np.array([2, 3]))


@pytest.mark.parametrize("columns", [1, 5, 300])
def test_folds_of_rows_are_of_one_size_and_a_matter_of_content(columns):
    x = np.random.default_rng(1).normal(size=(1000, columns))
    folds = row_folds(x, 3)
    assert np.bincount(folds.astype(int)).min() > 270
    assert np.unique(folds).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(row_folds(x[::-1], 3), folds[::-1])
    assert np.isfinite(row_folds(np.full((2, columns), 1e300), 3)).all()


def test_noise_of_one_level_weighs_rows_alike():
    corrupted, weight = MultiscaleNoise(0.5, 0.5, seed=0)(np.zeros((4000, 3), np.float32))
    assert ops.convert_to_numpy(corrupted).std() == pytest.approx(0.5, rel=0.03)
    np.testing.assert_array_equal(ops.convert_to_numpy(weight), 1.0)


@pytest.mark.parametrize(
    "layer",
    [
        SwapMembers(),
        MemberDense(3, "tanh", 1.0, "l2"),
        MultiscaleNoise(0.1, 0.2, 4, seed=5, n_parts=2),
        FanInNormal(1.0, 3),
        FanAverageUniform(3),
    ],
)
def test_layers_come_back_from_their_configuration(layer):
    config = serialize(layer)
    assert serialize(deserialize(config)) == config


def test_the_room_registers_its_layers():
    for cls in (FanAverageUniform, FanInNormal, MemberDense, MultiscaleNoise, SwapMembers):
        assert keras.saving.get_registered_name(cls) == f"skanomaly>{cls.__name__}"
    assert _autoencoders.MEMBERS == "members"


@pytest.mark.parametrize("rank", [1, 2])
def test_the_convolution_is_that_of_keras_and_survives_saving(rank):
    size = (6, 5)[:rank]
    x = np.random.default_rng(0).normal(size=(3, *size, 2)).astype(np.float32)
    ours = _layers.Convolution(4, rank, "relu")
    twin = deserialize(serialize(ours))
    width = _layers._KERNEL_SIZES[rank]
    theirs = getattr(keras.layers, f"Conv{rank}D")(4, width, padding="same", activation="relu")
    expected = theirs(x)
    for layer in (ours, twin):
        layer.build(x.shape)
        layer.set_weights(theirs.get_weights())
        np.testing.assert_allclose(
            ops.convert_to_numpy(layer(x)), ops.convert_to_numpy(expected), atol=1e-5
        )
    assert ours.compute_output_shape(x.shape) == expected.shape
