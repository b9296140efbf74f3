"""Which rows a training batch holds: shuffled passes over row numbers, endless or by epochs.

Owns row numbers only; NumPy only.
"""

import numpy as np


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
