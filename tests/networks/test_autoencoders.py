"""Builders of dense networks: layers, members, sizes, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.networks._autoencoders import (
    dense_autoencoder,
    dense_classifier,
    layer_widths,
    member_autoencoder,
    resized,
)
from skanomaly.networks._heads import has_members
from skanomaly.training import _compiled

X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
SHAPE = {"hidden_layer_sizes": (8, 4), "latent_dim": 2, "activation": "silu", "dropout": 0.0}


def names(network):
    return [layer.name for layer in network.layers]


@pytest.mark.parametrize(
    ("hidden", "latent", "expected"),
    [
        ((8, 4), 2, "hidden_1 8,hidden_2 4,latent 2,hidden_3 4,hidden_4 8"),
        ((8, 4), None, "hidden_1 8,hidden_2 4"),
        ((), 3, "latent 3"),
        ((), None, ""),
    ],
)
def test_widths(hidden, latent, expected):
    widths = [f"{name} {width}" for name, width, _ in layer_widths(hidden, latent)]
    assert ",".join(widths) == expected


def test_autoencoder():
    network = dense_autoencoder(5, **SHAPE, l2=0.1)
    assert network.output_shape == (None, 5)
    assert names(network) == ["hidden_1", "hidden_2", "latent", "hidden_3", "hidden_4", "output"]
    assert network.get_layer("latent").activation is keras.activations.linear
    assert network.get_layer("hidden_1").activation is keras.activations.silu
    assert len(network.losses) == 6


def test_dropout_stands_behind_hidden_layers():
    network = dense_autoencoder(5, **SHAPE | {"dropout": 0.5}, l2=0.0)
    assert sum("dropout" in name for name in names(network)) == 4
    assert "latent_dropout" not in names(network)
    classifier = dense_classifier(5, hidden_layer_sizes=(3,), activation="relu", dropout=0.5)
    assert names(classifier) == ["hidden_1", "hidden_1_dropout", "output"]


def test_members_are_networks_side_by_side():
    network = member_autoencoder(5, 3, **SHAPE, l2=0.0)
    assert has_members(network)
    assert network.output_shape == (None, 3, 5)
    answers = ops.convert_to_numpy(network(X))
    h = np.repeat(X[None], 3, axis=0)
    weights = network.get_weights()
    for k, (kernel, bias) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        h = h @ kernel + bias
        if k not in (2, 5):  # latent and output are linear
            h = h / (1 + np.exp(-h))
    np.testing.assert_allclose(answers, h.transpose(1, 0, 2), rtol=1e-4, atol=1e-5)


def test_resized_networks_have_the_layers_of_their_model():
    network = member_autoencoder(5, 4, **SHAPE, l2=0.1)
    small, known = resized(network, 2), member_autoencoder(5, 2, **SHAPE, l2=0.1)
    assert _compiled.signature(small) == _compiled.signature(known)


def test_networks_are_saved_and_loaded(tmp_path):
    network = member_autoencoder(5, 2, **SHAPE, l2=0.1)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    expected, found = (ops.convert_to_numpy(n(X)) for n in (network, loaded))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
