"""What is written can be read again, or is refused where it is written, by name."""

import copy
import inspect
import pickle

import keras
import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from skanomaly import (
    AutoencoderDetector,
    NeuralAnomalyClassifier,
)

TINY = {"epochs": 1, "random_state": 0}
FOREST = IsolationForest(n_estimators=2, random_state=0)


def with_lambda(n_features):
    return keras.Sequential(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(3),
            keras.layers.Lambda(lambda x: x * 2, name="doubled"),
            keras.layers.Dense(n_features),
        ]
    )


def with_local_class(n_features):
    class Doubled(keras.layers.Layer):
        def call(self, x):
            return x * 2

    layers = [keras.Input((n_features,)), keras.layers.Dense(3), Doubled(name="local")]
    return keras.Sequential([*layers, keras.layers.Dense(n_features)])


class WithoutConfig(keras.Model):
    def __init__(self, n_features):
        super().__init__(name="subclass")
        self.inner = keras.layers.Dense(n_features)

    def call(self, x):
        return self.inner(x)


@keras.saving.register_keras_serializable("tests")
class Registered(keras.layers.Layer):
    def call(self, x):
        return x * 2


def with_registered(n_features):
    layers = [keras.Input((n_features,)), keras.layers.Dense(3), Registered()]
    return keras.Sequential([*layers, keras.layers.Dense(n_features)])


UNREADABLE = {
    "doubled": (with_lambda, "[lL]ambda"),
    "local": (with_local_class, "Doubled"),
    "subclass": (WithoutConfig, "WithoutConfig"),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy])
def test_a_network_that_could_not_be_read_is_not_written(blob, name, write):
    build, kind = UNREADABLE[name]
    detector = AutoencoderDetector(model=build, **TINY).fit(blob)
    with pytest.raises(ValueError, match=f"The layer '{name}' .*{kind}"):
        write(detector)
    assert detector.predict(blob).shape == (len(blob),)


@pytest.mark.parametrize("name", UNREADABLE)
def test_such_a_model_is_refused_by_fit(blob, name):
    build, kind = UNREADABLE[name]
    with pytest.raises((TypeError, ValueError), match=f"layer '{name}'.*{kind}"):
        AutoencoderDetector(model=build(4), **TINY).fit(blob)


def test_registered_classes_are_written_and_read(blob):
    detector = AutoencoderDetector(model=with_registered, **TINY).fit(blob)
    loaded = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(loaded.score_samples(blob), detector.score_samples(blob))


def test_plain_networks_are_saved_without_our_classes(labelled, tmp_path, fresh_python):
    X, y = labelled
    fitted = {
        "dense": AutoencoderDetector("plain", **TINY).fit(X),
        "classifier": NeuralAnomalyClassifier("plain", **TINY).fit(X, y),
        "loaded": pickle.loads(pickle.dumps(AutoencoderDetector("plain", **TINY).fit(X))),
    }
    rows = X[:5].astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    for name, detector in fitted.items():
        detector.network_.save(tmp_path / f"{name}.keras")
    code = inspect.cleandoc("""
        import sys, keras, numpy as np
        folder = sys.argv[1]
        rows = np.load(folder + "/rows.npy")
        for name in ("dense", "classifier", "loaded"):
            output = keras.models.load_model(f"{folder}/{name}.keras")(rows)
            np.save(f"{folder}/{name}.npy", keras.ops.convert_to_numpy(output))
        print("skanomaly" in sys.modules)
    """)
    assert fresh_python(code, tmp_path, KERAS_BACKEND=keras.backend.backend()) == "False"
    for name, detector in fitted.items():
        here = keras.ops.convert_to_numpy(detector.network_(rows))
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), here, rtol=1e-4, atol=1e-6)
