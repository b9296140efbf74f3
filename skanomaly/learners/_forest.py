"""Forests: randomised trees as more groups beside the networks of a labelled ensemble.

Owns the trees, the rows each of them grows on, and the votes of those that never saw a row.
How far to trust them is for the ensembles to say.
"""

import numpy as np
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

from skanomaly.preprocessing._views import in_chunks
from skanomaly.scores._trees import Trees
from skanomaly.utils._threads import in_threads

#: Rows that trees grow on at most.
MAX_ROWS = 32_768
#: Trees of a forest.
_TREES = 100
#: Unlabelled rows a tree sees for every labelled anomaly, and at the least.
_OTHERS, _FEWEST_OTHERS = 3, 16
#: Columns that a searching tree looks for each cut in: this share, but no more than so many
#: (the square root of all, where that is more); and rows of a class that it sees at most.
_SEARCHED, _MOST_SEARCHED, _MOST_SEEN = 0.5, 16, 1024


class Forests:
    """A forest of randomised trees and one of searching trees, grown on the same rows.

    Parameters
    ----------
    complete : bool
        Whether every anomaly among the training rows has its label.
    seed : int, default=0
        Seed of the trees and of their rows.

    Attributes
    ----------
    kinds : list of Forest
        The two of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.learners._forest import Forests
    >>> X = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    >>> labels = (X > 1).any(axis=1).astype(float)
    >>> votes = Forests(complete=True).fit_votes(X, labels)
    >>> np.mean((votes > 0.5) == labels[:, None], axis=0).round(1)
    array([1., 1.])
    """

    def __init__(self, complete, seed=0):
        self.seed = seed
        self.kinds = [Forest(complete, seed), SearchingForest(seed)]

    def fit_votes(self, values, labels):
        """Grow the trees, and return their votes on rows that they did not see.

        Parameters
        ----------
        values : object
            Rows, in canonical order; indexed by row numbers and slices, float32.
        labels : ndarray of shape (n_samples,)
            1 for an anomaly, 0 for any other row; both occur.

        Returns
        -------
        votes : ndarray of shape (n_samples, 2)
            Share of each forest's votes for an anomaly, by the trees that did not see the row;
            where there is none, by all.
        """
        drawn, weight = self._drawn(labels)
        X, y = np.ascontiguousarray(values[drawn], np.float32), labels[drawn]
        unseen = np.column_stack([forest.grow(X, y, weight) for forest in self.kinds])
        if len(drawn) == len(labels):
            return unseen
        votes = self.votes(values)
        votes[drawn] = unseen
        return votes

    def votes(self, values):
        """Return each forest's share of votes for an anomaly, (n_samples, 2), float64."""

        def of(part):
            rows = part[:]
            return np.column_stack([forest.votes(rows) for forest in self.kinds])

        return in_chunks(of, values)

    def _drawn(self, labels):
        """Return the rows that trees choose from, and weights that keep the classes' shares."""
        if len(labels) <= MAX_ROWS:
            return np.arange(len(labels)), np.ones(len(labels))
        rng = np.random.default_rng([self.seed, 5])
        kinds = [np.flatnonzero(labels > 0), np.flatnonzero(labels <= 0)]
        few = min(min(map(len, kinds)), MAX_ROWS // 2)
        most = [few if len(rows) <= MAX_ROWS // 2 else MAX_ROWS - few for rows in kinds]
        drawn = [rng.permutation(rows)[:n] for rows, n in zip(kinds, most, strict=True)]
        weight = [np.full(len(d), len(k) / len(d)) for d, k in zip(drawn, kinds, strict=True)]
        drawn, weight = np.concatenate(drawn), np.concatenate(weight)
        order = np.argsort(drawn)
        return drawn[order], weight[order]


class Forest:
    """Votes of two kinds of randomised trees on rows being anomalies.

    Half the trees are those of a random forest (Breiman 2001), half extremely randomised ones
    (Geurts, Ernst and Wehenkel 2006). They cut along single columns, whatever the columns'
    scales and tails, and so err elsewhere than networks. With complete labels each grows on a
    bootstrap sample. With few, it grows on a bootstrap sample of the labelled anomalies and a
    small draw of other rows (Mordelet and Vert 2014, "A bagging SVM to learn from positive and
    unlabeled examples"): an anomaly hidden among these misleads few trees.

    Parameters
    ----------
    complete, seed
        As in `Forests`.
    """

    _STREAM = 4

    def __init__(self, complete, seed=0):
        self.complete, self.seed = complete, seed

    def grow(self, X, y, weight):
        """Grow on weighted rows, and return the votes on each of the trees that did not see it."""
        rngs = np.random.default_rng([self.seed, self._STREAM]).spawn(_TREES)
        grow = in_threads(lambda k: self._grow(k, rngs[k], X, y, weight), range(_TREES))
        trees, seen, votes = zip(*grow, strict=True)
        grown = [tree.tree_ for tree in trees]
        self.trees_ = Trees(grown, [tree.value[:, 0, 0] for tree in grown])
        n_unseen = np.sum([~s for s in seen], axis=0)
        unseen = np.sum([np.where(s, 0.0, v) for s, v in zip(seen, votes, strict=True)], axis=0)
        return np.where(n_unseen > 0, unseen / np.maximum(n_unseen, 1), np.mean(votes, axis=0))

    def votes(self, X):
        """Return the share of votes for an anomaly, (n_samples,), float64."""
        return self.trees_.total(X) / _TREES

    def _grow(self, number, rng, X, y, weight):
        """Return a tree, which rows it saw, and its votes on all."""
        weight = weight * self._counts(rng, y)
        rows = np.flatnonzero(weight)
        # the mean of targets 0 and 1 is a share of votes, and their variance half Gini's index
        tree = self._tree(number, X.shape[1], int(rng.integers(2**31)))
        tree.fit(X[rows], y[rows], weight[rows])
        return tree, weight > 0, tree.predict(X, check_input=False)

    def _tree(self, number, n_columns, seed):
        """Return a tree: every other one looks for the best cuts, the rest take random ones."""
        kind = ExtraTreeRegressor if number % 2 else DecisionTreeRegressor
        return kind(max_features="sqrt", random_state=seed)

    def _counts(self, rng, y):
        """Return how many times a tree sees each row."""
        if self.complete:
            return np.bincount(rng.integers(len(y), size=len(y)), minlength=len(y))
        known, others = np.flatnonzero(y > 0), np.flatnonzero(y <= 0)
        n = min(max(_OTHERS * len(known), _FEWEST_OTHERS), len(others))
        counts = np.bincount(rng.choice(known, len(known)), minlength=len(y)) * (n / len(known))
        counts[rng.choice(others, n, replace=False)] = 1.0
        return counts


class SearchingForest(Forest):
    """Trees that look through half the columns for every cut; unlabelled rows are normal to them.

    Where two or three known anomalies share a value that no other row has, a random handful of
    columns seldom holds it, and a draw of a few other rows cannot tell how rare it is.

    Parameters
    ----------
    seed
        As in `Forests`.
    """

    _STREAM = 6

    def __init__(self, seed=0):
        super().__init__(True, seed)

    def _tree(self, number, n_columns, seed):
        searched = min(int(_SEARCHED * n_columns), _MOST_SEARCHED)
        searched = max(searched, int(np.sqrt(n_columns)))
        return DecisionTreeRegressor(max_features=searched, random_state=seed)

    def _counts(self, rng, y):
        """Return how often a bootstrap sample of each class holds its rows, their shares kept.

        So a tree costs no more with many rows; the trees together see many more of them.
        """
        counts = np.zeros(len(y))
        for rows in (np.flatnonzero(y > 0), np.flatnonzero(y <= 0)):
            n = min(len(rows), _MOST_SEEN)
            np.add.at(counts, rng.choice(rows, n), len(rows) / n)
        return counts


def log_odds(votes):
    """Return the log odds of a share of votes; never surer than half a vote allows."""
    votes = np.clip(votes, 0.5 / _TREES, 1 - 0.5 / _TREES)
    return np.log(votes) - np.log1p(-votes)
