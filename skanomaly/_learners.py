"""SingleNetwork: one network with a sigmoid output, learnt from labels or a background.

Owns how labels become targets and weights of a network's loss, and how the network's answer
becomes a margin (log odds of being an anomaly). Knows neither thresholds nor parameters of
estimators.
"""

import weakref
from functools import partial

import numpy as np

from skanomaly import _programs
from skanomaly._architectures import classifier, row_shape
from skanomaly._backend import choose_backend
from skanomaly._forward import forward
from skanomaly._scaling import RowScaler, ScaledRows, StackedRows, in_chunks
from skanomaly._threshold import best_f1_offset
from skanomaly._training import Trainer, assemble, output_shape, user_network

choose_backend()

import keras  # noqa: E402  (the backend is chosen first)

#: Background rows drawn at most when there is nothing to learn from but the rows themselves.
MAX_BACKGROUND = 100_000
#: Anomalies needed among held-out rows before the threshold is read off them alone.
_HELD_ANOMALIES = 10
#: How far the uniform background reaches beyond the training rows, in column ranges.
_MARGIN = 0.1
_PROBABILITY_FLOOR = 1e-12
#: Networks up to their last layer, as long as the networks live.
_bodies = weakref.WeakKeyDictionary()


@keras.saving.register_keras_serializable("skanomaly")
class RowWeighted(keras.losses.Loss):
    """A loss whose targets bring each row's weight along: columns (target, weight).

    Parameters
    ----------
    loss : str, callable or keras.losses.Loss, default="binary_crossentropy"
        Loss between target and output.
    """

    def __init__(self, loss="binary_crossentropy", name="row_weighted"):
        super().__init__(name=name)
        self.loss = keras.losses.get(loss)

    def call(self, y_true, y_pred):
        """Return the weighted loss of each row, shape (batch,)."""
        function = getattr(self.loss, "call", self.loss)
        return function(y_true[:, :1], y_pred) * y_true[:, 1]

    def get_config(self):
        """Return the parameters."""
        return {"loss": _programs.serialize(self.loss), "name": self.name}

    @classmethod
    def from_config(cls, config):
        """Rebuild the loss."""
        return cls(_programs.deserialize(config["loss"]), config["name"])


class SingleNetwork:
    """One network (or the user's own) with one sigmoid output.

    Parameters
    ----------
    settings : dict
        ``architecture``, ``input_shape``, ``hidden_layer_sizes``, ``activation``, ``dropout``,
        ``model``, ``standardize``.
    schedule : skanomaly._training.Schedule
        How to train.
    seed : int
        Seed of weights, batches and background.

    Attributes
    ----------
    trainer : skanomaly._training.Trainer
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
        rows : ndarray of shape (n_slots,)
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
            _check_output(network, n_features)
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

    def honest(self):
        """Return margins and labels of held-out rows, or of all when few are anomalies."""
        margins, labels = self._seen
        self._seen = None
        return margins, labels

    def offset(self, scores, labels):
        """Return the threshold on scores (negative margins): the best F1 of the anomalies."""
        return f1_offset(scores, labels)

    def margins(self, X):
        """Return log odds of being an anomaly, shape (n_samples,), float64."""
        network, head = _without_sigmoid(self.trainer.network)

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


def uniform_background(values, rows, seed):
    """Return uniform rows in the box of the training rows, a tenth wider on every side.

    As many as there are slots in a pass, but `MAX_BACKGROUND` at most; float32.
    """
    low, high = np.inf, -np.inf
    distinct = np.unique(rows)
    step = min(getattr(values, "block_rows", MAX_BACKGROUND), MAX_BACKGROUND)
    for start in range(0, len(distinct), step):
        part = values[distinct[start : start + step]]
        low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
    margin = _MARGIN * (high - low) + (high == low)
    rng = np.random.default_rng([seed, 1])
    shape = (min(len(rows), MAX_BACKGROUND), len(low))
    return rng.uniform(low - margin, high + margin, shape).astype(np.float32)


def _without_sigmoid(network):
    """Return the network up to its last layer, and that layer's weights.

    A sigmoid saturates in float32 and ties the clearest anomalies; the product before it
    does not. Networks that do not end in a dense sigmoid layer are taken as they are.
    """
    last = network.layers[-1]
    dense = isinstance(last, keras.layers.Dense) and last.activation is keras.activations.sigmoid
    # a subclassed model keeps what lies between its layers to itself
    if not dense or not getattr(network, "inputs", None) or network.inputs[0] is last.input:
        return network, None
    if len(last.input.shape) != 2 or network.outputs[0] is not last.output:
        return network, None
    kernel = keras.ops.convert_to_numpy(last.kernel).astype(np.float64)[:, 0]
    bias = keras.ops.convert_to_numpy(last.bias).astype(np.float64)[0] if last.use_bias else 0.0
    if network not in _bodies:
        _bodies[network] = keras.Model(network.inputs[0], last.input, name="without_sigmoid")
    return _bodies[network], (kernel, bias)


def _check_output(network, n_features):
    shape = output_shape(network, n_features)
    if shape != (1,):
        raise ValueError(
            "The network given as `model` must answer each row with one probability, but its "
            f"output has the shape {(None, *shape)}. End it with "
            "keras.layers.Dense(1, activation='sigmoid')."
        )
