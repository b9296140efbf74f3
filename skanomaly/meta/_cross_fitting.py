"""Scores of rows that the detector did not train on, for thresholds and p-values that hold.

Owns: fitting detectors on parts of the rows and scoring the others. Does not own: what is made
of the scores, or the meaning of labels (``utils._labels``).
"""

import warnings
from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params, check_is_fitted

from skanomaly.model_selection._split import stratified_masks
from skanomaly.utils._containers import n_rows
from skanomaly.utils._labels_handed_on import labels_for, labels_handed_to, recode
from skanomaly.utils._random import random_generator
from skanomaly.utils._response import judges_neighbours, scores_of
from skanomaly.utils._splits import split_rows
from skanomaly.utils._validation import LARGEST, as_numbers


@dataclass
class Rows:
    """Rows with what belongs to them, to be cut in parts together.

    Parameters
    ----------
    X : array-like
        Rows.
    y : array-like or None
        Labels as the user gave them.
    codes : ndarray or None
        -1 anomaly, +1 normal, 0 unlabelled.
    params : dict
        Passed to the detector's fit; what has one value a row is cut with the rows.
    groups : array-like or None, default=None
        For splitters that need groups.
    """

    X: object
    y: object
    codes: object
    params: dict
    groups: object = None

    def __len__(self):
        return n_rows(self.X)

    def labels_for(self, consumer):
        """Return labels as a splitter reads them."""
        return None if self.y is None else labels_for(consumer, self.y, recode(self.codes))


def is_frozen(detector):
    """Return whether a detector is fitted for good."""
    return isinstance(detector, FrozenEstimator)


def fit_on(detector, rows, part=None):
    """Return a copy of the detector fitted to some of the rows (None: all), or the frozen one."""
    if is_frozen(detector):
        check_is_fitted(detector.estimator)
        if rows.params:
            warnings.warn(
                f"{', '.join(sorted(rows.params))} would be passed to the detector's fit, and a "
                "FrozenEstimator is not fitted again: no effect. For a threshold on weighted rows "
                "see the functions of skanomaly.thresholds, and set_threshold.",
                UserWarning,
                stacklevel=5,
            )
        return detector
    detector = clone(detector)
    X, y, params = rows.X, labels_handed_to(detector, rows.y, rows.codes), rows.params
    if part is not None:
        X, y = _safe_indexing(X, part), None if y is None else _safe_indexing(y, part)
        params = _check_method_params(rows.X, params, indices=part)
    try:
        return detector.fit(X, **params) if y is None else detector.fit(X, y, **params)
    except Exception as error:
        if part is not None:
            error.add_note(
                f"X stands for {len(part)} of {len(rows)} rows here: the others are held out, for "
                "scores of rows that nothing has learnt from (parameter cv). They may hold what "
                "these lack; cv=None holds out none."
            )
        raise


def fit_and_score(detector, rows, train, test):
    """Return a detector fitted to `train`, and its scores of `test`."""
    fitted = fit_on(detector, rows, train)
    return fitted, checked_scores(fitted, _safe_indexing(rows.X, test))


def checked_scores(detector, X, *, known=False):
    """Return float64 scores, refusing those that are not finite or of another convention.

    `known` says that the convention was checked before, by the fit.
    """
    name = type(detector).__name__
    scores = as_numbers(scores_of(detector, X, known=known), f"the scores of {name}")
    unknown = ~(np.abs(scores) <= LARGEST)
    if unknown.any():
        raise ValueError(
            f"{name} gave {np.sum(unknown)} scores that are NaN or infinite (or beyond "
            f"{LARGEST:g}) where finite ones are expected. Check its parameters and data."
        )
    return scores


def fit_folds(detector, rows, splits, n_jobs):
    """Return a detector for each split, its scores of the test rows, and these rows."""
    tests = [test for _, test in splits]
    done = Parallel(n_jobs=n_jobs)(
        delayed(fit_and_score)(detector, rows, train, test) for train, test in splits
    )
    return [fitted for fitted, _ in done], [scores for _, scores in done], tests


def refuse_torn_series(detector, option):
    """Refuse to hold out random rows of a detector of series."""
    if judges_neighbours(detector):
        raise ValueError(
            f"WindowedDetector judges rows by those before and after them, which {option} tears "
            "apart: it holds out random rows. Fit it first and pass it inside "
            "sklearn.frozen.FrozenEstimator, with later rows of the series; or pass as cv a "
            "splitter that keeps rows together, such as "
            "sklearn.model_selection.TimeSeriesSplit()."
        )


def make_splits(cv, rows, random_state, detector=None):
    """Return (train, test) row numbers: one split for a share, else as many as `cv` says."""
    if not hasattr(cv, "split"):
        refuse_torn_series(detector, f"a split by {cv}")
    n, rng = len(rows), random_generator(random_state)
    strata = np.zeros(n, dtype=np.int8) if rows.codes is None else rows.codes
    if hasattr(cv, "split"):
        return list(cv.split(rows.X, rows.labels_for(cv), rows.groups))
    if isinstance(cv, Real) and not isinstance(cv, (int, np.integer)):
        train, test = split_rows(np.arange(n), cv, rng, strata)
        if len(test) == 0:
            raise ValueError(
                f"a share of {cv} of n_samples={n} rows leaves none to hold out. Pass more rows "
                "or a larger share."
            )
        return [(np.sort(train), np.sort(test))]
    if cv > n:
        raise ValueError(f"{cv} folds need at least as many rows, got n_samples={n}.")
    masks = stratified_masks(strata, cv, rng)
    return [(np.flatnonzero(~mask), np.flatnonzero(mask)) for mask in masks]
