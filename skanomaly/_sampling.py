"""Which rows a training batch holds: order, frequencies, splits and shuffled passes.

Owns row *numbers* only and never touches the rows' values, apart from hashing them once for
a canonical order. NumPy and pandas only. Sample weights are frequencies here: an integer
weight w gives the very plan that w copies of the row would give.
"""

import numpy as np
import pandas as pd

#: Integer weights count as exact repetitions up to this mean weight; larger ones are relative.
MAX_MEAN_FREQUENCY = 100
_HASH_BLOCK = 65_536


def canonical_order(X, y=None):
    """Return the rows' order by content, which does not depend on the order they came in.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,), default=None
        Labels; rows that differ in their label alone are told apart.

    Returns
    -------
    order : ndarray of shape (n_samples,), uint32 or int64
        ``X[order]`` is the same for every permutation of the rows of `X`.
    """
    hashes = np.empty(len(X), np.uint64)
    step = min(getattr(X, "block_rows", _HASH_BLOCK), _HASH_BLOCK)
    read = getattr(X, "content", X.__getitem__)  # a view knows quicker ways to tell rows apart
    for start in range(0, len(X), step):
        block = np.asarray(read(slice(start, start + step)), dtype=np.float32)
        frame = pd.DataFrame(block + np.float32(0))  # -0.0 and 0.0 are one value
        if y is not None:
            frame["y"] = np.asarray(y[start : start + step], dtype=np.float64)
        hashes[start : start + step] = pd.util.hash_pandas_object(frame, index=False)
    return _compact(np.argsort(hashes, kind="stable"), len(X))


def repeat_rows(order, sample_weight=None):
    """Return the row number of every slot of one pass over the data.

    Parameters
    ----------
    order : ndarray of shape (n_samples,)
        Canonical order of the rows.
    sample_weight : ndarray of shape (n_samples,), default=None
        Frequencies. Whole numbers are repetitions. Fractions, and whole numbers with a mean
        above `MAX_MEAN_FREQUENCY`, are relative: a pass then has as many slots as there are
        rows with a positive weight, handed out in proportion.

    Returns
    -------
    rows : ndarray of shape (n_slots,)
        Row numbers in canonical order; rows of weight zero are absent.
    """
    if sample_weight is None:
        return order
    weight = np.asarray(sample_weight, dtype=np.float64)[order]
    total, positive = weight.sum(), int((weight > 0).sum())
    whole = np.array_equal(weight, np.rint(weight))
    slots = int(total) if whole and total <= MAX_MEAN_FREQUENCY * positive else positive
    places = (np.arange(slots) + 0.5) * (total / slots)
    return order[np.searchsorted(np.cumsum(weight), places, side="right")]


def split_rows(rows, fraction, rng, strata=None):
    """Split slots at random into a training and a validation part.

    Parameters
    ----------
    rows : ndarray of shape (n_slots,)
        Row numbers.
    fraction : float
        Share of the slots to hold out, in (0, 1).
    rng : numpy.random.Generator
        Source of randomness.
    strata : ndarray of shape (n_samples,), default=None
        Class of each *row*; every class is split in the same proportion, and a class keeps
        at least one slot for training.

    Returns
    -------
    train, validation : ndarray
        Row numbers; `validation` is empty when there are too few slots.
    """
    groups = [rows] if strata is None else [rows[strata[rows] == s] for s in np.unique(strata)]
    parts = [_split_one(group, fraction, rng) for group in groups]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _split_one(rows, fraction, rng):
    shuffled = rng.permutation(rows)
    held = min(round(fraction * len(rows)), len(rows) - 1)
    return shuffled[held:], shuffled[:held]


def epoch_batches(rows, batch_size, rng):
    """Cut one shuffled pass into batches, the last of them as short as it comes.

    Returns
    -------
    index : ndarray of shape (n_batches, batch_size)
        Row numbers; the places beyond a batch's count repeat its pass's first row.
    counts : ndarray of shape (n_batches,), int32
        Rows in each batch.
    """
    shuffled = rng.permutation(rows)
    batches = -(-len(rows) // batch_size)
    padding = batches * batch_size - len(rows)
    counts = np.full(batches, batch_size, np.int32)
    counts[-1] -= padding
    index = np.concatenate([shuffled, np.repeat(shuffled[:1], padding)]) if padding else shuffled
    return index.reshape(batches, batch_size), counts


class StepStream:
    """Full batches cut from an endless row of shuffled passes.

    Used when the budget is counted in steps: with fewer rows than a batch holds, a batch
    spans several passes.
    """

    def __init__(self, rows, batch_size, rng):
        self.rows, self.batch_size, self.rng = rows, batch_size, rng
        self.left = rows[:0]

    def take(self, n_batches):
        """Return the next batches as `epoch_batches` does, all of them full."""
        need = n_batches * self.batch_size
        parts, have = [self.left], len(self.left)
        while have < need:
            parts.append(self.rng.permutation(self.rows))
            have += len(self.rows)
        stream = np.concatenate(parts)
        self.left = stream[need:]
        counts = np.full(n_batches, self.batch_size, np.int32)
        return stream[:need].reshape(n_batches, self.batch_size), counts


def _compact(order, n):
    """Return row numbers in four bytes each where that is enough."""
    return order.astype(np.uint32) if n < 2**32 else order
