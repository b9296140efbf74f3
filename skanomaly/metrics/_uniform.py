"""Points drawn uniformly around rows, as the criteria without labels compare scores with.

Owns that one draw. Does not own which columns are categories (``utils._categories``).
"""

import numpy as np
import pandas as pd

from skanomaly.utils._categories import fitted_categories, is_category
from skanomaly.utils._containers import as_table
from skanomaly.utils._validation import check_table


def uniform_like(X, n_uniform, rng, estimator=None):
    """Draw points from the box around rows, in the container the rows came in.

    Numbers are drawn between the least and the largest one. Between categories there is nothing:
    of them each value of the rows is as likely as any other.

    Parameters
    ----------
    X : array-like, sparse matrix or table of shape (n_samples, n_features)
        Rows.
    n_uniform : int
        Points.
    rng : numpy.random.Generator
        Source of the draws.
    estimator : estimator, default=None
        Fitted detector, which may read numbers as categories.

    Returns
    -------
    points : ndarray or DataFrame of shape (n_uniform, n_features)
    """
    table = as_table(X)
    table = table.toarray() if hasattr(table, "toarray") else table
    mask = _categories(table, estimator)
    if not mask.any():
        box = _box(check_table(table, "X", allow_nan=True), n_uniform, rng)
        return pd.DataFrame(box, columns=table.columns) if isinstance(table, pd.DataFrame) else box
    frame = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    _refuse_empty(frame.isna().to_numpy())
    share = rng.random((n_uniform, frame.shape[1]))
    columns = {j: _drawn(frame.iloc[:, j], share[:, j]) for j in np.flatnonzero(mask)}
    if not mask.all():
        rows = check_table(frame.loc[:, ~mask], "X", allow_nan=True)
        columns |= zip(np.flatnonzero(~mask), _between(rows, share[:, ~mask]).T, strict=True)
    points = pd.DataFrame({j: columns[j] for j in range(frame.shape[1])})
    return points.set_axis(frame.columns, axis=1) if frame is table else points.to_numpy()


def _categories(table, estimator):
    """Return which columns hold categories by their types, or to the detector."""
    n_features = table.shape[1] if np.ndim(table) == 2 else 0
    mask = np.zeros(n_features, dtype=bool)
    if isinstance(table, pd.DataFrame):
        mask |= [is_category(table.iloc[:, j]) for j in range(n_features)]
    elif n_features and table.dtype.kind not in "iuf":
        mask |= [is_category(pd.Series(table[:, j])) for j in range(n_features)]
    known = fitted_categories(estimator, n_features)
    return mask if known is None else mask | known


def _box(rows, n_uniform, rng):
    _refuse_empty(np.isnan(rows))
    return _between(rows, rng.random((n_uniform, rows.shape[1])))


def _between(rows, share):
    low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    return low * (1 - share) + high * share  # the range itself may overflow


def _drawn(column, share):
    """Return values of a column, each as likely as any other, by shares in [0, 1)."""
    known = column.dropna().drop_duplicates()
    # in an order that does not depend on that of the rows, whatever kinds of values there are
    known = known.iloc[np.argsort(known.astype(str).to_numpy(dtype=object), kind="stable")]
    return known.iloc[(share * len(known)).astype(int)].reset_index(drop=True)


def _refuse_empty(missing):
    if missing.all(axis=0).any():
        raise ValueError(
            "X must hold a value in every column to draw points from its range, got columns that "
            f"are missing altogether: {np.flatnonzero(missing.all(axis=0)).tolist()}. Drop them."
        )
