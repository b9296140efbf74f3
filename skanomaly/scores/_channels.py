"""Score channels: several plain views of how unusual a row is, made comparable and combined.

Owns: the channels of rows (`RowChannels`), the calibration of all channels on training scores, and
the two rules that combine them (`new_row_score`, `training_row_score`). Does not own: single
channels (`_tails`, `_mahalanobis`, `_neighbours`, `_network_scores`), input scaling, thresholds.

Inputs are finite, scaled arrays; here a higher score is *more anomalous*, always float64, and
that of one row does not depend on the other rows scored with it. A row that counts twice comes
twice. Everything fitted is an array or a number, so that objects pickle and copy without further
ado.
"""

import numpy as np

from skanomaly.scores._mahalanobis import Mahalanobis
from skanomaly.scores._neighbours import NeighbourDistances
from skanomaly.scores._network_scores import LearntRows, ResidualScore, SurpriseScore
from skanomaly.scores._ranks import NormalScores
from skanomaly.scores._tails import MarginalTail

#: What a new row's score is the mean of; a name that comes twice counts twice.
NEW_ROWS = ("kx1", "kx1", "kq5", "tail2", "residual", "surprise")
#: The two views of a training row: a global one, and a local one whose square adds a share.
GLOBAL, LOCAL = ("mx", "tail", "kx50"), ("kx1", "surprise")
_LOCAL_SHARE = 0.2
#: All channels of `RowChannels`.
FROM_ROWS = ("mx", "tail", "tail2", "kx1", "kx50", "kq5")
#: All channels.
ALL = (*FROM_ROWS, "residual", "surprise")


class ScoreScaler:
    """Centre and scale of a channel, from the side of its scores that anomalies do not reach.

    ``(c - median) / max(median - p10, (p90 - median) / 3, 1e-3)``: the 10% quantile stays where
    it is when anomalies join the training data, and the 90% quantile counts only where
    the lower side has next to no spread.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._channels import ScoreScaler
    >>> float(ScoreScaler().fit(np.arange(11.0)).apply(np.array(9.0)))
    1.0
    """

    def fit(self, scores):
        """Fit on training scores of shape (n_samples,)."""
        p10, self.centre_, p90 = map(float, np.quantile(scores, [0.1, 0.5, 0.9]))
        # channels are logarithms: a spread below 1e-3 is none, and would blow rounding up
        self.scale_ = max(self.centre_ - p10, (p90 - self.centre_) / 3, 1e-3)
        return self

    def apply(self, scores):
        """Return calibrated scores, of the shape of `scores`."""
        return (scores - self.centre_) / self.scale_


class RowChannels:
    """Channels that look at rows alone, as they are (x) or as normal scores of ranks (q).

    "kx1", "kx50", "kq5" (`NeighbourDistances`), "mx" (`Mahalanobis`), "tail" and "tail2", mean and
    root mean square of the values' depths (`MarginalTail`).

    Parameters
    ----------
    n_numbers : int, default=None
        Columns of numbers, which come first; the others keep their values in q. None is all.
    columns : bool, default=True
        Whether each column means something alone; "tail2" is left out where none does.
    ranks : bool, default=True
        Whether to look at normal scores, too; "kq5" is left out otherwise.
    """

    def __init__(self, n_numbers=None, columns=True, ranks=True):
        self.n_numbers, self.columns, self.ranks = n_numbers, columns, ranks

    def fit(self, X):
        """Fit on scaled rows to compare with, (n_reference, n_columns)."""
        self.fit_search(X)
        return self

    def fit_search(self, X):
        """Fit and return what `search` returns for the same rows."""
        self.near_x_, self.mahalanobis_ = NeighbourDistances((1, 50)), Mahalanobis().fit(X)
        near, matches = self.near_x_.fit_search(X)
        channels = _named(self.near_x_.ks, near)
        found = self._fit_places(X)
        if self.ranks:
            self.near_q_ = NeighbourDistances((5,))
            channels["kq5"] = self.near_q_.fit_score(self._fit_normal(X, found))[:, 0]
        channels |= self._without_search(X, found, matches >= 0, FROM_ROWS)
        return channels, matches

    def _fit_places(self, X):
        self.tail_ = MarginalTail().fit(X)
        return self.tail_.places(X)

    def _fit_normal(self, X, found):
        self.normal_ = NormalScores(self.n_numbers).fit(X)
        return self.normal_.transform(X, found)

    def __getstate__(self):
        """Return what the rows themselves do not tell, and the rows."""
        state = {name: v for name, v in vars(self).items() if name not in ("tail_", "normal_")}
        return {**state, "near_q_": self.near_q_.without_reference()} if self.ranks else state

    def __setstate__(self, state):
        vars(self).update(state)
        if "tail_" in state:
            return
        rows = self.near_x_.reference_
        found = self._fit_places(rows)
        if self.ranks:
            self.near_q_.compare_with(self._fit_normal(rows, found))

    def search(self, X, names=FROM_ROWS):
        """Return the channels of rows, and the training row that each of them equals.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            Scaled rows.
        names : collection of str, default=all
            Which channels.

        Returns
        -------
        channels : dict of str to ndarray of shape (n_samples,)
        matches : ndarray of shape (n_samples,), int
            Numbers of training rows, which the row is not compared with; -1 for none.
        """
        found = self.tail_.places(X)
        ks = tuple(k for k in self.near_x_.ks if f"kx{k}" in names) or (1,)
        near, matches = self.near_x_.search(X, None, ks)
        channels = _named(ks, near)
        if self.ranks and "kq5" in names:
            normal = self.normal_.transform(X, found)
            channels["kq5"] = self.near_q_.score(normal, matches)[:, 0]
        channels |= self._without_search(X, found, matches >= 0, names)
        wanted = set(names) & set(channels)
        return {name: channels[name] for name in FROM_ROWS if name in wanted}, matches

    def _without_search(self, X, found, known, names):
        channels = {}
        if "mx" in names:
            channels["mx"] = self.mahalanobis_.score(X, known)
        if "tail" in names or "tail2" in names:
            depths = self.tail_.depths(X, found, known)
            channels["tail"] = depths.mean(axis=1)
            if self.columns:
                channels["tail2"] = np.sqrt(np.square(depths).mean(axis=1))
        return channels


def _named(ks, columns):
    return {f"kx{k}": columns[:, i] for i, k in enumerate(ks)}


def new_row_score(channels):
    """Return the score of rows that no part of the detector has seen.

    The mean of `NEW_ROWS`; channels that are absent drop out of it.

    Parameters
    ----------
    channels : dict of str to ndarray of shape (n_samples,)
        Calibrated scores by name.

    Returns
    -------
    score : ndarray of shape (n_samples,)
    """
    return _mean(channels, NEW_ROWS)


def training_row_score(channels):
    """Return the score of rows among which anomalies were at the fit.

    What is odd among rows like itself may have company: a global view decides, unless a local one
    finds a row most unusual.

    Parameters and result as in `new_row_score`.
    """
    local = np.maximum(_mean(channels, LOCAL), 0)
    return global_score(channels) + _LOCAL_SHARE * np.square(local)


def global_score(channels):
    """Return the global view alone, which anomalies in small groups cannot hide from."""
    return _mean(channels, GLOBAL)


def _mean(channels, names):
    return np.mean([channels[name] for name in names if name in channels], axis=0)


class ScoreChannels:
    """Calibrated channels on rows and on network outputs.

    Those of `RowChannels`, and, if given, "residual" (`ResidualScore`) and "surprise"
    (`SurpriseScore`).

    Parameters
    ----------
    n_numbers, columns
        As in `RowChannels`.
    n_members : int, default=1
        As in `SurpriseScore`.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._channels import ScoreChannels, new_row_score
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> channels, matches = ScoreChannels().fit(X).search(np.array([[0.0, 0.0], [9.0, 9.0]]))
    >>> scores = new_row_score(channels)
    >>> bool(scores[1] > 3 > scores[0]), matches
    (True, array([-1, -1]))
    """

    def __init__(self, n_numbers=None, columns=True, n_members=1):
        self.n_numbers, self.columns, self.n_members = n_numbers, columns, n_members

    def fit(self, X, residual=None, surprises=None, folds=None, in_folds=True):
        """Fit channels and their calibration on training rows.

        Parameters
        ----------
        X : ndarray of shape (n_reference, n_columns)
            Scaled rows, in an order that their content decides, repeated by weight.
        residual : ndarray of shape (n_members, n_reference, n_features), default=None
            What networks leave of them.
        surprises : ndarray of shape (n_reference, n_features), default=None
            How surprising their values are to networks that did not see them.
        folds : ndarray of shape (n_reference,), int, default=None
            Folds of the rows: network j did not learn from fold j; None: all learnt from all.
        in_folds : bool, default=True
            Whether that holds for the networks of the residuals, too.

        Returns
        -------
        self : ScoreChannels
        """
        self.fit_search(X, residual, surprises, folds, in_folds)
        return self

    def fit_search(self, X, residual=None, surprises=None, folds=None, in_folds=True):
        """Fit, and return what `search` returns for the same rows."""
        self.rows_ = RowChannels(self.n_numbers, self.columns)
        self.residual_ = self.surprise_ = None
        if residual is not None:
            self.residual_ = ResidualScore().fit(residual, folds if in_folds else None)
        if surprises is not None:
            self.surprise_ = SurpriseScore(self.n_members).fit(surprises, folds)
        raw, matches = self.rows_.fit_search(X)
        raw |= self._of_networks(residual, surprises, folds, matches, ALL)
        self.calibrations_ = {name: ScoreScaler().fit(scores) for name, scores in raw.items()}
        return self._calibrated(raw), matches

    def search(self, X, residual=None, surprises=None, folds=None, names=ALL):
        """Return the calibrated channels of rows, and the training row that each of them equals.

        Parameters
        ----------
        X, residual
            As in `fit`.
        surprises, folds : ndarray or callable
            As in `fit`, or functions that make them from the matches. Folds are -1 for rows that
            no network learnt from.
        names : collection of str, default=all
            Which channels.

        Returns
        -------
        channels : dict of str to ndarray of shape (n_samples,)
        matches : ndarray of shape (n_samples,), int
        """
        raw, matches = self.rows_.search(X, set(names) & set(self.calibrations_))
        folds = folds(matches) if callable(folds) else folds
        if callable(surprises) and self.surprise_ is not None and "surprise" in names:
            surprises = surprises(matches)
        raw |= self._of_networks(residual, surprises, folds, matches, names)
        return self._calibrated(raw), matches

    def _of_networks(self, residual, surprises, folds, matches, names):
        channels = {}
        if self.residual_ is not None and "residual" in names:
            channels["residual"] = self.residual_.score(residual, folds, matches >= 0)
        if self.surprise_ is not None and "surprise" in names:
            learnt = None if folds is None else np.where(matches >= 0, folds, -1)
            channels["surprise"] = self.surprise_.score(surprises, learnt)
        return channels

    def surprise_shares(self, surprises):
        """Return what each column's surprise adds to `new_row_score`, (n_samples, n_features)."""
        parts = self.surprise_.parts(surprises)
        root = np.sqrt(parts.mean(axis=1, keepdims=True))
        present = [name for name in NEW_ROWS if name in self.calibrations_]
        weight = present.count("surprise") / len(present) / self.calibrations_["surprise"].scale_
        return weight * parts / (parts.shape[1] * np.maximum(root, 1e-12))

    def _calibrated(self, raw):
        return {name: self.calibrations_[name].apply(scores) for name, scores in raw.items()}


#: Classes that a fitted `ScoreChannels` is made of.
PARTS = (
    ScoreChannels, RowChannels, ResidualScore, LearntRows, SurpriseScore, ScoreScaler, Mahalanobis,
    MarginalTail, NeighbourDistances, NormalScores,
)  # fmt: skip
