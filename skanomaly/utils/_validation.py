"""Checks of columns of values that metrics and displays share."""

import numpy as np


def check_column(values, name):
    """Return values as a finite float64 column, or say what is wrong with them."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(
            f"{name} must be finite numbers of shape (n_samples,), got shape {values.shape} "
            f"with {np.sum(~np.isfinite(values))} values that are NaN or infinite."
        )
    return values
