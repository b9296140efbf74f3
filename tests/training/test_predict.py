"""Any number of rows through blocks of one shape."""

import itertools
import threading

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.training import _compiled, _predict
from skanomaly.training._predict import BLOCK_ROWS, CALL_ROWS, block_spans, forward, pad_rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20_000, 3)).astype(np.float32)
on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX alone compiles")


@pytest.fixture(scope="module")
def network():
    layers = [keras.layers.Dense(8, "tanh"), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((3,)), *layers])


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 256, 257, 1024, 1025, 4096, 4097, 20_000])
def test_outputs_are_those_of_the_network(network, n):
    expected = ops.convert_to_numpy(network(X[:n]))
    np.testing.assert_allclose(forward(network, X[:n]), expected, rtol=1e-5, atol=1e-6)


@on_jax
@pytest.mark.parametrize("n", [1, 64, 65, 100, 256, 257, 1000, 4096, 5000])
def test_a_row_does_not_depend_on_the_others(network, n):
    whole = forward(network, X)
    np.testing.assert_array_equal(forward(network, X[:n]), whole[:n])
    np.testing.assert_array_equal(forward(network, X[-n:]), whole[-n:])


def test_no_rows_give_no_outputs(network):
    assert forward(network, X[:0]).shape == (0, 2)


def test_several_outputs(network):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [network(inputs), keras.layers.Reshape((3, 1))(inputs)])
    first, second = forward(model, X[:9000])
    np.testing.assert_array_equal(first, forward(network, X[:9000]))
    assert second.shape == (9000, 3, 1)


@pytest.mark.parametrize("n", [0, 1, 64, 65, 256, 257, 1024, 1025, 4096, 4097, 100_000])
def test_spans_cover_all_rows_with_few_shapes(n):
    spans = list(block_spans(n))
    assert spans[0][0] == 0
    assert spans[-1][1] == n
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert {size for _, _, size in spans} <= {BLOCK_ROWS, *CALL_ROWS}
    assert all(stop - start <= size for start, stop, size in spans)
    assert len(spans) <= n // CALL_ROWS[-1] + 1


def test_padding():
    full = np.ones((4, 2), np.float32)
    assert pad_rows(full, 4) is full
    assert pad_rows(None, 4) is None
    np.testing.assert_array_equal(pad_rows(full, 5)[:, 0], [1, 1, 1, 1, 0])
    assert pad_rows(full, 5).dtype == np.float32


@on_jax
def test_float32_rows_are_not_copied(network, monkeypatch):
    seen = []

    def program(values, blocks, n_blocks):
        seen.append(blocks)
        return np.zeros((*blocks.shape[:2], 2), np.float32)

    monkeypatch.setattr(_compiled, "cached", lambda *args: program)
    copy = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    forward(copy, X[: CALL_ROWS[-1]])
    assert np.shares_memory(seen[0], X)


def test_current_weights_are_used():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    before = forward(model, X[:5])
    model.set_weights([2 * w for w in model.get_weights()])
    np.testing.assert_allclose(forward(model, X[:5]), 2 * before, rtol=1e-5)


@on_jax
def test_a_frozen_layer_changes_nothing(network):
    before = forward(network, X[:5])
    network.layers[0].trainable = False
    np.testing.assert_array_equal(forward(network, X[:5]), before)
    network.layers[0].trainable = True


@on_jax
def test_equal_networks_share_a_program():
    _compiled.clear()
    models = [keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]) for _ in range(3)]
    outputs = [forward(model, X[:5]) for model in models]
    assert _compiled.count() == 1
    for model, output in zip(models, outputs, strict=True):
        expected = ops.convert_to_numpy(model(X[:5]))
        np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)


def test_threads_score_like_one(network):
    expected = forward(network, X)
    found = [None] * 8

    def run(k):
        found[k] = forward(network, X)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for output in found:
        np.testing.assert_array_equal(output, expected)


class Counting:
    """A table that counts the rows it hands out at once."""

    def __init__(self, X):
        self.X, self.most = X, 0

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        part = self.X[rows]
        self.most = max(self.most, len(part))
        return part


def test_rows_are_read_in_bounded_parts(network):
    table = Counting(X)
    np.testing.assert_array_equal(forward(network, table), forward(network, X))
    assert table.most <= CALL_ROWS[-1]


def test_random_layers_are_silent(network):
    np.testing.assert_array_equal(forward(network, X[:300]), forward(network, X[:300]))


def test_scoring_moves_no_global_generator(network):
    import random

    before = random.getstate()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5, seed=1)])
    forward(model, X[:3])
    assert random.getstate() == before
    assert _predict._clone(model) is not model
    assert random.getstate() == before
