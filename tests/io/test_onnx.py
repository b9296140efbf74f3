"""ONNX models: onnxruntime gives the estimator's scores and labels, or the export says why not."""

import pickle
import sys

import keras
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier, ThresholdedDetector
from skanomaly.io import register_skl2onnx, to_onnx
from skanomaly.io._export import export
from skanomaly.io._graph import Graph

# hardly trained networks call many rows anomalies that carry no label
pytestmark = pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning")
FEW = {"max_steps": 20, "random_state": 0}
SMALL = {"hidden_layer_sizes": (8,), "latent_dim": 2, **FEW}
PLAIN = {"epochs": 3, "random_state": 0}
DETECTORS = {
    "autoencoder": lambda X, y: AutoencoderDetector(**SMALL).fit(X),
    "one member": lambda X, y: AutoencoderDetector(n_estimators=1, **SMALL).fit(X),
    "mahalanobis": lambda X, y: AutoencoderDetector(anomaly_score="mahalanobis", **SMALL).fit(X),
    "residual": lambda X, y: AutoencoderDetector(anomaly_score="residual", **SMALL).fit(X),
    "plain": lambda X, y: AutoencoderDetector("plain", **PLAIN).fit(X),
    "fast": lambda X, y: AutoencoderDetector("fast", **FEW).fit(X),
    "fast, pickled": lambda X, y: pickle.loads(
        pickle.dumps(AutoencoderDetector("fast", **FEW).fit(X))
    ),
    "not scaled": lambda X, y: AutoencoderDetector("plain", standardize=False, **PLAIN).fit(
        X / 99
    ),
    "all labels": lambda X, y: NeuralAnomalyClassifier(**FEW).fit(X, y),
    "few labels": lambda X, y: NeuralAnomalyClassifier(**FEW).fit(X, np.where(y == 1, 1, np.nan)),
    "no labels": lambda X, y: NeuralAnomalyClassifier(**FEW).fit(X),
    "plain classifier": lambda X, y: NeuralAnomalyClassifier("plain", **PLAIN).fit(X, y),
}


@pytest.fixture(scope="module")
def holes(labelled):
    """Return rows, of which some lack values, one lacks all, and one is far off."""
    X, rng = labelled[0].copy(), np.random.default_rng(3)
    X[::2][rng.random(X[::2].shape) < 0.2] = np.nan
    X[4], X[7] = np.nan, X[7] * 1e6
    return X


def answers(model, X):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": X})


def assert_same(model, estimator, X):
    scores, decisions, labels = answers(model, X)
    expected = estimator.decision_function(X)
    near = {"rtol": 1e-4, "atol": 1e-4}  # calibrated scores have the spread one
    np.testing.assert_allclose(scores, estimator.score_samples(X), **near)
    np.testing.assert_allclose(decisions, expected, **near)
    ties = np.abs(expected) < 1e-4
    np.testing.assert_array_equal(labels[~ties], estimator.predict(X)[~ties])


@pytest.mark.parametrize("name", DETECTORS)
def test_onnxruntime_scores_alike(labelled, holes, name):
    estimator = DETECTORS[name](*labelled)
    model = to_onnx(estimator)
    for X in (labelled[0], holes, holes[:1], holes[3:5]):
        assert_same(model, estimator, X)


@pytest.mark.parametrize("name", ["autoencoder", "plain", "all labels"])
def test_trained_on_missing_values(labelled, holes, name):
    # neither the empty row nor the far one, beside which all others differ by rounding alone
    estimator = DETECTORS[name](np.delete(holes, [4, 7], axis=0), np.delete(labelled[1], [4, 7]))
    model = to_onnx(estimator)
    for X in (labelled[0], holes):
        assert_same(model, estimator, X)


def test_single_precision_rows(labelled):
    estimator = DETECTORS["plain"](*labelled)
    X = labelled[0].astype(np.float32)
    assert_same(to_onnx(estimator, dtype="float32"), estimator, X)
    with pytest.raises(ValueError, match="'float64' or 'float32', got 'int8'"):
        to_onnx(estimator, dtype="int8")


def test_outputs_have_the_names_of_the_methods(labelled):
    model = to_onnx(DETECTORS["plain"](*labelled))
    onnx.checker.check_model(model, full_check=True)
    assert [output.name for output in model.graph.output] == [
        "score_samples", "decision_function", "predict"
    ]  # fmt: skip
    assert len(model.SerializeToString()) < 60_000


def test_few_rows_of_few_columns():
    X = np.array([[0.0], [1.0], [1.0]])
    estimator = AutoencoderDetector(**SMALL).fit(X)
    assert_same(to_onnx(estimator), estimator, np.array([[0.5], [1.0], [9.0], [np.nan]]))


@pytest.mark.parametrize("name", ["plain", "autoencoder", "all labels"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_pipeline(labelled, holes, name, dtype):
    X, y = labelled
    last = DETECTORS[name](X, y)
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), last).fit(X, y)
    model = to_onnx(pipeline, dtype=dtype)
    rows = holes + np.random.default_rng(4).normal(scale=0.1, size=holes.shape)  # new ones
    found, expected = answers(model, rows.astype(dtype))[0], pipeline.score_samples(rows)
    near = 1e-4 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(found, expected, rtol=near, atol=near)


def test_skl2onnx_itself_knows_the_detectors(labelled):
    pipeline = make_pipeline(StandardScaler(), AutoencoderDetector("plain", **PLAIN))
    pipeline.fit(labelled[0])
    register_skl2onnx()
    model = skl2onnx.to_onnx(pipeline, labelled[0][:1])
    assert_same(model, pipeline, labelled[0])


@pytest.mark.parametrize(
    "activation", ["relu", "tanh", "sigmoid", "silu", "elu", "selu", "softplus", "softsign"]
)
def test_activations(labelled, activation):
    estimator = AutoencoderDetector("plain", activation=activation, **PLAIN).fit(labelled[0])
    assert_same(to_onnx(estimator), estimator, labelled[0])


def test_an_own_network_of_known_layers(labelled):
    def build(n_features):
        return keras.Sequential(
            [keras.layers.Dense(3, activation="relu"), keras.layers.Dense(n_features)]
        )

    estimator = AutoencoderDetector(model=build, **PLAIN).fit(labelled[0])
    assert_same(to_onnx(estimator), estimator, labelled[0])


def test_an_own_network_that_is_given_built(labelled):
    layers = keras.Input((4,)), keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(4)
    estimator = AutoencoderDetector(model=keras.Sequential(layers), **PLAIN).fit(labelled[0])
    assert_same(to_onnx(estimator), estimator, labelled[0])


class Subclassed(keras.Model):
    """A model that keeps the order of its layers to itself."""

    def __init__(self):
        super().__init__()
        self.layer = keras.layers.Dense(4)

    def call(self, x):
        return self.layer(x)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (lambda X: IsolationForest(n_estimators=2).fit(X), "IsolationForest cannot be exported"),
        (
            lambda X: ThresholdedDetector(IsolationForest(n_estimators=2), "auto", cv=2).fit(X),
            "ThresholdedDetector cannot be exported",
        ),
        (
            lambda X: AutoencoderDetector("plain", **PLAIN).fit(
                pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "x", "y")})
            ),
            "AutoencoderDetector with categorical features",
        ),
        (
            lambda X: AutoencoderDetector("plain", architecture="gru", **PLAIN).fit(X),
            "layer 'unfold' of the class Reshape",
        ),
        (
            lambda X: AutoencoderDetector("plain", activation="mish", **PLAIN).fit(X),
            "activation 'mish' of the layer 'hidden_1'",
        ),
        (
            lambda X: AutoencoderDetector(model=lambda n_features: Subclassed(), **PLAIN).fit(X),
            "class Subclassed cannot be exported",
        ),
    ],
    ids=["foreign", "meta", "categories", "layer", "activation", "subclass"],
)
def test_what_cannot_be_exported_says_so(labelled, estimator, message):
    with pytest.raises(TypeError, match=message):
        to_onnx(estimator(labelled[0]))


def test_a_part_without_exporter_is_named():
    with pytest.raises(TypeError, match="str cannot be exported"):
        export("part", Graph(), "X")


def test_a_step_that_skl2onnx_does_not_know(labelled, distance):
    pipeline = make_pipeline(StandardScaler(), distance).fit(labelled[0])
    with pytest.raises(TypeError, match="Distance"):
        to_onnx(pipeline)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        to_onnx(AutoencoderDetector())


def test_without_onnx_the_extra_is_named(autoencoder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"skanomaly\[onnx\]"):
        to_onnx(autoencoder)


def test_steps_that_pass_rows_through_are_left_out(labelled):
    X = labelled[0]
    detector = AutoencoderDetector("plain", epochs=1, random_state=0)
    for steps in ([StandardScaler(), "passthrough"], [StandardScaler(), None], ["passthrough"]):
        pipeline = make_pipeline(*steps, detector).fit(X)
        model = to_onnx(pipeline)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        found = np.ravel(session.run(["score_samples"], {"X": X.astype(np.float64)})[0])
        np.testing.assert_allclose(found, pipeline.score_samples(X), rtol=1e-4)


def test_steps_without_a_counterpart_are_refused_with_what_to_do(labelled):
    X = labelled[0]
    detector = AutoencoderDetector("plain", epochs=1, random_state=0)
    for step in (PowerTransformer(), FunctionTransformer(np.square)):
        pipeline = make_pipeline(step, detector).fit(X)
        with pytest.raises(TypeError, match=f"{type(step).__name__}.*cannot be exported to ONNX"):
            to_onnx(pipeline)
