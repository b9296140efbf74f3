"""The classifier without labels: members tell rows from uniform noise, a few columns each.

Owns that one learner; the noise itself is drawn in ``learners._background``.
"""

import numpy as np

from skanomaly.learners._background import uniform_background
from skanomaly.learners._base import PARTS as LEARNER_PARTS
from skanomaly.learners._base import Learner
from skanomaly.networks._ensembles import packed_network
from skanomaly.networks._losses import FoldedLoss
from skanomaly.preprocessing._scaling import RobustScaling, ScaledRows, StackedRows, StandardClip
from skanomaly.preprocessing._table import dense_sample
from skanomaly.preprocessing._views import in_chunks
from skanomaly.scores._channels import ScoreScaler
from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.training._trainer import assemble
from skanomaly.utils._weights import reference_rows

#: The neighbour whose distance counts where there are no labels.
_NEIGHBOUR = (20,)


class Subspaces(Learner):
    """No labels: members tell rows from uniform noise, each in a few columns of its own.

    In all columns at once, uniform noise is far from the rows everywhere and there is nothing
    to learn; in three, it fills the gaps between them. What takes more columns to see, the
    distance to the 20th neighbour in all of them tells.

    Parameters
    ----------
    settings : dict
        ``hidden_layer_sizes``, ``activation`` and ``dropout``.
    schedule, seed
        As in `Learner`.
    """

    n_members, n_columns = 32, 3

    @staticmethod
    def budget(n):
        """Return the budget of training on `n` rows."""
        return {"learning_rate": 4e-3, "max_steps": 250}

    @staticmethod
    def new_loss():
        """Return the loss of rows against noise."""
        return FoldedLoss(["cross_entropy"], folds=False)

    def prepare(self, rows, before=None):
        """Learn the scale of the rows."""
        self.scaler = self._new_scaler(rows) if before is None else before.scaler
        return ScaledRows(rows.X, self.scaler)

    def _new_scaler(self, rows):
        # soft-clipped columns: long tails would leave the noise nothing near the rows
        scaler = RobustScaling().fit(*dense_sample(rows))
        if getattr(rows.X, "layout", None) is not None:  # values never seen must show
            scaler.factor_[scaler.factor_ == 0] = 1.0
        return scaler

    def build(self, n_columns):
        """Return the untrained model; called with all generators seeded."""
        rng = np.random.default_rng([self.seed, 3])
        width = min(self.n_columns, n_columns)
        columns = [rng.permutation(n_columns)[:width].tolist() for _ in range(self.n_members)]
        shape = {n: self.settings[n] for n in ("hidden_layer_sizes", "activation", "dropout")}
        group = {"n_members": self.n_members, "columns": columns, **shape}
        return assemble(packed_network(n_columns, [group]), n_members=self.n_members)

    def targets(self, rows, values):
        """Return scaled rows, and as many rows of uniform noise around them."""
        noise = uniform_background(values, rows.row_indices, self.seed)
        added = len(rows) + np.arange(len(noise), dtype=rows.row_indices.dtype)
        y = np.ones((len(rows) + len(noise), 3), np.float32)
        y[: len(rows), 0] = 0
        return StackedRows(values, noise), y, np.r_[rows.row_indices, added], None

    def finish(self, rows, values, y):
        """Learn the neighbours, and bring both views to one scale."""
        known = rows.X[reference_rows(rows.row_indices, seed=self.seed)]
        self.standard = StandardClip().fit(known)
        self.near = NeighbourDistances(_NEIGHBOUR)
        distance = self.near.fit_score(self.standard.transform(known))
        views = self._evidence(known), distance[:, 0]
        self.calibrations = [ScoreScaler().fit(view) for view in views]

    def score(self, X):
        """Return the mean of evidence of noise and distance, calibrated, (n_samples,)."""

        def one(part):
            part = part[:]
            distance = self.near.score(self.standard.transform(part))[:, 0]
            views = zip(self.calibrations, (self._evidence(part), distance), strict=True)
            return np.mean([calibration.apply(view) for calibration, view in views], axis=0)

        return in_chunks(one, X)

    def _evidence(self, X):
        """Return the members' mean evidence of noise, (n_samples,), float64.

        It is the mean of ``log(1 + odds)``, which is never below 0: members that call a row
        normal cannot cancel out others that call it noise, however sure they are.
        """
        values = ScaledRows(X, self.scaler)
        return np.logaddexp(0, in_chunks(self.forward, values)).mean(axis=1)


#: Classes that a fitted `Subspaces` is made of.
PARTS = (*LEARNER_PARTS, Subspaces, ScoreScaler, NeighbourDistances, RobustScaling, StandardClip)
