"""The score of the multiscale recipe as ONNX nodes: all channels, and the masked-bin network.

Owns the exporters of ``learners._ensemble`` and ``learners._masked_bins``.
"""

import numpy as np

from skanomaly.io._export import export
from skanomaly.io._export_networks import activated, weights
from skanomaly.io._export_scores import (
    distances,
    interpolated,
    new_row_score,
    training_row_score,
)
from skanomaly.learners._ensemble import EnsembleScore
from skanomaly.learners._masked_bins import MaskedBins
from skanomaly.networks._autoencoders import MEMBERS
from skanomaly.networks._masked_bins import SPREAD, group_members, layers_of
from skanomaly.preprocessing._binning import QuantileBins


@export.register
def _(score: EnsembleScore, graph, Z, residual, codes, missing):
    def surprises(matches):
        return export(score.masked_, graph, Z, missing, matches)

    channels, matches = export(score.channels_, graph, Z, missing, residual, surprises)
    scores = new_row_score(graph, channels)
    if score.levels_ is None:
        return scores
    _, left = distances(score.left_, graph, Z)
    trained = graph("GreaterOrEqual", graph("Max", matches, left), np.int64(0))
    ranked = interpolated(graph, training_row_score(graph, channels), *score.levels_)
    return graph("Where", trained, ranked, scores)


@export.register
def _(bins: QuantileBins, graph, X, missing):
    """Return bin numbers, single precision, -1 where a value is missing."""
    n_features, inner = len(bins.edges_), max(max(map(len, bins.edges_)) - 2, 1)
    edges = np.full((n_features, inner), np.inf)
    for row, known in zip(edges, bins.edges_, strict=True):
        row[: len(known) - 2] = known[1:-1]
    passed = graph("LessOrEqual", edges, graph.reshape(X, -1, n_features, 1))
    found = graph("Add", graph.sum(graph.cast(passed, np.float64), 2), 1.0)
    low, high = (np.array([known[end] for known in bins.edges_]) for end in (0, -1))
    found = graph("Where", graph("Less", X, low), 0.0, found)
    found = graph("Where", graph("Greater", X, high), float(bins.n_bins - 1), found)
    return graph.cast(graph("Where", missing, -1.0, found), np.float32)


@export.register
def _(learner: MaskedBins, graph, Z, missing, matches):
    """Return how surprising each value of rows is, to the member that missed a training row."""
    bins = export(learner.bins_, graph, Z, missing)
    network = learner.trainer.network
    found = graph.cast(_column_surprises(graph, network, learner.groups_, bins), np.float64)
    n_members = network.get_layer(MEMBERS).input_shape[1]
    everyone = graph.mean(found, 1, n_members)
    if n_members == 1:
        return everyone
    folds = np.asarray(learner.folds_, dtype=np.int64)
    fold = graph("Gather", folds, graph("Max", matches, np.int64(0)))
    own = graph("Equal", graph.reshape(fold, -1, 1), np.arange(n_members))
    own = graph.reshape(graph.cast(own, np.float64), -1, n_members, 1)
    own = graph.sum(graph("Mul", found, own), 1)
    known = graph.reshape(graph("GreaterOrEqual", matches, np.int64(0)), -1, 1)
    return graph("Where", known, own, everyone)


def _column_surprises(graph, network, groups, x):
    """Return the surprises of `ColumnSurprises`, (n_samples, n_members, n_columns)."""
    encode, first, *inner, last = layers_of(network)
    n_columns, n_bins = len(groups), encode.n_bins
    column = graph.reshape(x, -1, n_columns, 1)
    steps = np.arange(n_bins, dtype=np.float32)
    visible = graph.cast(graph("GreaterOrEqual", column, steps), np.float32)
    h = _hidden(graph, first, visible, groups, n_columns, n_bins)
    for layer in inner:
        h = graph("MatMul", h, weights(layer.kernel)[:, None])
        h = activated(layer, graph, graph("Add", h, weights(layer.bias)[:, None]))
    h = graph("Gather", h, np.asarray(groups, dtype=np.int64), axis=2)
    kernel = weights(last.kernel)
    kernel = kernel.reshape(len(kernel), -1, n_columns, n_bins)
    logits = graph("Einsum", h, kernel, equation="mbjh,mhjk->mbjk")
    logits = graph("Add", logits, weights(last.bias).reshape(-1, 1, n_columns, n_bins))
    hot = graph.cast(graph("Equal", column, steps), np.float32)
    p = graph.sum(graph("Mul", graph("Softmax", logits, axis=-1), hot), 3)
    p = graph("Mul", p, np.float32(1 - SPREAD))
    surprise = graph("Neg", graph("Log", graph("Add", p, np.float32(SPREAD / n_bins))))
    seen = graph("GreaterOrEqual", x, np.float32(0))
    surprise = graph("Where", seen, surprise, np.float32(0))
    return graph("Transpose", surprise, perm=[1, 0, 2])


def _hidden(graph, first, visible, groups, n_columns, n_bins):
    """Return the first layer without each group, (n_members, n_samples, n_groups, width)."""
    kernel = weights(first.kernel)
    kernel = kernel.reshape(len(kernel), n_columns, n_bins, -1)
    parts = graph("Einsum", visible, kernel, equation="bjk,mjkh->mbjh")
    whole = graph.sum(parts, 2, keepdims=True)
    sums = graph("Sub", whole, graph("MatMul", group_members(groups), parts))
    return activated(first, graph, graph("Add", sums, weights(first.bias)[:, None]))
