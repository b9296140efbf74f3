"""Pickle, joblib, copies: a fitted detector is the same detector elsewhere."""

import copy
import pickle
from functools import partial

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

pytestmark = [
    pytest.mark.core,
    # hardly trained networks call many rows anomalies that carry no label
    pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning"),
]

BACKEND = keras.backend.backend()
LOAD = """
import sys
import numpy as np
{load}
rows = np.load(sys.argv[2])
np.savez(sys.argv[3], *[d.decision_function(rows) for d in detectors.values()])
import keras
print(keras.backend.backend())
"""
LOADERS = {
    "pickle": "import pickle; detectors = pickle.load(open(sys.argv[1], 'rb'))",
    "joblib": "import joblib; detectors = joblib.load(sys.argv[1])",
}


class Quiet(keras.callbacks.Callback):
    """A callback of the user's own."""


@pytest.fixture(scope="module")
def detectors(blob, labelled, autoencoder, classifier):
    """Return fitted detectors by name: one of each recipe, and one in a pipeline."""
    few = {"max_steps": 5, "random_state": 0}
    small = AutoencoderDetector(hidden_layer_sizes=(8,), latent_dim=2, **few).fit(blob)
    return {
        "plain autoencoder": autoencoder,
        "autoencoder": small,
        "plain classifier": classifier,
        "classifier": NeuralAnomalyClassifier(**few).fit(*labelled),
        "classifier without labels": NeuralAnomalyClassifier(**few).fit(blob),
        "pipeline": make_pipeline(StandardScaler(), clone(autoencoder)).fit(blob),
    }


NAMES = [
    "plain autoencoder",
    "autoencoder",
    "plain classifier",
    "classifier",
    "classifier without labels",
    "pipeline",
]


def assert_same(one, other, rows):
    np.testing.assert_array_equal(one.score_samples(rows), other.score_samples(rows))
    np.testing.assert_array_equal(one.predict(rows), other.predict(rows))
    assert repr(one) == repr(other)


@pytest.mark.parametrize("name", NAMES)
def test_pickle_round_trip(detectors, labelled, name):
    detector = detectors[name]
    for protocol in (2, pickle.HIGHEST_PROTOCOL):
        loaded = pickle.loads(pickle.dumps(detector, protocol))
        assert_same(loaded, detector, labelled[0])


@pytest.mark.parametrize("name", NAMES)
def test_deepcopy_is_independent(detectors, labelled, name):
    twin = copy.deepcopy(detectors[name])
    assert_same(twin, detectors[name], labelled[0])
    before = detectors[name].score_samples(labelled[0])
    twin.fit(labelled[0] * 2)
    np.testing.assert_array_equal(detectors[name].score_samples(labelled[0]), before)


@pytest.mark.parametrize("writer", ["pickle", "joblib"])
def test_fresh_process_scores_alike(detectors, labelled, writer, tmp_path, fresh_python):
    """The new process is told nothing: neither a backend (JAX is found) nor the package."""
    file, rows, results = (tmp_path / name for name in ("detectors", "rows.npy", "results.npz"))
    {"pickle": _pickle_to, "joblib": joblib.dump}[writer](detectors, file)
    np.save(rows, labelled[0])
    told = {} if BACKEND == "jax" else {"KERAS_BACKEND": BACKEND}
    code = LOAD.format(load=LOADERS[writer])
    assert fresh_python(code, file, rows, results, **told).splitlines()[-1] == BACKEND
    for detector, there in zip(detectors.values(), np.load(results).values(), strict=True):
        here = detector.decision_function(labelled[0])
        np.testing.assert_allclose(there, here, rtol=1e-6, atol=1e-9)


def _pickle_to(thing, path):
    path.write_bytes(pickle.dumps(thing))


def test_memory_mapped_load(detectors, labelled, tmp_path):
    file = tmp_path / "detector.joblib"
    joblib.dump(detectors["autoencoder"], file)
    loaded = joblib.load(file, mmap_mode="r")
    assert_same(loaded, detectors["autoencoder"], labelled[0])


def test_loaded_detector_trains_on(blob, tmp_path):
    detector = AutoencoderDetector("plain", epochs=3, warm_start=True, random_state=0).fit(blob)
    loaded = pickle.loads(pickle.dumps(detector))
    one, other = detector.fit(blob), loaded.fit(blob)
    assert other.n_iter_ == 6
    np.testing.assert_allclose(one.history_["loss"], other.history_["loss"], rtol=1e-6)
    np.testing.assert_allclose(one.score_samples(blob), other.score_samples(blob), rtol=1e-5)


def test_history_survives(detectors):
    detector = detectors["plain autoencoder"]
    loaded = pickle.loads(pickle.dumps(detector))
    assert loaded.history_ == detector.history_
    assert loaded.n_iter_ == detector.n_iter_
    assert [w.shape for w in loaded.network_.get_weights()] == [
        w.shape for w in detector.network_.get_weights()
    ]


def own_network(n_features, width=3):
    return keras.Sequential([keras.layers.Dense(width), keras.layers.Dense(n_features)])


@pytest.mark.parametrize(
    "own",
    [
        {"model": own_network},
        {"model": partial(own_network, width=2)},
        {"callbacks": [Quiet()]},
        {"optimizer": keras.optimizers.SGD(0.01)},
        {"loss": keras.losses.Huber()},
        {"activation": keras.activations.tanh},
        {"early_stopping": True},
    ],
    ids=["function", "partial", "callback", "optimizer", "loss", "activation", "early stopping"],
)
def test_own_parts_survive_clone_and_pickle(blob, own):
    detector = AutoencoderDetector("plain", epochs=2, random_state=0, **own)
    twin = clone(detector).fit(blob)
    detector.fit(blob)
    np.testing.assert_array_equal(detector.score_samples(blob), twin.score_samples(blob))
    loaded = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(loaded.score_samples(blob), twin.score_samples(blob))
    np.testing.assert_array_equal(
        copy.deepcopy(detector).fit(blob).score_samples(blob), twin.score_samples(blob)
    )


def test_own_keras_model_survives_clone_and_pickle(blob):
    model = own_network(4)
    model.build((None, 4))
    detector = AutoencoderDetector(model=model, epochs=2, random_state=0)
    twin = clone(detector).fit(blob)
    detector.fit(blob)
    np.testing.assert_array_equal(detector.score_samples(blob), twin.score_samples(blob))
    loaded = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(loaded.score_samples(blob), twin.score_samples(blob))


def test_pickle_is_small(detectors):
    """No training rows hide in a plain detector, nor the programs compiled for it."""
    weights = sum(w.nbytes for w in detectors["plain autoencoder"].network_.get_weights())
    assert len(pickle.dumps(detectors["plain autoencoder"])) < 4 * weights + 20_000
