"""Scores from views: what the ways of `anomaly_score` make of residuals and inner codes.

Each is fitted on scaled rows Z (n_samples, n_columns) and their views, the members' residuals and
codes (n_members, n_samples, any), and then scores such rows: high for abnormal ones. Does not own
the views (``_answers``) or the channels (``_channels``).
"""

import numpy as np

from skanomaly._channels import ScoreChannels
from skanomaly._mahalanobis import Mahalanobis


class EnsembleScore:
    """All channels of the multiscale recipe."""

    def __init__(self, seed):
        self.channels = ScoreChannels(seed=seed)

    def fit(self, Z, residual, codes):
        """Learn what is normal from a sample of training rows."""
        # the sample comes in canonical order already
        self.channels.fit(Z, residual, codes, order=np.arange(len(Z)))
        return self

    def score(self, Z, residual, codes):
        """Return scores, (n_samples,)."""
        return self.channels.score(Z, residual, codes)


class MahalanobisScore:
    """Log squared Mahalanobis distance, mean over the members."""

    def __init__(self, seed):
        self.members = []

    def fit(self, Z, residual, codes):
        """Learn what is normal from a sample of training rows."""
        features = self._features(residual, codes)
        self.members = [Mahalanobis().fit(a) for a in features]
        return self

    def score(self, Z, residual, codes):
        """Return scores, (n_samples,)."""
        pairs = zip(self.members, self._features(residual, codes), strict=True)
        return np.mean([member.score(a) for member, a in pairs], axis=0)

    def _features(self, residual, codes):
        return np.concatenate([residual, codes], axis=2)


class ResidualScore(MahalanobisScore):
    """The same on the residual alone."""

    def _features(self, residual, codes):
        return residual


SCORERS = {"ensemble": EnsembleScore, "mahalanobis": MahalanobisScore, "residual": ResidualScore}
