"""Samples of rows by the hash of their content, which merge to the sample of all rows.

Owns which rows are kept of how many, and how often each of them counts. The rows of a table give
the same sample however they are cut, ordered and merged. NumPy and pandas only.
"""

import numpy as np
import pandas as pd

#: A row that makes up more than so many times its part of a full sample is always in it.
FREQUENT = 4


class Sample:
    """The different rows with the smallest hashes, and how often each of them was met.

    Whether a row is among them depends on its content alone, and a row of all that is in the end
    among the smallest was so in each of the parts: its count is exact.

    Parameters
    ----------
    hashes : ndarray of shape (n_samples,), uint64
        Hashes of rows.
    weight : ndarray of shape (n_samples,)
        How often each of them counts.
    rows : ndarray or DataFrame of shape (n_samples, n_features)
        The rows.
    size : int
        Different rows to keep.

    Attributes
    ----------
    hashes : ndarray of shape (n_kept,)
        Sorted.
    counts : ndarray of shape (n_kept,)
        How often each was met.
    total : float
        Weight of all rows met, kept or not.
    frequent : Frequent
        What was met most often.
    """

    def __init__(self, hashes, weight, rows, size):
        unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        counts = np.bincount(inverse, weight, minlength=len(unique))
        self.size, self.total = size, float(weight.sum())
        self.hashes, self.counts = unique[:size], counts[:size]
        self.rows = take(rows, first[:size])
        self.complete = len(unique) <= size
        self.frequent = Frequent(unique, counts, size)

    def merge(self, other):
        """Return the sample of two parts together."""
        both = Sample(
            np.concatenate([self.hashes, other.hashes]),
            np.concatenate([self.counts, other.counts]),
            stacked([self.rows, other.rows]),
            self.size,
        )
        both.total = self.total + other.total
        both.complete &= self.complete and other.complete
        both.frequent = self.frequent.merge(other.frequent)
        return both

    def candidates(self):
        """Return the hashes of rows that are perhaps frequent, but whose counts are not known."""
        if self.complete:
            return self.hashes[:0]
        return np.setdiff1d(self.frequent.above(self.least()), self.hashes)

    def least(self):
        """Return from how many on a row is frequent."""
        return FREQUENT * self.total / self.size

    def final(self, size, counted=None):
        """Return at most `size` rows, and how often each stands for a row of the table.

        Parameters
        ----------
        size : int
            Rows to keep.
        counted : Sample, default=None
            The candidates, with their counts.

        Returns
        -------
        rows : ndarray or DataFrame
            In the order of their hashes.
        weight : ndarray of shape (n_rows,)
            These add up to the weight of all rows; equal where nothing occurs twice.
        """
        if self.complete and len(self.hashes) <= size:
            return self.rows, self.counts
        every = self if counted is None else self._with(counted)
        often = every.counts >= FREQUENT * self.total / size
        kept = np.sort(np.argsort(~often, kind="stable")[:size])  # else by hash
        weight, seldom = every.counts[kept], ~often[kept]
        if seldom.any():
            weight[seldom] *= (self.total - weight[~seldom].sum()) / weight[seldom].sum()
        return take(every.rows, kept), weight

    def _with(self, counted):
        often = counted.counts >= self.least()
        parts = (
            np.concatenate([self.hashes, counted.hashes[often]]),
            np.concatenate([self.counts, counted.counts[often]]),
            stacked([self.rows, take(counted.rows, np.flatnonzero(often))]),
        )
        both = Sample(*parts, len(parts[0]))
        both.total, both.size = self.total, self.size
        return both


class Frequent:
    """What was met most often (Misra and Gries, 1982; merged as by Agarwal et al., 2012).

    Parameters
    ----------
    hashes, counts : ndarray of shape (n,)
        What was met, and how often.
    size : int
        Counters to keep.

    Attributes
    ----------
    lacking : float
        What any count lacks at most: 1 / (size + 1) of all that was met.
    """

    def __init__(self, hashes, counts, size):
        self.size, self.lacking = size, 0.0
        self.hashes, self.counts = hashes, counts
        if len(counts) > size:
            place = len(counts) - size - 1
            self.lacking = float(np.partition(counts, place)[place])
            left = counts > self.lacking
            self.hashes, self.counts = hashes[left], counts[left] - self.lacking

    def merge(self, other):
        """Return what was met most often in both."""
        hashes, inverse = np.unique(
            np.concatenate([self.hashes, other.hashes]), return_inverse=True
        )
        counts = np.bincount(inverse, np.concatenate([self.counts, other.counts]), len(hashes))
        both = Frequent(hashes, counts, self.size)
        both.lacking += self.lacking + other.lacking
        return both

    def above(self, least):
        """Return the hashes of all that may have been met so often, or more."""
        return self.hashes[self.counts + self.lacking >= least]


class LabelledSample:
    """A `Sample` for each label, so that those that are rare are not lost.

    Parameters
    ----------
    samples : dict of label to Sample
        One of the label None where there are no labels, or for rows without one.
    """

    def __init__(self, samples):
        self.samples = samples

    def merge(self, other):
        """Return the samples of two parts together."""
        merged = dict(self.samples)
        for label, sample in other.samples.items():
            merged[label] = merged[label].merge(sample) if label in merged else sample
        return LabelledSample(merged)

    def complete(self, size):
        """Tell whether all different rows together are no more than `size`."""
        samples = self.samples.values()
        return all(s.complete for s in samples) and sum(len(s.hashes) for s in samples) <= size

    def candidates(self):
        """Return {label: hashes of rows that have to be counted}, for labels that have such."""
        found = {label: sample.candidates() for label, sample in self.samples.items()}
        return {label: hashes for label, hashes in found.items() if len(hashes)}

    def final(self, size, counted):
        """Return rows, labels and weights of at most `size` rows.

        A label has as many of them as its share of all rows, but at least a twentieth where it
        has so many rows.

        Parameters
        ----------
        size : int
            Rows to keep.
        counted : LabelledSample or None
            The candidates with their counts.

        Returns
        -------
        rows : ndarray or DataFrame
        labels : ndarray of object or None
        weight : ndarray
            How often each counts; relative to the others of its label where not all are kept.
        """
        counted = {} if counted is None else counted.samples
        rows, labels, weights = [], [], []
        for label, quota in self._quotas(size).items():
            kept, weight = self.samples[label].final(quota, counted.get(label))
            rows.append(kept)
            labels.append(np.full(len(weight), label, dtype=object))
            weights.append(weight if self.complete(size) else weight / weight.mean())
        labelled = self.samples.keys() != {None}
        labels = _plain(np.concatenate(labels)) if labelled else None
        return stacked(rows), labels, np.concatenate(weights)

    def _quotas(self, size):
        """Return how many rows each label gets; the most frequent label gets what is left."""
        if self.complete(size):
            return {label: len(sample.hashes) for label, sample in self.samples.items()}
        order = sorted(self.samples, key=lambda label: (self.samples[label].total, repr(label)))
        total, least = sum(s.total for s in self.samples.values()), size // 20
        quotas = {}
        for label in order[:-1]:
            sample = self.samples[label]
            wanted = max(round(size * sample.total / total), least)
            quotas[label] = min(len(sample.hashes), wanted)
        quotas[order[-1]] = max(size - sum(quotas.values()), 1)
        return quotas


def labelled_sample(hashes, weight, rows, labels, size):
    """Return a `LabelledSample` of rows; `labels` are objects, None for none."""
    if labels is None:
        return LabelledSample({None: Sample(hashes, weight, rows, size)})
    samples = {}
    for label in pd.unique(labels):
        part = np.flatnonzero(labels == label if label is not None else _are_none(labels))
        samples[label] = Sample(hashes[part], weight[part], take(rows, part), size)
    return LabelledSample(samples)


def _plain(labels):
    """Return labels as an array of their own type, where none is missing."""
    return labels if _are_none(labels).any() else np.asarray(labels.tolist())


def _are_none(labels):
    return np.array([label is None for label in labels], dtype=bool)


def take(rows, places):
    """Return some rows of an array or a table."""
    return rows.iloc[places] if isinstance(rows, pd.DataFrame) else rows[places]


def stacked(tables):
    """Return tables below each other; categories that not all of them have are joined."""
    if not isinstance(tables[0], pd.DataFrame):
        return np.concatenate(tables)
    filled = [table for table in tables if len(table)] or tables[:1]
    columns = filled[0].columns
    joined = [_joined([table[name] for table in filled]) for name in columns]
    return pd.DataFrame(dict(enumerate(joined))).set_axis(columns, axis=1)


def _joined(columns):
    kinds = {column.dtype for column in columns}
    if len(kinds) > 1 and all(isinstance(kind, pd.CategoricalDtype) for kind in kinds):
        return pd.api.types.union_categoricals(columns, ignore_order=True, sort_categories=True)
    return pd.concat(columns, ignore_index=True)


def spread(weight):
    """Return as many places as there are weights, each place as often as its weight says.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.distributed._sample import spread
    >>> spread(np.array([1.0, 2.0, 0.1]))
    array([0, 1, 1])
    """
    ends = np.cumsum(weight)
    middles = (np.arange(len(weight)) + 0.5) * (ends[-1] / len(weight))
    return np.minimum(np.searchsorted(ends, middles, side="right"), len(weight) - 1)
