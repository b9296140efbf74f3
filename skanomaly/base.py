"""From scores to answers: what every detector says once it has scores and a threshold.

Owns: the signs and labels of outlier detectors, and the columns of probabilities. Does not own:
scores, or how a threshold is found or scores are calibrated; a detector brings ``fit``,
``score_samples`` and ``offset_``.
"""

import contextlib
import warnings

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils import ClassifierTags
from sklearn.utils.metaestimators import available_if

from skanomaly._version import __version__


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


class VersionMixin:
    """The version of the package goes with a pickled estimator, and is looked at on loading."""

    def __getstate__(self):
        return {**super().__getstate__(), "_skanomaly_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skanomaly_version", "unknown")
        super().__setstate__(state)
        if version != __version__:
            warnings.warn(
                f"This {type(self).__name__} was saved by version {version} of skanomaly and is "
                f"loaded by {__version__}: its answers may differ, or it may fail. Install the "
                "version that saved it, or fit it again and save it anew.",
                UserWarning,
                stacklevel=2,
            )


class DecisionMixin(VersionMixin, OutlierMixin):
    """Predictions of a detector with `score_samples` and `offset_`."""

    def fit_predict(self, X, y=None, **fit_params):
        """Fit on `X` (and `y`, where the detector uses labels) and label the same rows.

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

    def __sklearn_is_fitted__(self):
        return "offset_" in vars(self)


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

    def _is_calibrated(self):
        """Tell whether there are probabilities; before `fit` that is not known."""
        if "offset_" in vars(self) and self._map is None:
            raise AttributeError(f"predict_proba needs {self._needs_for_probabilities}")
        return True

    @available_if(_is_calibrated)
    def predict_proba(self, X):
        """Return calibrated probabilities of being an anomaly and of being normal.

        There is such a method only after a fit with labels that can calibrate scores, see the
        class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

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
