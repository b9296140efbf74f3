"""scikit-learn's own checks on every built-in variant, nothing excused."""

import inspect
import math
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.utils.estimator_checks import parametrize_with_checks

import skanomaly
from skanomaly import (
    AnomalyClassifier,
    AutoencoderDetector,
    ConformalDetector,
    DriftMonitor,
    NeuralAnomalyClassifier,
    PyODEstimator,
    ThresholdedDetector,
    WindowedDetector,
)
from skanomaly.detectors import _recipes
from skanomaly.networks import _sequences

#: scikit-learn's checks bring labels such as 0, 1, 2, nothing to learn from them, and a handful
#: of rows: the detectors rightly warn about all of them.
pytestmark = [
    pytest.mark.filterwarnings("ignore:y holds the values:UserWarning"),
    pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning"),
    pytest.mark.filterwarnings("ignore:.* calibration rows are too few:UserWarning"),
    pytest.mark.filterwarnings("ignore:no row lies below the threshold:UserWarning"),
    pytest.mark.filterwarnings("ignore:All .* rows of X are the same:UserWarning"),
]

#: Small networks for sequences, with next to no training: conformance depends neither on size
#: nor on the recipe around the network, which tests/networks tries with every architecture.
_TINY = {"max_steps": 2, "hidden_layer_sizes": (2,), "contamination": 0.1, "batch_size": 16}
SEQUENTIAL = [
    AutoencoderDetector("plain", architecture="lstm", latent_dim=2, **_TINY),
    NeuralAnomalyClassifier("plain", architecture="conv1d", early_stopping=False, **_TINY),
    NeuralAnomalyClassifier("plain", architecture="gru", early_stopping=False, **_TINY),
]
IMAGES = [
    AutoencoderDetector("plain", architecture="conv2d", latent_dim=2, **_TINY),
    NeuralAnomalyClassifier("plain", architecture="conv2d", early_stopping=False, **_TINY),
]
#: Whole recipes: half of the time that all checks take.
DEFAULTS = [AutoencoderDetector(), NeuralAnomalyClassifier()]
FULL = [
    AutoencoderDetector("fast"),
    AutoencoderDetector("plain", epochs=20),
    AutoencoderDetector(
        "plain", epochs=5, early_stopping=True, standardize=False, anomaly_score="mahalanobis"
    ),
    AutoencoderDetector("plain", epochs=5, categorical_features=[0], contamination=0.1),
    NeuralAnomalyClassifier("plain", epochs=20),
    NeuralAnomalyClassifier("plain", epochs=5, categorical_features=[0], contamination=0.1),
]
#: The same code with next to no training, for the backends that train slowly. Untrained
#: networks find nothing odd by themselves: a share of anomalies is asked for.
QUICK = [
    AutoencoderDetector(max_steps=2, hidden_layer_sizes=(8,), latent_dim=2),
    AutoencoderDetector("plain", epochs=1, contamination=0.1),
    NeuralAnomalyClassifier(max_steps=2, contamination=0.1),
    NeuralAnomalyClassifier("plain", epochs=1, contamination=0.1),
]


class Grows:
    """The smallest detector of PyOD's conventions: scores grow, a tenth of rows is labelled 1."""

    contamination = 0.1

    def fit(self, X, y=None):
        self.centre_ = np.median(X, axis=0)
        self.decision_scores_ = self.decision_function(X)
        self.threshold_ = np.quantile(self.decision_scores_, 1 - self.contamination)
        return self

    def decision_function(self, X):
        return np.abs(X - self.centre_).max(axis=1)

    def __repr__(self):
        return "Grows()"  # names of tests are the same in every process


FOREST = IsolationForest(n_estimators=8, random_state=0)
#: Estimators around detectors are the same whatever is inside.
AROUND = [
    ThresholdedDetector(FOREST, cv=2, random_state=0),
    ThresholdedDetector(FOREST, "contamination", level=0.1, cv=None),
    ConformalDetector(FOREST, random_state=0),
    ConformalDetector(FOREST, "cv+", cv=2, random_state=0),
    WindowedDetector(AutoencoderDetector("plain", epochs=5)),
    WindowedDetector(FOREST, stride=2, aggregation="max"),
    PyODEstimator(Grows()),
    DriftMonitor(FOREST, random_state=0),
    DriftMonitor(FOREST, cv=2, random_state=0),
    AnomalyClassifier(NeuralAnomalyClassifier("plain", epochs=20, learning_rate=0.01)),
]
on_jax = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="the other backends train slowly"
)
VARIANTS = FULL if keras.backend.backend() == "jax" else QUICK


@pytest.fixture(scope="module", autouse=True)
def _no_graphs():
    """On TensorFlow every fit traces its graph, for two steps here: other tests do that."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.mark.core
@parametrize_with_checks(VARIANTS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@on_jax
@parametrize_with_checks(DEFAULTS)
def test_scikit_learn_checks_of_defaults(estimator, check):
    check(estimator)


@on_jax
@parametrize_with_checks(SEQUENTIAL)
def test_scikit_learn_checks_of_sequences(estimator, check):
    check(estimator)


@on_jax
@parametrize_with_checks(IMAGES)
def test_scikit_learn_checks_of_images(estimator, check, monkeypatch):
    """The checks bring any number of columns: images here are as near to squares as it allows."""

    def rectangle(rank, n_features, owner):
        height = next(h for h in range(math.isqrt(n_features), 0, -1) if n_features % h == 0)
        return height, n_features // height, 1

    monkeypatch.setattr(_sequences, "_default_shape", rectangle)
    check(estimator)


@parametrize_with_checks(AROUND)
def test_scikit_learn_checks_around_detectors(estimator, check):
    check(estimator)


def test_scikit_learn_checks_with_array_api(fresh_python):
    """SCIPY_ARRAY_API is read when SciPy is imported: a process of its own."""
    code = inspect.cleandoc("""
        import warnings
        from sklearn.utils.estimator_checks import check_estimator
        from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

        warnings.filterwarnings("ignore", "y holds the values", UserWarning)
        for detector in (AutoencoderDetector, NeuralAnomalyClassifier):
            estimator = detector("plain", epochs=1, contamination=0.1)
            for result in check_estimator(estimator, on_skip=None, on_fail=None):
                print(result["check_name"], result["status"], result["exception"])
    """)
    lines = fresh_python(code, SCIPY_ARRAY_API="1").splitlines()
    assert len(lines) > 80
    assert [line for line in lines if " passed " not in line] == []


def test_no_failure_is_declared_as_expected():
    """Nothing in the package or its tests may excuse an estimator from a check."""
    excuse = re.compile("expected_failed" + "_checks|_xfail" + "_checks|non_determin" + "istic")
    folders = Path(skanomaly.__file__).parent, Path(__file__).parent
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) > 20
    assert [file.name for file in files if excuse.search(file.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("detector", "recipes", "auto"),
    [
        (AutoencoderDetector, _recipes.AUTOENCODER, "multiscale"),
        (NeuralAnomalyClassifier, _recipes.CLASSIFIER, "ensemble"),
    ],
)
def test_every_recipe_is_checked(detector, recipes, auto):
    """A recipe added later must appear among the variants (or be what "auto" takes)."""
    checked = {e.recipe for e in [*DEFAULTS, *FULL] if type(e) is detector}
    assert {auto if name == "auto" else name for name in checked} == set(recipes)


def test_every_architecture_is_checked():
    checked = {estimator.architecture for estimator in [*FULL, *SEQUENTIAL, *IMAGES]}
    assert checked == {*_sequences.ARCHITECTURES}


@pytest.mark.parametrize("variants", [[*DEFAULTS, *FULL], QUICK])
def test_every_public_estimator_is_checked(variants):
    public = [getattr(skanomaly, name) for name in skanomaly.__all__]
    assert {e for e in public if hasattr(e, "fit")} == {type(e) for e in [*variants, *AROUND]}
