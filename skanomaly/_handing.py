"""Hands labels on to splitters, detectors and metrics that read them themselves.

Owns: in which coding they get them. Does not own: the meaning of labels (``_labels``).
"""

import numpy as np


def labels_for(consumer, y, coded):
    """Return y as it came to whoever names the anomaly itself, -1/+1 to everybody else."""
    if hasattr(consumer, "get_params"):
        params = consumer.get_params()
    else:
        params = getattr(consumer, "__dict__", {})
    own = [value for name, value in params.items() if name.endswith("anomaly_label")]
    return y if any(not isinstance(value, str) or value != "auto" for value in own) else coded


def recode(labels):
    """Return labels read before in a coding that needs no guessing."""
    return np.where(labels == 0, np.nan, labels) if (labels == 0).any() else labels


def n_rows(X):
    """Return the number of rows of an array, a frame or a list."""
    return X.shape[0] if hasattr(X, "shape") else len(X)
