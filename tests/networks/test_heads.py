"""Networks that answer with their codes too, and sigmoids taken off."""

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.networks._autoencoders import dense_autoencoder, member_autoencoder
from skanomaly.networks._heads import check_output, with_codes

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


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_classifiers_without_a_probability_are_refused(activation):
    layers = [keras.Input((3,)), keras.layers.Dense(1, activation=activation)]
    with pytest.raises(ValueError, match=f"activation is '{activation}', whose values leave"):
        check_output(keras.Sequential(layers), 3)


def test_codes_of_a_subclassed_model_are_refused_by_what_it_is():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.latent, self.out = keras.layers.Dense(2, name="latent"), keras.layers.Dense(3)

        def call(self, x):
            return self.out(self.latent(x))

    with pytest.raises(ValueError, match="from a Own: a model with a `call` of its own"):
        with_codes(Own())
