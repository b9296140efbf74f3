"""Scores as ONNX nodes: neighbours, distances, tails, trees, and their calibration.

Owns the exporters of ``scores``. Scores are double precision and higher for anomalies, like there.
"""

import numpy as np

from skanomaly.io._export import export
from skanomaly.scores import _channels
from skanomaly.scores._channels import Calibration, MarginalTail, ScoreChannels
from skanomaly.scores._mahalanobis import _TINY, Mahalanobis
from skanomaly.scores._neighbours import KS, NeighbourDistances, WhitenedNeighbour
from skanomaly.scores._trees import IsolationPaths, Trees
from skanomaly.scores._unsupervised import UnsupervisedScores

#: By how much networks differ between runtimes, in units of a value's size plus one.
_ROUNDING = 1e-6


@export.register
def _(channel: Mahalanobis, graph, A):
    places = project(channel, graph, A)
    squares = graph.sum(graph("Mul", places, places), 1)
    return graph("Log", graph("Add", squares, _TINY))


def project(channel, graph, A):
    """Return rows in the space where the channel's distance is the Euclidean one."""
    A = graph("Sub", graph("Div", A, channel.spread_), channel.mean_)
    return graph("MatMul", A, np.ascontiguousarray(channel.axes_))


def distances(channel, graph, X, matched=None):
    """Return the distances of `NeighbourDistances` (n_samples, len(ks)), and who matched."""
    most = len(channel.reference_)
    k = min(max(channel.ks) + 1, most)
    near = _nearest(graph, X, channel.reference_, channel.square_, k)
    if matched is None:
        matched = graph("LessOrEqual", graph.column(near, 0), float(channel.tolerance_))
    capped = np.maximum(np.minimum(channel.ks, most - 1), 1).astype(np.int64)
    dropped = graph.reshape(graph.cast(matched, np.int64), -1, 1)
    places = graph("Min", graph("Add", dropped, capped - 1), np.array([most - 1]))
    return graph("GatherElements", near, places, axis=1), matched


def _nearest(graph, X, reference, square, k):
    """Return the distances to the k nearest reference rows, nearest first.

    Products find them, differences measure them: products lose the small distances.
    """
    product = graph("MatMul", X, graph("Transpose", reference, perm=[1, 0]))
    product = graph("Mul", product, -2.0)
    _, places = graph(
        "TopK", graph("Add", product, square), np.array([k]), outputs=2, largest=0, sorted=0
    )
    n_features = reference.shape[1]
    difference = graph("Gather", reference, places, axis=0)
    difference = graph("Sub", difference, graph.reshape(X, -1, 1, n_features))
    exact = graph("Sqrt", graph.sum(graph("Mul", difference, difference), 2))
    return graph("TopK", exact, np.array([k]), outputs=2, largest=0, sorted=1)[0]


@export.register
def _(channel: NeighbourDistances, graph, X, matched=None):
    found, matched = distances(channel, graph, X, matched)
    return graph("Log", graph("Add", found, channel.floor_)), matched


@export.register
def _(channel: WhitenedNeighbour, graph, A, matched=None):
    places = project(channel.shape_, graph, A)
    return graph.column(export(channel.nearest_, graph, places, matched)[0], 0)


@export.register
def _(channel: MarginalTail, graph, X, guessed):
    n_features, n = channel.sorted_.shape
    # a training row's guess ties with itself, whatever another runtime makes of its last digits
    size = graph("Add", graph("Abs", X), 1.0)
    slack = graph("Where", guessed, graph("Mul", size, _ROUNDING), 0.0)
    top, bottom = graph("Add", X, slack), graph("Sub", X, slack)
    below = _n_smaller(graph, top, channel.sorted_, "LessOrEqual")
    above = graph("Sub", float(n), _n_smaller(graph, bottom, channel.sorted_, "Less"))
    share = graph("Mul", graph("Add", graph("Min", below, above), 1.0), 2.0 / (n + 1))
    depth = graph("Neg", graph("Log", graph("Min", share, 1.0)))
    return graph.mean(depth, 1, n_features)


def _n_smaller(graph, X, known, compare):
    """Return how many known values lie below each value, by halving; (n_samples, n_features)."""
    n_features, n = known.shape
    padded = np.concatenate([known, np.full((n_features, 1), np.inf)], axis=1).ravel()
    start = np.arange(n_features, dtype=np.int64) * (n + 1)
    count, step = graph.cast(graph("IsNaN", X), np.int64), 1 << (n.bit_length() - 1)
    while step:
        reached = graph("Add", count, np.int64(step))
        place = graph("Min", graph("Sub", reached, np.int64(1)), np.int64(n))
        value = graph("Gather", padded, graph("Add", place, start))
        passed = graph.cast(graph(compare, value, X), np.int64)
        count = graph("Add", count, graph("Mul", passed, np.int64(step)))
        step //= 2
    return graph.cast(count, np.float64)


@export.register
def _(trees: Trees, graph, X):
    """Return the sum of what the trees say."""
    numbers = np.arange(len(trees))
    places = np.concatenate([np.arange(count) for count in trees.counts])
    owners, leaf = np.repeat(numbers, trees.counts), trees.left < 0
    total = graph(
        "TreeEnsembleRegressor",
        graph.cast(X, np.float32),
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        nodes_treeids=owners.tolist(),
        nodes_nodeids=places.tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_featureids=np.where(leaf, 0, trees.feature).tolist(),
        nodes_values=_singles_below(np.where(leaf, 0.0, trees.threshold)).tolist(),
        nodes_truenodeids=np.where(leaf, 0, trees.left).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, trees.right).tolist(),
        target_treeids=owners[leaf].tolist(),
        target_nodeids=places[leaf].tolist(),
        target_ids=np.zeros(np.count_nonzero(leaf), int).tolist(),
        target_weights=trees.value[leaf].tolist(),
    )
    return graph.cast(graph.reshape(total, -1), np.float64)


def _singles_below(thresholds):
    """Return the largest single-precision numbers that are no larger: they part the same rows."""
    singles = thresholds.astype(np.float32)
    return np.where(singles > thresholds, np.nextafter(singles, np.float32(-np.inf)), singles)


@export.register
def _(paths: IsolationPaths, graph, X):
    exponent = graph("Div", export(paths.trees, graph, X), -paths.usual)
    return graph("Pow", np.float64(2.0), exponent)


@export.register
def _(channel: UnsupervisedScores, graph, X):
    found, _ = distances(channel.near_, graph, X)
    near = graph.mean(found, 1, len(channel.near_.ks))
    centred = graph("Sub", X, channel.mean_)
    axes = np.ascontiguousarray(channel.axes_)
    kept = graph("MatMul", graph("MatMul", centred, axes), axes.T.copy())
    left = graph("Sub", centred, kept)
    error = graph.mean(graph("Mul", left, left), 1, len(channel.mean_))
    values = [
        export(channel.forest_, graph, X),
        graph("Add", near, float(channel.near_.floor_.mean())),
        graph("Add", error, float(channel.error_floor_)),
    ]
    return graph("Log", graph.joined(*(graph.reshape(value, -1, 1) for value in values)))


@export.register
def _(calibration: Calibration, graph, scores):
    return graph("Div", graph("Sub", scores, calibration.centre_), calibration.scale_)


@export.register
def _(channels: ScoreChannels, graph, X, residual, latent, guessed):
    """Return the combined score of rows and of what the members make of them.

    `guessed` says which of the rows' values stand in the place of missing ones.
    """
    near, matched = export(channels.near_, graph, X)
    raw = {f"kx{k}": graph.column(near, place) for place, k in enumerate(KS)}
    raw["tail"] = export(channels.tail_, graph, X, guessed)
    if channels.members_:
        pairs = zip(channels.members_, residual, strict=True)
        raw["mR"] = graph.average([export(member, graph, r) for member, r in pairs])
        inner = graph.joined(residual[0], latent[0])
        raw["kz1"] = export(channels.whitened_, graph, inner, matched)
    parts = {name: export(channels.calibrations_[name], graph, c) for name, c in raw.items()}
    whole, local = (
        graph.average([parts[name] for name in view if name in parts])
        for view in (_channels._GLOBAL, _channels._LOCAL)
    )
    return graph("Max", whole, graph("Mul", local, _channels._LOCAL_SHARE))
