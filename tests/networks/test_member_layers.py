"""Layers of networks side by side."""

import numpy as np
import pytest
from keras import ops

from skanomaly.networks._autoencoders import member_autoencoder
from skanomaly.networks._member_layers import MemberDense, SwapMembers

X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
SHAPE = {"hidden_layer_sizes": (8, 4), "latent_dim": 2, "activation": "silu", "dropout": 0.0}


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


def test_swapping_twice_changes_nothing():
    x = np.arange(24.0).reshape(2, 3, 4)
    swap = SwapMembers()
    assert swap(x).shape == (3, 2, 4) == swap.compute_output_shape((2, 3, 4))
    np.testing.assert_array_equal(ops.convert_to_numpy(swap(swap(x))), x)
