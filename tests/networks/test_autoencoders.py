"""Layers and builders."""

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.backend._serialization import deserialize, serialize
from skanomaly.networks import _autoencoders
from skanomaly.networks._autoencoders import (
    dense_autoencoder,
    dense_classifier,
    layer_widths,
    member_autoencoder,
    resized,
)
from skanomaly.networks._heads import has_members, with_codes
from skanomaly.networks._layers import FanAverageUniform, FanInNormal, MultiscaleNoise
from skanomaly.networks._member_layers import MemberDense, SwapMembers
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


def test_members_do_not_mix():
    network = member_autoencoder(5, 2, **SHAPE, l2=0.0)
    before = ops.convert_to_numpy(network(X))
    weights = network.get_weights()
    for weight in weights:
        weight[1] += 1.0
    network.set_weights(weights)
    after = ops.convert_to_numpy(network(X))
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert np.abs(after[:, 1] - before[:, 1]).min() > 0


def test_initial_kernels_have_the_stated_variance():
    layer = MemberDense(300, scale=2.0)
    layer.build((2, None, 200))
    kernel = ops.convert_to_numpy(layer.kernel)
    assert kernel.var() == pytest.approx(2 / 200, rel=0.05)
    assert np.abs(kernel[0] - kernel[1]).max() > 0.01


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


def test_resized_networks_have_the_layers_of_their_model():
    network = member_autoencoder(5, 4, **SHAPE, l2=0.1)
    small, known = resized(network, 2), member_autoencoder(5, 2, **SHAPE, l2=0.1)
    assert _compiled.signature(small) == _compiled.signature(known)


def test_noise_of_one_level_weighs_rows_alike():
    corrupted, weight = MultiscaleNoise(0.5, 0.5, seed=0)(np.zeros((4000, 3), np.float32))
    assert ops.convert_to_numpy(corrupted).std() == pytest.approx(0.5, rel=0.03)
    np.testing.assert_array_equal(ops.convert_to_numpy(weight), 1.0)


def test_swapping_twice_changes_nothing():
    x = np.arange(24.0).reshape(2, 3, 4)
    swap = SwapMembers()
    assert swap(x).shape == (3, 2, 4) == swap.compute_output_shape((2, 3, 4))
    np.testing.assert_array_equal(ops.convert_to_numpy(swap(swap(x))), x)


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


def test_networks_are_saved_and_loaded(tmp_path):
    network = member_autoencoder(5, 2, **SHAPE, l2=0.1)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    expected, found = (ops.convert_to_numpy(n(X)) for n in (network, loaded))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


# ---------------------------------------------------------------------- codes


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


def test_the_room_registers_its_layers():
    for cls in (FanAverageUniform, FanInNormal, MemberDense, MultiscaleNoise, SwapMembers):
        assert keras.saving.get_registered_name(cls) == f"skanomaly>{cls.__name__}"
    assert _autoencoders.MEMBERS == "members"
