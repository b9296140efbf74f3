"""Criteria that judge a detector without labels.

Owns: the excess-mass and mass-volume criteria of scores, and the share of variance that a
reconstruction explains. Does not own: the points drawn around the rows (``metrics._uniform``).
Public names are in `skanomaly.metrics`.
"""

import numpy as np
import pandas as pd
from sklearn import metrics as _sk

from skanomaly.utils._categories import is_category
from skanomaly.utils._containers import as_table
from skanomaly.utils._validation import (
    LARGEST,
    check_column,
    check_number,
    check_table,
)

#: Reconstructions further off than so many times the largest value all count as far.
_FAR = 1e100


def excess_mass_score(scores, uniform_scores, *, min_mass=0.9):
    """Area under the excess-mass curve: how well scores separate the data from empty space.

    The curve is ``EM(t) = max over u of P(s(X) >= u) - t * Volume(s >= u)``, with volumes as
    shares of the box around the rows. A detector whose level sets hold much data in little volume
    keeps it high for long. The area is taken from ``t = 0`` to where the curve falls to
    `min_mass`. It needs no labels.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of held-out rows, higher is more normal.
    uniform_scores : array-like of shape (n_uniform,)
        Scores of points drawn uniformly from the box around these rows. Use the same points for
        all detectors that are compared.
    min_mass : float in (0, 1), default=0.9
        Where the curve is cut.

    Returns
    -------
    value : float
        Positive; higher is better. Only values on the same rows and box can be compared.

    Raises
    ------
    ValueError
        If scores are not finite, or `min_mass` is out of range.

    References
    ----------
    N. Goix, "How to Evaluate the Quality of Unsupervised Anomaly Detection Algorithms?", ICML
    Anomaly Detection Workshop, 2016, arXiv:1607.01152.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import excess_mass_score
    >>> rows, box = np.linspace(-1, 1, 500), np.linspace(-3, 3, 3000)
    >>> round(excess_mass_score(-abs(rows), -abs(box)), 3)
    0.285
    >>> round(excess_mass_score(-abs(rows - 1), -abs(box - 1)), 3)  # high beside the rows
    0.142
    """
    scores, uniform = _check_pair(scores, uniform_scores)
    min_mass = check_number(min_mass, "min_mass", high=1)
    # Only sets that hold at least min_mass can lie on the part of the curve above it.
    shares = np.linspace(0, 1 - min_mass, 1001)
    levels = np.unique(np.quantile(scores, shares, method="lower"))
    mass = 1 - np.searchsorted(scores, levels) / len(scores)
    volumes = _share_above(uniform, levels)
    t = np.linspace(0, np.max((mass - min_mass) / volumes), 501)
    return float(_sk.auc(t, np.max(mass - t[:, None] * volumes, axis=1)))


def mass_volume_loss(scores, uniform_scores, *, mass_range=(0.9, 0.999)):
    """Area under the mass-volume curve: how little space the normal rows need.

    The curve is the volume of the smallest level set that holds a given share of the data, itself
    as a share of the box around the rows.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of held-out rows, higher is more normal.
    uniform_scores : array-like of shape (n_uniform,)
        Scores of points drawn uniformly from the box around these rows.
    mass_range : tuple of two floats in (0, 1), default=(0.9, 0.999)
        Shares of the data between which the area is taken.

    Returns
    -------
    value : float
        Not negative; **lower** is better. Only values on the same rows and box can be compared.

    Raises
    ------
    ValueError
        If scores are not finite, or `mass_range` is out of range.

    References
    ----------
    As in `excess_mass_score`; S. Clémençon and J. Jakubowicz, "Scoring anomalies: a M-estimation
    formulation", AISTATS, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import mass_volume_loss
    >>> rows, box = np.linspace(-1, 1, 500), np.linspace(-3, 3, 3000)
    >>> round(mass_volume_loss(-abs(rows), -abs(box)), 3)
    0.031
    >>> round(mass_volume_loss(-abs(rows - 1), -abs(box - 1)), 3)  # high beside the rows
    0.063
    """
    scores, uniform = _check_pair(scores, uniform_scores)
    low, high = check_mass_range(mass_range)
    shares = np.linspace(low, high, 501)
    # The rounding keeps 0.9 * 10 from asking for a tenth row.
    n_inside = np.ceil(np.round(shares * len(scores), 9)).astype(int)
    return float(_sk.auc(shares, _share_above(uniform, scores[-n_inside])))


def check_mass_range(mass_range):
    """Return two shares of the data, the lower one first."""
    ends = np.asarray(mass_range)
    if ends.shape != (2,) or ends.dtype.kind not in "iuf" or not 0 < ends[0] < ends[1] < 1:
        raise ValueError(
            f"mass_range must be two rising numbers in (0, 1), got {mass_range!r}. Pass "
            "shares of the data such as (0.9, 0.999)."
        )
    return ends


def reconstruction_score(X, X_reconstructed):
    """Share of the variance of held-out rows that their reconstruction explains.

    Each feature counts the same, whatever its unit: the value is the mean over features of
    ``1 - squared error / variance``. Missing entries of `X` and constant features are left out.

    For a column that the detector reads as a category, bools among them, ``reconstruct`` answers
    the probability of the row's own value, which is no value to compare: leave such columns out
    of both tables, as `reconstruction_scorer` does.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Held-out rows, of numbers alone.
    X_reconstructed : array-like of shape (n_samples, n_features)
        What ``reconstruct(X)`` answers.

    Returns
    -------
    value : float
        At most 1, which is perfect; 0 is no better than the mean of each feature.

    Raises
    ------
    ValueError
        If the shapes differ, `X` holds text, or all features are constant.

    Examples
    --------
    >>> from skanomaly.metrics import reconstruction_score
    >>> reconstruction_score([[0.0], [1.0], [2.0]], [[0.0], [1.0], [2.0]])
    1.0
    """
    _refuse_text(X)
    X = check_table(X, "X", allow_nan=True)
    back = check_table(X_reconstructed, "X_reconstructed")
    if X.shape != back.shape:
        raise ValueError(
            "X and X_reconstructed must have the same shape, got "
            f"{X.shape} and {back.shape}. Pass the rows that were given to reconstruct."
        )
    observed = ~np.isnan(X)
    top = np.abs(np.where(observed, X, 0)).max(axis=0)
    top = np.where(top > 0, top, 1.0)  # squares of numbers up to one do not overflow
    with np.errstate(over="ignore"):
        X, back = X / top, np.clip(back / top, -_FAR, _FAR)
    n_observed = np.maximum(observed.sum(axis=0), 1)
    centred = X - np.where(observed, X, 0).sum(axis=0) / n_observed
    total = np.square(centred, where=observed, out=np.zeros_like(X)).sum(axis=0)
    error = np.square(X - back, where=observed, out=np.zeros_like(X)).sum(axis=0)
    varies = total > 0
    if not varies.any():
        raise ValueError("X must have a feature that varies, got only constant features.")
    with np.errstate(over="ignore"):
        missed = np.minimum(error[varies] / total[varies], LARGEST)
    return float(np.mean(1 - missed))


def _refuse_text(X):
    """Refuse columns that only a detector's categories can be, in words about reconstructions."""
    table = as_table(X)
    if isinstance(table, pd.DataFrame):
        columns = [(name, table.iloc[:, j]) for j, name in enumerate(table.columns)]
    elif getattr(table, "ndim", 0) == 2 and table.dtype.kind in "OUS":
        columns = [(j, pd.Series(table[:, j])) for j in range(table.shape[1])]
    else:
        return
    for name, column in columns:
        values = column.dropna().head(1) if is_category(column) else ()
        if any(isinstance(value, (str, bytes)) for value in values):
            raise ValueError(
                f"X must be numbers, got text in the column {name!r}. Of such a category "
                "reconstruct answers the probability of the row's own value: leave it out of X "
                "and X_reconstructed, or use skanomaly.metrics.reconstruction_scorer, which does."
            )


def _share_above(uniform, levels):
    """Estimate the volumes of level sets; never 0, as no finite sample can show that."""
    n_above = len(uniform) - np.searchsorted(uniform, levels)
    return (n_above + 1) / (len(uniform) + 1)


def _check_pair(scores, uniform_scores):
    scores, uniform = (
        check_column(scores, "scores"),
        check_column(uniform_scores, "uniform_scores"),
    )
    if len(scores) == 0 or len(uniform) == 0:
        raise ValueError("scores and uniform_scores must not be empty.")
    return np.sort(scores), np.sort(uniform)
