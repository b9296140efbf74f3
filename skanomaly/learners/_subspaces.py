"""The classifier without labels: members tell rows from uniform noise, a few columns each.

Owns that one learner; the noise itself is drawn in ``learners._background``.
"""

from functools import partial

import numpy as np

from skanomaly.learners._background import uniform_background
from skanomaly.networks._ensembles import packed_network
from skanomaly.networks._losses import FoldedLoss
from skanomaly.preprocessing._scaling import (
    RobustScaling,
    ScaledRows,
    StackedRows,
    StandardClip,
    in_chunks,
)
from skanomaly.preprocessing._table import dense_sample
from skanomaly.scores._channels import Calibration
from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.training._predict import forward
from skanomaly.training._trainer import Trainer, assemble
from skanomaly.utils._weights import reference_rows

#: The neighbour whose distance counts where there are no labels.
_NEIGHBOUR = (20,)


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
        row_indices, rows = rows, np.r_[rows, len(X) + np.arange(len(noise), dtype=rows.dtype)]
        y = np.ones((len(X) + len(noise), 3), np.float32)
        y[: len(X), 0] = 0
        self.trainer.fit(StackedRows(values, noise), y, rows=rows, schedule=schedule)
        self._calibrate(X, row_indices)
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
