"""How far out in its own distribution each value of a row lies.

Owns the marginal-tail scores. Inputs are finite arrays; a higher score is *more anomalous*,
float64, and that of one row does not depend on the other rows scored with it.
"""

import numpy as np

from skanomaly.scores._mahalanobis import float_rows

#: What a network puts in the place of a missing value differs by less from run to run.
ROUNDING = 1e-6
#: From this many rows on, values in order are found in half the time.
_MANY_ROWS = 256


def rounding_slack(columns):
    """Return how far apart values of each column (n_columns, n) may lie and still be equal.

    That is for usual values; to those far out comes the same share of themselves.
    """
    return ROUNDING * columns.std(axis=1)


def places(sorted_columns, slack, X):
    """Return how many known values lie below each value, and how many no higher.

    Parameters
    ----------
    sorted_columns : ndarray of shape (n_features, n_known)
        Known values.
    slack : ndarray of shape (n_features,)
        As `rounding_slack` returns it.
    X : ndarray of shape (n_samples, at least n_features), float64
        Values.

    Returns
    -------
    below, up_to : ndarray of shape (n_samples, n_features), int
    """
    shape = len(X), len(sorted_columns)
    below, up_to = np.empty(shape, np.int64), np.empty(shape, np.int64)
    for j, known in enumerate(sorted_columns):
        x, rows = X[:, j], slice(None)
        if len(X) >= _MANY_ROWS:
            rows = np.argsort(x)
            x = x[rows]
        margin = slack[j] + ROUNDING * np.abs(x)
        below[rows, j] = known.searchsorted(x - margin, side="left")
        up_to[rows, j] = known.searchsorted(x + margin, side="right")
    return below, up_to


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

    def depths(self, X, found=None, known=None):
        """Return the depth of every value of rows `X`, shape (n_samples, n_features).

        `found` is what `places` has said of them, where that is known. Rows that are among those
        of the fit (`known`, bool; None: none is) are compared with the others alone.
        """
        n = self.sorted_.shape[1]
        below, up_to = self.places(X) if found is None else found
        rarer = np.minimum(up_to, n - below)
        own = 0 if known is None else known[:, None].astype(int)
        return -np.log(np.minimum(1.0, 2 * np.maximum(rarer + 1 - own, 1) / (n + 1 - own)))

    def places(self, X):
        """Return the `places` of the values of rows."""
        return places(self.sorted_, self.slack_, float_rows(X))

    def score(self, X):
        """Return the mean depth of rows `X`, shape (n_samples,)."""
        return self.depths(X).mean(axis=1)
