"""Categories as numbers: identifiers of values, and one-hot columns that weigh as one feature.

Owns what the values of categories become, and where the columns of each category lie. Does not
own which columns hold them (``utils._categories``). NumPy and pandas only; it knows neither
networks nor scores. A missing category is a row of NaN, like a missing number.
"""

import hashlib
import itertools
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

#: Values of a column that get a one-hot column of their own, the most frequent ones; the others
#: share one with values never seen.
MAX_CATEGORIES = 64
#: Share of the rows that so many values must make up to be worth it.
_LEAST_COVER = 0.9
#: Bools as other libraries write them beside missing values.
_TRUTHS = {"True": 1.0, "False": 0.0}
#: Entropy, in nats, below which a column's cross-entropy is not scaled up any further.
_LEAST_ENTROPY = 0.1


def category_ids(column):
    """Return a number for each value of a column: the same in every process and table.

    Parameters
    ----------
    column : pandas.Series
        Values of any kind.

    Returns
    -------
    ids : ndarray of shape (n_samples,), float64
        Numbers and bools, also as texts, stand for themselves, other values for a 52-bit hash
        below -1; NaN is a missing value.
    """
    try:
        codes, values = pd.factorize(column, use_na_sentinel=True)
    except TypeError as error:  # values such as lists cannot be told apart
        raise TypeError(
            f"The values of a category must be strings or numbers ({error}): each argument must "
            "be a string or a number. Turn the column into text, or drop it."
        ) from error
    ids = np.array([_value_id(value) for value in np.asarray(values, dtype=object)] + [np.nan])
    return ids[codes]  # missing values have code -1


def _value_id(value):
    if isinstance(value, (Real, np.bool_)) and abs(value) < 2**1000:  # NaN is missing already
        return float(value)
    if isinstance(value, str) and value in _TRUTHS:
        return _TRUTHS[value]
    told_apart_by_text = (bytes, tuple, pd.Interval, Decimal, Real)
    if not np.isscalar(value) and not isinstance(value, told_apart_by_text):
        raise TypeError(f"A category's argument must be a string or a number, got {value!r}.")
    text = value if isinstance(value, str) else repr(value)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return -2.0 - (int.from_bytes(digest, "little") >> 12)


def value_names(ids, column=None):
    """Return words for identifiers, as a column that holds the values names them.

    Parameters
    ----------
    ids : ndarray of float
        As `category_ids` makes them; NaN for any other value.
    column : pandas.Series, default=None
        Values of the category. Numbers need none; texts that it lacks are "a value".

    Returns
    -------
    names : ndarray of str, dtype object
    """
    known = {} if column is None else dict(zip(category_ids(column), column, strict=True))
    names = ["another" if np.isnan(one) else known.get(one, one if one > -2 else "a value")
             for one in ids.tolist()]  # fmt: skip
    return np.array([str(name) for name in names], dtype=object)


class Layout:
    """Where the columns of numbers and of each category lie among the encoded ones.

    Parameters
    ----------
    is_categorical : ndarray of shape (n_features,), bool
        Which features are categories.
    shares : list of ndarray
        How often each value of each of them is met: one one-hot column for each.
    n_samples : int
        Rows that they were met in.

    Attributes
    ----------
    n_features : int
        Features before encoding.
    n_numbers : int
        Numbers; they come first.
    blocks : list of (start, stop)
        The categories' columns, behind them.
    order : ndarray of shape (n_features,)
        The features in that order.
    width : int
        Encoded columns.
    entropies : list of float
        Of each category in nats, from 0.1 on.
    """

    def __init__(self, is_categorical, shares, n_samples):
        self.shares, self.n_samples = shares, n_samples
        widths = [len(share) for share in shares]
        self.n_features = len(is_categorical)
        self.order = np.argsort(is_categorical, kind="stable")
        self.n_numbers = self.n_features - len(widths)
        ends = self.n_numbers + np.cumsum([0, *widths])
        self.blocks = [(int(a), int(b)) for a, b in itertools.pairwise(ends)]
        self.width = int(ends[-1])
        bounded = [np.clip(share, 1e-12, 1) for share in shares]
        self.entropies = [max(float(-(p * np.log(p)).sum()), _LEAST_ENTROPY) for p in bounded]

    def noise_shares(self):
        """Return factors that make noise on a category a third as loud as on a number in all.

        Flights whose carrier and destination are another one's: ROC AUC of the reconstruction
        .88 with factors of 1, .91 with noise as loud as on a number, .94 so.
        """
        shares = np.ones(self.width)
        for start, stop in self.blocks:
            shares[start:stop] = 0.3 / np.sqrt(stop - start)
        return shares

    def scales(self, scale):
        """Return scales with which each category has variance one in all, as a number has.

        Column k of a block becomes ``(x - p_k) / sqrt(p_k (K - 1))``: rare values lie far out,
        and those that training rows lack lie furthest.
        """
        scale = scale.copy()
        for (start, stop), share in zip(self.blocks, self.shares, strict=True):
            used = max(np.count_nonzero(share), 2)
            scale[start:stop] = np.sqrt(np.maximum(share, 1 / (self.n_samples + 1)) * (used - 1))
        return scale


class OneHot:
    """Numbers as they are, then one-hot columns of every category.

    Parameters
    ----------
    is_categorical : ndarray of shape (n_features,), bool
        Which features are categories, given as the numbers of `category_ids`.
    max_categories : int, default=64
        Values with a column of their own; a last column is for all others, seen or not.

    Attributes
    ----------
    known_ : list of ndarray
        The values with a column of their own, sorted.
    layout_ : Layout
    """

    def __init__(self, is_categorical, max_categories=MAX_CATEGORIES):
        self.is_categorical, self.max_categories = is_categorical, max_categories

    def fit(self, columns, weight=None):
        """Learn the values of the categories.

        Parameters
        ----------
        columns : iterable of ndarray of shape (n_samples,)
            The categories' columns.
        weight : ndarray of shape (n_samples,), default=None
            Frequencies; values of weight zero are not known.
        """
        found = [_most_frequent(ids, weight, self.max_categories) for ids in columns]
        self.known_ = [known for known, _, _ in found]
        counts = [count for _, _, count in found]
        self.layout_ = Layout(self.is_categorical, [share for _, share, _ in found], max(counts))
        return self

    def transform(self, X):
        """Return encoded rows, (n_samples, width), float64, NaN where something is missing."""
        layout = self.layout_
        coded = np.zeros((len(X), layout.width))
        coded[:, : layout.n_numbers] = X[:, ~self.is_categorical]
        rows = np.arange(len(X))
        columns = np.flatnonzero(self.is_categorical)
        for column, known, (start, stop) in zip(columns, self.known_, layout.blocks, strict=True):
            ids = X[:, column]
            coded[rows, start + _slots(ids, known)] = 1
            coded[np.isnan(ids), start:stop] = np.nan
        return coded


def _most_frequent(ids, weight, limit):
    """Return the values with a column of their own, their shares and all others', and the count.

    Those are the values met most often. Where so many do not make up nine tenths of the rows, as
    with names of users, they are no better than those left out, and the line between them would
    show in the scores: then only those twice as frequent as `limit` equal ones are told apart.
    """
    values, codes = np.unique(ids, return_inverse=True)
    counts = np.bincount(codes, weight, minlength=len(values)) * ~np.isnan(values)
    total = counts.sum()
    kept = np.flatnonzero(counts)
    kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")][:limit])
    if counts[kept].sum() < _LEAST_COVER * total:
        kept = kept[counts[kept] >= 2 * total / limit]
    shares = np.append(counts[kept], total - counts[kept].sum())
    return values[kept], shares / max(total, 1), total


def _slots(ids, known):
    """Return the place of each value among the known ones; the last place for any other."""
    if len(known) == 0:
        return np.zeros(len(ids), dtype=np.int64)
    places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.where(known[places] == ids, places, len(known))
