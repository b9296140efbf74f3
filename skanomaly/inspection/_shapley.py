"""Shapley values of a row's anomaly score against normal rows like it; NumPy and pandas only.

Owns: the choice of those rows, mixtures of two rows, and the sum over them. Does not own
detectors, or how an explanation is shown (``inspection._explain``).
"""

import numpy as np
import pandas as pd

from skanomaly.inspection._rows import read_alike
from skanomaly.utils._extras import import_extra
from skanomaly.utils._random import random_seed

#: Distance beyond which a value is foreign, in standard deviations: how far off does not matter
#: for the question which rows are alike in the *other* features.
_FOREIGN = 2.0
#: Values that one call of the score is given at most, and rows.
_CALL_VALUES, _CALL_ROWS = 4_000_000, 16_384


class ComparedRows:
    """Rows to explain and rows to compare them with, side by side.

    Parameters
    ----------
    X, background : ndarray or DataFrame
        Tables of the same kind and with the same columns; of any types, with missing values.
    is_categorical : ndarray of shape (n_features,), bool, default=None
        Which columns are categories to the detector; None goes by their types.

    Attributes
    ----------
    X, background, is_categorical : object
        As ``inspection._rows.read_alike`` reads them.
    """

    def __init__(self, X, background, is_categorical=None):
        self.X, self.background, self.is_categorical = read_alike(X, background, is_categorical)
        self.known, self.spread = _comparable(self.X, self.background, self.is_categorical)

    def deviations(self, row, references):
        """Return how far a row's values are from some rows', in standard deviations.

        Two missing values agree; a missing value and a known one, or two different
        categories, are infinitely far apart.
        """
        here, there = self.known[row], self.known[len(self.X) + references]
        with np.errstate(invalid="ignore", over="ignore"):
            gaps = np.abs(there - here) / self.spread
        gaps[(here == there) | (np.isnan(here) & np.isnan(there))] = 0
        return np.nan_to_num(gaps, nan=np.inf)

    def nearest(self, row, n_rows):
        """Return the background rows that agree with a row in most features, best first."""
        gaps = self.deviations(row, np.arange(len(self.background)))
        distances = np.minimum(gaps, _FOREIGN).sum(axis=1)
        return np.argsort(distances, kind="stable")[:n_rows]

    def mixed(self, row, reference, kept):
        """Return mixtures of a row and a background row.

        Parameters
        ----------
        row, reference : ndarray of shape (n_mixtures,)
            Row numbers.
        kept : ndarray of shape (n_mixtures, n_features), bool
            Features that come from the row.

        Returns
        -------
        rows : ndarray or DataFrame of shape (n_mixtures, n_features)
        """
        if not isinstance(self.X, pd.DataFrame):
            return np.where(kept, self.X[row], self.background[reference])
        columns = []
        for j in range(kept.shape[1]):
            both = pd.concat([self.X.iloc[:, j], self.background.iloc[:, j]])
            columns.append(both.take(np.where(kept[:, j], row, len(self.X) + reference)))
        frame = pd.concat([c.reset_index(drop=True) for c in columns], axis=1)
        return frame.set_axis(self.X.columns, axis=1)


def _comparable(X, background, is_categorical):
    """Return numbers for all values, and the spread of each column of the background."""
    if not isinstance(X, pd.DataFrame):
        X, background = pd.DataFrame(X), pd.DataFrame(background)
    known = np.empty((len(X) + len(background), X.shape[1]))
    spread = np.empty(X.shape[1])
    for j in range(X.shape[1]):
        both = pd.concat([X.iloc[:, j], background.iloc[:, j]], ignore_index=True)
        numeric = not is_categorical[j]
        codes = both if numeric else pd.Series(pd.factorize(both)[0]).replace(-1, np.nan)
        known[:, j] = codes.to_numpy(dtype=np.float64, na_value=np.nan)
        values = known[len(X) :, j]
        values = values[np.isfinite(values)]
        deviation = float(np.std(values)) if numeric and len(values) else 0.0
        # in a column without spread, and between categories, any difference is foreign
        spread[j] = deviation if deviation > 1e-9 * np.abs(values).max(initial=0) else 1e-300
    return known, spread


def shapley_values(score, table, *, n_references, max_features, seed):
    """Share out each row's score over its features.

    A row is compared with the `n_references` background rows most alike. On the way from such a
    row to the row itself, the features change over one by one, in a random order and in the
    reverse of it, and each is credited with what the score does when it changes.

    Parameters
    ----------
    score : callable
        Function of a table of rows; returns ndarray (n_rows,).
    table : ComparedRows
        The rows.
    n_references : int
        Background rows for each row.
    max_features : int
        Features that change over one by one, those furthest off; all others do so together
        and share their credit in proportion to their squared deviation.
    seed : int, RandomState or None
        Source of the orders; the same for all rows, so that a row's explanation does not
        depend on the others.

    Returns
    -------
    values : ndarray of shape (n_rows, n_features)
        Shares.
    base : ndarray of shape (n_rows,)
        Mean score of the background rows that each row was compared with.
    references : ndarray of shape (n_rows, at most n_references)
        Numbers of those rows.
    """
    n_rows, n_features = table.known.shape[0] - len(table.background), table.known.shape[1]
    n_references = min(n_references, len(table.background))
    orders = seed.random_sample((n_references, n_features)).argsort(axis=1)
    values, base = np.zeros((n_rows, n_features)), np.zeros(n_rows)
    references = np.stack([table.nearest(row, n_references) for row in range(n_rows)])
    walks = (
        _Walk(table, row, reference, order, max_features)
        for row in range(n_rows)
        for reference, order in zip(references[row], orders, strict=True)
    )
    for batch in _batches(walks, n_features):
        rows = np.concatenate([np.full(len(w.kept), w.row) for w in batch])
        others = np.concatenate([np.full(len(w.kept), w.reference) for w in batch])
        scores = score(table.mixed(rows, others, np.concatenate([w.kept for w in batch])))
        ends = np.cumsum([len(w.kept) for w in batch])
        for walk, part in zip(batch, np.split(scores, ends[:-1]), strict=True):
            values[walk.row] += walk.credit(part) / n_references
            base[walk.row] += part[0] / n_references
    return values, base, references


def _batches(walks, n_features):
    """Gather walks into calls of bounded size."""
    limit = max(1, min(_CALL_ROWS, _CALL_VALUES // n_features))
    batch, size = [], 0
    for walk in walks:
        if batch and size + len(walk.kept) > limit:
            yield batch
            batch, size = [], 0
        batch.append(walk)
        size += len(walk.kept)
    yield batch


class _Walk:
    """The way from a background row to a row and, in the reverse order, again.

    Attributes
    ----------
    kept : ndarray of shape (n_steps, n_features), bool
        The features that have changed over at each step.
    """

    def __init__(self, table, row, reference, order, max_features):
        self.row, self.reference = row, reference
        gaps = np.minimum(table.deviations(row, np.array([reference]))[0], 1e6)
        far = np.argsort(-gaps, kind="stable")
        far = far[gaps[far] > 0]  # values that agree have no share
        single, self.rest = far[:max_features], far[max_features:]
        self.weights = gaps[self.rest] ** 2 / np.square(gaps[self.rest]).sum()
        # the others travel with one of theirs, which stands for all of them
        self.players = np.concatenate([single, self.rest[:1]])
        self.players = self.players[np.argsort(np.argsort(order)[self.players])]
        self.kept = np.zeros((2 * (len(self.players) + 1), len(gaps)), bool)
        for half, players in zip(np.split(self.kept, 2), self._ways(), strict=True):
            half[:, players] = np.tri(len(players) + 1, len(players), -1, dtype=bool)
            half[:, self.rest] = half[:, self.rest[:1]]

    def _ways(self):
        return self.players, self.players[::-1]

    def credit(self, scores):
        """Return each feature's share from the scores of the steps."""
        shares = np.zeros(self.kept.shape[1])
        for part, players in zip(np.split(scores, 2), self._ways(), strict=True):
            shares[players] += np.diff(part) / 2
        if len(self.rest):
            shares[self.rest] = shares[self.rest[0]] * self.weights
        return shares


def shap_values(score, X, background, random_state):
    """Return Shapley values and base values by the ``shap`` package, numeric columns alone.

    Parameters
    ----------
    score : callable
        Returns anomaly scores of rows.
    X, background : ndarray or DataFrame
        Rows to explain, and rows to compare them with.
    random_state : int, RandomState instance or None
        Seed.

    Returns
    -------
    values : ndarray of shape (n_samples, n_features)
    base : ndarray of shape (n_samples,)
    """
    shap = import_extra("shap", "explain", 'method="shap"')
    frame = isinstance(X, pd.DataFrame)
    columns = X.columns if frame else None
    X, background = _all_numbers(X), _all_numbers(background)

    def of_rows(rows):
        return score(pd.DataFrame(rows, columns=columns) if frame else rows)

    seed = random_seed(random_state)
    state = np.random.get_state()  # noqa: NPY002
    try:  # shap seeds NumPy's global generator
        masker = shap.maskers.Independent(background, max_samples=100)
        explainer = shap.explainers.Permutation(of_rows, masker, seed=seed)
        calls = max(500, 4 * X.shape[1] + 2)
        found = explainer(X, max_evals=calls, silent=True)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return found.values, np.asarray(found.base_values) + np.zeros(len(X))


def _all_numbers(rows):
    try:
        return np.asarray(rows, float)
    except (ValueError, TypeError) as error:
        names = []
        if isinstance(rows, pd.DataFrame):
            kinds = rows.dtypes.map(pd.api.types.is_numeric_dtype)
            names = kinds.index[~kinds].tolist()
        which = f" in the columns {names}" if names else ""
        raise ValueError(
            f'method="shap" takes numbers alone, and X holds others{which} ({error}). Use '
            'method="shapley", which takes columns of any kind.'
        ) from error
