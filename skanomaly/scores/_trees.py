"""Grown decision trees as arrays: what their leaves say of rows, and nothing besides.

Owns that form, which goes into files as it is, and the path lengths of isolation forests. Does not
own how trees grow: scikit-learn's do. NumPy and scikit-learn, no Keras.
"""

from functools import cached_property

import numpy as np
from sklearn.tree._tree import NODE_DTYPE, Tree

_COLUMNS = ("left", "right", "feature", "threshold", "value")
_LEAF = -1
#: Up to this many rows, all trees at once are quicker than one compiled walk after the other.
_FEW_ROWS = 16


class Trees:
    """Several decision trees over the same columns, each with a number in every leaf.

    Parameters
    ----------
    trees : list of sklearn.tree._tree.Tree
        Grown trees.
    values : list of ndarray of shape (n_nodes,)
        What each node of a tree says; leaves count.

    Attributes
    ----------
    n_features : int
        Columns of rows.
    counts : ndarray of shape (n_trees,), int
        Nodes of each tree; those of all trees lie one behind the other in the other arrays.
    left, right : ndarray of shape (n_nodes,), int32
        Numbers of the nodes below, -1 in a leaf; they are higher than the node's own.
    feature, threshold : ndarray of shape (n_nodes,), int32 and float64
        A row goes left where its value is at most the threshold.
    value : ndarray of shape (n_nodes,), float64
        What a node says.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from skanomaly.scores._trees import Trees
    >>> grown = DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 5.0]).tree_
    >>> Trees([grown], [grown.value.ravel()]).total(np.array([[0.2], [9.0]]))
    array([3., 5.])
    """

    def __init__(self, trees, values):
        self.n_features = int(trees[0].n_features)
        self.counts = np.array([tree.node_count for tree in trees], dtype=np.int64)
        self.left = np.concatenate([tree.children_left for tree in trees]).astype(np.int32)
        self.right = np.concatenate([tree.children_right for tree in trees]).astype(np.int32)
        self.feature = np.concatenate([tree.feature for tree in trees]).astype(np.int32)
        self.threshold = np.concatenate([tree.threshold for tree in trees])
        self.value = np.concatenate(values)

    def __getstate__(self):
        return {name: vars(self)[name] for name in ("n_features", "counts", *_COLUMNS)}

    def __setstate__(self, state):
        vars(self).update(state)
        self._check()

    def __len__(self):
        return len(self.counts)

    def total(self, X):
        """Return the sum of what the trees say of rows, (n_samples,), float64."""
        X = np.ascontiguousarray(X, dtype=np.float32)
        if len(X) <= _FEW_ROWS:
            # one after the other, as below: no score depends on the rows it is told with
            return np.cumsum(self.value[self._leaves(X)], axis=1)[:, -1]
        return sum(tree.predict(X)[:, 0] for tree in self._trees)

    def _leaves(self, X):
        """Return the leaves that rows end in, (n_samples, n_trees)."""
        feature, below, roots = self._ways
        row, node = np.arange(len(X))[:, None], np.tile(roots, (len(X), 1))
        while True:
            right = X[row, feature[node]] > self.threshold[node]
            after = below[node, right.astype(np.intp)]
            if np.array_equal(after, node):
                return node
            node = after

    @cached_property
    def _ways(self):
        """Columns, and nodes below among those of all trees; a leaf leads to itself."""
        roots = np.cumsum(self.counts) - self.counts
        leaf, own = self.left == _LEAF, np.arange(len(self.left))
        below = np.stack([self.left, self.right], axis=1) + np.repeat(roots, self.counts)[:, None]
        return np.where(leaf, 0, self.feature), np.where(leaf[:, None], own[:, None], below), roots

    @property
    def spans(self):
        """Slices of the nodes of each tree."""
        ends = np.cumsum(self.counts)
        return [slice(end - count, end) for end, count in zip(ends, self.counts, strict=True)]

    @cached_property
    def _trees(self):
        return [self._tree(span) for span in self.spans]

    def _tree(self, span):
        """Return one of the trees as scikit-learn's, which walks it in compiled code."""
        nodes = np.zeros(span.stop - span.start, NODE_DTYPE)
        nodes["left_child"], nodes["right_child"] = self.left[span], self.right[span]
        nodes["feature"], nodes["threshold"] = self.feature[span], self.threshold[span]
        tree = Tree(self.n_features, np.ones(1, dtype=np.intp), 1)
        values = np.ascontiguousarray(self.value[span]).reshape(-1, 1, 1)
        counts = {"max_depth": 0, "node_count": len(nodes)}
        tree.__setstate__({**counts, "nodes": nodes, "values": values})
        return tree

    def _check(self):
        """Refuse arrays that would lead a row outside of its tree or round in it."""
        if not self._is_whole():
            raise ValueError(
                "The state of a forest holds no trees: nodes must point to nodes behind them and "
                "to columns of the rows. It is damaged, or was not written by skanomaly."
            )

    def _is_whole(self):
        shape = (int(self.counts.sum()),)
        if any(getattr(self, name).shape != shape for name in _COLUMNS) or min(self.counts) < 1:
            return False
        own = np.concatenate([np.arange(count) for count in self.counts])
        size = np.repeat(self.counts, self.counts)
        inner = self.left != _LEAF
        inside = (self.feature >= 0) & (self.feature < self.n_features)
        for child in (self.left, self.right):
            inside &= (own < child) & (child < size)
        return bool(np.all(inside == inner) and np.all((self.right == _LEAF) == ~inner))


class IsolationPaths:
    """How soon the trees of an isolation forest part rows from the others.

    The score of Liu, Ting and Zhou ("Isolation Forest", ICDM 2008), that of
    `sklearn.ensemble.IsolationForest`, from the trees' arrays alone.

    Parameters
    ----------
    forest : sklearn.ensemble.IsolationForest
        Fitted on all columns.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.scores._trees import IsolationPaths
    >>> X = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    >>> forest = IsolationForest(random_state=0).fit(X)
    >>> int((IsolationPaths(forest).score(X) != -forest.score_samples(X)).sum())  # differ
    0
    """

    def __init__(self, forest):
        grown = [tree.tree_ for tree in forest.estimators_]
        paths = [t.compute_node_depths() + _mean_path(t.n_node_samples) - 1.0 for t in grown]
        self.trees = Trees(grown, paths)
        self.usual = len(grown) * float(_mean_path(np.array([forest.max_samples_]))[0])

    def score(self, X):
        """Return scores of rows in (0, 1], higher for anomalies."""
        if self.usual == 0:
            return np.full(len(X), 0.5)
        return 2.0 ** -(self.trees.total(X) / self.usual)


def _mean_path(n_samples):
    """Return the mean length of the paths in a tree of so many rows that has not grown."""
    n = np.asarray(n_samples, dtype=np.float64)
    rest = np.maximum(n - 1.0, 1.0)
    grown = 2.0 * (np.log(rest) + np.euler_gamma) - 2.0 * rest / np.maximum(n, 1.0)
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, grown))
