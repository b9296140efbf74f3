"""From scores to decisions: what every detector answers once it has scores and a threshold.

Owns: the signs and labels of outlier detectors. Does not own: scores, or how a threshold is
found; a detector brings ``fit``, ``score_samples`` and ``offset_``.
"""

import numpy as np
from sklearn.base import OutlierMixin


class DecisionMixin(OutlierMixin):
    """Predictions of a detector with `score_samples` and `offset_`."""

    def fit_predict(self, X, y=None, **fit_params):
        """Fit on `X` (and `y`, where the detector uses labels) and label the same rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), default=None
            Passed to `fit`.
        **fit_params : dict
            Passed to `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
            +1 for normal rows, -1 for anomalies.
        """
        return self.fit(X, y, **fit_params).predict(X)

    def predict(self, X):
        """Label rows: +1 for normal rows, -1 for anomalies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
            The sign of `decision_function`; a row on the threshold is normal.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def decision_function(self, X):
        """Return `score_samples` less the threshold `offset_`: negative for anomalies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            Signed distance from the threshold.
        """
        return self.score_samples(X) - self.offset_

    def __sklearn_is_fitted__(self):
        return "offset_" in vars(self)
