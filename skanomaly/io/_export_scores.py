"""Scores as ONNX nodes: neighbours, distances, tails, trees, and their calibration.

Owns the exporters of ``scores``. Scores are double precision and higher for anomalies, like there.
"""

import numpy as np

from skanomaly.io._export import export
from skanomaly.scores import _channels
from skanomaly.scores._channels import (
    RowChannels,
    ScoreChannels,
    ScoreScaler,
)
from skanomaly.scores._mahalanobis import _LEAST_LEFT, _TINY, Mahalanobis
from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.scores._network_scores import LearntRows, ResidualScore, SurpriseScore
from skanomaly.scores._ranks import NormalScores
from skanomaly.scores._tails import ROUNDING
from skanomaly.scores._trees import IsolationPaths, Trees
from skanomaly.scores._unsupervised import UnsupervisedScores

#: How much coarser training rows are recognised than by the detector itself: another runtime
#: rounds in another way what its networks put in the place of missing values.
_ROUNDING = 10.0


@export.register
def _(channel: Mahalanobis, graph, A, known=None):
    places = project(channel, graph, A)
    squares = graph.sum(graph("Mul", places, places), 1)
    if known is not None:
        left = graph("Sub", 1.0, graph("Mul", squares, channel.own_))
        left = graph("Max", left, _LEAST_LEFT)
        squares = graph("Where", known, graph("Div", squares, left), squares)
    return graph("Log", graph("Add", squares, _TINY))


def project(channel, graph, A):
    """Return rows in the space where the channel's distance is the Euclidean one."""
    A = graph("Sub", graph("Div", A, channel.spread_), channel.mean_)
    return graph("MatMul", A, np.ascontiguousarray(channel.axes_))


def coarser_where(graph, missing):
    """Return how much coarser each row is to be recognised: only where something is missing."""
    gaps = graph.sum(graph.cast(missing, np.float64), 1)
    return graph("Where", graph("Greater", gaps, 0.0), _ROUNDING, 1.0)


def distances(channel, graph, X, matches=None, coarser=_ROUNDING):
    """Return the distances of `NeighbourDistances` (n_samples, len(ks)), and the matches."""
    most = len(channel.reference_)
    k = min(max(channel.ks) + 1, most)
    near, nearest = _nearest(graph, X, channel.reference_, channel.square_, k)
    if matches is None:
        tolerance = graph("Mul", coarser, float(channel.tolerance_))
        equal = graph("LessOrEqual", graph.column(near, 0), tolerance)
        matches = graph("Where", equal, nearest, np.int64(-1))
    capped = np.maximum(np.minimum(channel.ks, most - 1), 1).astype(np.int64)
    dropped = graph.cast(graph("GreaterOrEqual", matches, np.int64(0)), np.int64)
    dropped = graph.reshape(dropped, -1, 1)
    places = graph("Min", graph("Add", dropped, capped - 1), np.array([most - 1]))
    return graph("GatherElements", near, places, axis=1), matches


def _nearest(graph, X, reference, square, k):
    """Return the distances to the k nearest reference rows, nearest first, and its number.

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
    near, order = graph("TopK", exact, np.array([k]), outputs=2, largest=0, sorted=1)
    nearest = graph("GatherElements", places, graph.columns(order, 0, 1), axis=1)
    return near, graph.reshape(nearest, -1)


@export.register
def _(channel: NeighbourDistances, graph, X, matches=None, coarser=_ROUNDING):
    found, matches = distances(channel, graph, X, matches, coarser)
    return graph("Log", graph("Add", found, channel.floor_)), matches


@export.register
def _(channel: NormalScores, graph, X):
    known = channel.sorted_
    numbers = graph.columns(X, 0, len(known))
    margin = _margin(graph, numbers, channel.slack_)
    low = n_smaller(graph, graph("Sub", numbers, margin), known, "Less")
    high = n_smaller(graph, graph("Add", numbers, margin), known, "LessOrEqual")
    below = graph("Add", low, high)
    scores = graph("Gather", channel.scores_, graph.cast(below, np.int64))
    return graph.joined(scores, graph.columns(X, len(known), np.iinfo(np.int64).max))


def depths(channel, graph, X, known):
    """Return the depths of `MarginalTail`, (n_samples, n_features)."""
    n = channel.sorted_.shape[1]
    margin = _margin(graph, X, channel.slack_)
    low, high = (graph(sign, X, margin) for sign in ("Sub", "Add"))
    below = n_smaller(graph, high, channel.sorted_, "LessOrEqual")
    above = graph("Sub", float(n), n_smaller(graph, low, channel.sorted_, "Less"))
    own = graph.reshape(graph.cast(known, np.float64), -1, 1)
    rarer = graph("Sub", graph("Add", graph("Min", below, above), 1.0), own)
    share = graph("Mul", graph("Max", rarer, 1.0), 2.0)
    share = graph("Div", share, graph("Sub", float(n + 1), own))
    return graph("Neg", graph("Log", graph("Min", share, 1.0)))


def _margin(graph, X, slack):
    return graph("Add", graph("Mul", graph("Abs", X), ROUNDING), slack)


def n_smaller(graph, X, known, compare):
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
def _(calibration: ScoreScaler, graph, scores):
    return graph("Div", graph("Sub", scores, calibration.centre_), calibration.scale_)


@export.register
def _(rows: RowChannels, graph, X, coarser):
    """Return the channels by name, and the matches."""
    near_x, matches = export(rows.near_x_, graph, X, None, coarser)
    known = graph("GreaterOrEqual", matches, np.int64(0))
    normal, depth = export(rows.normal_, graph, X), depths(rows.tail_, graph, X, known)
    near_q, _ = export(rows.near_q_, graph, normal, matches)
    n_features = len(rows.tail_.sorted_)
    squares = graph.mean(graph("Mul", depth, depth), 1, n_features)
    channels = {
        "mx": export(rows.mahalanobis_, graph, X, known),
        "tail": graph.mean(depth, 1, n_features),
        "kq5": graph.column(near_q, 0),
    }
    if rows.columns:
        channels["tail2"] = graph("Sqrt", squares)
    channels |= {f"kx{k}": graph.column(near_x, i) for i, k in enumerate(rows.near_x_.ks)}
    return channels, matches


@export.register
def _(score: ResidualScore, graph, residual, folds, known):
    pairs = zip(score.members_, residual, strict=True)
    scores = [export(member, graph, r, known) for member, r in pairs]
    found = graph.average(scores)
    if not score.in_folds_:
        return found
    for member, own in enumerate(scores):
        found = graph("Where", graph("Equal", folds, np.int64(member)), own, found)
    learnt = graph("GreaterOrEqual", folds, np.int64(len(scores)))
    return export(score.learnt_, graph, graph("Where", learnt, scores[-1], found), learnt)


@export.register
def _(rows: LearntRows, graph, scores, learnt):
    if rows.levels_ is None:
        return scores
    return graph("Where", learnt, interpolated(graph, scores, *rows.levels_), scores)


@export.register
def _(score: SurpriseScore, graph, surprises, folds):
    z = graph("Div", graph("Sub", surprises, score.centre_), score.spread_)
    z = graph("Max", z, 0.0)
    parts = graph("Where", graph("Equal", surprises, 0.0), score.usual_, graph("Mul", z, z))
    scores = graph("Sqrt", graph.mean(parts, 1, len(score.centre_)))
    learnt = graph("GreaterOrEqual", folds, np.int64(score.n_members))
    return export(score.learnt_, graph, scores, learnt)


@export.register
def _(channels: ScoreChannels, graph, X, residual, surprises, folds, coarser):
    """Return the calibrated channels by name, and the matches, of which the rest may be made."""
    raw, matches = export(channels.rows_, graph, X, coarser)
    folds, known = folds(matches), graph("GreaterOrEqual", matches, np.int64(0))
    if channels.residual_ is not None:
        raw["residual"] = export(channels.residual_, graph, residual, folds, known)
    if channels.surprise_ is not None:
        learnt = graph("Where", known, folds, np.int64(-1))
        raw["surprise"] = export(channels.surprise_, graph, surprises(matches), learnt)
    calibrated = {name: export(channels.calibrations_[name], graph, c) for name, c in raw.items()}
    return calibrated, matches


def new_row_score(graph, channels):
    """Return the score of rows that no part of the detector has seen."""
    return _mean(graph, channels, _channels.NEW_ROWS)


def training_row_score(graph, channels):
    """Return the score of rows among which anomalies were at the fit."""
    whole, local = (_mean(graph, channels, n) for n in (_channels.GLOBAL, _channels.LOCAL))
    local = graph("Max", local, 0.0)
    return graph("Add", whole, graph("Mul", graph("Mul", local, local), _channels._LOCAL_SHARE))


def _mean(graph, channels, names):
    return graph.average([channels[name] for name in names if name in channels])


def interpolated(graph, x, known, values):
    """Return what ``numpy.interp`` gives; x of shape (n_samples,)."""
    last = len(known) - 1
    column = graph.reshape(x, -1, 1)
    place = graph.reshape(n_smaller(graph, column, known[None], "LessOrEqual"), -1)
    place = graph("Max", graph("Sub", graph.cast(place, np.int64), np.int64(1)), np.int64(0))
    place = graph("Min", place, np.int64(max(last - 1, 0)))
    slope = np.diff(values) / np.maximum(np.diff(known), 1e-300) if last else np.zeros(1)
    start, rise = graph("Gather", known, place), graph("Gather", slope, place)
    found = graph(
        "Add", graph("Gather", values, place), graph("Mul", graph("Sub", x, start), rise)
    )
    return graph.clip(found, values[0], values[-1])
