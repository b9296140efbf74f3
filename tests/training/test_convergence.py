"""The warning about training that ended too early."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine, make_moons
from sklearn.exceptions import ConvergenceWarning

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.training._convergence import falls_fast


@pytest.fixture(autouse=True)
def _say_so():
    """Let the warning through, which the other tests leave out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=ConvergenceWarning)
        yield


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 400), st.floats(1e-6, 1e6), st.floats(0.01, 0.9), st.integers(0, 99))
def test_straight_falls_are_fast_and_flat_ends_are_not(n, size, share, seed):
    rng, t = np.random.default_rng(seed), np.linspace(0, 1, n)
    assert falls_fast(size * (1 - share * t))
    assert not falls_fast(size * ((1 - share) + share * np.exp(-5 * t)))
    assert not falls_fast(size * (1 + 0.1 * rng.normal(size=n)))
    assert not falls_fast(np.full(n, size))
    assert not falls_fast(size * (1 + share * t))


def test_short_curves_say_nothing():
    for n in range(8):
        assert not falls_fast(np.linspace(1, 0, n))


DATA = {
    "breast cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "iris": load_iris,
    "wine": load_wine,
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(
    "detector",
    [AutoencoderDetector(), AutoencoderDetector("plain"), NeuralAnomalyClassifier("plain")],
    ids=["multiscale", "plain", "plain classifier"],
)
def test_default_recipes_do_not_warn(name, detector):
    X, y = DATA[name](return_X_y=True)
    detector.set_params(random_state=0).fit(X, y >= np.quantile(y, 0.8))


def test_default_classifier_does_not_warn():
    X, y = load_wine(return_X_y=True)
    NeuralAnomalyClassifier(random_state=0).fit(X, y == 0)
    NeuralAnomalyClassifier(random_state=0).fit(make_moons(100, random_state=0)[0])


@pytest.mark.parametrize(
    ("Detector", "settings"),
    [
        (AutoencoderDetector, {"learning_rate": 3e-5}),
        (AutoencoderDetector, {"epochs": 10, "learning_rate": 1e-4}),
        (NeuralAnomalyClassifier, {"epochs": 20, "learning_rate": 1e-4}),
        (
            NeuralAnomalyClassifier,
            {"epochs": 20, "learning_rate": 1e-4, "early_stopping": False, "dropout": 0},
        ),
    ],
    ids=str,
)
def test_too_small_a_budget_warns(labelled, Detector, settings):
    X, y = labelled
    detector = Detector("plain", random_state=0, **settings)
    with pytest.warns(
        ConvergenceWarning, match=r"stopped at the end of its budget.* Raise epochs"
    ):
        detector.fit(X, y)


def test_stopping_early_is_no_reason_to_warn(labelled):
    import keras

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch >= 9

    settings = {"learning_rate": 1e-4, "random_state": 0}
    detector = AutoencoderDetector("plain", epochs=11, callbacks=Stop(), **settings)
    assert detector.fit(labelled[0]).n_iter_ == 10
    with pytest.warns(ConvergenceWarning):
        AutoencoderDetector("plain", epochs=10, **settings).fit(labelled[0])


def test_early_stopping_keeps_both_curves(labelled):
    for detector in (
        AutoencoderDetector("plain", early_stopping=True, random_state=0),
        NeuralAnomalyClassifier("plain", learning_rate=0.01, random_state=0),
    ):
        history = detector.fit(*labelled).history_
        assert sorted(history) == ["loss", "val_loss"]
        assert len(history["loss"]) == len(history["val_loss"]) == detector.n_iter_
