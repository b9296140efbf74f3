"""Rows that count as often as their weights say: their order, copies and statistics.

Owns the canonical order of rows, row numbers repeated by weight, and quantiles, means and
deviations with weights. An integer weight w gives what w copies of the row give, rounding aside.
Does not own the drawing of batches, nor checks of user input.
"""

import copy

import numpy as np
import pandas as pd

#: Training rows that neighbours, tails and calibration refer to at most. Mean ROC AUC / average
#: precision of the channels on rows, contaminated training: eight sets of 5,393 to 10,000 rows
#: .783/.372 with 1,024 rows, .787/.372 with 4,096, .794/.378 with 8,192, .795/.378 with all; five
#: sets of 11,183 to 40,000 rows .756/.249, .755/.243, .773/.254, .777/.255. Time is proportional.
MAX_REFERENCE = 8192


def reference_rows(row_indices, max_rows=MAX_REFERENCE, seed=0):
    """Return the numbers of the training rows to keep for comparison, of those of a pass.

    Parameters
    ----------
    row_indices : ndarray of shape (n_drawn,)
        Row numbers of one pass, as `repeat_rows` returns them: the sample then depends neither on
        the order of the rows nor on whether they are repeated or weighted.
    max_rows : int, default=8192
        Draw so many without replacement where there are more.
    seed : int, default=0
        Seed of the draw.

    Returns
    -------
    rows : ndarray of shape (at most max_rows,)
        Row numbers, in canonical order.
    """
    if len(row_indices) <= max_rows:
        return row_indices
    drawn = np.random.default_rng(seed).choice(
        len(row_indices), max_rows, replace=False, shuffle=False
    )
    return row_indices[np.sort(drawn)]


_BLOCK_ROWS = 16_384


def frequencies(sample_weight, n_samples):
    """Return how often each row counts, read as `repeat_rows` reads weights.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_samples,) or None
        Whole numbers are repetitions. Fractions, and whole numbers with a mean above
        `skanomaly.utils._weights.MAX_MEAN_FREQUENCY`, are relative: the positive ones get mean 1.
    n_samples : int
        Number of rows.

    Returns
    -------
    frequency : ndarray of shape (n_samples,), float64
    """
    if sample_weight is None:
        return np.ones(n_samples)
    weight = np.asarray(sample_weight, dtype=np.float64)
    mean = weight.sum() / np.count_nonzero(weight)
    whole = mean <= MAX_MEAN_FREQUENCY and np.array_equal(weight, np.rint(weight))
    return weight if whole else weight / mean


def weighted_quantile(values, q, sample_weight=None):
    """Return quantiles, interpolated linearly, of values with frequencies.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Numbers.
    q : float or sequence of float
        Probabilities in [0, 1].
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights, see `frequencies`.

    Returns
    -------
    quantiles : ndarray of the shape of `q`
        For integer weights ``numpy.quantile(numpy.repeat(values, sample_weight), q)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.utils._weights import weighted_quantile
    >>> float(weighted_quantile(np.array([0.0, 1.0, 5.0]), 0.5, np.array([1, 1, 4])))
    5.0
    """
    if sample_weight is None:
        return np.quantile(values, q)
    return WeightedSample(values, sample_weight).quantile(q)


class WeightedSample:
    """Sorted values, each repeated as often as its weight says, without repeating them.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Numbers.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights, see `frequencies`.

    Attributes
    ----------
    values : ndarray of shape (n_positive,)
        Those with a positive weight, sorted.
    frequency : ndarray of shape (n_positive,) or None
        How often each of them counts; None stands for once.
    """

    def __init__(self, values, sample_weight):
        if sample_weight is None:
            self.values, self.frequency = np.sort(values), None
            return
        frequency = frequencies(sample_weight, len(values))
        order = np.argsort(values, kind="stable")
        order = order[frequency[order] > 0]
        self.values, self.frequency = values[order], frequency[order]

    def at_or_above(self, bound):
        """Return the part of the sample that does not lie below a bound, a view."""
        first = np.searchsorted(self.values, bound)
        part = copy.copy(self)  # read once, frequencies stay what they are in a smaller sample
        part.values = self.values[first:]
        part.frequency = None if self.frequency is None else self.frequency[first:]
        return part

    def count_below(self, bound, side="left"):
        """Return how many values lie below a bound (side "right": or at it)."""
        first = int(np.searchsorted(self.values, bound, side))
        return float(first if self.frequency is None else self.frequency[:first].sum())

    def quantile(self, q):
        """Return quantiles as `weighted_quantile` does, of the shape of `q`."""
        ends = None if self.frequency is None else np.cumsum(self.frequency)
        total = len(self.values) if ends is None else max(round(ends[-1]), 1)
        position = np.asarray(q) * (total - 1)
        rows = np.stack([np.floor(position), np.ceil(position)]).astype(np.int64)
        if ends is not None:
            # Half a row index in, rounding errors of cumulative weights cannot pick the neighbour.
            rows = np.searchsorted(ends, rows + 0.5, side="right")
        low, high = self.values[np.minimum(rows, len(self.values) - 1)]
        return low + (high - low) * (position - np.floor(position))


def column_quantiles(X, q, sample_weight=None):
    """Return quantiles of every column, shape (len(q), n_features).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows.
    q : sequence of float
        Probabilities in [0, 1].
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights, see `frequencies`.

    Returns
    -------
    quantiles : ndarray, float64
    """
    columns = (np.asarray(column, dtype=np.float64) for column in X.T)
    return np.stack([weighted_quantile(c, q, sample_weight) for c in columns], axis=1)


def column_moments(X, weight=None):
    """Return mean and standard deviation of columns, in bounded memory.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows of any finite size: 1e300 does not overflow.
    weight : ndarray of shape (n_samples,), default=None
        Frequencies.

    Returns
    -------
    mean : ndarray of shape (n_features,)
    deviation : ndarray of shape (n_features,)
        1 for columns that are constant up to rounding.
    """
    weight = None if weight is None else frequencies(weight, len(X))
    step = min(getattr(X, "block_rows", _BLOCK_ROWS), _BLOCK_ROWS)
    blocks = [slice(start, start + step) for start in range(0, len(X), step)]
    top = np.max([np.abs(X[rows]).max(axis=0) for rows in blocks], axis=0).astype(np.float64)
    top[top == 0] = 1.0

    def average(centre, power):
        return sum(total(X[rows] / top - centre, power, rows) for rows in blocks) / count

    def total(block, power, rows):
        once = np.ones(len(block)) if weight is None else weight[rows]
        return once @ np.power(block, power, out=block)

    count = len(X) if weight is None else weight.sum()

    mean = average(0.0, 1)
    deviation = np.sqrt(average(mean, 2))
    varied = deviation > 1e-13  # of the largest value: less is rounding in the mean
    return mean * top, np.where(varied, deviation * top, 1.0)


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
    hashes = _hashes(X, y, np.float32)
    order = np.argsort(hashes, kind="stable")
    same = hashes[order[1:]] == hashes[order[:-1]]
    if same.any():  # equal rows, or such as differ beyond single precision
        tied = np.zeros(len(X), dtype=bool)
        tied[order] = np.r_[same, False] | np.r_[False, same]
        order = np.lexsort([_hashes(X, y, np.float64, tied), hashes])
    return _compact(order, len(X))


def _hashes(X, y, dtype, wanted=None):
    """Return hashes of rows as `dtype`; 0 for those that are not wanted."""
    hashes = np.zeros(len(X), np.uint64)
    step = min(getattr(X, "block_rows", _HASH_BLOCK), _HASH_BLOCK)
    read = getattr(X, "content", X.__getitem__)  # a view knows quicker ways to tell rows apart
    for start in range(0, len(X), step):
        span = slice(start, start + step)
        some = slice(None) if wanted is None else wanted[span]
        if wanted is not None and not some.any():
            continue
        block = np.asarray(read(span), dtype=dtype)[some]
        frame = pd.DataFrame(block + dtype(0))  # -0.0 and 0.0 are one value
        if y is not None:
            frame["y"] = np.asarray(y[span], dtype=np.float64)[some]
        hashes[span][some] = pd.util.hash_pandas_object(frame, index=False)
    return hashes


def repeat_rows(order, sample_weight=None, labels=None):
    """Return the row number of every row index of one pass over the data.

    Parameters
    ----------
    order : ndarray of shape (n_samples,)
        Canonical order of the rows.
    sample_weight : ndarray of shape (n_samples,), default=None
        Frequencies. Whole numbers are repetitions. Fractions, and whole numbers with a mean
        above `MAX_MEAN_FREQUENCY`, are relative: a pass then has as many rows as there are
        rows with a positive weight, handed out in proportion.
    labels : ndarray of shape (n_samples,), default=None
        No label drops out for its weight: the heaviest of its rows counts once at least.

    Returns
    -------
    rows : ndarray of shape (n_drawn,)
        Row numbers in canonical order; rows of weight zero are absent.
    """
    if sample_weight is None:
        return order
    weight = np.asarray(sample_weight, dtype=np.float64)[order]
    total, positive = weight.sum(), int((weight > 0).sum())
    whole = np.array_equal(weight, np.rint(weight))
    n_drawn = int(total) if whole and total <= MAX_MEAN_FREQUENCY * positive else positive
    places = (np.arange(n_drawn) + 0.5) * (total / n_drawn)
    drawn = np.searchsorted(np.cumsum(weight), places, side="right")
    if labels is not None:
        own = labels[order]
        lost = np.setdiff1d(own[weight > 0], own[drawn])
        heaviest = [np.argmax(np.where(own == label, weight, 0)) for label in lost]
        drawn = np.sort(np.r_[drawn, np.array(heaviest, drawn.dtype)])
    return order[drawn]


def _compact(order, n):
    """Return row numbers in four bytes each where that is enough."""
    return order.astype(np.uint32) if n < 2**32 else order
