"""Which columns hold categories: by their types, and by what a fitted detector has read.

Owns both answers, for wings that may not know detectors. Does not own what becomes of categories
(``preprocessing._categories``).
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.pipeline import Pipeline

from skanomaly.utils._containers import as_table


def is_category(column):
    """Tell whether a column holds categories: category, string, bool or interval.

    Columns of objects hold categories when one of their values is a string or all are bool.
    """
    dtype = column.dtype
    if isinstance(dtype, (pd.CategoricalDtype, pd.IntervalDtype, pd.StringDtype)):
        return True
    if pd.api.types.is_bool_dtype(dtype) or dtype.kind in "US":
        return True
    if dtype.kind != "O":
        return False
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("boolean", "string", "bytes", "interval", "categorical"):
        return True
    # of dictionaries of PyArrow and of mixed objects it says no more than that
    return kind not in ("floating", "integer", "decimal", "empty") and any(
        isinstance(value, str) for value in column.dropna()
    )


def fitted_categories(estimator, n_features):
    """Return which features a fitted detector reads as categories.

    Looks into searches, wrappers that score by an inner detector, and pipelines whose other steps
    answer a column for each column.

    Parameters
    ----------
    estimator : estimator
        Fitted detector of any library.
    n_features : int
        Features of the rows at hand.

    Returns
    -------
    is_categorical : ndarray of shape (n_features,), bool, or None
        None where it does not say.

    Examples
    --------
    >>> import numpy as np
    >>> import skanomaly
    >>> from skanomaly.utils._categories import fitted_categories
    >>> X = np.arange(20.0).reshape(10, 2)
    >>> detector = skanomaly.AutoencoderDetector("plain", epochs=1, categorical_features=[1])
    >>> fitted_categories(detector.fit(X), 2)
    array([False,  True])
    """
    while not hasattr(estimator, "is_categorical_"):
        if isinstance(estimator, Pipeline):
            if not all(_keeps_columns(step) for _, step in estimator.steps[:-1]):
                return None
            inner = estimator.steps[-1][1]
        else:
            wrapped = getattr(estimator, "_scores_by", None)
            inner = getattr(estimator, "__dict__", {}).get("best_estimator_", wrapped)
        if not hasattr(inner, "__dict__"):
            return None
        estimator = inner
    mask = estimator.is_categorical_
    mask = np.zeros(n_features, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    return mask if len(mask) == n_features else None


def clone_for_columns(estimator, columns, n_features):
    """Return an unfitted copy of a fitted detector, for some of its columns alone.

    Categories that were named or told by their places are told anew, by their new places.

    Parameters
    ----------
    estimator : estimator
        Fitted detector of any library.
    columns : ndarray of int
        Places of the columns.
    n_features : int
        Features that it was fitted on.
    """
    known, copy = fitted_categories(estimator, n_features), clone(estimator)
    if known is None:
        return copy
    told = {
        name: known[columns].tolist()
        for name, value in copy.get_params().items()
        if name.rpartition("__")[2] == "categorical_features"
        and not (value is None or isinstance(value, str))
    }
    return copy.set_params(**told)


def _keeps_columns(step):
    return step is None or isinstance(step, (str, OneToOneFeatureMixin))  # "passthrough"


def take_columns(X, columns):
    """Return some columns of a table in any container, an array or a pandas table.

    Parameters
    ----------
    X : array-like, sparse matrix or table of shape (n_samples, n_features)
        Rows.
    columns : ndarray of shape (n_features,), bool
        Which of them.
    """
    X = as_table(X)
    X = X.tocsr() if sp.issparse(X) else X  # not every format has columns to take
    return X.loc[:, columns] if isinstance(X, pd.DataFrame) else X[:, np.flatnonzero(columns)]
