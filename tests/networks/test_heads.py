"""Networks that answer with their codes too, and sigmoids taken off."""

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.networks._autoencoders import dense_autoencoder, member_autoencoder
from skanomaly.networks._heads import with_codes

X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
SHAPE = {"hidden_layer_sizes": (8, 4), "latent_dim": 2, "activation": "silu", "dropout": 0.0}


def test_codes_of_the_latent_layer():
    network = dense_autoencoder(5, **SHAPE | {"latent_dim": 6}, l2=0.0)
    answer, code = with_codes(network)(X)
    assert code.shape == (6, 6)  # though a hidden layer is narrower
    np.testing.assert_allclose(
        ops.convert_to_numpy(answer), ops.convert_to_numpy(network(X)), rtol=1e-6
    )


def test_codes_of_members():
    answers, codes = with_codes(member_autoencoder(5, 3, **SHAPE, l2=0.0))(X)
    assert answers.shape == (6, 3, 5)
    assert codes.shape == (6, 3, 2)


def test_codes_of_the_narrowest_layer_the_last_of_several():
    widths = (4, 3, 3, 7)
    layers = [keras.layers.Dense(w, name=f"d{k}") for k, w in enumerate(widths)]
    network = keras.Sequential([keras.Input((5,)), *layers, keras.layers.Dense(5)])
    assert with_codes(network).outputs[1] is network.get_layer("d2").output


def test_a_network_without_inner_layer_has_no_codes():
    network = keras.Sequential([keras.Input((5,)), keras.layers.Dense(5)])
    with pytest.raises(ValueError, match=r"no inner layer.*'latent'"):
        with_codes(network)
