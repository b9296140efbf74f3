"""Uniform noise around the rows, for classifiers that have no anomalies to learn from.

Owns the drawing of that noise alone.
"""

import numpy as np

#: Background rows drawn at most when there is nothing to learn from but the rows themselves.
MAX_BACKGROUND = 100_000
#: How far the uniform background reaches beyond the training rows, in column ranges.
_MARGIN = 0.1


def uniform_background(values, rows, seed):
    """Return uniform rows in the box of the training rows, a tenth wider on every side.

    As many as there are row_indices in a pass, but `MAX_BACKGROUND` at most; float32.
    """
    low, high = np.inf, -np.inf
    distinct = np.unique(rows)
    step = min(getattr(values, "block_rows", MAX_BACKGROUND), MAX_BACKGROUND)
    for start in range(0, len(distinct), step):
        part = values[distinct[start : start + step]]
        low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
    margin = _MARGIN * (high - low) + (high == low)
    rng = np.random.default_rng([seed, 1])
    shape = (min(len(rows), MAX_BACKGROUND), len(low))
    return rng.uniform(low - margin, high + margin, shape).astype(np.float32)
