"""Normal rows that a detector keeps, for explanations to compare with."""

import numpy as np
import pandas as pd

#: Background rows kept at most, and their values.
_BACKGROUND_ROWS, _BACKGROUND_VALUES = 512, 1_000_000


def background_rows(X, scores, offset, sample_weight=None):
    """Choose rows that stand for the normal ones, whatever order they come in.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_samples, n_features)
        Training rows.
    scores : ndarray of shape (n_samples,)
        Their scores, higher for normal rows.
    offset : float
        Rows below it are no candidates, unless there are no others.
    sample_weight : ndarray of shape (n_samples,), default=None
        Frequencies; rows of weight zero are no candidates.

    Returns
    -------
    rows : ndarray or DataFrame of shape (at most 512, n_features)
        Rows at even steps through the candidates' ranks; fewer where rows are wide.
    """
    rows = background_places(X.shape[1], scores, offset, sample_weight)
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def background_places(n_features, scores, offset, sample_weight=None):
    """Return the numbers of the rows that `background_rows` chooses."""
    bound = max(1, min(_BACKGROUND_ROWS, _BACKGROUND_VALUES // n_features))
    counted = np.ones(len(scores), bool) if sample_weight is None else sample_weight > 0
    normal = counted & (scores >= offset)
    if not normal.any():
        normal = counted
    rows = np.argsort(np.where(normal, scores, np.inf), kind="stable")[: np.count_nonzero(normal)]
    if len(rows) > bound:
        rows = rows[((np.arange(bound) + 0.5) * len(rows) / bound).astype(int)]
    return rows
