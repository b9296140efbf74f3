"""The labelled ensembles of NeuralAnomalyClassifier: all labels known, or few of them.

Each turns rows into features, trains one packed network and a forest beside it, and answers with
margins (log odds of being an anomaly).
"""

from functools import partial

import numpy as np
from scipy.special import expit

from skanomaly.learners._features import FeatureRows, Features, FirstColumns
from skanomaly.learners._forest import Forest, log_odds
from skanomaly.learners._stacking import stacking_weights
from skanomaly.networks._ensembles import N_FOLDS, assign_folds, packed_network
from skanomaly.networks._losses import FoldedLoss
from skanomaly.preprocessing._scaling import RobustScaling, StandardClip, in_chunks, soft_clip
from skanomaly.thresholds._labelled import expected_f1_offset, few_labels_offset
from skanomaly.training._predict import forward
from skanomaly.training._trainer import Trainer, assemble
from skanomaly.utils._calibration import SigmoidMap

#: Threshold of few labels before there are any (log odds of 2), and how many labels weigh as much.
_FIRST_OFFSET, _THRESHOLD_LABELS = 0.7, 5
#: A linear group's factors on the learning rate.
_LINEAR = {"rate": 2.5, "bias_rate": 10.0}
#: A group's mean log odds stay within this: networks extrapolate without measure.
_LOGIT_LIMIT = 15.0
#: Weights of the groups with all labels, forest last, before they are judged.
_PRIOR_WEIGHTS = (0.5, 0.0, 0.0, 0.5)
#: Weight of the unsupervised evidence, in labelled anomalies; and its share at the least, which
#: puts the rows in order that the networks are sure to be normal.
_PRIOR_WEIGHT, _PRIOR_SHARE = 0.2, 0.05


class LabelledEnsemble:
    """What both labelled ensembles share; they differ in features, groups and margins.

    Parameters
    ----------
    settings : dict
        ``hidden_layer_sizes`` and ``activation``.
    make_schedule : callable
        Function of the recipe's budget and of keyword arguments for the schedule; returns a
        `skanomaly.training._trainer.Schedule` in which the user's own numbers have replaced them.
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
            unsupervised = self.features.fit(X, rows)
            build = partial(self._build, self.features.n_outputs, self.features.n_linear)
            self.trainer = Trainer(build, schedule, self.seed)
        else:
            self.features, self.trainer = before.features, before.trainer.copy()
            unsupervised = self.features.unsupervised_scores(X)
        labels = labels[rows]
        folds = assign_folds(labels, np.random.default_rng([self.seed, 2]))
        values = FeatureRows(X, unsupervised, self.features, rows)
        weight = np.where(labels > 0, class_weight[1], class_weight[0])
        y = np.stack([labels, weight / weight.mean(), folds], axis=1).astype(np.float32)
        row_indices = np.arange(len(rows), dtype=rows.dtype)
        self.trainer.fit(values, y, rows=row_indices, schedule=schedule)
        own = _own_fold(self._logits(values), folds, len(self.kinds))
        self.forest = Forest(self.complete, self.seed).fit(self._first_columns(values), labels)
        votes, self.forest.out_of_bag_ = self.forest.out_of_bag_, None
        self._weigh(own, votes, labels)
        self._out_of_fold = self._margins(own, votes, unsupervised[rows]), labels
        return self

    def margins(self, X):
        """Return log odds of being an anomaly, (n_samples,), float64."""

        def one(part):
            unsupervised = self.features.unsupervised_scores(part)
            values = FeatureRows(part, unsupervised, self.features)[:]
            logits = self._logits(values).reshape(len(part), len(self.kinds), N_FOLDS)
            return self._margins(
                logits, self.forest.votes(self._first_columns(values)), unsupervised
            )

        return in_chunks(one, X)

    def _weigh(self, own, votes, labels):
        """Learn how far to trust each group; by default there is nothing to learn."""

    def _first_columns(self, values):
        """Return the columns that are not encoded: what trees and linear groups see."""
        return FirstColumns(values, self.features.n_linear)

    def out_of_fold(self):
        """Return margins out of fold and labels, one for each row index of a training pass."""
        out_of_fold, self._out_of_fold = self._out_of_fold, None
        return out_of_fold

    def _logits(self, values):
        return in_chunks(lambda v: forward(self.trainer.network, v).astype(np.float64), values)

    def _build(self, n_outputs, n_linear):
        groups = self._groups(n_linear)
        return assemble(packed_network(n_outputs, groups), n_members=N_FOLDS * len(groups))


class FullLabels(LabelledEnsemble):
    """All labels known: four groups, weighted by how right they were on rows they did not see.

    Networks on piecewise-linear features and a forest follow jumps and come first; smooth and
    linear networks take over as far as they prove better.
    """

    complete = True
    kinds = ("cross_entropy", "cross_entropy", "cross_entropy")
    imbalance = 0.5

    def _new_features(self):
        return Features(RobustScaling(), RobustScaling(), 16, 256, 16, self.seed)

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

    def _margins(self, logits, votes, unsupervised):
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


class FewLabels(LabelledEnsemble):
    """Some labels known: three kinds of networks and a forest, equal, with a prior.

    The prior is the unsupervised evidence, which counts as long as labels are few.
    """

    complete = False
    kinds = ("cross_entropy", "sigmoid", "cross_entropy")
    imbalance = 1.0

    def _new_features(self):
        return Features(StandardClip(30.0), StandardClip(30.0), 16, 256, 8, self.seed)

    def _groups(self, n_linear):
        shape = {n: self.settings[n] for n in ("hidden_layer_sizes", "activation")}
        deep = {"n_members": N_FOLDS, "bias_range": 0.3, **shape}
        linear = {"n_members": N_FOLDS, "columns": list(range(n_linear)), **_LINEAR}
        return [deep, deep, linear]

    def _budget(self, n):
        return {"learning_rate": 2e-3, "max_steps": 300}

    def _margins(self, logits, votes, unsupervised):
        p = np.column_stack([expit(logits.mean(axis=2)), votes]).mean(axis=1)
        z = (unsupervised - self.features.score_mean) / self.features.score_spread
        evidence = expit(2 * (np.clip(z, -3, 6).mean(axis=1) - 1.5))
        prior = max(_PRIOR_WEIGHT / (_PRIOR_WEIGHT + self.n_anomalies), _PRIOR_SHARE)
        p = np.clip((1 - prior) * p + prior * evidence, 1e-300, 1 - 1e-15)
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
