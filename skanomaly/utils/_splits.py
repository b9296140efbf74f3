"""Splits row numbers for held-out rows, by class where there are classes."""

import numpy as np


def split_rows(rows, fraction, rng, strata=None):
    """Split row indices at random into a training and a validation part.

    Parameters
    ----------
    rows : ndarray of shape (n_slots,)
        Row numbers.
    fraction : float
        Share of the row indices to hold out, in (0, 1).
    rng : numpy.random.Generator
        Source of randomness.
    strata : ndarray of shape (n_samples,), default=None
        Class of each *row*; every class is split in the same proportion, and a class keeps
        at least one row index for training.

    Returns
    -------
    train, validation : ndarray
        Row numbers; `validation` is empty when there are too few row indices.
    """
    groups = [rows] if strata is None else [rows[strata[rows] == s] for s in np.unique(strata)]
    parts = [_split_one(group, fraction, rng) for group in groups]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _split_one(rows, fraction, rng):
    shuffled = rng.permutation(rows)
    held = min(round(fraction * len(rows)), len(rows) - 1)
    return shuffled[held:], shuffled[:held]
