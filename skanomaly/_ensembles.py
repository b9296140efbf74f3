"""The labelled ensembles of NeuralAnomalyClassifier, and the one that needs no labels.

Owns three recipes: all labels known, few labels known, none known. Each turns rows into
features, trains one packed network and answers with margins (log odds of being an anomaly).
"""

from functools import partial

import numpy as np
from scipy.special import expit

from skanomaly._calibration import SigmoidMap
from skanomaly._channels import Calibration
from skanomaly._encoding import (
    PiecewiseLinearEncoding,
    RobustScaling,
    StandardClip,
    UnsupervisedScores,
    soft_clip,
)
from skanomaly._forest import Forest, log_odds
from skanomaly._forward import forward
from skanomaly._learners import uniform_background
from skanomaly._neighbours import NeighbourDistances, reference_rows
from skanomaly._packed import N_FOLDS, FoldedLoss, assign_folds, packed_network
from skanomaly._scaling import ScaledRows, StackedRows, in_chunks
from skanomaly._stacking import stacking_weights
from skanomaly._tables import dense_sample
from skanomaly._threshold import expected_f1_offset, few_labels_offset
from skanomaly._training import Trainer, assemble

#: Threshold of few labels before there are any (log odds of 2), and how many labels weigh as much.
_FIRST_OFFSET, _THRESHOLD_LABELS = 0.7, 5
#: A linear group's factors on the learning rate.
_LINEAR = {"rate": 2.5, "bias_rate": 10.0}
#: A group's mean log odds stay within this: networks extrapolate without measure.
_LOGIT_LIMIT = 15.0
#: Weights of the groups with all labels, forest last, before they are judged.
_PRIOR_WEIGHTS = (0.5, 0.0, 0.0, 0.5)
#: The neighbour whose distance counts where there are no labels.
_NEIGHBOUR = (20,)
#: Weight of the unsupervised evidence, in labelled anomalies; and its share at the least, which
#: puts the rows in order that the networks are sure to be normal.
_PRIOR_WEIGHT, _PRIOR_SHARE = 0.2, 0.05


class _Features:
    """Rows as a network sees them: scaled, encoded piecewise linearly, with their oddity.

    Parameters
    ----------
    scaling : object
        Fitted on rows; `RobustScaling` or `StandardClip`.
    max_bins, budget : int
        Of the piecewise-linear encoding.
    seed : int
        Seed of the unsupervised scores.
    """

    def __init__(self, scaling, odd_scaling, max_bins, budget, odd_bins, seed):
        self.scaling, self.odd_scaling = scaling, odd_scaling
        self.bins = PiecewiseLinearEncoding(max_bins, budget)
        self.odd_bins = PiecewiseLinearEncoding(odd_bins, 3 * odd_bins)
        self.standard, self.odd = StandardClip(), UnsupervisedScores(seed=seed)

    def fit(self, X, rows):
        """Learn from the slots of one pass, and return the oddity of `X`'s rows."""
        weight = np.bincount(rows, minlength=len(X)).astype(np.float64)
        kept = np.flatnonzero(weight)
        self.standard.fit(X, weight)
        order = rows[np.r_[True, rows[1:] != rows[:-1]]]
        self.odd.fit(_Standardised(X, self.standard), weight, order)
        odd = self.oddity(X)
        self.odd_scaling.fit(odd[kept], weight[kept])
        self.odd_mean = np.average(odd[kept], axis=0, weights=weight[kept])
        variance = np.average((odd[kept] - self.odd_mean) ** 2, axis=0, weights=weight[kept])
        self.odd_spread = np.sqrt(variance) + 1e-12
        sample, weight = dense_sample(X, rows)
        self.scaling.fit(sample, weight)
        layout = getattr(X, "layout", None)
        # one-hot columns need no bins; a table without numbers gets some all the same
        self.n_binned = (layout and layout.n_numbers) or X.shape[1]
        self.bins.fit(self.scaling.transform(sample)[:, : self.n_binned], weight)
        weight = np.bincount(rows, minlength=len(X)).astype(np.float64)
        self.odd_bins.fit(self.odd_scaling.transform(odd), weight)
        self.n_linear = X.shape[1] + 3
        self.n_outputs = self.n_linear + self.bins.n_outputs_ + self.odd_bins.n_outputs_
        return odd

    def oddity(self, X):
        """Return the unsupervised log scores, (n_samples, 3)."""
        return in_chunks(lambda rows: self.odd.transform(self.standard.transform(rows)), X)

    def transform(self, X, odd):
        """Return features of rows with their oddity, float32."""
        z, u = self.scaling.transform(X), self.odd_scaling.transform(odd)
        binned = self.bins.transform(z[:, : self.n_binned])
        parts = [z, u, binned, self.odd_bins.transform(u)]
        return np.concatenate([p.astype(np.float32) for p in parts], axis=1)


class _Standardised:
    """A view of a table whose rows come standardised when they are asked for."""

    def __init__(self, X, scaling):
        self.X, self.scaling, self.shape = X, scaling, X.shape

    def __getitem__(self, rows):
        return self.scaling.transform(self.X[rows])


class _FeatureRows:
    """A view of a table whose rows come as features when they are asked for.

    With `slots` (row numbers) its rows are those, in that order: one slot for every copy that
    a row's weight stands for.
    """

    def __init__(self, X, odd, features, slots=None):
        self.X, self.odd, self.features, self.slots = X, odd, features, slots
        self.shape = (len(X) if slots is None else len(slots), features.n_outputs)

    def __len__(self):
        return self.shape[0]

    @property
    def block_rows(self):
        """How many rows may be at hand at once."""
        return getattr(self.X, "block_rows", self.shape[0])

    def __getitem__(self, rows):
        rows = rows if self.slots is None else self.slots[rows]
        return self.features.transform(self.X[rows], self.odd[rows])


class _FirstColumns:
    """A view of a table's first columns."""

    def __init__(self, values, width):
        self.values, self.shape = values, (len(values), width)
        self.block_rows = getattr(values, "block_rows", len(values))

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return self.values[rows][:, : self.shape[1]]


class _LabelledEnsemble:
    """What both labelled ensembles share; they differ in features, groups and margins.

    Parameters
    ----------
    settings : dict
        ``hidden_layer_sizes`` and ``activation``.
    make_schedule : callable
        Function of the recipe's budget and of keyword arguments for the schedule; returns a
        `skanomaly._training.Schedule` in which the user's own numbers have replaced them.
    seed : int
        Seed of everything random.
    """

    def __init__(self, settings, make_schedule, seed):
        self.settings, self.make_schedule, self.seed = settings, make_schedule, seed

    def fit(self, X, labels, rows, class_weight, before=None):
        """Learn from labels: 1 for an anomaly, 0 for any other row."""
        self.n_anomalies = np.count_nonzero(labels[rows])
        schedule = self.make_schedule(self._budget(len(rows)), loss=FoldedLoss(self.kinds))
        del self.make_schedule
        if before is None:
            self.features = self._new_features()
            odd = self.features.fit(X, rows)
            build = partial(self._build, self.features.n_outputs, self.features.n_linear)
            self.trainer = Trainer(build, schedule, self.seed)
        else:
            self.features, self.trainer = before.features, before.trainer.copy()
            odd = self.features.oddity(X)
        labels = labels[rows]
        folds = assign_folds(labels, np.random.default_rng([self.seed, 2]))
        values = _FeatureRows(X, odd, self.features, rows)
        weight = np.where(labels > 0, class_weight[1], class_weight[0])
        y = np.stack([labels, weight / weight.mean(), folds], axis=1).astype(np.float32)
        slots = np.arange(len(rows), dtype=rows.dtype)
        self.trainer.fit(values, y, rows=slots, schedule=schedule)
        own = _own_fold(self._logits(values), folds, len(self.kinds))
        self.forest = Forest(self.complete, self.seed).fit(self._first_columns(values), labels)
        votes, self.forest.honest_ = self.forest.honest_, None
        self._weigh(own, votes, labels)
        self._honest = self._margins(own, votes, odd[rows]), labels
        return self

    def margins(self, X):
        """Return log odds of being an anomaly, (n_samples,), float64."""

        def one(part):
            odd = self.features.oddity(part)
            values = _FeatureRows(part, odd, self.features)[:]
            logits = self._logits(values).reshape(len(part), len(self.kinds), N_FOLDS)
            return self._margins(logits, self.forest.votes(self._first_columns(values)), odd)

        return in_chunks(one, X)

    def _weigh(self, own, votes, labels):
        """Learn how far to trust each group; by default there is nothing to learn."""

    def _first_columns(self, values):
        """Return the columns that are not encoded: what trees and linear groups see."""
        return _FirstColumns(values, self.features.n_linear)

    def honest(self):
        """Return margins out of fold and labels, one for each slot of a training pass."""
        honest, self._honest = self._honest, None
        return honest

    def _logits(self, values):
        return in_chunks(lambda v: forward(self.trainer.network, v).astype(np.float64), values)

    def _build(self, n_outputs, n_linear):
        groups = self._groups(n_linear)
        return assemble(packed_network(n_outputs, groups), n_members=N_FOLDS * len(groups))


class FullLabels(_LabelledEnsemble):
    """All labels known: four groups, weighted by how right they were on rows they did not see.

    Networks on piecewise-linear features and a forest follow jumps and come first; smooth and
    linear networks take over as far as they prove better.
    """

    complete = True
    kinds = ("cross_entropy", "cross_entropy", "cross_entropy")
    imbalance = 0.5

    def _new_features(self):
        return _Features(RobustScaling(), RobustScaling(), 16, 256, 16, self.seed)

    def _groups(self, n_linear):
        widths, columns = self.settings["hidden_layer_sizes"], list(range(n_linear))
        deep = {"hidden_layer_sizes": widths, "activation": self.settings["activation"]}
        wide = tuple(2 * width for width in widths)
        smooth = {"hidden_layer_sizes": wide, "activation": "silu", "columns": columns}
        groups = [deep, smooth, {**_LINEAR, "columns": columns}]
        return [{"n_members": N_FOLDS, **group} for group in groups]

    def _budget(self, n):
        steps = 400 if n <= 512 else 520 if n <= 2048 else 1200
        return {"learning_rate": 4e-3, "max_steps": steps}

    def _weigh(self, own, votes, labels):
        self.group_weights = stacking_weights(_group_logits(own, votes), labels, _PRIOR_WEIGHTS)

    def _margins(self, logits, votes, odd):
        return _group_logits(logits, votes) @ self.group_weights

    def offset(self, scores, labels):
        """Return the threshold on scores (negative margins) from out-of-fold scores.

        It lies midway between the one that flags as many rows as there are anomalies and the
        one with the best expected F1. The best F1 on the labels themselves is less steady.
        """
        ranked, k = np.sort(scores), self.n_anomalies
        as_many = (ranked[k - 1] + ranked[min(k, len(ranked) - 1)]) / 2
        probabilities = SigmoidMap(scores, labels > 0, centre=0.0)(scores)
        return float((as_many + expected_f1_offset(scores, probabilities)) / 2)


class FewLabels(_LabelledEnsemble):
    """Some labels known: networks of three kinds and a forest, equal, and a prior from oddity."""

    complete = False
    kinds = ("cross_entropy", "sigmoid", "cross_entropy")
    imbalance = 1.0

    def _new_features(self):
        return _Features(StandardClip(30.0), StandardClip(30.0), 16, 256, 8, self.seed)

    def _groups(self, n_linear):
        shape = {n: self.settings[n] for n in ("hidden_layer_sizes", "activation")}
        deep = {"n_members": N_FOLDS, "bias_range": 0.3, **shape}
        linear = {"n_members": N_FOLDS, "columns": list(range(n_linear)), **_LINEAR}
        return [deep, deep, linear]

    def _budget(self, n):
        return {"learning_rate": 2e-3, "max_steps": 300}

    def _margins(self, logits, votes, odd):
        p = np.column_stack([expit(logits.mean(axis=2)), votes]).mean(axis=1)
        z = (odd - self.features.odd_mean) / self.features.odd_spread
        oddness = expit(2 * (np.clip(z, -3, 6).mean(axis=1) - 1.5))
        prior = max(_PRIOR_WEIGHT / (_PRIOR_WEIGHT + self.n_anomalies), _PRIOR_SHARE)
        p = np.clip((1 - prior) * p + prior * oddness, 1e-300, 1 - 1e-15)
        return np.log(p) - np.log1p(-p)

    def offset(self, scores, labels):
        """Return the threshold on scores: the rule for few labels, shrunk where they sway it.

        The fewer labels there are, the more it is held near odds of one to two: hidden
        anomalies count as normal rows in training, so that even odds miss too many.
        """
        if np.ptp(scores) == 0:
            return 0.0
        rule = few_labels_offset(scores, np.where(labels > 0, -1, 1))
        weight = self.n_anomalies / (self.n_anomalies + _THRESHOLD_LABELS)
        return weight * rule + (1 - weight) * _FIRST_OFFSET


def _group_logits(logits, votes):
    """Return the groups' log odds, those of networks squashed into bounds, the forest's last."""
    return np.column_stack([soft_clip(logits.mean(axis=2), _LOGIT_LIMIT), log_odds(votes)])


def _own_fold(logits, folds, n_groups):
    """Return each row's logits of the members that never saw it, (n, n_groups, members).

    Rows without a fold get all members.
    """
    logits = logits.reshape(len(logits), n_groups, N_FOLDS)
    own = np.maximum(folds, 0).astype(int)
    picked = np.take_along_axis(logits, own[:, None, None], axis=2)
    everyone = logits.mean(axis=2, keepdims=True)
    return np.where((folds < 0)[:, None, None], everyone, picked)


class Subspaces:
    """No labels: members tell rows from uniform noise, each in a few columns of its own.

    In all columns at once, uniform noise is far from the rows everywhere and there is nothing
    to learn; in three, it fills the gaps between them. What takes more columns to see, the
    distance to the 20th neighbour in all of them tells.

    Parameters
    ----------
    settings, make_schedule, seed
        As in the labelled ensembles.
    """

    n_members, n_columns = 32, 3

    def __init__(self, settings, make_schedule, seed):
        self.settings, self.make_schedule, self.seed = settings, make_schedule, seed

    def fit_background(self, X, rows, before=None):
        """Learn the rows against as many rows of uniform noise around them."""
        budget = {"learning_rate": 4e-3, "max_steps": 250}
        schedule = self.make_schedule(budget, loss=FoldedLoss(["cross_entropy"], folds=False))
        del self.make_schedule
        if before is None:
            # soft-clipped columns: long tails would leave the noise nothing near the rows
            self.scaler = RobustScaling().fit(*dense_sample(X, rows))
            if getattr(X, "layout", None) is not None:  # values never seen must show
                self.scaler.factor_[self.scaler.factor_ == 0] = 1.0
            self.trainer = Trainer(partial(self._build, X.shape[1]), schedule, self.seed)
        else:
            self.scaler, self.trainer = before.scaler, before.trainer.copy()
        values = ScaledRows(X, self.scaler)
        noise = uniform_background(values, rows, self.seed)
        slots, rows = rows, np.r_[rows, len(X) + np.arange(len(noise), dtype=rows.dtype)]
        y = np.ones((len(X) + len(noise), 3), np.float32)
        y[: len(X), 0] = 0
        self.trainer.fit(StackedRows(values, noise), y, rows=rows, schedule=schedule)
        self._calibrate(X, slots)
        return self

    def _calibrate(self, X, rows):
        """Learn the neighbours, and bring both views to one scale."""
        known = X[reference_rows(rows, seed=self.seed)]
        self.standard = StandardClip().fit(known)
        self.near = NeighbourDistances(_NEIGHBOUR)
        rows = self.standard.transform(known)
        distance = self.near.fit_score(rows, order=np.arange(len(rows)))
        views = self._evidence(known), distance[:, 0]
        self.calibrations = [Calibration().fit(view) for view in views]

    def _build(self, n_features):
        rng = np.random.default_rng([self.seed, 3])
        width = min(self.n_columns, n_features)
        columns = [rng.permutation(n_features)[:width].tolist() for _ in range(self.n_members)]
        shape = {n: self.settings[n] for n in ("hidden_layer_sizes", "activation")}
        group = {"n_members": self.n_members, "columns": columns, **shape}
        return assemble(packed_network(n_features, [group]), n_members=self.n_members)

    def margins(self, X):
        """Return the mean of evidence of noise and distance, calibrated, (n_samples,)."""
        distance = self.near.score(self.standard.transform(X))[:, 0]
        views = zip(self.calibrations, (self._evidence(X), distance), strict=True)
        return np.mean([calibration.apply(view) for calibration, view in views], axis=0)

    def _evidence(self, X):
        """Return the members' mean evidence of noise, (n_samples,), float64.

        It is ``log(1 + odds)``: how sure some members are of a row being normal must not make
        up for others that are sure of the opposite.
        """
        values = ScaledRows(X, self.scaler)
        logits = in_chunks(lambda v: forward(self.trainer.network, v), values)
        return np.logaddexp(0, logits.astype(np.float64)).mean(axis=1)
