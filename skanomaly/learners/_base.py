"""Learner: what is trained inside a detector, from training rows to scores.

Owns the order of things in training: prepare, build or go on, train, finish. A learner brings
`build`, `targets` and `score`; what it learns besides a network goes into `prepare` and `finish`.
"""

from abc import ABC, abstractmethod
from functools import partial

import numpy as np

from skanomaly.preprocessing._scaling import RowScaler, ScaledRows
from skanomaly.training._predict import forward
from skanomaly.training._trainer import Trainer
from skanomaly.utils._parameters import plain

#: Classes that every fitted learner is made of: what a state takes apart. A learner's module has
#: such a list of its own.
PARTS = (RowScaler, Trainer)


class Learner(ABC):
    """Base class of learners.

    Parameters
    ----------
    settings : dict
        What the learner is to be like: a recipe with the user's own values.
    schedule : skanomaly.training._trainer.Schedule
        How to train.
    seed : int
        Seed of everything random.

    Attributes
    ----------
    trainer : skanomaly.training._trainer.Trainer
        Holds the trained network.
    """

    def __init__(self, settings, schedule, seed):
        self.settings = {name: plain(value) for name, value in settings.items()}
        self.schedule, self.seed = schedule, seed

    def __getstate__(self):
        """Return what scores and a later warm start need: not how it was trained."""
        settings = {k: v for k, v in self.settings.items() if k != "model" and not callable(v)}
        return {**vars(self), "settings": settings, "schedule": None}

    def fit(self, rows, before=None):
        """Learn from training rows.

        Parameters
        ----------
        rows : skanomaly.preprocessing._training_rows.TrainingRows
        before : Learner, default=None
            One of the same class, whose network is trained on.

        Returns
        -------
        out_of_fold : tuple of (scores, labels) or None
            What the learner says of rows that did not train it, higher for anomalies, and their
            labels (1 for an anomaly, 0 for any other row); None where there is no such thing.
        """
        values = self.prepare(rows, before)
        if before is None:
            self.trainer = Trainer(partial(self.build, rows.X.shape[1]), self.schedule, self.seed)
        else:
            self.trainer = before.trainer.copy()
        values, y, row_indices, strata = self.targets(rows, values)
        if rows.passes is None:
            self.trainer.fit(values, y, rows=row_indices, schedule=self.schedule, strata=strata)
        else:
            self.trainer.fit_passes(partial(self.epoch, rows.passes), self.schedule)
        return self.finish(rows, values, y)

    def prepare(self, rows, before=None):
        """Learn what the network needs to be built, or take it over from a learner before.

        By default that is `scaler`, the rows' scale, unless ``settings["standardize"]`` says no.

        Returns
        -------
        values : RowView
            Rows as the network sees them.
        """
        if before is not None:
            self.scaler = before.scaler
        else:
            wanted = self.settings.get("standardize", True)
            self.scaler = RowScaler(rows.X, rows.weight) if wanted else None
        return ScaledRows(rows.X, self.scaler)

    @abstractmethod
    def build(self, n_columns):
        """Return the untrained model; called with all generators seeded."""

    def targets(self, rows, values):
        """Return what training needs of rows; by default a network rebuilds them.

        Parameters
        ----------
        rows : skanomaly.preprocessing._training_rows.TrainingRows
        values : RowView
            What `prepare` returns.

        Returns
        -------
        values : RowView or ndarray
            The same, or with rows added.
        y : ndarray or None
            Targets; None trains on the values themselves.
        row_indices : ndarray of int
            Row numbers of one pass.
        strata : ndarray or None
            Class of each row, for the rows that early stopping holds out.
        """
        return values, None, rows.row_indices, None

    def epoch(self, passes):
        """Yield values and targets (or None) of the blocks of one epoch."""
        raise ValueError(
            f"{type(self).__name__} is trained on all of its rows at once, and cannot be on rows "
            "that come in blocks."
        )

    def finish(self, rows, values, y):
        """Learn what scores need of the trained network; return `fit`'s answer.

        The rows, and the values and targets that trained the network.
        """
        return None

    @abstractmethod
    def score(self, X):
        """Return scores of rows as learners see them, float64, higher for anomalies."""

    def forward(self, values):
        """Return what the network answers to scaled rows, float64."""
        return np.asarray(forward(self.trainer.network, values), dtype=np.float64)
