"""Score channels: several plain views of how unusual a row is, made comparable and combined.

Owns: the marginal-tail channel, the calibration of channels on training scores and their
combination (`ScoreChannels`). Does not own: the other channels (``scores._mahalanobis``,
``scores._neighbours``),
the network whose residuals and latents may feed them, input scaling, thresholds.

Inputs are finite, scaled arrays; here a higher score is *more anomalous*, always float64, and
that of one row does not depend on the other rows scored with it. Everything fitted is an array or
a number, so that objects pickle and copy without further ado.
"""

import numpy as np

from skanomaly.scores._mahalanobis import Mahalanobis, float_rows
from skanomaly.scores._neighbours import KS, NeighbourDistances, WhitenedNeighbour
from skanomaly.utils._weights import MAX_REFERENCE, reference_rows

#: Channels that see the whole of the data, and those that see the place a row is in.
_GLOBAL, _LOCAL = ("mR", "tail", "kx20", "kx50"), ("kx1", "kz1")
_LOCAL_SHARE = 0.9


class MarginalTail:
    """Mean over the features of how far out in its own distribution a value lies.

    Per feature ``-log(min(1, 2 min(lo, hi)))``, where lo and hi are the shares of the training
    values (with one added to counts and total) at or below, and at or above it.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._channels import MarginalTail
    >>> channel = MarginalTail().fit(np.arange(9.0)[:, None])
    >>> channel.score(np.array([[4.0], [100.0]])).round(2) + 0.0
    array([0.  , 1.61])
    """

    def fit(self, X):
        """Keep the sorted columns of `X` of shape (n_samples, n_features)."""
        self.sorted_ = np.sort(float_rows(X).T, axis=1)
        return self

    def score(self, X):
        """Return the mean tail depth of rows `X`, shape (n_samples,)."""
        X = float_rows(X)
        n = self.sorted_.shape[1]
        rarer = np.empty_like(X)
        for j, known in enumerate(self.sorted_):
            below = known.searchsorted(X[:, j], side="right")
            above = n - known.searchsorted(X[:, j], side="left")
            np.minimum(below, above, out=rarer[:, j])
        return -np.log(np.minimum(1.0, 2 * (rarer + 1) / (n + 1))).mean(axis=1)


class Calibration:
    """Centre and scale of a channel, from the side of its scores that anomalies do not reach.

    ``(c - median) / max(median - p10, (p90 - median) / 3, 1e-3)``: the 10% quantile stays where
    it is when anomalies join the training data, and the 90% quantile counts only where
    the lower side has next to no spread.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._channels import Calibration
    >>> float(Calibration().fit(np.arange(11.0)).apply(np.array(9.0)))
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


def combine_channels(channels):
    """Return the larger of a global and a local view, each a mean of calibrated channels.

    ``max(mean of mR, tail, kx20, kx50, 0.9 mean of kx1, kz1)``; channels that are absent drop out
    of their mean.

    Parameters
    ----------
    channels : dict of str to ndarray of shape (n_samples,)
        Calibrated scores by name, at least one of each view.

    Returns
    -------
    score : ndarray of shape (n_samples,)

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._channels import combine_channels
    >>> combine_channels({"tail": np.array([1.0, 0.0]), "kx1": np.array([0.0, 1.0])})
    array([1. , 0.9])
    """
    whole, local = (
        np.mean([channels[name] for name in view if name in channels], axis=0)
        for view in (_GLOBAL, _LOCAL)
    )
    return np.maximum(whole, _LOCAL_SHARE * local)


class ScoreChannels:
    """Calibrated channels on rows and on network outputs, combined into one anomaly score.

    On the rows: "tail" (`MarginalTail`), "kx1", "kx20", "kx50" (`NeighbourDistances`).
    On the outputs of a network, if given: "mR" (`Mahalanobis` of the residual, mean over the
    members) and "kz1" (`WhitenedNeighbour` of the first member's [residual, latent]).

    Parameters
    ----------
    seed : int, default=0
        Seed of the draw of the rows that neighbours, tails and calibration use, of which there
        are at most `skanomaly.utils._weights.MAX_REFERENCE`.

    Notes
    -----
    Means and covariances use every row given to `fit`, in several float64 copies: of millions of
    rows, give it some drawn with `reference_rows` and what the network makes of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._channels import ScoreChannels
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> scores = ScoreChannels().fit(X).score(np.array([[0.0, 0.0], [9.0, 9.0]]))
    >>> bool(scores[1] > 3 > scores[0])
    True
    """

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, X, residual=None, latent=None):
        """Fit channels and their calibration.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Scaled training rows, in an order that their content decides, repeated by weight.
        residual, latent : ndarray of shape (n_members, n_samples, any), default=None
            What the members of the network make of these rows; both or neither.

        Returns
        -------
        self : ScoreChannels
        """
        kept = reference_rows(np.arange(len(X)), MAX_REFERENCE, self.seed)
        raw = self._fit_rows(X[kept])
        self.members_ = []
        if residual is not None:
            raw |= self._fit_network(residual, latent, kept)
        self.calibrations_ = {name: Calibration().fit(scores) for name, scores in raw.items()}
        return self

    def _fit_rows(self, kept):
        """Fit the channels on rows; return their scores of the same rows."""
        self.tail_, self.near_ = MarginalTail().fit(kept), NeighbourDistances()
        return _by_name(self.tail_.score(kept), self.near_.fit_score(kept))

    def _fit_network(self, residual, latent, kept):
        """Fit the channels on network outputs; return their scores of the rows kept."""
        self.members_ = [Mahalanobis().fit(r) for r in residual]
        self.whitened_ = WhitenedNeighbour()
        near = self.whitened_.fit_score(_features(residual, latent), kept)
        return {"mR": self._unusual([r[kept] for r in residual]), "kz1": near}

    def _unusual(self, residual):
        pairs = zip(self.members_, residual, strict=True)
        return np.mean([member.score(r) for member, r in pairs], axis=0)

    def channels(self, X, residual=None, latent=None):
        """Return the calibrated channels of rows, a dict of arrays of shape (n_samples,)."""
        near, matched = self.near_.search(X)
        raw = _by_name(self.tail_.score(X), near)
        if self.members_:
            raw["mR"] = self._unusual(residual)
            raw["kz1"] = self.whitened_.score(_features(residual, latent), matched)
        return {name: self.calibrations_[name].apply(scores) for name, scores in raw.items()}

    def score(self, X, residual=None, latent=None):
        """Return how anomalous rows are, shape (n_samples,), float64.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Scaled rows.
        residual, latent : ndarray of shape (n_members, n_samples, any), default=None
            What the network makes of them, if `fit` had it.

        Returns
        -------
        score : ndarray of shape (n_samples,)
        """
        return combine_channels(self.channels(X, residual, latent))


def _by_name(tail, near):
    return {"tail": tail} | {f"kx{k}": near[:, i] for i, k in enumerate(KS)}


def _features(residual, latent):
    """Return the first member's [residual, latent]."""
    return np.concatenate([residual[0], latent[0]], axis=1)
