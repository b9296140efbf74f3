"""The labelled ensembles of NeuralAnomalyClassifier: all labels known, or few of them.

Each turns rows into features, trains one packed network and two forests beside it, and answers
with log odds of being an anomaly.
"""

import numpy as np
from scipy.special import expit

from skanomaly.learners._base import PARTS as LEARNER_PARTS
from skanomaly.learners._base import Learner
from skanomaly.learners._features import PARTS as FEATURE_PARTS
from skanomaly.learners._features import FeatureRows, Features, FirstColumns
from skanomaly.learners._forest import Forest, Forests, SearchingForest, log_odds
from skanomaly.learners._stacking import stacking_weights
from skanomaly.learners._targets import class_weights, is_anomaly
from skanomaly.networks._ensembles import N_FOLDS, assign_folds, packed_network
from skanomaly.networks._losses import FoldedLoss
from skanomaly.preprocessing._scaling import RobustScaling, StandardClip, soft_clip
from skanomaly.preprocessing._views import in_chunks
from skanomaly.scores._trees import Trees
from skanomaly.thresholds._labelled import expected_f1_offset, few_labels_offset
from skanomaly.training._trainer import assemble

#: Threshold of few labels before there are any (log odds of 2), and how many labels weigh as much.
_FIRST_OFFSET, _THRESHOLD_LABELS = 0.7, 5
#: A linear group's factors on the learning rate.
_LINEAR = {"rate": 2.5, "bias_rate": 10.0}
#: A group's mean log odds stay within this: networks extrapolate without measure.
_LOGIT_LIMIT = 15.0
#: Weights of the groups with all labels, forests last, before they are judged.
_PRIOR_WEIGHTS = (0.5, 0.0, 0.0, 0.5, 0.0)
#: The unsupervised scores count as much as this many labelled anomalies, and never less than this
#: share: they rank the rows to which the networks give a probability of 0.
_PRIOR_WEIGHT, _PRIOR_SHARE = 0.2, 0.05


class LabelledEnsemble(Learner):
    """What both labelled ensembles share; they differ in features, groups and how they combine.

    Parameters
    ----------
    settings : dict
        ``hidden_layer_sizes``, ``activation``, ``dropout`` and ``class_weight``.
    schedule, seed
        As in `Learner`.
    """

    @classmethod
    def new_loss(cls):
        """Return the loss of the groups, with a fold that each member never sees."""
        return FoldedLoss(cls.kinds)

    def prepare(self, rows, before=None):
        """Learn the features that networks and trees see; one row for every row of a pass."""
        self.features = self._new_features() if before is None else before.features
        unsupervised = self.features.fit(rows) if before is None else None
        return FeatureRows(rows.X, self.features, rows.row_indices, unsupervised)

    def build(self, n_columns):
        """Return the untrained model; called with all generators seeded."""
        groups = self._groups(self.features.n_linear)
        network = packed_network(self.features.n_outputs, groups)
        return assemble(network, n_members=N_FOLDS * len(groups))

    def targets(self, rows, values):
        """Return the features with labels, weights and folds."""
        labels = is_anomaly(rows.labels)[rows.row_indices]
        self.n_anomalies = np.count_nonzero(labels)
        normal, anomaly = class_weights(self.settings["class_weight"], labels, self.imbalance)
        weight = np.where(labels > 0, anomaly, normal)
        folds = assign_folds(labels, np.random.default_rng([self.seed, 2]))
        y = np.stack([labels, weight / weight.mean(), folds], axis=1)
        row_indices = np.arange(len(labels), dtype=rows.row_indices.dtype)
        return values, y.astype(np.float32), row_indices, None

    def finish(self, rows, values, y):
        """Grow the forests, weigh the groups; return scores and labels out of fold."""
        labels, folds = y[:, 0].astype(np.float64), y[:, 2]
        own = _own_fold(self._logits(values), folds, len(self.kinds))
        self.forests = Forests(self.complete, self.seed)
        votes = self.forests.fit_votes(self._first_columns(values), labels)
        self._weigh(own, votes, labels)
        return self._combined(own, votes, values.unsupervised[rows.row_indices]), labels

    def score(self, X):
        """Return log odds of being an anomaly, (n_samples,), float64."""

        def one(part):
            rows = FeatureRows(part[:], self.features)
            values = rows[:]
            logits = self._logits(values).reshape(len(part), len(self.kinds), N_FOLDS)
            votes = self.forests.votes(self._first_columns(values))
            return self._combined(logits, votes, rows.unsupervised)

        return in_chunks(one, X)

    def _weigh(self, own, votes, labels):
        """Learn how far to trust each group; by default there is nothing to learn."""

    def _first_columns(self, values):
        """Return the columns that are not encoded: what trees and linear groups see."""
        return FirstColumns(values, self.features.n_linear)

    def _logits(self, values):
        return in_chunks(self.forward, values)


class FullLabels(LabelledEnsemble):
    """All labels known: five groups, weighted by how right they were on rows they did not see.

    Networks on piecewise-linear features and a forest follow jumps and come first; smooth and
    linear networks and searching trees take over as far as they prove better.
    """

    complete = True
    kinds = ("cross_entropy", "cross_entropy", "cross_entropy")
    imbalance = 0.5

    def _new_features(self):
        return Features(RobustScaling(), RobustScaling(), 16, 256, 16, self.seed)

    def _groups(self, n_linear):
        widths, columns = self.settings["hidden_layer_sizes"], list(range(n_linear))
        names = ("hidden_layer_sizes", "activation", "dropout")
        deep = {name: self.settings[name] for name in names}
        wide = tuple(2 * width for width in widths)
        smooth = {**deep, "hidden_layer_sizes": wide, "activation": "silu", "columns": columns}
        groups = [deep, smooth, {**_LINEAR, "columns": columns}]
        return [{"n_members": N_FOLDS, **group} for group in groups]

    @staticmethod
    def budget(n):
        """Return the budget of training on `n` rows."""
        steps = 400 if n <= 512 else 520 if n <= 2048 else 1200
        return {"learning_rate": 4e-3, "max_steps": steps}

    def _weigh(self, own, votes, labels):
        self.group_weights = stacking_weights(_group_logits(own, votes), labels, _PRIOR_WEIGHTS)

    def _combined(self, logits, votes, unsupervised):
        return _group_logits(logits, votes) @ self.group_weights

    def offset(self, scores, labels, probability):
        """Return the threshold on negative scores, from those out of fold.

        It lies midway between the one that flags as many rows as there are anomalies and the
        one with the best expected F1. The best F1 on the labels themselves is less steady.
        """
        ranked, k = np.sort(scores), self.n_anomalies
        as_many = (ranked[k - 1] + ranked[min(k, len(ranked) - 1)]) / 2
        return float((as_many + expected_f1_offset(scores, probability(scores))) / 2)


class FewLabels(LabelledEnsemble):
    """Some labels known: three kinds of networks and two forests, equal, with a prior.

    The prior is the unsupervised evidence, which counts as long as labels are few. Searching trees
    find what a few known anomalies have in common and no other row has.
    """

    complete = False
    kinds = ("cross_entropy", "sigmoid", "cross_entropy")
    imbalance = 1.0

    def _new_features(self):
        return Features(StandardClip(30.0), StandardClip(30.0), 16, 256, 8, self.seed)

    def _groups(self, n_linear):
        shape = {n: self.settings[n] for n in ("hidden_layer_sizes", "activation", "dropout")}
        deep = {"n_members": N_FOLDS, "bias_range": 0.3, **shape}
        linear = {"n_members": N_FOLDS, "columns": list(range(n_linear)), **_LINEAR}
        return [deep, deep, linear]

    @staticmethod
    def budget(n):
        """Return the budget of training on `n` rows: a few known ones must be met often enough."""
        return {"learning_rate": 2e-3, "max_steps": int(np.clip(0.06 * n, 300, 1200))}

    def _weigh(self, own, votes, labels):
        # the other groups see both classes in balance, searching trees as rare as they are:
        # their odds move half of the way
        others = max(len(labels) - self.n_anomalies, 1)
        self.searching_odds = float(np.sqrt(others / self.n_anomalies))

    def _combined(self, logits, votes, unsupervised):
        odds = votes[:, 1] * self.searching_odds
        searched = odds / (odds + 1 - votes[:, 1])
        p = np.column_stack([expit(logits.mean(axis=2)), votes[:, 0], searched]).mean(axis=1)
        z = (unsupervised - self.features.score_mean) / self.features.score_spread
        evidence = expit(2 * (np.clip(z, -3, 6).mean(axis=1) - 1.5))
        prior = max(_PRIOR_WEIGHT / (_PRIOR_WEIGHT + self.n_anomalies), _PRIOR_SHARE)
        p = np.clip((1 - prior) * p + prior * evidence, 1e-300, 1 - 1e-15)
        return np.log(p) - np.log1p(-p)

    def offset(self, scores, labels, probability=None):
        """Return the threshold on negative scores: the rule for few labels, held back.

        The fewer labels there are, the nearer it stays to odds of one to two: hidden anomalies
        count as normal rows in training, so that even odds miss too many.
        """
        if np.ptp(scores) == 0:
            return 0.0
        rule = few_labels_offset(scores, np.where(labels > 0, -1, 1))
        weight = self.n_anomalies / (self.n_anomalies + _THRESHOLD_LABELS)
        return weight * rule + (1 - weight) * _FIRST_OFFSET


#: Classes that a fitted labelled ensemble is made of.
PARTS = (
    *LEARNER_PARTS, FullLabels, FewLabels, *FEATURE_PARTS, Forests, Forest, SearchingForest, Trees,
)  # fmt: skip


def _group_logits(logits, votes):
    """Return the groups' log odds, those of networks squashed into bounds, the forests' last."""
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
