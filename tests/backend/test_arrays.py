"""NumPy reads Keras' variables without a warning, and as Keras does."""

import warnings

import numpy as np
import pytest

from skanomaly.backend import keras
from skanomaly.backend._arrays import accept_copy


@pytest.fixture
def variable():
    return keras.Variable(np.array([1.0, 2.0], "float32"))


@pytest.mark.core
def test_reading_a_variable_is_silent_and_exact(variable):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if keras.backend.backend() == "torch":  # its own tensors warn
            warnings.filterwarnings("ignore", message="__array__ implementation")
        read = [np.array(variable), np.asarray(variable), variable.numpy()]
        scalar = np.array(keras.Variable(3.0))
    for values in read:
        np.testing.assert_array_equal(values, np.array([1.0, 2.0], "float32"))
    assert scalar == 3.0


@pytest.mark.core
def test_a_copy_can_be_written_to_and_leaves_the_variable(variable):
    copied = np.array(variable)
    copied[0] = 7.0
    assert np.asarray(variable)[0] == 1.0


def test_a_type_is_honoured(variable):
    assert np.array(variable, dtype="float64").dtype == np.float64


def test_a_class_that_knows_better_is_left_alone():
    class Fine:
        def __array__(self, dtype=None, copy=None):
            return np.zeros(2)

    before = Fine.__array__
    accept_copy(Fine)
    assert Fine.__array__ is before


FIT = """
import numpy as np
from functools import partial
from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.backend import keras
import pickle, warnings
warnings.filterwarnings("ignore", message=".*stopped at the end of its budget")
X = np.random.default_rng(0).normal(size=(60, 8))
y = np.arange(60) % 5 == 0
def own(n_features, n_outputs, activation):
    dense = keras.layers.Dense
    return keras.Sequential([
        keras.layers.Input((n_features,)), dense(3), dense(n_outputs, activation=activation)
    ])
model = partial(own, n_outputs=8, activation=None)
judge = partial(own, n_outputs=1, activation="sigmoid")
conv = {"architecture": "conv1d", "epochs": 1}
for detector in (
    AutoencoderDetector(max_steps=2), AutoencoderDetector("plain", **conv),
    AutoencoderDetector(model=model, epochs=1), NeuralAnomalyClassifier("plain", **conv),
    NeuralAnomalyClassifier(model=judge, epochs=1),
):
    detector.set_params(random_state=0).fit(X, y).score_samples(X)
    detector.explain(X[:1])
    detector.network_.get_config()
    [layer.get_weights() for layer in detector.network_.layers]
    pickle.dumps(detector)
"""


def test_no_warning_of_keras_or_numpy_reaches_a_user(fresh_python):
    fresh_python("import warnings; warnings.simplefilter('error', DeprecationWarning)" + FIT)
