"""Scores as ONNX nodes: neighbours, distances, ranks, tails, trees, and their calibration.

Owns the exporters of ``scores``. Scores are double precision and higher for anomalies, like there.
"""

import numpy as np

from skanomaly.io._export import export
from skanomaly.scores import _channels
from skanomaly.scores._channels import (
    Calibration,
    ResidualScore,
    RowChannels,
    ScoreChannels,
    SurpriseScore,
)
from skanomaly.scores._mahalanobis import _TINY, Mahalanobis
from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.scores._ranks import NormalScores
from skanomaly.scores._tails import MarginalTail
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


def distances(channel, graph, X, matches=None):
    """Return the distances of `NeighbourDistances` (n_samples, len(ks)), and the matches."""
    most = len(channel.reference_)
    k = min(max(channel.ks) + 1, most)
    near, nearest = _nearest(graph, X, channel.reference_, channel.square_, k)
    if matches is None:
        equal = graph("LessOrEqual", graph.column(near, 0), float(channel.tolerance_))
        matches = graph("Where", equal, nearest, np.int64(-1))
    capped = np.maximum(np.minimum(channel.ks, most - 1), 1).astype(np.int64)
    dropped = graph.cast(graph("GreaterOrEqual", matches, np.int64(0)), np.int64)
    places = graph("Add", graph.reshape(dropped, -1, 1), capped - 1)
    places = graph("Min", places, np.array([most - 1]))
    return graph("GatherElements", near, places, axis=1), matches


def _nearest(graph, X, reference, square, k):
    """Return the distances to the k nearest reference rows, nearest first, and the nearest.

    Products find them, differences measure them: products lose the small distances.
    """
    product = graph("MatMul", X, graph("Transpose", reference, perm=[1, 0]))
    far, size = graph("Add", graph("Mul", product, -2.0), square), np.array([k])
    _, places = graph("TopK", far, size, outputs=2, largest=0, sorted=0)
    difference = graph("Gather", reference, places, axis=0)
    difference = graph("Sub", difference, graph.reshape(X, -1, 1, reference.shape[1]))
    exact = graph("Sqrt", graph.sum(graph("Mul", difference, difference), 2))
    near, order = graph("TopK", exact, size, outputs=2, largest=0, sorted=1)
    return near, graph.column(graph("GatherElements", places, order, axis=1), 0)


@export.register
def _(channel: NeighbourDistances, graph, X, matches=None):
    found, matches = distances(channel, graph, X, matches)
    return graph("Log", graph("Add", found, channel.floor_)), matches


def _bounds(graph, X, guessed):
    """Return values as low and as high as another runtime's rounding may make a guess.

    A training row's guess for a missing value ties with itself then. Other values are exact.
    """
    size = graph("Add", graph("Abs", X), 1.0)
    slack = graph("Where", guessed, graph("Mul", size, _ROUNDING), 0.0)
    return graph("Sub", X, slack), graph("Add", X, slack)


@export.register
def _(channel: MarginalTail, graph, X, guessed):
    """Return the depth of every value."""
    n = channel.sorted_.shape[1]
    low, high = _bounds(graph, X, guessed)
    below = graph.cast(n_smaller(graph, high, channel.sorted_, "LessOrEqual"), np.float64)
    above = graph.cast(n_smaller(graph, low, channel.sorted_, "Less"), np.float64)
    rarer = graph("Min", below, graph("Sub", float(n), above))
    share = graph("Mul", graph("Add", rarer, 1.0), 2.0 / (n + 1))
    return graph("Neg", graph("Log", graph("Min", share, 1.0)))


@export.register
def _(ranks: NormalScores, graph, X, guessed, n_columns):
    """Return rows with normal scores; `n_columns` is the rows' width."""
    n = len(ranks.sorted_)
    first = X if n == n_columns else graph.columns(X, 0, n)
    guessed = guessed if n == n_columns else graph.columns(guessed, 0, n)
    low, high = _bounds(graph, first, guessed)
    place = graph(
        "Add",
        n_smaller(graph, low, ranks.sorted_, "Less"),
        n_smaller(graph, high, ranks.sorted_, "LessOrEqual"),
    )
    scores = graph("Gather", ranks.scores_, place, axis=0)
    return scores if n == n_columns else graph.joined(scores, graph.columns(X, n, n_columns))


def n_smaller(graph, X, known, compare):
    """Return how many sorted values lie below each value, by halving.

    Parameters
    ----------
    graph : skanomaly.io._graph.Graph
    X : str
        Values, (n_samples, n_features).
    known : ndarray of shape (n_features, n)
        What to compare each column with, sorted.
    compare : {"Less", "LessOrEqual"}
        What counts as below.

    Returns
    -------
    count : str
        Whole numbers, (n_samples, n_features).
    """
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
    return count


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
def _(channels: RowChannels, graph, X, guessed):
    """Return the channels of rows by name, and the training row that each of them equals."""
    width = channels.tail_.sorted_.shape[0]
    Q = export(channels.ranks_, graph, X, guessed, width)
    depths = export(channels.tail_, graph, X, guessed)
    near_x, matches = export(channels.near_x_, graph, X)
    near_q, _ = export(channels.near_q_, graph, Q, matches)
    found = {
        "mx": export(channels.mahalanobis_x_, graph, X),
        "mq": export(channels.mahalanobis_q_, graph, Q),
        "tail": graph.mean(depths, 1, width),
        "tail2": graph("Sqrt", graph.mean(graph("Mul", depths, depths), 1, width)),
    }
    for kind, near, view in (("x", near_x, channels.near_x_), ("q", near_q, channels.near_q_)):
        found |= {f"k{kind}{k}": graph.column(near, place) for place, k in enumerate(view.ks)}
    return found, matches


@export.register
def _(score: ResidualScore, graph, residual):
    pairs = zip(score.members_, residual, strict=True)
    return graph.average([export(member, graph, part) for member, part in pairs])


@export.register
def _(score: SurpriseScore, graph, surprises):
    parts = graph("Div", graph("Sub", surprises, score.centre_), score.spread_)
    parts = graph("Max", parts, 0.0)
    return graph("Sqrt", graph.mean(graph("Mul", parts, parts), 1, len(score.centre_)))


@export.register
def _(channels: ScoreChannels, graph, X, guessed, residual, surprises):
    """Return the calibrated channels by name, and the matches.

    `guessed` says which of the rows' values stand in the place of missing ones, `surprises` is a
    function of the matches.
    """
    raw, matches = export(channels.rows_, graph, X, guessed)
    if channels.residual_ is not None:
        raw["residual"] = export(channels.residual_, graph, residual)
    if channels.surprise_ is not None:
        raw["surprise"] = export(channels.surprise_, graph, surprises(matches))
    found = {name: export(channels.calibrations_[name], graph, raw[name]) for name in raw}
    return found, matches


def new_row_score(graph, channels):
    """Return what `new_row_score` of ``scores._channels`` does."""
    return _mean_of(graph, channels, _channels.NEW_ROWS)


def training_row_score(graph, channels):
    """Return what `training_row_score` of ``scores._channels`` does."""
    whole, local = (_mean_of(graph, channels, names) for names in _channels.TRAINING_ROWS)
    return graph("Max", whole, graph("Mul", local, _channels._LOCAL_SHARE))


def _mean_of(graph, channels, names):
    return graph.average([channels[name] for name in names if name in channels])


def interpolated(graph, x, known, values):
    """Return ``numpy.interp(x, known, values)`` of (n_samples,)."""
    last = len(known) - 1
    if last == 0:
        return graph("Add", graph("Mul", x, 0.0), float(values[0]))
    x = graph.clip(x, known[0], known[-1])
    count = n_smaller(graph, graph.reshape(x, -1, 1), known[None], "LessOrEqual")
    place = graph("Sub", graph.reshape(count, -1), np.int64(1))
    place = graph("Min", graph("Max", place, np.int64(0)), np.int64(last - 1))
    width = np.diff(known)
    slope = np.divide(np.diff(values), width, out=np.zeros(last), where=width > 0)
    beyond = graph("Sub", x, graph("Gather", known, place))
    between = graph("Mul", beyond, graph("Gather", slope, place))
    between = graph("Add", between, graph("Gather", values, place))
    return graph("Where", graph("GreaterOrEqual", x, float(known[-1])), float(values[-1]), between)
