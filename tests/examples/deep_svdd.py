"""A detector with a network of its own, in one file: Deep SVDD."""

import numpy as np

from skanomaly.backend import keras
from skanomaly.detectors._neural import BaseNeuralDetector
from skanomaly.learners._base import Learner
from skanomaly.preprocessing._scaling import ScaledRows
from skanomaly.training._trainer import assemble


class Hypersphere(Learner):
    """A network that brings all training rows near one centre."""

    def prepare(self, rows, before=None):
        """Learn the rows' scale; a warm start keeps the centre."""
        self.centre = None if before is None else before.centre
        return super().prepare(rows, before)

    def build(self, n_columns):
        """Return the untrained network; without biases it cannot answer the centre always."""
        widths, activation = self.settings["hidden_layer_sizes"], self.settings["activation"]
        network = keras.Sequential([keras.Input((n_columns,))])
        for width in widths[:-1]:
            network.add(keras.layers.Dense(width, activation, use_bias=False))
        network.add(keras.layers.Dense(widths[-1], use_bias=False))
        return assemble(network)

    def targets(self, rows, values):
        """Return the rows, and for each the centre of what the untrained network answers."""
        if self.centre is None:
            mean = self.forward(values)[rows.row_indices].mean(axis=0)
            self.centre = np.where(np.abs(mean) < 0.1, np.where(mean < 0, -0.1, 0.1), mean)
        y = np.tile(self.centre.astype(np.float32), (len(rows), 1))
        return values, y, rows.row_indices, None

    def score(self, X):
        """Return squared distances from the centre."""
        codes = self.forward(ScaledRows(X, self.scaler)[:])
        return np.square(codes - self.centre).sum(axis=1)


class DeepSVDD(BaseNeuralDetector):
    """Deep support vector data description: how far a network takes a row from a centre.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(32, 16)
        Widths of the layers; the last one holds the codes.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML 2018.
    """

    _parameter_constraints: dict = {
        **BaseNeuralDetector._parameter_constraints,
        "hidden_layer_sizes": ["array-like"],
    }

    def __init__(
        self, hidden_layer_sizes=(32, 16), *, activation="relu", optimizer="adam",
        learning_rate=1e-3, epochs=30, max_steps=None, batch_size=32, early_stopping=False,
        validation_fraction=0.1, n_iter_no_change=10, callbacks=None,
        categorical_features="from_dtype", contamination="auto", warm_start=False,
        random_state=None, verbose=0,
    ):  # fmt: skip
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.categorical_features = categorical_features
        self.contamination = contamination
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _new_learner(self, rows, seed, before):
        settings = {"warmup_steps": None, **self.get_params()}
        return Hypersphere(settings, self._schedule(settings, loss="mse"), seed)
