"""What estimators around an outlier detector share: parameters, tags, predictions, routing.

Owns: the interface of a detector whose own detector is called ``estimator``. Does not own: how
scores become decisions; a subclass brings ``fit``, ``score_samples`` and the threshold.
"""

from abc import ABCMeta, abstractmethod
from numbers import Integral

from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, indexable

from skanomaly.base import DecisionMixin, StateMixin, fitting
from skanomaly.meta._cross_fitting import Rows, checked_scores
from skanomaly.thresholds._mixin import ThresholdMixin
from skanomaly.utils._callbacks import CallbackSupportMixin
from skanomaly.utils._callers import refuse_classifier_tools
from skanomaly.utils._containers import collected, n_rows
from skanomaly.utils._doc_links import DocLinkMixin
from skanomaly.utils._docs import documented
from skanomaly.utils._labels_handed_on import labels_as_read_by
from skanomaly.utils._response import refuse_other_kinds


def copy_features(detector, owner):
    """Give the owner what its fitted detector knows of the columns, and nothing older."""
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(detector, name):
            setattr(owner, name, getattr(detector, name))
        elif hasattr(owner, name):
            delattr(owner, name)


@documented
class MetaDetector(
    StateMixin,
    CallbackSupportMixin,
    DecisionMixin,
    DocLinkMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base class of detectors around a detector; not for direct use."""

    _parameter_constraints: dict = {
        "estimator": [
            HasMethods(["fit", "score_samples"]),
            HasMethods(["fit", "decision_function"]),
        ],
        "n_jobs": [
            None,
            Interval(Integral, None, -1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "random_state": ["random_state"],
    }

    def _rows(self, X, y, params):
        """Return the rows with their labels read and the parameters meant for the detector."""
        refuse_classifier_tools(self)
        refuse_other_kinds(self.estimator)
        params, groups = self._handed_on(params)
        X, y, groups = indexable(collected(X), y, groups)
        codes = None
        if y is not None:
            codes = labels_as_read_by(self.estimator, y, n_rows(X), self.anomaly_label)
        return Rows(X, y, codes, params, groups)

    def _handed_on(self, params):
        """Return what goes to the detector's `fit`, and the groups for the splitter."""
        if _routing_enabled():
            routed = process_routing(self, "fit", **params)
            given = routed.splitter.split if self._splitter() is not None else {}
            return routed.estimator.fit, given.get("groups")
        groups = params.get("groups")
        if groups is None or has_fit_parameter(self.estimator, "groups"):
            return params, groups
        if self._splitter() is None:
            raise ValueError(
                f"{type(self).__name__} got groups, but nothing here reads them: neither "
                f"{type(self.estimator).__name__}.fit nor cv. Pass a splitter such as "
                "sklearn.model_selection.GroupKFold() as cv, or leave groups out."
            )
        return {name: value for name, value in params.items() if name != "groups"}, groups

    def _splitter(self):
        """Return the splitter that cuts the rows, or None where `cv` is a number or unused."""
        cv = getattr(self, "cv", None)
        return cv if hasattr(cv, "split") else None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **fit_params):
        """Fit the detector, and learn how its scores are distributed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, as the detector takes them.
        y : array-like of shape (n_samples,), default=None
            Labels in any coding, for detectors and parameters that use them.
        **fit_params : dict
            Passed to the detector's `fit`; what has one value a row is cut with the rows.
            ``groups`` go to a splitter given as `cv`, and to detectors that read them.

        %(fitted)s

        Raises
        ------
        ValueError
            If rows, labels or parameters do not fit each other, no row is left to learn from, or
            scores are of no use, for example because all of them are equal. The estimator is
            then as it was before the call.
        """
        with fitting(self, X, y):
            self._fit_rows(self._rows(X, y, fit_params))
        return self

    @abstractmethod
    def _fit_rows(self, rows):
        """Set all that `fit` sets, from rows whose labels are read."""

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
            Requests of the detector and of the splitter.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)
        if self._splitter() is not None:
            split = MethodMapping().add(caller="fit", callee="split")
            router.add(splitter=self._splitter(), method_mapping=split)
        return router


@documented
class KeptScoresMixin(ThresholdMixin):
    """Scores of the one fitted detector, and a threshold that changes on those of the fit.

    A fit sets `estimator_` and `scores_`, whose convention it has checked, and `labels_`, label
    codes of these scores, where it keeps any.
    """

    def score_samples(self, X):
        """Return the detector's ``score_samples``, or else its ``decision_function``.

        %(scoring)s
        """
        check_is_fitted(self)
        return checked_scores(self.estimator_, X, known=True)

    def _scores_and_labels(self, X, y):
        """Return what gives the scores of rows, for `set_threshold`, and their label codes."""
        if X is None:
            return lambda: self.scores_, getattr(self, "labels_", None)
        codes = self._rows(X, y, {}).codes
        return lambda: checked_scores(self.estimator_, X, known=True), codes
