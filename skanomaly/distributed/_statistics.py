"""Statistics of columns that can be merged: of parts of a table, and then of all of it.

Owns counts, moments, extremes and the number of different values. Quantiles come from the sample
(``distributed._sample``). NumPy and pandas only.
"""

from functools import reduce

import numpy as np
import pandas as pd

from skanomaly.distributed._content import mixed

#: Different values of a category that are counted exactly; beyond, their number is estimated
#: from so many hashes, with a standard error of 3%.
MAX_COUNTED = 1024


_BLOCK_ROWS = 8192


def column_statistics(values, weight, is_categorical):
    """Return `ColumnStatistics` of any number of rows, few of them at a time."""
    starts = range(0, max(len(values), 1), _BLOCK_ROWS)
    blocks = [slice(start, start + _BLOCK_ROWS) for start in starts]
    parts = (ColumnStatistics(values[b], weight[b], is_categorical) for b in blocks)
    return reduce(ColumnStatistics.merge, parts)


class ColumnStatistics:
    """Count, mean, squared deviations, extremes and different values of each column.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features), float64
        Numbers, NaN for what is missing, identifiers for categories.
    weight : ndarray of shape (n_samples,)
        How often each row counts.
    is_categorical : ndarray of shape (n_features,), bool
        Which columns are categories.
    """

    def __init__(self, values, weight, is_categorical):
        known = ~np.isnan(values)
        counted = weight[:, None] * known
        self.is_categorical = is_categorical
        self.count, self.missing = counted.sum(axis=0), weight @ ~known
        with np.errstate(all="ignore"):
            self.mean = np.where(known, values, 0.0)
            self.mean = _ratio((counted * self.mean).sum(axis=0), self.count)
            deviation = np.where(known, values - self.mean, 0.0)
            self.m2 = (counted * np.square(deviation)).sum(axis=0)
        present = known & (weight > 0)[:, None]
        self.low = np.min(values, axis=0, initial=np.inf, where=present)
        self.high = np.max(values, axis=0, initial=-np.inf, where=present)
        self.different = [
            _smallest_hashes(values[present[:, j], j]) if is_categorical[j] else None
            for j in range(values.shape[1])
        ]

    def merge(self, other):
        """Return the statistics of two parts together (Chan, Golub and LeVeque, 1979)."""
        both = object.__new__(type(self))
        both.is_categorical = self.is_categorical | other.is_categorical
        both.count, both.missing = self.count + other.count, self.missing + other.missing
        with np.errstate(all="ignore"):
            shift, share = other.mean - self.mean, _ratio(other.count, both.count)
            both.mean = self.mean + np.where(share > 0, shift * share, 0.0)
            both.m2 = self.m2 + other.m2 + np.square(shift) * self.count * share
        both.low, both.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        pairs = zip(self.different, other.different, strict=True)
        both.different = [_merged_hashes(*pair) for pair in pairs]
        return both

    def table(self, names, quantiles):
        """Return a DataFrame with a line for each column.

        Parameters
        ----------
        names : sequence
            What the columns are called.
        quantiles : ndarray of shape (3, n_features)
            At 0.25, 0.5 and 0.75.
        """
        numbers = ~self.is_categorical & (self.count > 0)
        with np.errstate(all="ignore"):
            deviation = np.sqrt(_ratio(self.m2, self.count))
        columns = {"mean": self.mean, "std": deviation, "min": self.low, "25%": quantiles[0]}
        columns |= {"50%": quantiles[1], "75%": quantiles[2], "max": self.high}
        columns = {name: np.where(numbers, value, np.nan) for name, value in columns.items()}
        counts = {"count": self.count, "missing": self.missing}
        counts["n_categories"] = [_n_different(hashes) for hashes in self.different]
        return pd.DataFrame(counts | columns, index=pd.Index(names))


def _ratio(part, whole):
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _smallest_hashes(values):
    hashes = mixed(np.unique(values).view(np.uint64))
    return np.sort(hashes)[: MAX_COUNTED + 1]


def _merged_hashes(one, other):
    if one is None or other is None:
        return one if other is None else other
    return np.union1d(one, other)[: MAX_COUNTED + 1]


def _n_different(hashes):
    """Return how many values there are, from the smallest hashes (Bar-Yossef et al., 2002)."""
    if hashes is None:
        return np.nan
    if len(hashes) <= MAX_COUNTED:
        return float(len(hashes))
    return float(round((len(hashes) - 1) / ((float(hashes[-1]) + 1) / 2**64)))
