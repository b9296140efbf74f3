"""What a network that tells columns from each other expected, beside the values seen.

Owns how chances of bins become numbers and words. Does not own: surprises themselves
(``learners._masked_bins``), or the tables around all this (``inspection._explain``).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

#: Rows whose chances are held at a time.
_BLOCK_ROWS = 1024
#: Numbers are expected between these quantiles; so much of the chances is spelt out of categories,
#: in this number of values at most.
_RANGE, _SPELT_OUT, _MOST_VALUES = (0.05, 0.95), 0.9, 3


class Surprises(NamedTuple):
    """Shares in the score, the values to be expected, and words for their distribution."""

    shares: np.ndarray
    expected: pd.DataFrame
    likely: pd.DataFrame


def surprises_of(detector, X, background):
    """Return the `Surprises` of rows; None where they are no part of a detector's score.

    Parameters
    ----------
    detector : estimator
        A fitted detector.
    X : ndarray or DataFrame of shape (n_samples, n_features)
        Rows.
    background : ndarray or DataFrame, default=None
        Rows that hold the values of categories by name; without it they have none.

    Returns
    -------
    surprises : Surprises or None
        (n_samples, n_features) each; the words are such as "3.1 to 4.7" or "red 80%, blue 15%".
    """
    if not hasattr(detector, "_told"):
        return None
    take = X.iloc if isinstance(X, pd.DataFrame) else X
    parts = []
    for start in range(0, len(X), _BLOCK_ROWS):
        found = detector._told(take[start : start + _BLOCK_ROWS], background)
        if found is None:
            return None
        parts.append(_read(*found))
    shares, expected, likely = zip(*parts, strict=True)
    return Surprises(np.concatenate(shares), pd.concat(expected), pd.concat(likely))


def _read(shares, chances, values):
    parts = [
        (_of_category if middles.dtype == object else _of_number)(chances[:, j], middles)
        for j, middles in enumerate(values)
    ]
    return shares, *(pd.DataFrame(dict(enumerate(each))) for each in zip(*parts, strict=True))


def _of_number(chances, middles):
    """Return the median of a distribution over bins, and words for where its middle lies."""
    reached = np.cumsum(chances, axis=1)
    low, median, high = (
        middles[np.minimum((reached < share).sum(axis=1), len(middles) - 1)]
        for share in (_RANGE[0], 0.5, _RANGE[1])
    )
    words = [
        f"{a:.4g}" if a == b else f"{a:.4g} to {b:.4g}" for a, b in zip(low, high, strict=True)
    ]
    return median, np.array(words, dtype=object)


def _of_category(chances, names):
    """Return the likeliest value of each row, and words for the likely ones."""
    values = pd.unique(pd.Series(names, dtype=object))  # bins beside all values repeat an end
    totals = np.column_stack([chances[:, names == value].sum(axis=1) for value in values])
    order = np.argsort(-totals, axis=1, kind="stable")[:, :_MOST_VALUES]
    sorted_ = np.take_along_axis(totals, order, axis=1)
    before = np.cumsum(sorted_, axis=1) - sorted_
    words = [
        ", ".join(
            f"{values[k]} {share:.0%}"
            for k, share, done in zip(*row, strict=True)
            if done < _SPELT_OUT
        )
        for row in zip(order, sorted_, before, strict=True)
    ]
    return np.asarray(values, dtype=object)[order[:, 0]], np.array(words, dtype=object)
