"""Which models share a compiled program, and what makes one compile again."""

import gc
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.training import _compiled
from skanomaly.training._compiled import cached, is_described, signature

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="only JAX programs are shared"
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))


def network(units=3, activation="relu", **kwargs):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation, **kwargs)])


class Store:
    """An object that can own programs."""


# ---------------------------------------------------------------------- signatures


def test_names_seeds_and_initial_values_do_not_matter():
    first = network(kernel_initializer=keras.initializers.HeNormal(seed=1), name="one")
    second = network(kernel_initializer="zeros", name="two")
    assert signature(first) == signature(second)
    dropouts = [keras.layers.Dropout(0.1, seed=seed) for seed in (1, 2)]
    assert signature(dropouts[0]) == signature(dropouts[1])


@pytest.mark.parametrize(
    "other",
    [
        lambda: network(4),
        lambda: network(activation="tanh"),
        lambda: network(kernel_regularizer="l2"),
        lambda: network(use_bias=False),
        lambda: network(dtype="bfloat16"),
        lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.ReLU()]),
    ],
)
def test_what_a_program_depends_on_matters(other):
    assert signature(network()) != signature(other())


def test_policies_of_precision_matter():
    before, found = keras.config.dtype_policy(), set()
    policies = ("float32", "mixed_bfloat16", "mixed_float16")
    try:
        for policy in policies:
            keras.config.set_dtype_policy(policy)
            found.add(signature(network()))
    finally:
        keras.config.set_dtype_policy(before)
    assert len(found) == len(policies)


def test_wiring_matters():
    def wired(swap):
        inputs = keras.Input((4,))
        a, b = keras.layers.Dense(4, "relu")(inputs), keras.layers.Dense(4, "tanh")(inputs)
        return keras.Model(inputs, keras.layers.Dense(1)((b if swap else a) + 2 * (a - b)))

    assert signature(wired(False)) == signature(wired(False))
    assert signature(wired(False)) != signature(wired(True))


def test_a_layer_called_like_an_activation_is_no_activation():
    layers = [keras.layers.Dense(3, kind, name=kind) for kind in ("relu", "tanh")]
    models = [keras.Sequential([keras.Input((4,)), layer]) for layer in layers]
    assert signature(models[0]) != signature(models[1])


def test_scalars_reach_the_program_as_data():
    rates = [keras.optimizers.Adam(rate) for rate in (0.1, 0.2)]
    assert signature(rates[0], {"learning_rate"}) == signature(rates[1], {"learning_rate"})
    assert signature(rates[0]) != signature(rates[1])


def make_relu(factor):
    def relu(x):
        return factor * x

    return relu


def test_a_function_is_not_known_by_its_name():
    first, second = network(activation=make_relu(1.0)), network(activation=make_relu(2.0))
    assert not is_described(first)
    assert signature(first) != signature(second)
    assert signature(first) != signature(network())


class Own(keras.layers.Dense):
    pass


@keras.saving.register_keras_serializable("tests")
class OwnLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    "thing",
    [
        lambda: keras.Sequential([keras.Input((4,)), Own(3)]),
        lambda: keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)]),
        lambda: keras.Sequential([network(activation=make_relu(1.0))]),
        lambda: network(kernel_constraint=lambda w: w),
        OwnLoss,
        lambda: make_relu(1.0),
    ],
)
def test_own_code_is_not_described(thing):
    thing = thing()
    assert not is_described(thing)
    assert signature(thing) == signature(thing)


@pytest.mark.parametrize(
    "thing",
    [
        network,
        lambda: keras.Sequential(
            [keras.Input((4, 1)), keras.layers.Bidirectional(keras.layers.LSTM(2))]
        ),
        lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(1.0, 2, 0.5)),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()),
        keras.losses.Huber,
        lambda: keras.losses.mean_squared_error,
    ],
)  # fmt: skip
def test_keras_own_code_is_described(thing):
    assert is_described(thing())


# ---------------------------------------------------------------------- the store


def test_a_program_is_built_once_for_a_key():
    built = []
    for _ in range(2):
        cached(("test", "once"), lambda: built.append(1))
    assert built == [1]


def test_the_least_recently_used_goes_first(monkeypatch):
    _compiled.clear()
    monkeypatch.setattr(_compiled, "MAX_COMPILED", 2)
    for key in "abac":
        cached(key, lambda key=key: key.upper())
    assert [*_compiled._programs] == ["a", "c"]


def test_an_owner_takes_its_programs_along():
    owner = Store()
    gone = weakref.ref(cached("key", Store, owner))
    assert gone() is cached("key", Store, owner)
    assert "key" not in _compiled._programs
    del owner
    gc.collect()
    assert gone() is None


def test_one_thread_traces_at_a_time_and_all_get_the_result():
    traced = []

    def square(x):
        traced.append(threading.get_ident())
        return x * x

    program = _compiled.Program(square)
    results = [None] * 8

    def run(k):
        results[k] = np.asarray(program(np.float32(k)))

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert [float(r) for r in results] == [k * k for k in range(8)]
    assert len(traced) == program.n_compiled == 1
    program(np.zeros(3, np.float32))
    assert len(traced) == program.n_compiled == 2


# ---------------------------------------------------------------------- compilations


@pytest.fixture
def compilations():
    """Return a function that counts the compilations since it was last asked."""
    _compiled.clear()
    before = [0]

    def since():
        now = _compiled.count()
        new, before[0] = now - before[0], now
        return new

    return since


def plain(X=X, **kwargs):
    settings = {"hidden_layer_sizes": (3,), "epochs": 2, "random_state": 0} | kwargs
    return AutoencoderDetector("plain", **settings).fit(X)


def test_a_first_fit_compiles_training_and_scoring_once(compilations):
    plain()
    assert compilations() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.1},
        {"epochs": 50},
        {"random_state": 7},
        {"X": X[:150]},
        {"X": X.astype(np.float32)},
        {"contamination": 0.1},
        {"standardize": False},
        {"verbose": 1},
    ],
    ids=lambda change: "-".join(change),
)
def test_refits_do_not_compile(compilations, change):
    plain()
    assert compilations()
    plain(**change)
    assert compilations() == 0


def test_weight_decay_and_rate_of_the_classifier_do_not_compile(compilations):
    y = X[:, 0] > 1
    kwargs = {"hidden_layer_sizes": (3,), "epochs": 2, "early_stopping": False}
    NeuralAnomalyClassifier("plain", **kwargs, weight_decay=0.1).fit(X, y)
    assert compilations() == 2
    NeuralAnomalyClassifier("plain", **kwargs, weight_decay=0.2, learning_rate=0.1).fit(X, y)
    assert compilations() == 0


def test_steps_of_a_warmed_up_schedule_do_not_compile(compilations):
    kwargs = {"hidden_layer_sizes": (3,), "latent_dim": 2, "anomaly_score": "residual"}
    AutoencoderDetector(max_steps=20, **kwargs).fit(X)
    assert compilations()
    AutoencoderDetector(max_steps=40, learning_rate=0.1, **kwargs).fit(X)
    assert compilations() == 0


def test_early_stopping_adds_one_program(compilations):
    plain(early_stopping=True, epochs=3)
    assert compilations() == 3
    plain(early_stopping=True, epochs=30, n_iter_no_change=2, validation_fraction=0.2)
    assert compilations() == 0


def test_results_do_not_depend_on_who_compiled_first():
    _compiled.clear()
    alone = plain(learning_rate=0.05).score_samples(X)
    _compiled.clear()
    plain(random_state=9)
    np.testing.assert_array_equal(plain(learning_rate=0.05).score_samples(X), alone)


def test_threads_fit_and_score_like_one():
    expected = [plain(random_state=k).score_samples(X) for k in range(4)]
    _compiled.clear()
    found = [None] * 8

    def run(k):
        detector = plain(random_state=k % 4)
        found[k] = [detector.score_samples(X) for _ in range(3)]

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for k, scores in enumerate(found):
        for score in scores:
            np.testing.assert_array_equal(score, expected[k % 4])


def test_own_models_are_let_go():
    def build(n_features):
        layers = [keras.Input((n_features,)), keras.layers.Lambda(lambda x: x + 0)]
        return keras.Sequential([*layers, keras.layers.Dense(n_features)])

    detector = AutoencoderDetector(model=build, epochs=1).fit(X)
    gone = weakref.ref(detector.network_)
    assert np.isfinite(detector.score_samples(X)).all()
    del detector
    gc.collect()
    assert gone() is None


LEAK = """
import gc, sys
import numpy as np
from skanomaly import AutoencoderDetector

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

X = np.random.default_rng(0).normal(size=(60, 4))
for k in range(200):
    widths = (3 + k % 2,)
    AutoencoderDetector("plain", hidden_layer_sizes=widths, epochs=1, random_state=k).fit(X)
    if k == 50:
        gc.collect()
        before = resident()
gc.collect()
print(resident() - before)
"""


def test_memory_does_not_grow_over_200_fits(fresh_python):
    assert float(fresh_python(LEAK, KERAS_BACKEND="jax")) < 30


# ---------------------------------------------------------------------- across processes

WARM = """
import sys, time
import numpy as np
import jax
hits = []
jax.monitoring.register_event_listener(lambda event, **kwargs: hits.append(event))
from skanomaly import AutoencoderDetector
X = np.random.default_rng(0).normal(size=(60, 4))
d = AutoencoderDetector("plain", hidden_layer_sizes=(3,), epochs=1, random_state=0).fit(X)
names = [h.rsplit("/", 1)[1] for h in hits]
score = float(d.score_samples(X).sum())
print(names.count("cache_hits"), names.count("cache_misses"), repr(score))
"""


def run_warm(fresh_python, folder):
    hits, misses, score = fresh_python(
        WARM,
        KERAS_BACKEND="jax",
        SKANOMALY_CACHE_DIR=str(folder),
        PYTHONWARNINGS="error::UserWarning",
    ).split()
    return int(hits), int(misses), float(score)


def test_a_second_process_starts_warm_and_damage_does_no_harm(fresh_python, tmp_path):
    folder = tmp_path / "not" / "there" / "yet"
    hits, misses, score = run_warm(fresh_python, folder)
    assert hits == 0
    assert misses > 2
    warm = run_warm(fresh_python, folder)
    assert warm[:2] == (misses, 0)
    assert warm[2] == score
    for entry in folder.iterdir():
        entry.write_bytes(entry.read_bytes()[:100])
    assert run_warm(fresh_python, folder)[2] == score


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match=r"SKANOMALY_CACHE_DIR names the folder .*writable"):
        _compiled.use_persistent_cache(tmp_path / "file" / "folder")


def test_a_folder_that_cannot_be_written_is_used_without_noise(fresh_python, tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    code = WARM.replace(
        "from skanomaly import", "import pathlib\n"
        "def full(*a, **k): raise OSError(28, 'No space left on device')\n"
        "pathlib.Path.write_bytes = full\n"
        "from skanomaly import", 1
    )  # fmt: skip
    answer = fresh_python(
        code,
        KERAS_BACKEND="jax",
        SKANOMALY_CACHE_DIR=str(folder),
        PYTHONWARNINGS="error::UserWarning",
    )
    assert np.isfinite(float(answer.split()[-1]))
    assert not any(folder.iterdir())


def test_processes_may_fill_a_folder_at_once(fresh_python, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: run_warm(fresh_python, tmp_path), range(2)))
    assert found[0][2] == found[1][2]
    hits, misses, score = run_warm(fresh_python, tmp_path)
    assert (misses, score) == (0, found[0][2])
    assert hits > 2


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_folder_is_read(fresh_python, tmp_path):
    _, misses, score = run_warm(fresh_python, tmp_path)
    tmp_path.chmod(0o500)
    try:
        assert run_warm(fresh_python, tmp_path) == (misses, 0, score)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(os.name != "posix", reason="rights of other users")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_can_write_to_is_not_used(tmp_path, mode):
    import jax

    before = jax.config.jax_compilation_cache_dir
    tmp_path.chmod(mode)
    with pytest.warns(UserWarning, match=r"programs in it are executed.*chmod go-w.*not used"):
        _compiled.use_persistent_cache(tmp_path)
    assert jax.config.jax_compilation_cache_dir == before


def test_a_folder_is_made_for_this_user_alone(tmp_path):
    assert _compiled._what_is_wrong(tmp_path / "new") is None
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
