"""What a detector says of distributed rows: lazily, partition by partition.

Owns the methods that answer. A class brings ``estimator``, and ``estimator_`` once it is fitted.
"""

import numpy as np
import pandas as pd
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly.distributed._collections import WithRows, in_rows, is_distributed, map_rows
from skanomaly.utils._docs import documented
from skanomaly.utils._response import scores_of


def _has(name):
    """Return the test whether the detector has a method."""

    def check(self):
        return hasattr(getattr(self, "estimator_", self.estimator), name)

    return available_if(check)


@documented
class LazyAnswers:
    """Scores, predictions and explanations of rows that lie anywhere."""

    def score_samples(self, X):
        """Score rows: the lower, the more abnormal.

        %(distributed_rows)s

        Returns
        -------
        scores : dask Series or Array, or ndarray of shape (n_samples,), float64
            Lazy where the rows are, with their index and divisions, or their chunks.
        """
        return self._answer(scores_of, X, np.float64, "score_samples")

    def decision_function(self, X):
        """Return the distance of rows from the threshold: negative for anomalies.

        %(distributed_rows)s

        Returns
        -------
        scores : dask Series or Array, or ndarray of shape (n_samples,), float64
            As of `score_samples`.
        """
        return self._answer(_call("decision_function"), X, np.float64, "decision_function")

    def predict(self, X):
        """Label rows: +1 for normal rows, -1 for anomalies.

        %(distributed_rows)s

        Returns
        -------
        labels : dask Series or Array, or ndarray of shape (n_samples,), int64
            As of `score_samples`.
        """
        check_is_fitted(self)
        if is_distributed(X) and getattr(self.estimator_, "fdr", None) is not None:
            raise ValueError(
                "The false discovery rate is a promise about all rows of X together, which are "
                "not seen together here. Set fdr=None on the ConformalDetector, or select rows "
                "by the p-values in memory."
            )
        return self._answer(_call("predict"), X, np.int64, "predict")

    @_has("p_values")
    def p_values(self, X):
        """Return p-values of rows, where the detector is a `ConformalDetector`.

        %(distributed_rows)s

        Returns
        -------
        p_values : dask Series or Array, or ndarray of shape (n_samples,), float64
            As of `score_samples`.
        """
        return self._answer(_call("p_values"), X, np.float64, "p_values")

    @_has("predict_proba")
    def predict_proba(self, X):
        """Return probabilities of being an anomaly and of being normal.

        %(distributed_rows)s

        Returns
        -------
        probabilities : dask DataFrame or Array, or ndarray of shape (n_samples, 2), float64
            Columns as in ``estimator_.classes_``.
        """
        return self._answer(_call("predict_proba"), X, np.float64, pd.Index([-1, 1]))

    def explain(self, X, **params):
        """Share out the anomaly scores of rows over their features.

        Parameters
        ----------
        %(distributed_X)s
        %(explain_params)s

        Returns
        -------
        contributions : dask DataFrame or Array of shape (n_samples, n_features), or Explanation
            The shares of the features alone where the rows are distributed. All that `explain`
            knows comes with a partition: ``detector.explain(X.partitions[0].compute())``.
        """
        from skanomaly.inspection import explain

        check_is_fitted(self)
        if not is_distributed(X):
            return explain(self.estimator_, X, **params)
        X = in_rows(X)
        names = X.columns if hasattr(X, "columns") else pd.RangeIndex(X.shape[1])
        sent = WithRows(self.estimator_)
        return self._answer(_contributions(params), X, np.float64, names, sent)

    def _answer(self, function, X, dtype, names, sent=None):
        """Return a function's results for rows, lazily where these are distributed.

        `names` are those of columns, or of one column.
        """
        check_is_fitted(self)
        if not is_distributed(X):
            return function(self.estimator_, X)
        X = in_rows(X)
        one = isinstance(names, str)
        empty = np.empty(0 if one else (0, len(names)), dtype)
        if hasattr(X, "divisions"):
            index = X._meta.index[:0]
            tables = (pd.Series, {"name": names}) if one else (pd.DataFrame, {"columns": names})
            empty = tables[0](empty, index, **tables[1])
        return map_rows(function, X, self.estimator_ if sent is None else sent, empty)


class _call:
    """A method of whatever detector it is given, in a form that pickles."""

    def __init__(self, name):
        self.name = name

    def __call__(self, detector, rows):
        return getattr(detector, self.name)(rows)


class _contributions:
    """The features' shares, in a form that pickles."""

    def __init__(self, params):
        self.params = params

    def __call__(self, sent, rows):
        from skanomaly.inspection import explain

        return explain(sent.detector, rows, **self.params).contributions.to_numpy()
