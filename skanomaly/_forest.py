"""Forest: randomised trees as one more group beside the networks of a labelled ensemble.

Owns the trees, the rows they grow on, and the votes of those that never saw a row. How far to
trust them is for the stacking to say.
"""

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from skanomaly._scaling import in_chunks

#: Rows that trees grow on at most.
MAX_ROWS = 32_768
#: Trees of each kind.
_TREES = 50


class Forest:
    """Log odds by the votes of two kinds of randomised trees.

    A random forest (Breiman 2001) looks for the best cuts, extremely randomised trees (Geurts,
    Ernst and Wehenkel 2006) take random ones; their votes are averaged. Trees cut along single
    columns, whatever the columns' scales and tails, and so err elsewhere than networks.

    Parameters
    ----------
    seed : int, default=0
        Seed of the trees and of the draw of rows.

    Attributes
    ----------
    honest_ : ndarray of shape (n_samples,)
        Log odds of the training rows by the trees that did not see them.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._forest import Forest
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> labels = (X > 1).any(axis=1).astype(float)
    >>> forest = Forest().fit(X, labels)
    >>> bool(np.mean((forest.honest_ > 0) == labels) > 0.95)
    True
    """

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, values, labels):
        """Grow the trees.

        Parameters
        ----------
        values : object
            Rows, in canonical order; indexed by row numbers and slices.
        labels : ndarray of shape (n_samples,)
            1 for an anomaly, 0 for any other row; both occur.

        Returns
        -------
        self : Forest
        """
        grown, weight = self._drawn(labels)
        X = values[grown]
        settings = {"n_estimators": _TREES, "bootstrap": True, "oob_score": True, "n_jobs": -1}
        self.forests_ = [
            kind(random_state=self.seed, **settings).fit(X, labels[grown] > 0, weight)
            for kind in (RandomForestClassifier, ExtraTreesClassifier)
        ]
        self.honest_ = self.logits(values) if len(grown) < len(labels) else np.empty(len(labels))
        votes = [forest.oob_decision_function_[:, 1] for forest in self.forests_]
        self.honest_[grown] = _log_odds(np.mean(votes, axis=0))
        for forest in self.forests_:
            # threads would add the votes in any order, and single rows wait for them
            forest.set_params(n_jobs=1)
            del forest.oob_decision_function_
        return self

    def _drawn(self, labels):
        """Return the rows to grow on, and weights that keep the classes' shares."""
        if len(labels) <= MAX_ROWS:
            return np.arange(len(labels)), None
        rng, grown, weights = np.random.default_rng([self.seed, 4]), [], []
        anomalies, others = np.flatnonzero(labels > 0), np.flatnonzero(labels <= 0)
        rare = min(anomalies, others, key=len)
        for rows in (anomalies, others):
            most = MAX_ROWS // 2 if rows is rare else MAX_ROWS - min(len(rare), MAX_ROWS // 2)
            drawn = rng.permutation(rows)[:most]
            grown.append(drawn)
            weights.append(np.full(len(drawn), len(rows) / len(drawn)))
        grown, weights = np.concatenate(grown), np.concatenate(weights)
        order = np.argsort(grown)
        return grown[order], weights[order]

    def logits(self, values):
        """Return log odds of being an anomaly, (n_samples,), float64."""

        def one(rows):
            votes = [forest.predict_proba(rows[:])[:, 1] for forest in self.forests_]
            return _log_odds(np.mean(votes, axis=0))

        return in_chunks(one, values)


def _log_odds(share):
    """Return the log odds of a share of votes; as sure as one vote less than all at most."""
    share = np.clip(share, 0.5 / _TREES, 1 - 0.5 / _TREES)
    return np.log(share) - np.log1p(-share)
