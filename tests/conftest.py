"""Data and small fitted models that several test files share."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.datasets import load_breast_cancer

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.backend import keras
from skanomaly.training._compiled import CACHE_SETTING, use_persistent_cache

#: The folder Python finds the package in, for processes started by tests.
PACKAGE_PARENT = Path(sys.modules["skanomaly"].__file__).parents[1]


def pytest_configure(config):
    """What one process of a run has compiled serves its other processes too, and ends with it."""
    if keras.backend.backend() != "jax" or CACHE_SETTING in os.environ:
        return
    folder = tempfile.TemporaryDirectory(prefix="skanomaly-programs-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    os.environ[CACHE_SETTING] = folder.name  # processes started from here find it at import
    use_persistent_cache(folder.name)


class Distance(OutlierMixin, BaseEstimator):
    """The cheapest detector there is: minus the Mahalanobis distance from the training rows."""

    def fit(self, X, y=None, sample_weight=None):
        X = np.asarray(X, dtype=float)
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight)
        self.centre_ = np.average(X, axis=0, weights=weight)
        covariance = np.atleast_2d(np.cov(X, rowvar=False, aweights=weight))
        self.precision_ = np.linalg.inv(covariance + 1e-6 * np.eye(X.shape[1]))
        self.labels_seen_ = y
        return self

    def score_samples(self, X):
        Z = np.asarray(X, dtype=float) - self.centre_
        return -np.sqrt(((Z @ self.precision_) * Z).sum(axis=1))


class Grows(BaseEstimator):
    """A detector of PyOD's conventions: scores grow with abnormality, labels are 0 and 1."""

    def __init__(self, contamination=0.1):
        self.contamination = contamination

    def fit(self, X, y=None):
        X = np.asarray(X, dtype=float)
        self.centre_, self.spread_ = np.median(X, axis=0), X.std(axis=0) + 1e-9
        self.decision_scores_ = self.decision_function(X)
        self.threshold_ = np.quantile(self.decision_scores_, 1 - self.contamination)
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    def decision_function(self, X):
        return np.abs((np.asarray(X, dtype=float) - self.centre_) / self.spread_).max(axis=1)

    def predict(self, X):
        return (self.decision_function(X) > self.threshold_).astype(int)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "outlier_detector"
        return tags


@pytest.fixture(scope="session")
def grows():
    """Return an unfitted detector of PyOD's conventions; tests must not change it."""
    return Grows()


@pytest.fixture
def distance():
    """Return an unfitted detector."""
    return Distance()


@pytest.fixture(scope="session")
def blob():
    """Return 120 correlated normal rows of 4 columns."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(120, 4)) @ rng.normal(size=(4, 4)) + [0, 1, -5, 100]


@pytest.fixture(scope="session")
def labelled(blob):
    """Return 140 rows, the last 20 of them far off, and labels 1 for those, 0 for the others."""
    rng = np.random.default_rng(1)
    far = blob[:20] + rng.normal(scale=8, size=(20, 4))
    return np.vstack([blob, far]), np.repeat([0, 1], [120, 20])


@pytest.fixture(scope="session")
def cancer():
    """Return scikit-learn's breast cancer data and labels 1 for malignant."""
    X, y = load_breast_cancer(return_X_y=True)
    return X, (y == 0).astype(int)


@pytest.fixture(scope="session")
def autoencoder(blob):
    """Return a fitted textbook autoencoder; tests must not change it."""
    return AutoencoderDetector("plain", epochs=5, random_state=0).fit(blob)


@pytest.fixture(scope="session")
def classifier(labelled):
    """Return a fitted textbook classifier; tests must not change it."""
    return NeuralAnomalyClassifier("plain", epochs=5, random_state=0).fit(*labelled)


@pytest.fixture(scope="session")
def fresh_python():
    """Return a function that runs code in a new process and returns what it prints.

    The process decides on its Keras backend by itself unless `environment` says otherwise.
    """

    def run(code, *arguments, **environment):
        env = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
        path = [str(PACKAGE_PARENT), env.get("PYTHONPATH", "")]
        env |= {"PYTHONPATH": os.pathsep.join(filter(None, path)), **environment}
        command = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
