"""SingleNetwork: one network with a sigmoid output, learnt from labels or a background.

Owns how labels become targets and weights of a network's loss, and how the network's answer
becomes a margin (log odds of being an anomaly). Knows neither thresholds nor parameters of
estimators.
"""

import numpy as np

from skanomaly.learners._background import uniform_background
from skanomaly.learners._base import PARTS as LEARNER_PARTS
from skanomaly.learners._base import Learner
from skanomaly.learners._targets import class_weights, is_anomaly
from skanomaly.networks._heads import check_output, without_sigmoid
from skanomaly.networks._sequences import classifier, row_shape
from skanomaly.networks._user_model import user_network
from skanomaly.preprocessing._scaling import ScaledRows, StackedRows
from skanomaly.preprocessing._views import in_chunks
from skanomaly.thresholds._labelled import best_f1_offset
from skanomaly.training._predict import forward
from skanomaly.training._trainer import assemble

#: Anomalies needed among held-out rows before the threshold is read off them alone.
_HELD_ANOMALIES = 10
_PROBABILITY_FLOOR = 1e-12


class SingleNetwork(Learner):
    """One network (or the user's own) with one sigmoid output.

    Without labels it learns to tell the rows from as many rows of uniform noise around them.

    Parameters
    ----------
    settings : dict
        ``architecture``, ``input_shape``, ``hidden_layer_sizes``, ``activation``, ``dropout``,
        ``model``, ``standardize``, ``class_weight``.
    schedule, seed
        As in `Learner`.
    """

    #: Power of the class ratio in the losses' weights with ``class_weight="auto"``.
    imbalance = 1.0

    def build(self, n_columns):
        """Return the untrained model; called with all generators seeded."""
        if self.settings["model"] is not None:
            network = user_network(self.settings["model"], n_columns)
            check_output(network, n_columns)
        else:
            names = ("hidden_layer_sizes", "activation", "dropout")
            kind, shape = (self.settings[name] for name in ("architecture", "input_shape"))
            shape = row_shape(kind, shape, n_columns, self.schedule.label)
            network = classifier(n_columns, kind, shape, **{n: self.settings[n] for n in names})
        return assemble(network)

    def targets(self, rows, values):
        """Return scaled rows with labels and their weights, or with noise to tell them from."""
        row_indices = rows.row_indices
        if rows.labels is None:
            noise = uniform_background(values, row_indices, self.seed)
            labels = np.r_[np.zeros(len(rows)), np.ones(len(noise))]
            added = len(rows) + np.arange(len(noise), dtype=row_indices.dtype)
            values, row_indices = StackedRows(values, noise), np.r_[row_indices, added]
            weights = (1.0, 1.0)
        else:
            labels = is_anomaly(rows.labels)
            given = self.settings["class_weight"]
            weights = class_weights(given, labels[row_indices], self.imbalance)
        weight = np.where(labels > 0, weights[1], weights[0])
        weight = weight / weight[row_indices].mean()
        y = np.stack([labels, weight], axis=1).astype(np.float32)
        return values, y, row_indices, labels

    def finish(self, rows, values, y):
        """Return scores and labels of held-out rows, or of all when few are anomalies."""
        if rows.labels is None:
            return None
        labels, held = is_anomaly(rows.labels), self.trainer.held_rows
        few = np.count_nonzero(labels[held]) < _HELD_ANOMALIES
        seen = rows.row_indices if few else held
        return self.score(rows.X)[seen], labels[seen]

    def offset(self, scores, labels, probability=None):
        """Return the threshold on negative scores: the best F1 of the anomalies."""
        return f1_offset(scores, labels)

    def score(self, X):
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


#: Classes that a fitted `SingleNetwork` is made of.
PARTS = (*LEARNER_PARTS, SingleNetwork)


def f1_offset(scores, labels):
    """Return the threshold with the best F1; scores that are all equal flag no row."""
    if np.ptp(scores) == 0:
        return float(scores[0])
    return best_f1_offset(scores, np.where(labels > 0, -1, 1))
