"""Outputs of trained networks by NumPy alone, for processes in which JAX cannot run.

Owns what each known layer computes when it is not training. Networks with any other layer are
not run here at all.
"""

import itertools

import numpy as np
from scipy.special import erf, expit, softmax

from skanomaly.backend import keras, ops
from skanomaly.networks._layers import Convolution
from skanomaly.networks._masked_bins import (
    SPREAD,
    BinEncoding,
    ColumnSurprises,
    group_members,
    layers_of,
)
from skanomaly.networks._member_layers import (
    Columns,
    MemberDense,
    MemberLogits,
    PackedDense,
    SwapMembers,
)

_SELU = 1.0507009873554805, 1.6732632423543772
#: What Keras' activations compute.
_ACTIVATIONS = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "exponential": np.exp,
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(np.float32(2)))) / 2,
    "leaky_relu": lambda x: np.where(x > 0, x, np.float32(0.2) * x),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "selu": lambda x: _SELU[0] * np.where(x > 0, x, _SELU[1] * np.expm1(np.minimum(x, 0))),
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "softplus": lambda x: np.logaddexp(x, np.float32(0)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanh": np.tanh,
}


#: The only settings of pooling and up-sampling that are known.
_SETTINGS = (
    ("pool_size", np.int64(2)),
    ("strides", np.int64(2)),
    ("size", np.int64(2)),
    ("padding", "same"),
    ("interpolation", "nearest"),
    ("data_format", "channels_last"),
)


def is_known(network):
    """Tell whether NumPy can run a network: known layers alone, in float32."""
    if isinstance(network, ColumnSurprises):
        network = network.network
    if _is_graph(network):
        return all(map(is_known, network.layers))
    activation = getattr(network, "activation", keras.activations.linear)
    return (
        type(network) in _LAYERS
        and network.compute_dtype == "float32"
        and getattr(network, "quantization_mode", None) is None
        and _name_of(activation) is not None
        and all(np.all(getattr(network, name, value) == value) for name, value in _SETTINGS)
    )


def run(network, x):
    """Return the outputs of a known network for a batch of rows, float32."""
    if not _is_graph(network):
        return _LAYERS[type(network)](network, x).astype(np.float32, copy=False)
    graph = getattr(network, "_functional", None) or network
    return graph._run_through_graph(
        x, operation_fn=lambda layer: lambda x, **ignored: run(layer, x)
    )


def dense_layers(network):
    """Return (kernel, bias, activation function) of dense layers in a row; None for others.

    The arrays are copies, so that the layers cost nothing but their arithmetic.
    """
    if not (_is_graph(network) and is_known(network)):
        return None
    found = []
    for layer in network.layers:
        if type(layer) is keras.layers.Dense:
            kernel = np.array(ops.convert_to_numpy(layer.kernel))
            bias = np.array(ops.convert_to_numpy(layer.bias)) if layer.use_bias else np.float32(0)
            found.append((kernel, bias, _ACTIVATIONS[_name_of(layer.activation)]))
        elif type(layer) not in (keras.layers.InputLayer, keras.layers.Dropout):
            return None
    widths = [kernel.shape[0] for kernel, _, _ in found]
    inside = [kernel.shape[1] for kernel, _, _ in found[:-1]]
    return found if found and widths[1:] == inside else None


def _is_graph(network):
    graph = getattr(network, "_functional", None) or network
    return isinstance(network, keras.Model) and hasattr(graph, "_run_through_graph")


def _name_of(activation):
    known = (name for name in _ACTIVATIONS if activation is getattr(keras.activations, name))
    return next(known, None)


def _activated(layer, x):
    return _ACTIVATIONS[_name_of(layer.activation)](x)


def _value(variable):
    return np.asarray(variable.value)


def _dense(layer, x):
    x = x @ _value(layer.kernel)
    return _activated(layer, x + _value(layer.bias) if layer.use_bias else x)


def _member_dense(layer, x):
    return _activated(layer, x @ _value(layer.kernel) + _value(layer.bias))


def _packed_dense(layer, x):
    kernel = _value(layer.kernel)
    if x.ndim == 2:
        wide = x @ kernel.transpose(1, 0, 2).reshape(x.shape[-1], -1)
        x = wide.reshape(-1, layer.n_members, layer.units).transpose(1, 0, 2)
    else:
        x = x @ kernel
    return _activated(layer, layer.rate * x + layer.bias_rate * _value(layer.bias))


def _columns(layer, x):
    columns = np.asarray(layer.columns)
    picked = x[:, columns.reshape(-1)]
    if columns.ndim == 1:
        return picked
    return picked.reshape(-1, *columns.shape).transpose(1, 0, 2)


def _convolution(layer, x):
    kernel, rank = _value(layer.kernel), layer.rank
    width, size = kernel.shape[0], x.shape[1:-1]
    half = (width // 2, width // 2)
    padded = np.pad(x, [(0, 0), *[half] * rank, (0, 0)])
    parts = [
        padded[(slice(None), *(slice(i, i + n) for i, n in zip(start, size, strict=True)))]
        for start in itertools.product(range(width), repeat=rank)
    ]
    x = np.concatenate(parts, axis=-1) @ kernel.reshape(-1, layer.filters)
    return _activated(layer, x + _value(layer.bias))


def _max_pooled(layer, x):
    for axis in range(1, x.ndim - 1):
        if x.shape[axis] % 2:
            x = np.concatenate([x, np.take(x, [-1], axis)], axis)
        x = x.reshape(*x.shape[:axis], -1, 2, *x.shape[axis + 1 :]).max(axis=axis + 1)
    return x


def _doubled(layer, x):
    for axis in range(1, x.ndim - 1):
        x = np.repeat(x, 2, axis)
    return x


def _cropped(layer, x):
    cuts = layer.cropping if isinstance(layer.cropping[0], tuple) else (layer.cropping,)
    spans = [slice(low, n - high) for (low, high), n in zip(cuts, x.shape[1:-1], strict=True)]
    return x[(slice(None), *spans)]


def _bins(layer, x):
    steps = x[..., None] >= np.arange(layer.n_bins, dtype=np.float32)
    return steps.reshape(*x.shape[:-1], -1).astype(np.float32)


def _surprises(model, x):
    encode, first, *inner, last = layers_of(model.network)
    n_columns, n_bins = x.shape[-1], encode.n_bins
    bins = _bins(encode, x).reshape(-1, n_columns, n_bins).transpose(1, 0, 2)
    kernel = _value(first.kernel)
    # (n_members, batch, n_columns, width)
    parts = (bins @ kernel.reshape(len(kernel), n_columns, n_bins, -1)).transpose(0, 2, 1, 3)
    h = parts.sum(axis=2, keepdims=True) - group_members(model.groups) @ parts
    h = _activated(first, h + _value(first.bias)[:, :, None])
    for layer in inner:
        h = _activated(layer, h @ _value(layer.kernel)[:, None] + _value(layer.bias)[:, :, None])
    h = h[:, :, model.groups].transpose(0, 2, 1, 3)
    kernel = _value(last.kernel).reshape(len(kernel), -1, n_columns, n_bins)
    bias = _value(last.bias).reshape(-1, 1, n_columns, n_bins)
    logits = (h @ kernel.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3) + bias
    p = (softmax(logits, axis=-1) * (x[..., None] == np.arange(n_bins))).sum(axis=-1)
    surprise = -np.log((1 - SPREAD) * p + SPREAD / n_bins)
    return np.where(x >= 0, surprise, 0.0).transpose(1, 0, 2)


def _same(layer, x):
    return x


_LAYERS = {
    keras.layers.Activation: _activated,
    keras.layers.Concatenate: lambda layer, parts: np.concatenate(parts, axis=layer.axis),
    keras.layers.Cropping1D: _cropped,
    keras.layers.Cropping2D: _cropped,
    keras.layers.Dense: _dense,
    keras.layers.Dropout: _same,
    keras.layers.Flatten: lambda layer, x: x.reshape(len(x), -1),
    keras.layers.GaussianNoise: _same,
    keras.layers.InputLayer: _same,
    keras.layers.MaxPooling1D: _max_pooled,
    keras.layers.MaxPooling2D: _max_pooled,
    keras.layers.RepeatVector: lambda layer, x: np.repeat(x[:, None], layer.n, axis=1),
    keras.layers.Reshape: lambda layer, x: x.reshape(len(x), *layer.target_shape),
    keras.layers.UpSampling1D: _doubled,
    keras.layers.UpSampling2D: _doubled,
    BinEncoding: _bins,
    ColumnSurprises: _surprises,
    Columns: _columns,
    Convolution: _convolution,
    MemberDense: _member_dense,
    MemberLogits: lambda layer, x: x[..., 0].T,
    PackedDense: _packed_dense,
    SwapMembers: lambda layer, x: x.transpose(1, 0, 2),
}
