"""EnsembleScore: all channels of the multiscale recipe, fitted on the usual among the rows.

Owns the two stages (a global view leaves the most unusual rows out, everything else learns from
the others), and how training rows and new rows come to one scale. Does not own channels
(``scores._channels``) or networks (``learners._masked_bins``, ``learners._autoencoder``).
"""

import numpy as np

from skanomaly.learners._masked_bins import PARTS as MASKED_PARTS
from skanomaly.learners._masked_bins import MaskedBins
from skanomaly.scores._channels import (
    ALL,
    GLOBAL,
    LOCAL,
    NEW_ROWS,
    RowChannels,
    ScoreChannels,
    ScoreScaler,
    global_score,
    new_row_score,
    training_row_score,
)
from skanomaly.scores._channels import PARTS as CHANNEL_PARTS
from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.scores._network_scores import SHARES
from skanomaly.utils._weights import MAX_REFERENCE, reference_rows

#: Where nothing is said about how many rows are anomalies, those whose global score lies so many
#: calibrated steps beyond the median are left out, and no more than this share of the rows.
_UNUSUAL, _MOST_UNUSUAL = 2.3, 0.1
#: Fewer rows are all kept.
_FEW_ROWS = 20


class EnsembleScore:
    """All channels of the multiscale recipe.

    It is fitted on scaled rows Z (n_samples, n_columns), what the members of the autoencoder
    leave of them (n_members, n_samples, n_features), which of their features are missing
    (None: none is), and their folds: member j does not learn from the rows of fold j.

    Parameters
    ----------
    seed : int
        Seed of everything random.
    trim : float, default=None
        Share of the training rows, the most unusual, that all is learnt without; 0 takes them
        all for normal. None leaves out the tenth at most, and only what lies far from the rest.
    layout : skanomaly.preprocessing._categories.Layout, default=None
        Where numbers and categories lie; None for numbers alone.
    networks : bool, default=True
        Whether to train the masked-bin network and to look at residuals.
    max_steps : int, default=None
        Budget of that network in steps, where it is smaller than the usual one.
    columns : bool, default=True
        Whether each column means something alone, as an attribute does. A pixel or a step of a
        sequence does not: its tail and its surprise are left out then.
    in_folds : bool, default=True
        Whether the members of the autoencoder left their folds out.
    """

    def __init__(
        self,
        seed,
        trim=None,
        layout=None,
        networks=True,
        max_steps=None,
        columns=True,
        in_folds=True,
    ):
        self.seed, self.trim, self.layout, self.networks = seed, trim, layout, networks
        self.max_steps, self.columns, self.in_folds = max_steps, columns, in_folds

    def fit(self, Z, residual, codes, missing, folds):
        """Learn what is normal from a sample of training rows."""
        kept, left = self._split(Z)
        kept = reference_rows(kept, MAX_REFERENCE, self.seed)
        self.folds_ = folds[kept], folds[left]
        surprises, self.masked_ = None, None
        if self.networks and self.columns:
            self.masked_ = MaskedBins(self.seed, self.layout, self.max_steps)
            rows = None if missing is None else missing[kept]
            surprises = self.masked_.fit_surprises(Z[kept], folds[kept], rows)
        n_members = 1 if self.masked_ is None else self.masked_.n_members
        self.channels_ = ScoreChannels(self._n_numbers(), self.columns, n_members)
        residuals = residual[:, kept] if self.networks else None
        known, _ = self.channels_.fit_search(
            Z[kept], residuals, surprises, folds[kept], self.in_folds
        )
        self.left_, self.levels_ = None, None
        if len(left):
            self.left_ = NeighbourDistances((1,)).fit(Z[left])
            rows = None if missing is None else missing[left]
            others, *_ = self._search(Z[left], residual[:, left], rows, ALL)
            self._fit_scale({name: np.r_[c, others[name]] for name, c in known.items()})
        return self

    def _n_numbers(self):
        return None if self.layout is None else self.layout.n_numbers

    def _split(self, Z):
        """Return the numbers of the rows to learn from, and of those left out."""
        everything = np.arange(len(Z))
        if self.trim == 0 or len(Z) < _FEW_ROWS:
            return everything, everything[:0]
        sample = reference_rows(everything, MAX_REFERENCE, self.seed)
        rows = RowChannels(ranks=False)
        raw, _ = rows.fit_search(Z[sample])
        if len(sample) < len(Z):
            raw, _ = rows.search(Z, GLOBAL)
        score = global_score(
            {name: ScoreScaler().fit(c[sample]).apply(c) for name, c in raw.items()}
        )
        if self.trim is None:
            highest = max(np.quantile(score, 1 - _MOST_UNUSUAL), _UNUSUAL)
        else:
            highest = np.quantile(score, 1 - self.trim)
        usual = score <= highest
        return everything[usual], everything[~usual]

    def _fit_scale(self, channels):
        """Learn the scores of training rows by both rules."""
        both = [training_row_score(channels), new_row_score(channels)]
        self.levels_ = np.quantile(both, SHARES, axis=1).T

    def _search(self, Z, residual, missing, names):
        """Return channels of rows, and which training rows they equal: those kept, those left."""
        left = np.full(len(Z), -1) if self.left_ is None else self.left_.matches(Z)

        def surprises(matches):
            # the networks that tell surprises learnt from none of the rows left
            return self.masked_.surprises(Z, missing, self._folds_of(matches, None))

        def folds(matches):
            return self._folds_of(matches, left)

        residual = residual if self.networks else None
        return *self.channels_.search(Z, residual, surprises, folds, names), left

    def _folds_of(self, matches, left):
        """Return the folds of rows that are among the training rows; -1 of others."""
        kept_folds, left_folds = self.folds_
        folds = np.where(matches < 0, -1, kept_folds[matches])
        if self.left_ is None or left is None:
            return folds
        return np.where((matches < 0) & (left >= 0), left_folds[left], folds)

    def score(self, Z, residual, codes, missing=None):
        """Return scores, (n_samples,)."""
        channels, matches, left = self._search(Z, residual, missing, NEW_ROWS)
        scores = new_row_score(channels)
        if self.levels_ is None:
            return scores
        trained = (matches >= 0) | (left >= 0)
        if trained.any():
            absent = [name for name in (*GLOBAL, *LOCAL) if name not in channels]
            others, _ = self.channels_.search(Z[trained], names=absent)
            channels = {name: c[trained] for name, c in channels.items()} | others
            # the order is that of the training rows' rule, the values those of the other one
            scores[trained] = np.interp(training_row_score(channels), *self.levels_)
        return scores

    def told(self, Z, missing=None):
        """Return what the surprises of columns add to the scores of rows, and what to expect.

        Returns
        -------
        shares : ndarray of shape (n_samples, n_features)
            Their sum is what the surprises add to the score of a new row, from their place of
            none at all on.
        chances : ndarray of shape (n_samples, n_features, n_bins)
            As `MaskedBins.chances`.
        """
        folds = self._folds_of(self.channels_.rows_.near_x_.matches(Z), None)
        shares = self.channels_.surprise_shares(self.masked_.surprises(Z, missing, folds))
        return shares, self.masked_.chances(Z, missing, folds)


#: Classes that a fitted `EnsembleScore` is made of.
PARTS = (EnsembleScore, *MASKED_PARTS, *CHANNEL_PARTS)
