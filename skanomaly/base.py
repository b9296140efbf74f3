"""From scores to answers: what every detector says once it has scores and a threshold.

Owns: the signs and labels of outlier detectors, the columns of probabilities, and what pickles and
copies hold. Does not own: scores, or how a threshold is found or scores are calibrated; a detector
brings ``fit``, ``score_samples`` and ``offset_``.
"""

import contextlib
import copy
import functools
import types

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils import ClassifierTags

from skanomaly._version import __version__
from skanomaly.utils._callbacks import fit_task
from skanomaly.utils._docs import documented
from skanomaly.utils._state import check_version, keeping, pack, unpack
from skanomaly.utils._tracking import untracked


@contextlib.contextmanager
def fitting(estimator, X, y=None, sample_weight=None):
    """Do what belongs to every `fit`: tell scikit-learn's callbacks, lose nothing by failure.

    Parameters
    ----------
    estimator : estimator
        What is fitted; it gets its attributes back if the block raises.
    X, y, sample_weight : object
        What `fit` was given.
    """
    with (
        fit_task(estimator, X, y, sample_weight),
        unchanged_on_failure(estimator),
        untracked(),
        np.errstate(over="ignore", invalid="ignore"),  # what comes out is checked instead
    ):
        yield


@contextlib.contextmanager
def unchanged_on_failure(estimator):
    """Give the estimator its attributes back if the block raises."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class StateMixin:
    """Pickles, copies and files of an estimator: plain data, with the version that wrote it."""

    #: Classes that the state takes apart.
    _state_parts = ()

    def __getstate__(self):
        state = pack(self._plain_state(), self._state_parts, self._encode)
        return {**state, _VERSION: __version__}

    def __setstate__(self, state):
        state = dict(state)
        check_version(state.pop(_VERSION, None), type(self).__name__)
        vars(self).update(unpack(state, self._state_parts, self._decode))

    def __copy__(self):
        twin = type(self).__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    def __deepcopy__(self, memo):
        twin = memo[id(self)] = type(self).__new__(type(self))
        with keeping("rows", "training"):  # a copy can do all that the original can
            twin.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return twin

    def _plain_state(self):
        """Return what the state is to hold, by name."""
        return dict(vars(self))

    #: What to do with objects of other classes, see `skanomaly.utils._state.pack`.
    _encode = _decode = None


#: Entry of a state that holds the version of the package.
_VERSION = "_skanomaly_version"


class _AvailableWithReason:
    """A method that some fits do not have, which says why."""

    def __init__(self, method, reason):
        self.method, self.reason = method, reason
        functools.update_wrapper(self, method)

    def __get__(self, obj, owner=None):
        reason = None if obj is None else self.reason(obj)
        if reason:
            raise AttributeError(
                f"This {type(obj).__name__!r} has no attribute {self.method.__name__!r}, which "
                f"needs {reason}"
            )
        return self.method if obj is None else types.MethodType(self.method, obj)


def missing_if(reason):
    """Return a decorator of methods that are absent where ``reason(self)`` returns a text."""
    return lambda method: _AvailableWithReason(method, reason)


@documented
class DecisionMixin(OutlierMixin):
    """Predictions of a detector with `score_samples` and `offset_`."""

    def fit_predict(self, X, y=None, **fit_params):
        """Fit on `X` (and `y`, where the detector uses labels) and label the same rows.

        Parameters
        ----------
        %(X)s
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
        """Label rows by the sign of `decision_function`; a row on the threshold is normal.

        %(labelling)s
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def decision_function(self, X):
        """Return `score_samples` less the threshold `offset_`: negative for anomalies.

        %(rows)s

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            Signed distance from the threshold.
        """
        return self.score_samples(X) - self.offset_

    def __sklearn_is_fitted__(self):
        return "offset_" in vars(self)


@documented
class ProbabilityMixin:
    """Probabilities of a detector that calibrates its scores where labels allow it.

    A fit sets `_map` before `offset_`: what turns scores into probabilities of being an anomaly,
    or None where there is none.
    """

    #: What probabilities need, and what there is instead, for those who lack it.
    _needs_for_probabilities: str

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # scikit-learn asks this of whatever has probabilities
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags

    def _why_uncalibrated(self):
        """Return what probabilities lack, or None; before `fit` that is not known."""
        lacking = "offset_" in vars(self) and self._map is None
        return self._needs_for_probabilities if lacking else None

    @missing_if(_why_uncalibrated)
    def predict_proba(self, X):
        """Return calibrated probabilities of being an anomaly and of being normal.

        There is such a method only after a fit with labels that can calibrate scores, see the
        class.

        %(rows)s

        Returns
        -------
        probabilities : ndarray of shape (n_samples, 2), float64
            Columns as in `classes_`: the anomaly's first. They do not depend on the threshold.
        """
        scores = self.score_samples(X)  # refuses where there was no fit
        anomaly = self._map(scores)
        return np.stack([anomaly, 1 - anomaly], axis=1)

    def _log_odds(self, X):
        """Return log odds of being an anomaly, where there are probabilities."""
        return self._map.log_odds(self.score_samples(X))
