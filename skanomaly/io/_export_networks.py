"""Keras networks as ONNX nodes, layer by layer.

Owns the exporters of ``networks`` and of Keras' own layers. Networks are single precision, like
there. What has no exporter is refused by the layer's name.
"""

import numpy as np

from skanomaly.backend import keras, ops
from skanomaly.networks._masked_bins import SPREAD, group_members, layers_of
from skanomaly.networks._member_layers import (
    Columns,
    MemberDense,
    MemberLogits,
    PackedDense,
    SwapMembers,
)

#: Activations that are one node.
_NODES = {
    "relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "elu": "Elu", "softplus": "Softplus",
    "softsign": "Softsign", "exponential": "Exp",
}  # fmt: skip


def network_outputs(network, graph, x):
    """Add a network to a graph.

    Parameters
    ----------
    network : keras.Model
        With one input, built from layers; each layer stands in it once.
    graph : skanomaly.io._graph.Graph
        Gets the nodes.
    x : str
        Name of the rows, single precision.

    Returns
    -------
    outputs : list of str
        Names of the network's outputs.

    Raises
    ------
    TypeError
        If a layer has no exporter; it is named.
    """
    _check_order(network)
    if isinstance(network, keras.Sequential):  # layers may have been called outside of it, too
        for layer in network.layers:
            x = _layer(layer, graph, x)
        return [x]
    # by the nodes of this network: a layer of a copy may have been called outside of it, too
    names = {id(tensor): x for tensor in network.inputs[:1]}
    for depth in sorted(network._nodes_by_depth, reverse=True):
        for node in network._nodes_by_depth[depth]:
            if node.is_input:
                continue
            given = [names[id(tensor)] for tensor in node.input_tensors]
            if isinstance(
                node.operation, keras.Model
            ):  # the members, behind rows repeated for each
                outputs = network_outputs(node.operation, graph, *given)
            else:
                outputs = [_layer(node.operation, graph, *given)]
            names |= zip(map(id, node.outputs), outputs, strict=True)
    return [names[id(output)] for output in network.outputs]


def _check_order(network):
    """Refuse a network that keeps the order of its layers to itself."""
    if not getattr(network, "inputs", None):
        raise TypeError(
            f"The network {network.name!r} of the class {type(network).__name__} cannot be "
            "exported to ONNX: it is not made of layers whose order is known. Build it with "
            "keras.Sequential or keras.Model(inputs, outputs)."
        )


def _layer(layer, graph, *inputs):
    exporter = _EXPORTERS.get(type(layer))
    if exporter is None:
        raise TypeError(
            f"The layer {layer.name!r} of the class {type(layer).__name__} cannot be exported to "
            f"ONNX. What can: {', '.join(sorted(kind.__name__ for kind in _EXPORTERS))}."
        )
    return exporter(layer, graph, *inputs)


def _weights(variable):
    return np.ascontiguousarray(ops.convert_to_numpy(variable), dtype=np.float32)


def _activated(layer, graph, x):
    """Return values behind a layer's activation."""
    name = getattr(layer.activation, "__name__", "")
    known = getattr(keras.activations, name, None) is layer.activation
    if known and name == "linear":
        return x
    if known and name in _NODES:
        return graph(_NODES[name], x)
    if known and name == "silu":
        return graph("Mul", x, graph("Sigmoid", x))
    if known and name == "selu":
        return graph("Selu", x)
    raise TypeError(
        f"The activation {name!r} of the layer {layer.name!r} cannot be exported to ONNX. What "
        f"can: linear, selu, silu, {', '.join(sorted(_NODES))}."
    )


def _dense(layer, graph, x):
    product = graph("MatMul", x, _weights(layer.kernel))
    if layer.use_bias:
        product = graph("Add", product, _weights(layer.bias))
    return _activated(layer, graph, product)


def _member_dense(layer, graph, x):
    product = graph("MatMul", x, _weights(layer.kernel))
    return _activated(layer, graph, graph("Add", product, _weights(layer.bias)))


def _packed_dense(layer, graph, x):
    rate, bias_rate = np.float32(layer.rate), np.float32(layer.bias_rate)
    product = graph("MatMul", x, _weights(layer.kernel) * rate)  # members come to the front
    return _activated(layer, graph, graph("Add", product, _weights(layer.bias) * bias_rate))


def _columns(layer, graph, x):
    columns = np.asarray(layer.columns, dtype=np.int64)
    if columns.ndim == 1:
        return graph("Gather", x, columns, axis=1)
    return graph("Transpose", graph("Gather", x, columns, axis=1), perm=[1, 0, 2])


def _same(layer, graph, x):
    return x


_EXPORTERS = {
    keras.layers.Activation: _activated,
    keras.layers.Concatenate: lambda layer, graph, *x: graph.joined(*x, axis=layer.axis),
    keras.layers.Dense: _dense,
    keras.layers.Dropout: _same,
    keras.layers.GaussianNoise: _same,
    keras.layers.ReLU: lambda layer, graph, x: graph("Relu", x),
    # all members see the same row: it stands for itself until each makes something else of it
    keras.layers.RepeatVector: lambda layer, graph, x: graph("Unsqueeze", x, np.array([1])),
    Columns: _columns,
    MemberDense: _member_dense,
    MemberLogits: lambda layer, graph, x: graph(
        "Transpose", graph("Squeeze", x, np.array([2])), perm=[1, 0]
    ),
    PackedDense: _packed_dense,
    SwapMembers: lambda layer, graph, x: graph("Transpose", x, perm=[1, 0, 2]),
}


def column_surprises(model, graph, bins):
    """Add a `ColumnSurprises` to a graph; return (n_samples, n_members, n_columns)."""
    encode, first, *inner, last = layers_of(model.network)
    groups, n_bins = np.asarray(model.groups), encode.n_bins
    n_columns, steps = len(groups), np.arange(encode.n_bins, dtype=np.float32)
    column = graph.reshape(bins, -1, n_columns, 1)
    steps_reached = graph.cast(graph("GreaterOrEqual", column, steps), np.float32)
    kernel = _weights(first.kernel)
    kernel = kernel.reshape(len(kernel), n_columns, n_bins, -1)
    parts = graph("Einsum", steps_reached, kernel, equation="bjk,mjkh->mbjh")
    hidden_parts = graph("MatMul", group_members(groups), parts)
    h = graph("Sub", graph.sum(parts, 2, keepdims=True), hidden_parts)
    h = _activated(first, graph, graph("Add", h, _weights(first.bias)[:, :, None]))
    for layer in inner:
        product = graph("MatMul", h, _weights(layer.kernel)[:, None])
        h = _activated(layer, graph, graph("Add", product, _weights(layer.bias)[:, :, None]))
    h = graph("Gather", h, groups.astype(np.int64), axis=2)
    kernel = _weights(last.kernel).reshape(len(kernel), -1, n_columns, n_bins)
    logits = graph("Einsum", h, kernel, equation="mbjh,mhjk->mbjk")
    bias = _weights(last.bias).reshape(-1, 1, n_columns, n_bins)
    p = graph("Softmax", graph("Add", logits, bias), axis=-1)
    p = graph.sum(graph("Mul", p, graph.cast(graph("Equal", column, steps), np.float32)), 3)
    p = graph("Add", graph("Mul", p, np.float32(1 - SPREAD)), np.float32(SPREAD / n_bins))
    there = graph("GreaterOrEqual", bins, np.float32(0))
    surprise = graph("Where", there, graph("Neg", graph("Log", p)), np.float32(0))
    return graph("Transpose", surprise, perm=[1, 0, 2])
