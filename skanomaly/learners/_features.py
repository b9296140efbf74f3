"""Rows as labelled networks see them: scaled, binned, with unsupervised scores beside them.

Owns those features and the views that make them when they are asked for.
"""

import numpy as np

from skanomaly.preprocessing._binning import PiecewiseLinearEncoding
from skanomaly.preprocessing._scaling import RobustScaling, RowScaler, StandardClip
from skanomaly.preprocessing._table import dense_sample
from skanomaly.preprocessing._views import RowView, block_rows, in_chunks
from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.scores._trees import IsolationPaths, Trees
from skanomaly.scores._unsupervised import UnsupervisedScores
from skanomaly.utils._weights import reference_rows


class Features:
    """Rows as a network sees them: scaled, in bins, with their unsupervised scores.

    Parameters
    ----------
    scaling : object
        Fitted on rows; `RobustScaling` or `StandardClip`.
    max_bins, budget : int
        Of the piecewise-linear encoding.
    seed : int
        Seed of the unsupervised scores.
    """

    def __init__(self, scaling, score_scaling, max_bins, budget, score_bins, seed):
        self.scaling, self.score_scaling = scaling, score_scaling
        self.bins = PiecewiseLinearEncoding(max_bins, budget)
        self.score_bins = PiecewiseLinearEncoding(score_bins, 3 * score_bins)
        self.standard, self.scorer = StandardClip(), UnsupervisedScores(seed=seed)

    def fit(self, rows):
        """Learn from training rows, and return their unsupervised scores."""
        X, weight = rows.X, rows.counts
        kept = np.flatnonzero(weight)
        self.standard.fit(X, weight)
        drawn = reference_rows(rows.row_indices, seed=self.scorer.seed)
        self.scorer.fit(self.standard.transform(X[drawn]))
        unsupervised = self.unsupervised_scores(X)
        self.score_scaling.fit(unsupervised[kept], weight[kept])
        self.score_mean = np.average(unsupervised[kept], axis=0, weights=weight[kept])
        squares = (unsupervised[kept] - self.score_mean) ** 2
        self.score_spread = np.sqrt(np.average(squares, axis=0, weights=weight[kept])) + 1e-12
        sample, sample_weight = dense_sample(rows)
        self.scaling.fit(sample, sample_weight)
        layout = getattr(X, "layout", None)
        # one-hot columns need no bins; a table without numbers gets some all the same
        self.n_binned = (layout and layout.n_numbers) or X.shape[1]
        self.bins.fit(self.scaling.transform(sample)[:, : self.n_binned], sample_weight)
        self.score_bins.fit(self.score_scaling.transform(unsupervised), weight)
        self.n_linear = X.shape[1] + 3
        self.n_outputs = self.n_linear + self.bins.n_outputs_ + self.score_bins.n_outputs_
        return unsupervised

    def unsupervised_scores(self, X):
        """Return the unsupervised log scores, (n_samples, 3)."""
        return in_chunks(lambda rows: self.scorer.transform(self.standard.transform(rows)), X)

    def transform(self, X, unsupervised):
        """Return features of rows with their unsupervised scores, float32."""
        z, u = self.scaling.transform(X), self.score_scaling.transform(unsupervised)
        binned = self.bins.transform(z[:, : self.n_binned])
        parts = [z, u, binned, self.score_bins.transform(u)]
        return np.concatenate([p.astype(np.float32) for p in parts], axis=1)


#: Classes that fitted `Features` are made of.
PARTS = (
    Features, IsolationPaths, NeighbourDistances, PiecewiseLinearEncoding, RobustScaling,
    RowScaler, StandardClip, Trees, UnsupervisedScores,
)  # fmt: skip


class FeatureRows(RowView):
    """A view of a table whose rows come as features when they are asked for.

    With `row_indices` its rows are those, in that order: one for every copy that a row's weight
    stands for.

    Attributes
    ----------
    unsupervised : ndarray of shape (n_samples, 3)
        The unsupervised scores of the table's rows, worked out where they are not given.
    """

    def __init__(self, X, features, row_indices=None, unsupervised=None):
        self.X, self.features, self.row_indices = X, features, row_indices
        self.shape = (len(X) if row_indices is None else len(row_indices), features.n_outputs)
        given = unsupervised is not None
        self.unsupervised = unsupervised if given else features.unsupervised_scores(X)

    @property
    def block_rows(self):
        """How many rows may be at hand at once."""
        return block_rows(self.X)

    def __getitem__(self, rows):
        rows = rows if self.row_indices is None else self.row_indices[rows]
        return self.features.transform(self.X[rows], self.unsupervised[rows])


class FirstColumns(RowView):
    """A view of a table's first columns."""

    def __init__(self, values, width):
        self.values, self.shape = values, (len(values), width)

    @property
    def block_rows(self):
        """How many rows may be at hand at once."""
        return block_rows(self.values)

    def __getitem__(self, rows):
        return self.values[rows][:, : self.shape[1]]
