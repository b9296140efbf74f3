"""Scores to probabilities of being an anomaly, learnt from labelled rows.

Owns: the two maps. Does not own: which rows they may be learnt from; those must not have been
trained on.
"""

import numpy as np
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

#: Probabilities this near to 0 and 1 still have finite log odds.
_TINY = 1e-12


def platt(margins, is_anomaly):
    """Return slope and intercept of calibrated log odds.

    J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999.

    Parameters
    ----------
    margins : ndarray of shape (n_samples,)
        The higher, the more anomalous.
    is_anomaly : ndarray of shape (n_samples,), bool
        Labels.

    Returns
    -------
    slope, intercept : float
        The slope is never negative.
    """
    n_anomalies, n = np.count_nonzero(is_anomaly), len(is_anomaly)
    # Platt's targets: short of 0 and 1, so that separable classes keep finite odds
    high, low = (n_anomalies + 1) / (n_anomalies + 2), 1 / (n - n_anomalies + 2)
    share = np.where(is_anomaly, high, low)
    scale = max(float(np.std(margins)), 1e-12)
    X = np.tile(margins / scale, 2)[:, None]
    y = np.repeat([1, 0], n)
    model = LogisticRegression(C=1e6, max_iter=1000)
    model.fit(X, y, sample_weight=np.r_[share, 1 - share])
    slope = float(model.coef_[0, 0]) / scale
    if slope <= 0:  # scores that say nothing: the share of anomalies for every row
        return 0.0, float(np.log(max(n_anomalies, 0.5) / max(n - n_anomalies, 0.5)))
    return slope, float(model.intercept_[0])


class SigmoidMap:
    """A logistic curve (Platt, 1999): two numbers, for few labels.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Higher is more normal.
    is_anomaly : ndarray of shape (n_samples,), bool
        Labels.
    centre : float, default=None
        Centre of the scores, their median by default: without one, a large common part of the
        scores would drown their differences. Log odds are centred already, at 0.
    """

    def __init__(self, scores, is_anomaly, centre=None):
        self.centre = float(np.median(scores)) if centre is None else centre
        self.slope, self.intercept = platt(self.centre - scores, is_anomaly)

    def __call__(self, scores):
        """Return probabilities of being an anomaly."""
        return expit(self.log_odds(scores))

    def log_odds(self, scores):
        """Return log odds of being an anomaly, which do not run into 0 and 1."""
        return self.slope * (self.centre - scores) + self.intercept


class IsotonicMap:
    """A falling step function (Zadrozny and Elkan, KDD 2002): any shape, for many labels.

    Parameters
    ----------
    scores, is_anomaly
        As of `SigmoidMap`.
    """

    def __init__(self, scores, is_anomaly):
        curve = IsotonicRegression(y_min=0, y_max=1, increasing=False, out_of_bounds="clip")
        self.curve = curve.fit(scores, is_anomaly.astype(np.float64))

    def __call__(self, scores):
        """Return probabilities of being an anomaly."""
        return self.curve.predict(scores)

    def log_odds(self, scores):
        """Return log odds of being an anomaly, at most 27.6 in size."""
        return logit(np.clip(self(scores), _TINY, 1 - _TINY))


MAPS = {"sigmoid": SigmoidMap, "isotonic": IsotonicMap}
