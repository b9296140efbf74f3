"""What networks say of rows as scores: residuals and surprises, out of fold for training rows.

Owns the two channels, and how rows that networks learnt from come to the scale of others. Does not
own: the networks, or what becomes of the scores (``scores._channels``). Member j of several
networks does not learn from the rows of fold j.
"""

import numpy as np

from skanomaly.scores._mahalanobis import Mahalanobis

#: Where scores of two kinds are matched: a step for every row would make much of rounding where
#: two of them nearly agree.
SHARES = np.r_[np.linspace(0, 0.95, 20), 0.97, 0.98, 0.99, 0.995, 1.0]
#: From fewer rows left out nothing is learnt about the others.
_FEWEST_LEFT_OUT = 10


def out_of_fold(values, folds=None):
    """Return what the member that left its fold out says of each row; of new rows, the mean.

    Parameters
    ----------
    values : ndarray of shape (n_members, n_samples, ...)
        What each member says.
    folds : ndarray of shape (n_samples,), int, default=None
        Folds of rows that trained; -1 of new rows, None where all are new. Of folds beyond the
        last member, which all of them learnt from, the last one speaks.

    Returns
    -------
    told : ndarray of shape (n_samples, ...)
    """
    mean = values.mean(axis=0)
    if folds is None:
        return mean
    own = values[np.clip(folds, 0, len(values) - 1), np.arange(len(folds))]
    return np.where((folds >= 0).reshape(-1, *[1] * (mean.ndim - 1)), own, mean)


class LearntRows:
    """Brings scores of rows that networks learnt from to the scale of rows they left out.

    Networks know the former too well: each keeps its place among its like, and gets the score
    that stands there among the others.
    """

    #: Nothing to bring anywhere: where no row is learnt from, there need be no fit.
    levels_ = None

    def fit(self, scores, learnt):
        """Fit on scores of training rows, and which of them all networks learnt from."""
        if np.count_nonzero(~learnt) >= _FEWEST_LEFT_OUT:
            own, others = (np.quantile(scores[side], SHARES) for side in (learnt, ~learnt))
            own, places = np.unique(own, return_inverse=True)  # equal scores stay equal
            self.levels_ = np.array([own, np.bincount(places, others) / np.bincount(places)])
        return self

    def apply(self, scores, learnt):
        """Return scores, (n_samples,)."""
        if self.levels_ is None:
            return scores
        return np.where(learnt, np.interp(scores, *self.levels_), scores)


class ResidualScore:
    """Log Mahalanobis distance of what networks cannot rebuild, mean over the members.

    Where member j left the rows of fold j out, residuals of a training row are those of that
    member, in the fit and in the score; rows of folds beyond the last member are `LearntRows`.
    """

    def fit(self, residual, folds=None):
        """Fit on residuals of shape (n_members, n_samples, n_features).

        The folds are (n_samples,); None: all members learnt from all rows.
        """
        self.in_folds_ = folds is not None
        self.learnt_ = LearntRows()
        if not self.in_folds_:
            self.members_ = [Mahalanobis().fit(r) for r in residual]
            return self
        self.members_ = [Mahalanobis().fit(out_of_fold(residual, folds))] * len(residual)
        learnt = folds >= len(residual)
        if learnt.any():
            self.learnt_.fit(self._scores(residual, folds, np.ones(len(folds), bool)), learnt)
        return self

    def score(self, residual, folds, known):
        """Return scores, (n_samples,).

        Rows that trained have a fold, others -1; those that this score was fitted on are `known`.
        """
        scores = self._scores(residual, folds, known)
        return self.learnt_.apply(scores, folds >= len(residual)) if self.in_folds_ else scores

    def _scores(self, residual, folds, known):
        pairs = zip(self.members_, residual, strict=True)
        scores = np.stack([member.score(r, known) for member, r in pairs])
        return out_of_fold(scores, folds) if self.in_folds_ else scores.mean(axis=0)


class SurpriseScore:
    """How much more surprising than usual the values of a row are.

    The surprises of each column are centred and scaled by those of the training rows, told by
    networks that did not see them; the root mean square of the positive ones is the score. A
    missing value has no surprise (0) and adds what a value of its column adds on average.

    Parameters
    ----------
    n_members : int, default=1
        Number of networks; rows of folds beyond them are `LearntRows`.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._network_scores import SurpriseScore
    >>> usual = np.array([[1.0, 2.0], [3.0, 2.0]])
    >>> SurpriseScore().fit(usual).score(np.array([[2.0, 2.0], [2.0, 2.2]])).round(2)
    array([0.  , 1.41])
    """

    #: No column's surprises are taken to vary less, in nats.
    _LEAST_SPREAD = 0.1

    def __init__(self, n_members=1):
        self.n_members = n_members

    def fit(self, surprises, folds=None):
        """Fit on surprises of training rows, (n_samples, n_features), and their folds."""
        # of all rows: few of them would not meet the rare values of a column
        known = np.ma.masked_equal(surprises, 0.0)
        self.centre_ = known.mean(axis=0).filled(0.0)
        self.spread_ = known.std(axis=0).filled(0.0) + self._LEAST_SPREAD
        self.usual_ = self._squares(known).mean(axis=0).filled(0.0)
        self.learnt_ = LearntRows()
        if folds is not None and np.any(folds >= self.n_members):
            self.learnt_.fit(self._scores(surprises), folds >= self.n_members)
        return self

    def parts(self, surprises):
        """Return what each value adds to the mean square, (n_samples, n_features)."""
        return np.where(surprises == 0, self.usual_, self._squares(surprises))

    def score(self, surprises, folds=None):
        """Return scores, (n_samples,); the folds are those of training rows, -1 for others."""
        scores = self._scores(surprises)
        return scores if folds is None else self.learnt_.apply(scores, folds >= self.n_members)

    def _scores(self, surprises):
        return np.sqrt(self.parts(surprises).mean(axis=1))

    def _squares(self, surprises):
        return np.square(np.maximum((surprises - self.centre_) / self.spread_, 0.0))
