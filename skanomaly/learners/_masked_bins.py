"""MaskedBins: what each value of a row should be, told from the row's other values.

Owns the masked-bin network's training, its members as folds, and the surprises it scores rows
with. Does not own: the network (``networks._masked_bins``) or what becomes of surprises
(``scores._channels``).
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from skanomaly.learners._base import PARTS as LEARNER_PARTS
from skanomaly.learners._base import Learner
from skanomaly.networks._losses import BinLoss
from skanomaly.networks._masked_bins import SPREAD, HiddenColumns, masked_bin_network, surprises
from skanomaly.preprocessing._binning import QuantileBins
from skanomaly.scores._network_scores import out_of_fold
from skanomaly.training._predict import forward
from skanomaly.training._trainer import Schedule, assemble

#: Members, each of which leaves one fold of the rows out.
N_MEMBERS = 4
#: Bins of a column, and of all columns together; a wide table gets fewer.
_BINS, _ALL_BINS, _FEWEST_BINS = 16, 1024, 6
#: Widths of the hidden layers, and steps with up to `_WIDE` columns and with more.
_HIDDEN, _STEPS, _WIDE, _WIDE_STEPS = (64, 64), 400, 256, 200
#: Groups of columns that are hidden together in scoring.
_GROUPS = 12


class SampleRows(NamedTuple):
    """Rows to learn from, their folds last, in the place of `TrainingRows`."""

    X: np.ndarray
    row_indices: np.ndarray
    passes: None = None


class MaskedBins(Learner):
    """Several networks that tell the bins of hidden columns from those of visible ones.

    Masked-column prediction with a softmax for every column, hidden shares drawn uniformly for
    each row (as in Uria, Murray and Larochelle, "A Deep and Tractable Density Estimator", ICML
    2014). Member j never sees the rows of fold j.

    Parameters
    ----------
    seed : int
        Seed of everything random.
    layout : skanomaly.preprocessing._categories.Layout, default=None
        Where numbers and categories lie; None for numbers alone.
    max_steps : int, default=None
        Budget in steps, where it is smaller than the usual one.
    """

    def __init__(self, seed, layout=None, max_steps=None):
        schedule = Schedule(
            optimizer="adamw", learning_rate=4e-3, weight_decay=0.01, batch_size=64,
            warmup_steps=30, loss=BinLoss(), label="MaskedBins",
        )  # fmt: skip
        super().__init__({"max_steps": max_steps}, schedule, seed)
        self.layout = layout

    @property
    def n_members(self):
        """Number of networks."""
        return self.trainer.model.n_members

    def fit_surprises(self, Z, folds, missing=None):
        """Learn from scaled rows; return how surprising they are to the member that missed them.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_columns)
            Scaled rows, in an order that their content decides.
        folds : ndarray of shape (n_samples,), int
            Their folds.
        missing : ndarray of shape (n_samples, n_features), bool, default=None
            Which of their features are missing; None for none.

        Returns
        -------
        surprises : ndarray of shape (n_samples, n_features)
        """
        features = self._features(Z, missing)
        n_bins = int(np.clip(_ALL_BINS // features.shape[1], _FEWEST_BINS, _BINS))
        self.bins_ = QuantileBins(n_bins).fit(features)
        self.groups_ = _groups(features.shape[1], self.seed)
        steps = _STEPS if features.shape[1] <= _WIDE else _WIDE_STEPS
        steps = min(steps, self.settings["max_steps"] or steps)
        self.schedule = dataclasses.replace(self.schedule, steps=steps)
        self.fit(SampleRows(np.column_stack([features, folds]), np.arange(len(Z))))
        self.trainer.round_weights()
        return self._of_bins(self.bins_.transform(features), folds)

    def prepare(self, rows, before=None):
        """Return the rows' bins."""
        bins = self.bins_.transform(rows.X[:, :-1])
        counts = [np.bincount(column[column >= 0].astype(int), minlength=self.bins_.n_bins)
                  for column in bins.T]  # fmt: skip
        shares = np.asarray(counts) + 0.5
        self.shares_ = shares / shares.sum(axis=1, keepdims=True)
        return bins

    def build(self, n_columns):
        """Return the untrained model; called with all generators seeded."""
        members = 1 if n_columns - 1 > _WIDE else N_MEMBERS
        network = masked_bin_network(self.shares_, members, _HIDDEN)
        return assemble(network, HiddenColumns(members, 2 if members > 1 else 1), members)

    def targets(self, rows, values):
        """Return bins and folds to learn from, and bins to learn."""
        with_folds = np.column_stack([values, rows.X[:, -1]]).astype(np.float32)
        return with_folds, values, rows.row_indices, None

    def surprises(self, Z, missing=None, folds=None):
        """Return how surprising each value of rows is, (n_samples, n_features), float64.

        Parameters
        ----------
        Z, missing
            As in `fit_surprises`.
        folds : ndarray of shape (n_samples,), int, default=None
            The folds of training rows, which are the business of the member that missed them; -1
            for other rows.
        """
        return self._of_bins(self.bins_.transform(self._features(Z, missing)), folds)

    def chances(self, Z, missing=None, folds=None):
        """Return what was to be expected of each value, told from the others of its row.

        Parameters as in `surprises`.

        Returns
        -------
        chances : ndarray of shape (n_samples, n_features, n_bins), float64
            Chances of the bins of ``bins_``, whose sum is 1.
        """
        bins = self.bins_.transform(self._features(Z, missing))
        chances = np.empty((self.n_members, *bins.shape, self.bins_.n_bins))
        for group in np.unique(self.groups_):
            own = self.groups_ == group
            logits = forward(self.trainer.network, np.where(own, np.float32(-1), bins))
            shape = len(bins), self.n_members, *chances.shape[2:]
            logits = np.asarray(logits, np.float64).reshape(shape)[:, :, own]
            chances[:, :, own] = softmax(logits, axis=-1).swapaxes(0, 1)
        spread = SPREAD / self.bins_.n_bins
        return (1 - SPREAD) * out_of_fold(chances, folds) + spread

    def score(self, X):
        """Return the mean surprise of scaled rows."""
        return self.surprises(X).mean(axis=1)

    def _of_bins(self, bins, folds):
        found = forward(surprises(self.trainer.network, self.groups_), bins).astype(np.float64)
        return out_of_fold(found.swapaxes(0, 1), folds)

    def _features(self, Z, missing):
        """Return one value a feature, numbers first: the value, or the number of the category."""
        if self.layout is None:
            features = np.array(Z, dtype=np.float64)
        else:
            codes = [Z[:, start:stop].argmax(axis=1) for start, stop in self.layout.blocks]
            features = np.column_stack([Z[:, : self.layout.n_numbers], *codes]).astype(np.float64)
        if missing is not None:
            features[missing] = np.nan
        return features


def _groups(n_columns, seed):
    """Return the group of columns that each column is hidden with."""
    n_groups = min(n_columns, _GROUPS)
    return np.random.default_rng([seed, n_columns]).permutation(np.arange(n_columns) % n_groups)


#: Classes that a fitted `MaskedBins` is made of.
PARTS = (*LEARNER_PARTS, MaskedBins, QuantileBins)
