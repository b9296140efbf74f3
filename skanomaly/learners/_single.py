"""SingleNetwork: one network with a sigmoid output, learnt from labels or a background.

Owns how labels become targets and weights of a network's loss, and how the network's answer
becomes a margin (log odds of being an anomaly). Knows neither thresholds nor parameters of
estimators.
"""

from functools import partial

import numpy as np

from skanomaly.learners._background import uniform_background
from skanomaly.networks._heads import check_output, without_sigmoid
from skanomaly.networks._sequences import classifier, row_shape
from skanomaly.networks._user_model import user_network
from skanomaly.preprocessing._scaling import RowScaler, ScaledRows, StackedRows, in_chunks
from skanomaly.thresholds._labelled import best_f1_offset
from skanomaly.training._predict import forward
from skanomaly.training._trainer import Trainer, assemble

#: Anomalies needed among held-out rows before the threshold is read off them alone.
_HELD_ANOMALIES = 10
_PROBABILITY_FLOOR = 1e-12


class SingleNetwork:
    """One network (or the user's own) with one sigmoid output.

    Parameters
    ----------
    settings : dict
        ``architecture``, ``input_shape``, ``hidden_layer_sizes``, ``activation``, ``dropout``,
        ``model``, ``standardize``.
    schedule : skanomaly.training._trainer.Schedule
        How to train.
    seed : int
        Seed of weights, batches and background.

    Attributes
    ----------
    trainer : skanomaly.training._trainer.Trainer
        Holds the trained network.
    """

    #: Power of the class ratio in the losses' weights with ``class_weight="auto"``.
    imbalance = 1.0

    def __init__(self, settings, schedule, seed):
        self.settings, self.schedule, self.seed = settings, schedule, seed

    def fit(self, X, labels, rows, class_weight, before=None):
        """Learn from labels: 1 for an anomaly, 0 for any other row.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.
        labels : ndarray of shape (n_samples,), float
            Targets.
        rows : ndarray of shape (n_row_indices,)
            Row numbers of one pass.
        class_weight : tuple of float
            Weights of the losses of targets 0 and 1.
        before : SingleNetwork, default=None
            Go on training its network.

        Returns
        -------
        self : SingleNetwork
        """
        self._start(X, rows, before)
        self._train(ScaledRows(X, self.scaler), labels, rows, class_weight)
        held = self.trainer.held_rows
        rows = held if np.count_nonzero(labels[held]) >= _HELD_ANOMALIES else rows
        self._seen = self.margins(X)[rows], labels[rows]
        return self

    def fit_background(self, X, rows, before=None):
        """Learn to tell the rows from as many rows of uniform noise around them.

        See `fit` for the parameters.
        """
        self._start(X, rows, before)
        values = ScaledRows(X, self.scaler)
        drawn = uniform_background(values, rows, self.seed)
        labels = np.r_[np.zeros(len(X)), np.ones(len(drawn))]
        rows = np.r_[rows, len(X) + np.arange(len(drawn), dtype=rows.dtype)]
        self._train(StackedRows(values, drawn), labels, rows, (1.0, 1.0))
        return self

    def _start(self, X, rows, before):
        if before is not None:
            self.scaler, self.trainer = before.scaler, before.trainer.copy()
            return
        weight = np.bincount(rows, minlength=len(X)).astype(np.float64)
        self.scaler = RowScaler(X, weight) if self.settings["standardize"] else None
        build = partial(self._build, X.shape[1])
        self.trainer = Trainer(build, self.schedule, self.seed)

    def _build(self, n_features):
        if self.settings["model"] is not None:
            network = user_network(self.settings["model"], n_features)
            check_output(network, n_features)
        else:
            names = ("hidden_layer_sizes", "activation", "dropout")
            kind, shape = (self.settings[name] for name in ("architecture", "input_shape"))
            shape = row_shape(kind, shape, n_features, self.schedule.label)
            network = classifier(n_features, kind, shape, **{n: self.settings[n] for n in names})
        return assemble(network)

    def _train(self, values, labels, rows, class_weight):
        weight = np.where(labels > 0, class_weight[1], class_weight[0])
        weight = weight / weight[rows].mean()
        y = np.stack([labels, weight], axis=1).astype(np.float32)
        self.trainer.fit(values, y, rows=rows, schedule=self.schedule, strata=labels)

    def out_of_fold(self):
        """Return margins and labels of held-out rows, or of all when few are anomalies."""
        margins, labels = self._seen
        self._seen = None
        return margins, labels

    def offset(self, scores, labels):
        """Return the threshold on scores (negative margins): the best F1 of the anomalies."""
        return f1_offset(scores, labels)

    def margins(self, X):
        """Return log odds of being an anomaly, shape (n_samples,), float64."""
        network, head = without_sigmoid(self.trainer.network)

        def one(rows):
            outputs = forward(network, ScaledRows(rows, self.scaler)[:]).astype(np.float64)
            if head is not None:
                kernel, bias = head
                return (outputs * kernel).sum(axis=1) + bias
            p = np.clip(outputs.reshape(len(rows)), _PROBABILITY_FLOOR, 1 - _PROBABILITY_FLOOR)
            return np.log(p) - np.log1p(-p)

        return in_chunks(one, X)


def f1_offset(scores, labels):
    """Return the threshold with the best F1; scores that are all equal flag no row."""
    if np.ptp(scores) == 0:
        return float(scores[0])
    return best_f1_offset(scores, np.where(labels > 0, -1, 1))
