"""What is read off a trained network besides its output: inner codes, logits, members.

Owns the way into a network; knows no builder of its own, training or scores.
"""

import weakref

import numpy as np

from skanomaly.backend import keras
from skanomaly.networks._autoencoders import MEMBERS, repeated
from skanomaly.networks._member_layers import SwapMembers
from skanomaly.networks._user_model import output_shape

#: Networks up to their last layer, as long as the networks live.
_bodies = weakref.WeakKeyDictionary()


def without_sigmoid(network):
    """Return the network up to its last layer, and that layer's weights.

    A sigmoid saturates in float32 and ties the clearest anomalies; the product before it
    does not. Networks that do not end in a dense sigmoid layer are taken as they are.
    """
    last = network.layers[-1]
    dense = isinstance(last, keras.layers.Dense) and last.activation is keras.activations.sigmoid
    # a subclassed model keeps what lies between its layers to itself
    if not dense or not getattr(network, "inputs", None) or network.inputs[0] is last.input:
        return network, None
    if len(last.input.shape) != 2 or network.outputs[0] is not last.output:
        return network, None
    kernel = keras.ops.convert_to_numpy(last.kernel).astype(np.float64)[:, 0]
    bias = keras.ops.convert_to_numpy(last.bias).astype(np.float64)[0] if last.use_bias else 0.0
    if network not in _bodies:
        _bodies[network] = keras.Model(network.inputs[0], last.input, name="without_sigmoid")
    return _bodies[network], (kernel, bias)


#: Activations whose values are no probabilities.
_NO_PROBABILITIES = [
    getattr(keras.activations, name)
    for name in ("linear", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "tanh")
]


def check_output(network, n_features):
    shape = output_shape(network, n_features)
    if shape != (1,):
        raise ValueError(
            "The network given as `model` must answer each row with one probability, but its "
            f"output has the shape {(None, *shape)}. End it with "
            "keras.layers.Dense(1, activation='sigmoid')."
        )
    # the layers of a subclassed model come in any order
    last = network.layers[-1] if getattr(network, "inputs", None) else None
    activation = getattr(last, "activation", None)
    if activation in _NO_PROBABILITIES:
        raise ValueError(
            "The network given as `model` must answer each row with one probability, but its last "
            f"layer's activation is {activation.__name__!r}, whose values leave [0, 1]. End it "
            "with keras.layers.Dense(1, activation='sigmoid')."
        )


#: What `with_codes` has built, as long as the networks live.
_with_codes = weakref.WeakKeyDictionary()


def with_codes(network):
    """Return the network with two outputs: its own, and its narrowest inner layer's.

    The inner layer is the one called "latent" where there is one, else the narrowest layer
    with an output of shape (batch, width), the last of several.

    Raises
    ------
    ValueError
        If the network has no such layer.
    """
    if network not in _with_codes:
        _with_codes[network] = _build_with_codes(network)
    return _with_codes[network]


def _build_with_codes(network):
    inner = network.get_layer(MEMBERS) if has_members(network) else network
    code = _code_layer(inner).output
    if inner is network:
        return keras.Model(network.inputs[0], [network.outputs[0], code], name="with_codes")
    code = SwapMembers(name="codes")(code)
    return repeated(keras.Model(inner.inputs[0], [inner.outputs[0], code]), "with_codes")


def has_members(network):
    """Tell whether the network holds several members side by side."""
    return any(layer.name == MEMBERS for layer in network.layers)


def _code_layer(network):
    """Return the layer called "latent", else the narrowest inner one, the last of several."""
    rank = 3 if network.name == MEMBERS else 2
    known = getattr(network, "inputs", None)
    inner = [layer for layer in network.layers if known and len(layer.output.shape) == rank]
    inner = [la for la in inner[:-1] if not isinstance(la, (keras.layers.InputLayer, SwapMembers))]
    named = [layer for layer in inner if layer.name == "latent"]
    if not known:
        raise ValueError(
            f"No encoding can be read from a {type(network).__name__}: a model with a `call` of "
            "its own keeps what lies between its layers to itself. Expected keras.Sequential or "
            "the functional keras.Model(inputs, outputs), with a layer called 'latent' or a "
            "narrow one."
        )
    if not inner:
        raise ValueError(
            "The network has no inner layer to read an encoding from. Expected a layer called "
            "'latent' or a hidden layer with an output of shape (batch, width); "
            f"got the layers {[layer.name for layer in network.layers]}."
        )
    return (named or sorted(inner, key=lambda layer: -layer.output.shape[-1]))[-1]
