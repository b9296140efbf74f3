"""Forked processes: scores or a clear error, and never a wait without end."""

import inspect

import keras
import pytest

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX alone hangs")

FORK = inspect.cleandoc("""
    import os, pickle, signal, sys, warnings
    warnings.simplefilter("ignore")
    import numpy as np
    from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 9))
    y = (np.arange(60) < 12).astype(int)
    tiny = {"max_steps": 2, "hidden_layer_sizes": (4,), "random_state": 0}
    unfitted = AutoencoderDetector("plain", **tiny)
    fitted = {
        "plain": unfitted,
        "multiscale": AutoencoderDetector(latent_dim=2, **tiny),
        "images": AutoencoderDetector("plain", architecture="conv2d", latent_dim=2, **tiny),
        "sequences": AutoencoderDetector("plain", architecture="lstm", latent_dim=2, **tiny),
        "labels": NeuralAnomalyClassifier(**tiny),
    }
    PREPARE
    sys.stdout.flush()
    child = os.fork()
    if not child:
        signal.alarm(100)  # what hangs is killed, and the parent says so
        CHILD
        sys.stdout.flush()
        os._exit(0)
    print(os.waitpid(child, 0)[1])
""")
IN_CHILD = inspect.cleandoc("""
    for name, detector in fitted.items():
            try:
                apart = np.abs(detector.score_samples(X) / before[name] - 1).max()
                print(name, bool(apart < 1e-4))
            except RuntimeError as error:
                print(name, str(error))
        print("loaded", np.abs(loaded.score_samples(X) / before["multiscale"] - 1).max() < 1e-4)
        for work in (lambda: unfitted.fit(X), lambda: pickle.loads(pickle.dumps(unfitted))):
            try:
                work()
            except RuntimeError as error:
                print(str(error))
        print(fitted["plain"].predict(X[:2]).shape)
""")


@pytest.fixture(scope="module")
def lines(fresh_python):
    """Return what a child says that was forked after fits, one line each."""
    prepare = (
        "fitted = {name: d.fit(X, y) for name, d in fitted.items()}\n"
        "before = {name: d.score_samples(X) for name, d in fitted.items()}\n"
        "loaded = pickle.loads(pickle.dumps(fitted['multiscale']))"
    )
    return fresh_python(FORK.replace("PREPARE", prepare).replace("CHILD", IN_CHILD)).splitlines()


@pytest.mark.parametrize("name", ["plain", "multiscale", "images", "labels", "loaded"])
def test_scores_in_a_forked_child(lines, name):
    assert f"{name} True" in lines


def test_what_needs_jax_is_refused_in_a_forked_child(lines):
    refused = [line for line in lines if "needs JAX, which does not work in this process" in line]
    assert [line.split(" needs")[0] for line in refused] == [
        "sequences This network",
        "A new network, or a loaded one,",
        "A new network, or a loaded one,",
    ]
    assert all("get_context('spawn')" in line and "--preload" in line for line in refused)


def test_a_forked_child_ends(lines):
    assert lines[-2:] == ["(2,)", "0"]


def test_a_child_forked_before_any_fit_does_everything(fresh_python):
    code = FORK.replace("PREPARE", "").replace("CHILD", "print(unfitted.fit(X).predict(X).shape)")
    assert fresh_python(code).splitlines() == ["(60,)", "0"]


def test_arrays_on_their_way_arrive_before_the_fork(fresh_python):
    prepare = (
        "import jax.numpy as jnp; unfitted.fit(X)\n"
        "late = jnp.ones((2000, 2000)); late = [late @ late for _ in range(4)][-1]"
    )
    code = FORK.replace("PREPARE", prepare).replace("CHILD", "print(np.asarray(late)[0, 0])")
    assert fresh_python(code).splitlines() == ["2000.0", "0"]
