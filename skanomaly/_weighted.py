"""Statistics of rows that count as often as their weights say.

Owns quantiles, means and deviations with weights, and the one reading of weights they share:
that of `skanomaly._sampling.repeat_rows`. An integer weight w gives what w copies of the row
give, rounding aside. Does not own the drawing of rows, nor checks of user input.
"""

import copy

import numpy as np

from skanomaly._sampling import MAX_MEAN_FREQUENCY

_BLOCK_ROWS = 16_384


def frequencies(sample_weight, n_samples):
    """Return how often each row counts, read as `skanomaly._sampling.repeat_rows` reads weights.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_samples,) or None
        Whole numbers are repetitions. Fractions, and whole numbers with a mean above
        `skanomaly._sampling.MAX_MEAN_FREQUENCY`, are relative: the positive ones get mean 1.
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
    >>> from skanomaly._weighted import weighted_quantile
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

    def quantile(self, q):
        """Return quantiles as `weighted_quantile` does, of the shape of `q`."""
        ends = None if self.frequency is None else np.cumsum(self.frequency)
        total = len(self.values) if ends is None else max(round(ends[-1]), 1)
        position = np.asarray(q) * (total - 1)
        rows = np.stack([np.floor(position), np.ceil(position)]).astype(np.int64)
        if ends is not None:
            # Half a slot in, rounding errors of cumulative weights cannot pick the neighbour.
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
