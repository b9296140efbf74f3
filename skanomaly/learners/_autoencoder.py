"""What an autoencoder makes of rows: reconstructions, inner codes, residuals, and their scores.

Owns the way from checked rows to the network's answers and back to the units of the data. Does not
own: the comparison of answers with rows (``learners._residuals``) or channels of scores
(``scores._channels``).
"""

import numpy as np

from skanomaly.networks._heads import with_codes
from skanomaly.preprocessing._scaling import ScaledRows, in_chunks
from skanomaly.preprocessing._table import missing_columns, missing_features
from skanomaly.scores._channels import ScoreChannels
from skanomaly.scores._mahalanobis import Mahalanobis
from skanomaly.training._predict import forward


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


class AnswersMixin:
    """Reads the network of a detector with `network_`, `_scaler` and `_compare`."""

    def reconstruct(self, X):
        """Return what the network makes of rows, in the units of the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        reconstruction : ndarray of shape (n_samples, n_features), float64
            The mean over the networks. For a category it is the probability of the row's own
            value; NaN where that is missing.
        """

        def one(rows):
            mean = self._compare.values(self._outputs(self._scaled(rows)[0])).mean(axis=1)
            mean = mean if self._scaler is None else self._scaler.inverse_transform(mean)
            if self._compare.layout is None:
                return mean
            return self._compare.to_features(mean, rows.with_missing(slice(None)))

        return in_chunks(one, self._checked_rows(X))

    def encode(self, X):
        """Return the inner codes of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_codes), float64
            Values of the layer called "latent", else of the narrowest inner layer; those of
            several networks side by side.

        Raises
        ------
        ValueError
            If an own `model` has no inner layer to read.
        """
        X = self._checked_rows(X)
        encoder = with_codes(self.network_)

        def one(rows):
            codes = forward(encoder, self._scaled(rows)[0])[1]
            return np.asarray(codes, dtype=np.float64).reshape(len(rows), -1)

        return in_chunks(one, X)

    def _views(self, X):
        """Return scaled rows, and the members' residuals and codes (n_members, n_samples, any)."""
        Z, missing = self._scaled(X)
        Z = np.asarray(Z, dtype=np.float64)
        outputs, codes = forward(with_codes(self.network_), Z)
        outputs, codes = _by_member(outputs), _by_member(codes)
        missing = None if missing is None else missing[None]
        return Z, self._compare.residuals(outputs, Z[None], missing), codes

    def _outputs(self, Z):
        """Return the members' reconstructions, (n_samples, n_members, n_features)."""
        outputs = np.asarray(forward(self.network_, Z), dtype=np.float64)
        return outputs.reshape(len(Z), -1, Z.shape[1])

    def _scaled(self, X):
        """Return scaled rows, and which of their features are missing (None: none is)."""
        Z, missing = ScaledRows(X, self._scaler)[:], missing_features(X)
        if missing is not None:  # the network's own guess of what is missing is the better one
            guess = self._compare.values(self._outputs(Z)).mean(axis=1)
            Z = np.where(missing_columns(X), guess, Z).astype(np.float32)
        return Z, missing

    def _squared_errors(self, X):
        """Return squared errors, (n_samples, n_members, n_features)."""
        Z, missing = self._scaled(X)
        Z = np.asarray(Z, np.float64).reshape(len(Z), 1, -1)
        missing = None if missing is None else missing[:, None]
        return np.square(self._compare.residuals(self._outputs(Z[:, 0]), Z, missing))


def _by_member(values):
    """Bring (n, width) or (n, n_members, width) to (n_members, n, width), float64."""
    values = np.asarray(values, dtype=np.float64)
    return values[None] if values.ndim == 2 else values.transpose(1, 0, 2)
