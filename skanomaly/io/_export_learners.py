"""Learners as ONNX nodes, from rows to scores: autoencoders and classifiers.

Owns the exporters of ``learners``. A learner's score is higher for anomalies, like there.
"""

import numpy as np

from skanomaly.io._export import export
from skanomaly.io._export_networks import column_surprises, network_outputs
from skanomaly.io._export_rows import soft_clip
from skanomaly.io._export_scores import (
    coarser_where,
    distances,
    interpolated,
    new_row_score,
    training_row_score,
)
from skanomaly.learners import _forest, _labelled, _single
from skanomaly.learners._autoencoder import Autoencoder, MahalanobisScore, ResidualMahalanobis
from skanomaly.learners._ensemble import EnsembleScore
from skanomaly.learners._features import Features
from skanomaly.learners._forest import Forest
from skanomaly.learners._labelled import FewLabels, FullLabels
from skanomaly.learners._masked_bins import MaskedBins
from skanomaly.learners._single import SingleNetwork
from skanomaly.learners._subspaces import Subspaces
from skanomaly.networks._ensembles import N_FOLDS
from skanomaly.networks._heads import with_codes, without_sigmoid
from skanomaly.networks._masked_bins import surprises


@export.register
def _(learner: Autoencoder, graph, X, missing):
    Z = _single_precision(graph, learner.scaler, X)
    answers = [graph.cast(answer, np.float64) for answer in _members(graph, learner, Z)]
    guess, n_features = graph.average(answers), learner.trainer.network.input_shape[-1]
    Z = graph("Where", missing, graph.cast(guess, np.float32), Z)
    if learner.scorer is None:
        residual = _residuals(graph, _members(graph, learner, Z), Z, missing, n_features)
        return graph.average([_mean_square(graph, r, n_features) for r in residual])
    outputs, codes = network_outputs(with_codes(learner.trainer.network), graph, Z)
    outputs, codes = (_by_member(graph, learner, values) for values in (outputs, codes))
    residual = _residuals(graph, outputs, Z, missing, n_features)
    codes = [graph.cast(code, np.float64) for code in codes]
    return export(learner.scorer, graph, graph.cast(Z, np.float64), residual, codes, missing)


def _single_precision(graph, scaler, X):
    return graph.cast(X if scaler is None else export(scaler, graph, X), np.float32)


def _members(graph, learner, Z):
    """Return the members' answers to rows, each (n_samples, n_features)."""
    return _by_member(graph, learner, network_outputs(learner.trainer.network, graph, Z)[0])


def _by_member(graph, learner, values):
    """Return each member's part of (n_samples, n_members, any), or all where there is one."""
    n_members = learner.trainer.model.n_members
    if n_members is None:
        return [values]
    return [graph("Gather", values, np.int64(member), axis=1) for member in range(n_members)]


def _residuals(graph, outputs, Z, missing, n_features):
    """Return each member's residuals: zero where values are missing, the others as much larger."""
    Z = graph.cast(Z, np.float64)
    there = graph.sum(graph.cast(graph("Not", missing), np.float64), 1, keepdims=True)
    growth = graph("Sqrt", graph("Div", float(n_features), graph("Max", there, 1.0)))
    differences = [graph("Sub", graph.cast(output, np.float64), Z) for output in outputs]
    return [graph("Where", missing, 0.0, graph("Mul", d, growth)) for d in differences]


def _mean_square(graph, residual, n_features):
    return graph.mean(graph("Mul", residual, residual), 1, n_features)


@export.register
def _(score: EnsembleScore, graph, Z, residual, codes, missing):
    def found(matches):
        return export(score.masked_, graph, Z, missing, _folds_of(score, graph, matches, None))

    coarser, left = coarser_where(graph, missing), None
    if score.left_ is not None:
        _, left = distances(score.left_, graph, Z, None, coarser)

    def folds(matches):
        return _folds_of(score, graph, matches, left)

    channels, matches = export(score.channels_, graph, Z, residual, found, folds, coarser)
    scores = new_row_score(graph, channels)
    if score.levels_ is None:
        return scores
    trained = graph("GreaterOrEqual", graph("Max", matches, left), np.int64(0))
    ranked = interpolated(graph, training_row_score(graph, channels), *score.levels_)
    return graph("Where", trained, ranked, scores)


def _folds_of(score, graph, matches, left):
    """Return the folds of rows that are among the training rows; -1 of others."""
    folds = np.int64(-1)
    for numbers, known in zip((left, matches), score.folds_[::-1], strict=True):
        if numbers is not None:
            own = graph("Gather", known, graph("Max", numbers, np.int64(0)))
            is_known = graph("GreaterOrEqual", numbers, np.int64(0))
            folds = graph("Where", is_known, own, folds)
    return folds


@export.register
def _(learner: MaskedBins, graph, Z, missing, folds):
    """Return the surprises of scaled rows, those of training rows by the member without them."""
    bins = graph("Where", missing, np.float32(-1), export(learner.bins_, graph, Z))
    network = surprises(learner.trainer.network, learner.groups_)
    found = graph.cast(column_surprises(network, graph, bins), np.float64)
    n_members = learner.trainer.model.n_members
    mean = graph.mean(found, 1, n_members)
    if n_members == 1:
        return mean
    known = graph("GreaterOrEqual", folds, np.int64(0))
    own = graph("Min", folds, np.int64(n_members - 1))
    own = graph("Equal", graph.reshape(own, -1, 1), np.arange(n_members))
    own = graph.reshape(graph.cast(own, np.float64), -1, n_members, 1)
    own = graph.sum(graph("Mul", found, own), 1)
    return graph("Where", graph.reshape(known, -1, 1), own, mean)


@export.register
def _(score: MahalanobisScore, graph, Z, residual, codes, missing):
    features = [graph.joined(*pair) for pair in zip(residual, codes, strict=True)]
    return _mean_distance(graph, score, features)


@export.register
def _(score: ResidualMahalanobis, graph, Z, residual, codes, missing):
    return _mean_distance(graph, score, residual)


def _mean_distance(graph, score, features):
    pairs = zip(score.members, features, strict=True)
    return graph.average([export(member, graph, part) for member, part in pairs])


@export.register
def _(learner: SingleNetwork, graph, X, missing):
    network, head = without_sigmoid(learner.trainer.network)
    output = network_outputs(network, graph, _single_precision(graph, learner.scaler, X))[0]
    output = graph.cast(output, np.float64)
    if head is not None:
        kernel, bias = head
        return graph("Add", graph.reshape(graph("MatMul", output, kernel[:, None]), -1), bias)
    floor = _single._PROBABILITY_FLOOR
    return _log_odds(graph, graph.clip(graph.reshape(output, -1), floor, 1 - floor))


def _log_odds(graph, p):
    return graph("Sub", graph("Log", p), graph("Log", graph("Sub", 1.0, p)))


@export.register
def _(learner: Subspaces, graph, X, missing):
    Z = _single_precision(graph, learner.scaler, X)
    logits = graph.cast(network_outputs(learner.trainer.network, graph, Z)[0], np.float64)
    softplus = graph("Log", graph("Add", 1.0, graph("Exp", graph("Neg", graph("Abs", logits)))))
    evidence = graph("Add", graph("Max", logits, 0.0), softplus)
    evidence = graph.mean(evidence, 1, learner.n_members)
    near = export(learner.near, graph, export(learner.standard, graph, X))[0]
    views = zip(learner.calibrations, (evidence, graph.column(near, 0)), strict=True)
    return graph.average([export(calibration, graph, view) for calibration, view in views])


@export.register
def _(features: Features, graph, X, unsupervised):
    z = export(features.scaling, graph, X)
    u = export(features.score_scaling, graph, unsupervised)
    binned = export(features.bins, graph, graph.columns(z, 0, features.n_binned))
    parts = [z, u, binned, export(features.score_bins, graph, u)]
    return graph.joined(*(graph.cast(part, np.float32) for part in parts))


@export.register
def _(forest: Forest, graph, X):
    return graph("Div", export(forest.trees_, graph, X), float(_forest._TREES))


def _labelled_parts(learner, graph, X):
    """Return the groups' logits (n_samples, n_groups, n_members), votes, unsupervised scores."""
    features = learner.features
    unsupervised = export(features.scorer, graph, export(features.standard, graph, X))
    values = export(features, graph, X, unsupervised)
    logits = network_outputs(learner.trainer.network, graph, values)[0]
    logits = graph.reshape(graph.cast(logits, np.float64), -1, len(learner.kinds), N_FOLDS)
    seen = graph.columns(values, 0, features.n_linear)
    votes = [graph.reshape(export(forest, graph, seen), -1, 1) for forest in learner.forests.kinds]
    return graph.mean(logits, 2, N_FOLDS), votes, unsupervised


@export.register
def _(learner: FullLabels, graph, X, missing):
    logits, votes, _ = _labelled_parts(learner, graph, X)
    floor = 0.5 / _forest._TREES
    odds = _log_odds(graph, graph.clip(graph.joined(*votes), floor, 1 - floor))
    groups = graph.joined(soft_clip(graph, logits, _labelled._LOGIT_LIMIT), odds)
    return graph.reshape(graph("MatMul", groups, learner.group_weights[:, None]), -1)


@export.register
def _(learner: FewLabels, graph, X, missing):
    logits, votes, unsupervised = _labelled_parts(learner, graph, X)
    odds = graph("Mul", votes[1], learner.searching_odds)
    searched = graph("Div", odds, graph("Sub", graph("Add", odds, 1.0), votes[1]))
    p = graph.joined(graph("Sigmoid", logits), votes[0], searched)
    p = graph.mean(p, 1, len(learner.kinds) + len(votes))
    features = learner.features
    z = graph("Div", graph("Sub", unsupervised, features.score_mean), features.score_spread)
    z = graph.mean(graph.clip(z, -3.0, 6.0), 1, len(features.score_mean))
    evidence = graph("Sigmoid", graph("Mul", graph("Sub", z, 1.5), 2.0))
    weight = _labelled._PRIOR_WEIGHT
    prior = max(weight / (weight + learner.n_anomalies), _labelled._PRIOR_SHARE)
    p = graph("Add", graph("Mul", p, 1 - prior), graph("Mul", evidence, prior))
    return _log_odds(graph, graph.clip(p, 1e-300, 1 - 1e-15))
