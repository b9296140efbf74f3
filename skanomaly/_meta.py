"""What estimators around an outlier detector share: parameters, tags, predictions, routing.

Owns: the interface of a detector whose own detector is called ``detector``. Does not own: how
scores become decisions; a subclass brings ``fit``, ``score_samples`` and the threshold.
"""

from abc import ABCMeta, abstractmethod
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted, indexable

from skanomaly._crossfit import Rows
from skanomaly._labels import read_labels
from skanomaly._splitters import n_rows


class MetaDetector(OutlierMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of detectors around a detector; not for direct use."""

    _parameter_constraints: dict = {
        "detector": [
            HasMethods(["fit", "score_samples"]),
            HasMethods(["fit", "decision_function"]),
        ],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def _rows(self, X, y, params):
        """Return the rows with their labels read and the parameters meant for the detector."""
        if _routing_enabled():
            params = process_routing(self, "fit", **params).detector.fit
        X, y = indexable(X, y)
        codes = None
        if y is not None:
            codes = read_labels(y, anomaly_label=self.anomaly_label, n_samples=n_rows(X))
        return Rows(X, y, codes, params)

    def _take_features(self, detector):
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(detector, name):
                setattr(self, name, getattr(detector, name))
            elif hasattr(self, name):
                delattr(self, name)

    def fit_predict(self, X, y=None, **fit_params):
        """Fit on `X` (and `y`) and label the same rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), default=None
            Passed to `fit`.
        **fit_params : dict
            Passed to `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
            +1 for normal rows, -1 for anomalies.
        """
        return self.fit(X, y, **fit_params).predict(X)

    def predict(self, X):
        """Label rows: +1 for normal rows, -1 for anomalies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
            The sign of `decision_function`; a row on the threshold is normal.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def decision_function(self, X):
        """Return `score_samples` less the threshold `offset_`: negative for anomalies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            Signed distance from the threshold.
        """
        return self.score_samples(X) - self.offset_

    @abstractmethod
    def score_samples(self, X):
        """Score rows: the lower, the more abnormal."""

    def _checked(self):
        check_is_fitted(self)
        return self

    def __sklearn_is_fitted__(self):
        return "offset_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.detector).input_tags
        return tags

    def get_metadata_routing(self):
        """Return what `fit` hands on to the detector, for scikit-learn's metadata routing.

        Returns
        -------
        routing : MetadataRouter
            Requests of the detector.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(detector=self.detector, method_mapping=mapping)
