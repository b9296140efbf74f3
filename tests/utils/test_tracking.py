"""Trackers of experiments see no model inside a fit."""

import sys
import types

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier, ThresholdedDetector


@pytest.fixture
def logged(monkeypatch):
    """Return what autologging like MLflow's would log: fits of scikit-learn's classes."""
    import contextlib

    seen, state = [], {"on": True}

    @contextlib.contextmanager
    def disable_autologging():
        state["on"] = False
        yield
        state["on"] = True

    fit = LogisticRegression.fit

    def logging_fit(self, *args, **kwargs):
        if state["on"]:
            seen.append(self)
        return fit(self, *args, **kwargs)

    tools = types.SimpleNamespace(disable_autologging=disable_autologging)
    monkeypatch.setitem(sys.modules, "mlflow.utils.autologging_utils", tools)
    monkeypatch.setattr(LogisticRegression, "fit", logging_fit)
    return seen


def test_models_inside_a_fit_are_not_logged(logged, labelled, distance):
    X, y = labelled
    LogisticRegression().fit(X, y)
    assert len(logged) == 1
    NeuralAnomalyClassifier("plain", epochs=1, random_state=0).fit(X, y)
    ThresholdedDetector(distance).fit(X, y)
    AutoencoderDetector("plain", epochs=1, random_state=0).partial_fit(X)
    assert len(logged) == 1
    assert np.isfinite(LogisticRegression().fit(X, y).coef_).all()
    assert len(logged) == 2
