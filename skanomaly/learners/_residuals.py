"""Compares rows with what networks make of them, feature by feature: numbers and categories.

Owns residuals and their units, the same for a number and for a category: 0 is a perfect
reconstruction, 1 is the error of always answering the mean (the shares of the values, for a
category). NumPy only.
"""

import numpy as np

from skanomaly.preprocessing._scaling import CLIP


class Reconstruction:
    """Reads what networks answer to scaled rows.

    Parameters
    ----------
    layout : skanomaly.preprocessing._categories.Layout, default=None
        Where numbers and categories lie; None for numbers alone.
    scaler : skanomaly.preprocessing._scaling.RowScaler, default=None
        Scale of the rows; None for rows as they are.
    """

    def __init__(self, layout=None, scaler=None):
        self.layout, self.scaler = layout, scaler

    def values(self, outputs):
        """Return answers as scaled rows, float64, with shares for the logits of categories."""
        outputs = np.array(outputs, dtype=np.float64)
        if self.layout is None:
            return outputs
        for start, stop in self.layout.blocks:
            share = np.exp(_log_softmax(outputs[..., start:stop]))
            if self.scaler is not None:
                share = (share - self.scaler.mean_[start:stop]) / self.scaler.scale_[start:stop]
            outputs[..., start:stop] = share
        return outputs

    def residuals(self, outputs, Z, missing=None):
        """Return residuals of features, (..., n_features).

        Parameters
        ----------
        outputs : ndarray of shape (..., width)
            Answers.
        Z : ndarray of a shape that fits
            Scaled rows.
        missing : ndarray of shape (..., n_features), bool, default=None
            What is missing: residual 0, and the others of the row grow, so that their
            mean square is that of the values that are there.

        Returns
        -------
        residuals : ndarray of float64
            Answer less value for numbers; for categories the root of their cross-entropy in
            units of the column's entropy. Numbers come first.
        """
        if self.layout is None:
            residuals = np.subtract(outputs, Z, dtype=np.float64)
        else:
            residuals = self._mixed(np.asarray(outputs, np.float64), Z)
        if missing is None:
            return residuals
        there = missing.shape[-1] - np.count_nonzero(missing, axis=-1, keepdims=True)
        growth = np.sqrt(missing.shape[-1] / np.maximum(there, 1))
        return np.where(missing, 0.0, residuals * growth)

    def _mixed(self, outputs, Z):
        n = self.layout.n_numbers
        parts = [outputs[..., :n] - Z[..., :n]]
        for (start, stop), entropy in zip(self.layout.blocks, self.layout.entropies, strict=True):
            log_shares = _log_softmax(outputs[..., start:stop])
            hot = np.argmax(Z[..., start:stop], axis=-1, keepdims=True)
            hot = np.broadcast_to(hot, (*log_shares.shape[:-1], 1))
            surprise = -np.take_along_axis(log_shares, hot, axis=-1) / entropy
            parts.append(np.minimum(np.sqrt(surprise), CLIP))
        return np.concatenate(parts, axis=-1)

    def to_features(self, values, rows):
        """Bring encoded values to one column a feature, in the order of the data.

        Parameters
        ----------
        values : ndarray of shape (n_samples, width)
            Reconstruction in the units of the encoded data.
        rows : ndarray of shape (n_samples, width)
            Encoded rows, NaN where something is missing.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features)
            For a category the probability of the row's own value.
        """
        parts = [values[:, : self.layout.n_numbers]]
        for start, stop in self.layout.blocks:
            own = values[:, start:stop] * rows[:, start:stop]
            parts.append(own.sum(axis=1, keepdims=True))
        return self.in_order(np.concatenate(parts, axis=1))

    def in_order(self, values):
        """Bring one column a feature, numbers first, to the order of the data."""
        if self.layout is None:
            return values
        features = np.empty_like(values)
        features[:, self.layout.order] = values
        return features


def _log_softmax(logits):
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
