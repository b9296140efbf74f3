"""Rows on their way into a network as ONNX nodes: missing values, scales, bins.

Owns the exporters of ``preprocessing``. Rows are double precision, like there.
"""

import numpy as np

from skanomaly.io._export import export
from skanomaly.preprocessing._binning import PiecewiseLinearEncoding, QuantileBins
from skanomaly.preprocessing._imputation import ConditionalMean
from skanomaly.preprocessing._scaling import CLIP, RobustScaling, RowScaler, StandardClip

#: Squares of numbers up to this do not overflow.
_SQUARABLE = 1e150


@export.register
def _(filler: ConditionalMean, graph, X):
    missing = graph("IsNaN", X)
    Z = graph("Div", graph("Sub", X, filler.mean_), filler.scale_)
    Z = graph("Where", missing, 0.0, graph.clip(Z, -CLIP, CLIP))
    if filler.factors_.shape[1]:
        seen = graph.cast(graph("Not", missing), np.float64)
        factors = _factor_scores(graph, Z, seen, filler.factors_, filler.noise_)
        Z = graph.clip(graph("MatMul", factors, filler.factors_.T.copy()), -CLIP, CLIP)
    guess = graph("Add", graph("Mul", Z, filler.scale_), filler.mean_)
    return graph("Where", missing, guess, X)


def _factor_scores(graph, Z, seen, factors, noise):
    """Return the rows' factor scores given the values that are there, (n_samples, n_factors)."""
    width = factors.shape[1]
    outer = (factors[:, :, None] * factors[:, None]).reshape(len(factors), -1)
    precision = graph.reshape(graph("MatMul", seen, outer), -1, width, width)
    precision = graph("Add", precision, noise * np.eye(width))
    wanted = graph.reshape(graph("MatMul", Z, factors), -1, width, 1)
    return graph.reshape(_solved(graph, precision, wanted, width), -1, width)


def _solved(graph, matrix, wanted, width):
    """Solve positive definite systems by Gauss and Jordan's elimination, row by row."""
    system = graph.joined(matrix, wanted, axis=2)
    for place in range(width):
        here = np.array([place])
        line = graph("Gather", system, here, axis=1)
        line = graph("Div", line, graph("Gather", line, here, axis=2))
        column = graph("Gather", system, here, axis=2)
        column = graph("Sub", column, np.eye(width)[:, [place]])
        system = graph("Sub", system, graph("MatMul", column, line))
    return graph("Gather", system, np.array([width]), axis=2)


@export.register
def _(scaler: RowScaler, graph, X):
    Z = graph("Div", graph("Sub", X, scaler.mean_), scaler.scale_)
    return graph.clip(Z, -scaler.limit, scaler.limit)


@export.register
def _(scaling: StandardClip, graph, X):
    return export(scaling.scaler_, graph, X)


@export.register
def _(scaling: RobustScaling, graph, X):
    return soft_clip(graph, graph("Mul", graph("Sub", X, scaling.median_), scaling.factor_))


def soft_clip(graph, z, limit=3.0):
    """Return ``z / sqrt(1 + (z / limit)^2)``."""
    z = graph.clip(z, -_SQUARABLE, _SQUARABLE)
    part = graph("Div", z, limit)
    return graph("Div", z, graph("Sqrt", graph("Add", graph("Mul", part, part), 1.0)))


@export.register
def _(encoding: PiecewiseLinearEncoding, graph, X):
    n_features = encoding.start_.shape[1]
    passed = graph("Sub", graph.reshape(X, -1, n_features, 1), encoding.start_.T.copy())
    passed = graph("Mul", passed, encoding.slope_.T.copy())
    passed = graph("Min", graph("Max", passed, encoding.low_.T.copy()), encoding.high_.T.copy())
    return graph("Sub", graph.reshape(passed, -1, encoding.n_outputs_), encoding.centre_)


@export.register
def _(bins: QuantileBins, graph, X):
    """Return bin numbers, single precision; values that are missing get any."""
    n_features, most = len(bins.edges_), max(len(edges) for edges in bins.edges_)
    inner = np.full((n_features, max(most - 2, 1)), np.inf)
    for j, edges in enumerate(bins.edges_):
        inner[j, : len(edges) - 2] = edges[1:-1]
    passed = graph("GreaterOrEqual", graph.reshape(X, -1, n_features, 1), inner)
    number = graph("Add", graph.sum(graph.cast(passed, np.float32), 2), np.float32(1))
    low, high = (np.array([edges[end] for edges in bins.edges_]) for end in (0, -1))
    number = graph("Where", graph("Less", X, low), np.float32(0), number)
    return graph("Where", graph("Greater", X, high), np.float32(bins.n_bins - 1), number)
