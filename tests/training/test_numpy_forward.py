"""Networks run by NumPy alone answer as Keras does."""

import keras
import numpy as np
import pytest

from skanomaly.networks._autoencoders import dense_autoencoder, member_autoencoder
from skanomaly.networks._ensembles import packed_network
from skanomaly.networks._heads import with_codes
from skanomaly.networks._masked_bins import ColumnSurprises, masked_bin_network
from skanomaly.networks._sequences import autoencoder
from skanomaly.training._numpy_forward import _ACTIVATIONS, is_known, run

X = np.random.default_rng(0).normal(size=(5, 12)).astype(np.float32)
SMALL = {"hidden_layer_sizes": (3, 4), "latent_dim": 2, "l2": 0.0, "dropout": 0.1}
PACKED = {"n_members": 2, "hidden_layer_sizes": (3,), "rate": 2.0, "bias_range": 0.5}

BUILDERS = {
    "dense": lambda: dense_autoencoder(12, activation="relu", **SMALL),
    "members": lambda: member_autoencoder(12, 3, activation="silu", **SMALL),
    "members and codes": lambda: with_codes(member_autoencoder(12, 3, activation="elu", **SMALL)),
    "packed": lambda: packed_network(12, [PACKED, {**PACKED, "columns": [0, 5]}]),
    "packed, own columns": lambda: packed_network(12, [{**PACKED, "columns": [[0, 1], [2, 3]]}]),
    "sequence": lambda: autoencoder(12, "conv1d", (12, 1), activation="tanh", **SMALL),
    "odd sequence": lambda: autoencoder(9, "conv1d", (9, 1), activation="tanh", **SMALL),
    "image": lambda: autoencoder(12, "conv2d", (3, 2, 2), activation="gelu", **SMALL),
}


def shaken(network):
    """Give every weight, biases too, another value than zero."""
    rng = np.random.default_rng(1)
    network.set_weights([w + rng.normal(scale=0.1, size=w.shape) for w in network.get_weights()])
    return network


def assert_alike(network, x):
    assert is_known(network)
    expected = keras.tree.map_structure(np.asarray, network(x, training=False))
    for one, other in zip(
        keras.tree.flatten(run(network, x)), keras.tree.flatten(expected), strict=True
    ):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, keras.ops.convert_to_numpy(other), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_built_in_networks(build):
    network = shaken(build())
    assert_alike(network, X[:, : network.input_shape[-1]])


def test_surprises_of_columns():
    network = masked_bin_network(np.full((12, 5), 0.2), 2, (4, 4))
    model = ColumnSurprises(shaken(network), np.arange(12) % 5)
    assert_alike(model, np.rint(2 + X).clip(-1, 4))


@pytest.mark.parametrize("activation", _ACTIVATIONS)
def test_activations(activation):
    layers = [keras.Input((12,)), keras.layers.Dense(6, activation=activation)]
    assert_alike(shaken(keras.Sequential(layers)), X)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.BatchNormalization(),
        keras.layers.Dense(2, activation=lambda x: x),
        keras.layers.Dense(2, activation=keras.activations.relu6),
        keras.layers.Dense(2, dtype="mixed_bfloat16"),
    ],
)
def test_anything_else_is_not_known(layer):
    assert not is_known(keras.Sequential([keras.Input((12,)), layer]))


def test_other_pooling_is_not_known():
    layers = [keras.Input((12, 1)), keras.layers.MaxPooling1D(3)]
    assert not is_known(keras.Sequential(layers))
