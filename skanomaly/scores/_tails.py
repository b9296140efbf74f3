"""How far out in its own distribution each value of a row lies.

Owns the marginal-tail scores. Inputs are finite arrays; a higher score is *more anomalous*,
float64, and that of one row does not depend on the other rows scored with it.
"""

import numpy as np

from skanomaly.scores._mahalanobis import float_rows


def rounding_slack(columns):
    """Return how far apart values of each column (n_columns, n) may lie and still be equal.

    What a network puts in the place of a missing value differs by less from run to run.
    """
    return 1e-6 * columns.std(axis=1)


class MarginalTail:
    """Depth of every value in the tails of its column.

    Per feature ``-log(min(1, 2 min(lo, hi)))``, where lo and hi are the shares of the training
    values (with one added to counts and total) at or below, and at or above it.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.scores._tails import MarginalTail
    >>> channel = MarginalTail().fit(np.arange(9.0)[:, None])
    >>> channel.score(np.array([[4.0], [100.0]])).round(2) + 0.0
    array([0.  , 1.61])
    """

    def fit(self, X):
        """Keep the sorted columns of `X` of shape (n_samples, n_features)."""
        self.sorted_ = np.sort(float_rows(X).T, axis=1)
        self.slack_ = rounding_slack(self.sorted_)
        return self

    def depths(self, X, known=None):
        """Return the depth of every value of rows `X`, shape (n_samples, n_features).

        Rows that are among those of the fit (`known`, bool; None: none is) are compared with the
        others alone.
        """
        X = float_rows(X)
        n = self.sorted_.shape[1]
        rarer = np.empty_like(X)
        for j, column in enumerate(self.sorted_):
            below = column.searchsorted(X[:, j] + self.slack_[j], side="right")
            above = n - column.searchsorted(X[:, j] - self.slack_[j], side="left")
            np.minimum(below, above, out=rarer[:, j])
        own = 0 if known is None else known[:, None].astype(int)
        return -np.log(np.minimum(1.0, 2 * np.maximum(rarer + 1 - own, 1) / (n + 1 - own)))

    def score(self, X):
        """Return the mean depth of rows `X`, shape (n_samples,)."""
        return self.depths(X).mean(axis=1)
