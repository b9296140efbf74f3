"""What channels say of each other: a channel that goes on as ever, but no longer with the others.

Owns the linear relations between the channels at one time stamp. Does not own: what is made of a
channel's distance from what the others say (``_located``).
"""

import numpy as np

from skanomaly.meta._courses import centre_and_scale

#: Share of a channel's variance that the others explain at least, to say what it should be. Noise
#: in the measurement, as a share of the variance, bounds what they can explain.
_EXPLAINED, _NOISE = 0.7, 1e-3
#: Residuals are cut there, in standard deviations.
_MOST = 1e6


class ChannelRelations:
    """Linear relations of each channel to all others.

    Attributes
    ----------
    channels_ : ndarray of int
        Channels that the others say something of.
    """

    def fit(self, X, steady):
        """Learn relations.

        Parameters
        ----------
        X : ndarray of shape (n, n_channels)
            Training series; missing values count as the mean.
        steady : ndarray of shape (n_channels,), bool
            Channels to relate: those that wander seem to depend on each other.

        Returns
        -------
        self : ChannelRelations
        """
        n_channels = X.shape[1]
        self.centre_ = np.zeros(n_channels)
        self.channels_ = np.empty(0, dtype=int)
        self.weights_ = np.empty((n_channels, 0))
        mean, scale = centre_and_scale(X)
        Z = np.nan_to_num((X - mean) / scale)
        some = np.flatnonzero(steady & (Z**2).any(axis=0))  # constants have no relations
        if not 2 <= len(some) < len(X) / 4:
            return self
        self.centre_[some], Z = mean[some], Z[:, some]
        inverse = np.linalg.inv(Z.T @ Z / len(Z) + _NOISE * np.eye(len(some)))
        unexplained = 1 / np.diag(inverse)
        told = unexplained < 1 - _EXPLAINED
        self.channels_ = some[told]
        self.weights_ = np.zeros((n_channels, told.sum()))
        own = inverse * np.sqrt(unexplained)  # residuals in their own standard deviations
        self.weights_[some] = own[:, told] / scale[some, None]
        return self

    def residuals(self, X):
        """Return what the channels in `channels_` have more than the others say they should.

        Returns
        -------
        residuals : ndarray of shape (n, len(channels_))
            In standard deviations of the training series.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            residuals = np.nan_to_num(X - self.centre_) @ self.weights_
        return np.clip(np.nan_to_num(residuals), -_MOST, _MOST)

    def by_channel(self, parts):
        """Add the parts of residuals, (..., n_channels + len(channels_)), to their channels'."""
        n_channels = len(self.centre_)
        total = np.array(parts[..., :n_channels])
        total[..., self.channels_] += parts[..., n_channels:]
        return total
