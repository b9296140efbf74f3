"""One pass over rows: what their columns are like, and a sample of them.

Owns what is worked out of one partition and how two such results become one. Does not own how
partitions are reached (``distributed._collections``) or which rows a sample keeps
(``distributed._sample``).
"""

from functools import reduce

import numpy as np
import pandas as pd

from skanomaly.distributed._content import hashes_of, numbers_of
from skanomaly.distributed._sample import labelled_sample, take
from skanomaly.distributed._statistics import column_statistics
from skanomaly.utils._validation import check_weight
from skanomaly.utils._weights import weighted_quantile

#: Different labels at most.
MAX_LABELS = 32


class Summary:
    """What one pass finds out about rows.

    Attributes
    ----------
    n_rows : int
        Rows seen, whatever they weigh.
    sample : LabelledSample
    statistics : ColumnStatistics
    """

    def __init__(self, n_rows, sample, statistics):
        self.n_rows, self.sample, self.statistics = n_rows, sample, statistics

    def merge(self, other):
        """Return the summary of two parts together."""
        return Summary(
            self.n_rows + other.n_rows,
            self.sample.merge(other.sample),
            self.statistics.merge(other.statistics),
        )

    def table(self, names):
        """Return the statistics of columns as a DataFrame, quantiles from the sample."""
        samples = [s for s in self.sample.samples.values() if len(s.hashes)]
        values = np.concatenate([numbers_of(s.rows)[0] for s in samples])
        weight = np.concatenate([s.counts * (s.total / s.counts.sum()) for s in samples])
        return self.statistics.table(names, _quantiles(values, weight))

    def rank_error(self):
        """Return how far off the ranks of quantiles are at most, with a probability of 99%."""
        if all(sample.complete for sample in self.sample.samples.values()):
            return 0.0
        n = sum(len(sample.hashes) for sample in self.sample.samples.values())
        return float(np.sqrt(np.log(2 / 0.01) / (2 * n)))  # Massart, 1990


def _quantiles(values, weight):
    quantiles = np.full((3, values.shape[1]), np.nan)
    for j, column in enumerate(values.T):
        known = ~np.isnan(column)
        if known.any():
            quantiles[:, j] = weighted_quantile(column[known], [0.25, 0.5, 0.75], weight[known])
    return quantiles


def summarise(rows, labels, weight, size):
    """Return the `Summary` of one partition, with samples of `size` rows."""
    values, is_categorical = numbers_of(rows)
    _refuse_infinite(values, rows)
    weight = _checked_weight(weight, len(rows))
    labels = None if labels is None else labels_of(labels)
    statistics = column_statistics(values, weight, is_categorical)
    counted = np.flatnonzero(weight > 0)
    parts = hashes_of(values[counted]), weight[counted], take(rows, counted)
    sample = labelled_sample(*parts, None if labels is None else labels[counted], size)
    if len(sample.samples) > MAX_LABELS:
        raise ValueError(
            f"y holds {len(sample.samples)} different values where labels are expected, at most "
            f"{MAX_LABELS}. Pass the column that says which rows are anomalies."
        )
    return Summary(len(rows), sample, statistics)


def count_rows(rows, labels, weight, candidates):
    """Return a `LabelledSample` of the rows with given hashes, all of which are kept.

    Parameters
    ----------
    rows, labels, weight : object
        A partition.
    candidates : dict of label to ndarray of uint64
        Hashes.
    """
    hashes, weight = hashes_of(numbers_of(rows)[0]), _checked_weight(weight, len(rows))
    labels = None if labels is None else labels_of(labels)
    wanted = np.zeros(len(hashes), dtype=bool)
    for label, some in candidates.items():
        mine = True if labels is None else np.array([known == label for known in labels], bool)
        wanted |= np.isin(hashes, some) & mine
    places = np.flatnonzero(wanted & (weight > 0))
    size = max(sum(map(len, candidates.values())), 1)
    kept = None if labels is None else labels[places]
    return labelled_sample(hashes[places], weight[places], take(rows, places), kept, size)


def merged(parts):
    """Return what a list of results that merge comes to together."""
    return reduce(lambda one, other: one.merge(other), parts)


def _checked_weight(weight, n_rows):
    """Return weights in float64; of fractions so many digits that sums do not depend on order."""
    if weight is None:
        return np.ones(n_rows)
    weight = check_weight(np.asarray(weight), n_rows, relative=False)
    whole = np.array_equal(weight, np.rint(weight))
    return weight if whole else weight.astype(np.float32).astype(np.float64)


def _refuse_infinite(values, rows):
    infinite = np.isinf(values).any(axis=0)
    if infinite.any():
        place = int(np.argmax(infinite))
        name = rows.columns[place] if isinstance(rows, pd.DataFrame) else place
        raise ValueError(
            f"the column {name!r} holds infinite values. Expected finite numbers, or NaN for what "
            "is missing. Replace them, or leave these rows out."
        )


def labels_of(y):
    """Return labels as plain objects, None for those that are missing."""
    column = pd.Series(np.asarray(y, dtype=object).reshape(-1))
    values = [value.item() if hasattr(value, "item") else value for value in column]
    labels = np.empty(len(values), dtype=object)
    labels[:] = values
    labels[pd.isna(column).to_numpy()] = None
    return labels
