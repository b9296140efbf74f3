"""What estimators around an outlier detector share: parameters, tags, predictions, routing.

Owns: the interface of a detector whose own detector is called ``estimator``. Does not own: how
scores become decisions; a subclass brings ``fit``, ``score_samples`` and the threshold.
"""

from abc import ABCMeta, abstractmethod
from numbers import Integral

from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import indexable

from skanomaly.base import DecisionMixin
from skanomaly.meta._cross_fitting import Rows
from skanomaly.utils._callers import refuse_classifier_tools
from skanomaly.utils._labels import n_rows, read_labels
from skanomaly.utils._response import refuse_other_kinds


def copy_features(detector, owner):
    """Give the owner what its fitted detector knows of the columns, and nothing older."""
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(detector, name):
            setattr(owner, name, getattr(detector, name))
        elif hasattr(owner, name):
            delattr(owner, name)


class MetaDetector(DecisionMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of detectors around a detector; not for direct use."""

    _parameter_constraints: dict = {
        "estimator": [
            HasMethods(["fit", "score_samples"]),
            HasMethods(["fit", "decision_function"]),
        ],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def _rows(self, X, y, params):
        """Return the rows with their labels read and the parameters meant for the detector."""
        refuse_classifier_tools(self)
        refuse_other_kinds(self.estimator)
        if _routing_enabled():
            params = process_routing(self, "fit", **params).estimator.fit
        X, y = indexable(X, y)
        codes = None
        if y is not None:
            codes = read_labels(y, anomaly_label=self.anomaly_label, n_samples=n_rows(X))
        return Rows(X, y, codes, params)

    @abstractmethod
    def score_samples(self, X):
        """Score rows: the lower, the more abnormal."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags

    def get_metadata_routing(self):
        """Return what `fit` hands on to the detector, for scikit-learn's metadata routing.

        Returns
        -------
        routing : MetadataRouter
            Requests of the detector.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)
