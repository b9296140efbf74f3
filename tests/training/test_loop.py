"""The compiled loop does what Keras' own `fit` does, batch by batch."""

import keras
import numpy as np
import pytest
from keras import ops
from keras_twins import (
    BATCH,
    D,
    N,
    Recorder,
    X,
    assert_same_weights,
    dense,
    fused,
    on_jax,
    sequential,
    train_with_keras,
    twin,
)

from skanomaly.networks._autoencoders import member_autoencoder
from skanomaly.networks._layers import MultiscaleNoise
from skanomaly.training import _jax_steps, _loop
from skanomaly.training._loop import Feed
from skanomaly.training._model import FusedModel


def recurrent(kind, **kwargs):
    return sequential(keras.layers.Reshape((D, 1)), kind(4, **kwargs))


def functional():
    inputs = keras.Input((D,))
    left = keras.layers.Dense(4, activation="relu")(inputs)
    right = keras.layers.Dense(4, activation="sigmoid")(inputs)
    both = keras.layers.Concatenate()([left, right])
    return keras.Model(inputs, keras.layers.Dense(D)(both) - 0.5 * inputs)


def centring():
    """Return a functional network with a bare operation that mixes the rows."""
    inputs = keras.Input((D,))
    return keras.Model(inputs, keras.layers.Dense(D)(inputs) - ops.mean(inputs, axis=0))


@keras.saving.register_keras_serializable("tests")
class Sparse(keras.layers.Dense):
    """Adds a loss of its own that depends on the whole batch."""

    def call(self, x):
        answer = super().call(x)
        self.add_loss(0.1 * ops.mean(ops.abs(answer)))
        return answer


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """Mixes the rows of a batch, so that padding would show."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.outer = keras.layers.Dense(4, "relu"), keras.layers.Dense(D)

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.outer.build((None, 4))

    def call(self, x, training=False):
        return self.outer(self.inner(x - ops.mean(x, axis=0)))


def subclassed():
    model = Subclassed()
    model.build((None, D))
    return model


NETWORKS = {
    "dense": dense,
    "l2": lambda: dense(l2=0.1),
    "dropout": lambda: dense(dropout=0.3),
    "noise": lambda: sequential(keras.layers.GaussianNoise(0.5), keras.layers.Dense(4)),
    "activity": lambda: sequential(keras.layers.Dense(4, activity_regularizer="l2")),
    "batch_normalisation": lambda: sequential(keras.layers.BatchNormalization()),
    "layer_normalisation": lambda: sequential(keras.layers.LayerNormalization()),
    "conv": lambda: sequential(
        keras.layers.Reshape((D, 1)), keras.layers.Conv1D(3, 3), keras.layers.Flatten()
    ),
    "lstm": lambda: recurrent(keras.layers.LSTM),
    "lstm_dropout": lambda: recurrent(keras.layers.LSTM, dropout=0.2, recurrent_dropout=0.2),
    "gru": lambda: recurrent(keras.layers.GRU, dropout=0.2),
    "functional": functional,
    "centring": centring,
    "add_loss": lambda: sequential(Sparse(4)),
    "subclassed": subclassed,
}


@on_jax
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_end_like_those_of_keras(name):
    network = NETWORKS[name]()
    start = [w.copy() for w in network.get_weights()]
    theirs = twin(network)
    train_with_keras(theirs, keras.optimizers.SGD(0.1))
    model = fused(network, keras.optimizers.SGD(0.1))
    assert_same_weights(network, theirs)
    assert any(
        np.abs(a - b).max() > 1e-3 for a, b in zip(start, network.get_weights(), strict=True)
    )
    assert len(model.network.losses) == len(theirs.losses)
    for a, b in zip(network.variables, theirs.variables, strict=True):  # random states as well
        np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), atol=3e-6)


def test_history_is_the_mean_loss_over_rows():
    network = dense()
    before = network(X)
    model = fused(network, keras.optimizers.SGD(0.0))
    expected = float(np.mean((ops.convert_to_numpy(before) - X) ** 2))
    assert model.history.epoch == [0, 1]
    np.testing.assert_allclose(model.history.history["loss"], [expected] * 2, rtol=1e-5)


def test_a_budget_in_steps_ends_in_a_cut_epoch():
    model = fused(dense(), steps=7, epochs=1)
    assert int(model.optimizer.iterations) == 7
    assert model.history.epoch == [0, 1, 2]


def test_members_train_like_networks_of_their_own():
    network = member_autoencoder(
        D, 2, hidden_layer_sizes=(4,), latent_dim=None, activation="tanh", l2=0.0, dropout=0.0
    )
    noise = MultiscaleNoise(1e-9, 1e-9, 2)
    members = network.get_layer("members")
    alone = [sequential(keras.layers.Dense(4, activation="tanh")) for _ in range(2)]
    kernels = members.get_weights()
    for k, single in enumerate(alone):
        single.set_weights([w[k, 0] if w.shape[1] == 1 else w[k] for w in kernels])
    model = FusedModel(network, noise, 2)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    model.fit(X, rows=np.arange(N), batch_size=BATCH, epochs=2, rng=np.random.default_rng(3))
    for k, single in enumerate(alone):
        fused(single, keras.optimizers.SGD(0.1))
        for ours, theirs in zip(members.get_weights(), single.get_weights(), strict=True):
            np.testing.assert_allclose(ours[k].reshape(theirs.shape), theirs, rtol=1e-4, atol=1e-5)


def test_callbacks_see_epochs_logs_and_current_weights():
    recorder = Recorder()
    model = fused(dense(), keras.optimizers.SGD(0.1), epochs=3, callbacks=[recorder])
    assert recorder.calls == ["begin", "+0", "-0", "+1", "-1", "+2", "-2", "end"]
    assert [log["loss"] for log in recorder.logs] == model.history.history["loss"]
    for ours, theirs in zip(recorder.weights[-1], model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    moved = np.abs(recorder.weights[0][0] - recorder.weights[1][0]).max()
    assert moved > 1e-5


@on_jax
def test_callbacks_change_nothing_by_looking():
    network = dense(dropout=0.2)
    copy = twin(network)
    fused(network)
    fused(copy, callbacks=[Recorder()])
    for a, b in zip(network.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_rate_changed_at_the_start_of_an_epoch_counts_in_that_epoch():
    recorder = Recorder()
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: [0.0, 0.3, 0.0][epoch])
    network = dense()
    start = network.get_weights()
    fused(network, keras.optimizers.SGD(9.0), epochs=3, callbacks=[schedule, recorder])
    assert recorder.rates == pytest.approx([0.0, 0.3, 0.0])
    first, second, third = (w[0] for w in recorder.weights)
    np.testing.assert_array_equal(start[0], first)
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_array_equal(second, third)


def test_weights_set_by_a_callback_are_trained_on():
    class Zero(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])

    model = fused(dense(), keras.optimizers.SGD(0.1), epochs=2, callbacks=[Zero()])
    assert all((w == 0).all() for w in model.get_weights())
    assert model.history.history["loss"][1] == pytest.approx(float((X**2).mean()), rel=0.05)


def test_weights_set_before_training_count():
    class Zero(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])

    model = fused(dense(), keras.optimizers.SGD(0.0), epochs=1, callbacks=[Zero()])
    assert model.history.history["loss"] == pytest.approx([float((X**2).mean())])


def test_callbacks_can_stop():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model = fused(dense(), epochs=5, callbacks=[Stop()])
    assert model.history.epoch == [0, 1]
    assert int(model.optimizer.iterations) == 6
    fused_again = model.fit(X, rows=np.arange(N), batch_size=BATCH, epochs=2)
    assert fused_again.epoch == [0, 1]


@on_jax
@pytest.mark.parametrize("steps", [(1, 1), (2, 2), (4, 4), (32, 512)])
def test_the_length_of_calls_does_not_show(steps, monkeypatch):
    keras.utils.set_random_seed(0)
    network = dense()
    copy = twin(network)
    expected = fused(copy, epochs=4).history.history["loss"]
    monkeypatch.setattr(_loop, "CALL_STEPS", steps)
    assert fused(network, epochs=4).history.history["loss"] == pytest.approx(expected, rel=1e-6)
    assert_same_weights(network, copy)


@on_jax
def test_rows_in_flight_are_bounded(monkeypatch):
    alive, most = [0], [0]
    run = _jax_steps.training_program

    def counted(*description):
        program = run(*description)

        def call(*arguments):
            state, losses = program(*arguments)
            alive[0] += 1
            most[0] = max(most[0], alive[0])
            return state, Losses(losses)

        return call

    class Losses:
        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            alive[0] -= 1
            return np.asarray(self.values)

    monkeypatch.setattr(_loop, "CALL_STEPS", (1, 1))
    monkeypatch.setattr(_jax_steps, "training_program", counted)
    fused(dense(), epochs=5)
    assert alive[0] == 0
    assert most[0] == _loop.CALLS_AHEAD + 1


def test_wide_rows_are_fed_in_short_calls(monkeypatch):
    monkeypatch.setattr(_loop, "CALL_VALUES", 2 * BATCH * D)
    sizes, gather = [], Feed.gather

    def gathered(self, index):
        sizes.append(index.size)
        return gather(self, index)

    monkeypatch.setattr(Feed, "gather", gathered)
    fused(dense())
    assert max(sizes) <= 2 * BATCH


def test_epochs_go_on_where_a_warm_start_left_off():
    network = dense()
    copy = twin(network)
    model = FusedModel(network)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    rng = np.random.default_rng(3)
    kwargs = {"rows": np.arange(N), "batch_size": BATCH, "rng": rng}
    model.fit(X, epochs=1, **kwargs)
    recorder = Recorder()
    history = model.fit(X, epochs=3, initial_epoch=1, callbacks=[recorder], **kwargs)
    assert history.epoch == [1, 2]
    assert recorder.calls == ["begin", "+1", "-1", "+2", "-2", "end"]
    fused(copy, keras.optimizers.Adam(0.01), epochs=3)
    assert_same_weights(network, copy)


@on_jax
def test_a_gather_is_made_once_for_small_tables():
    class Table:
        shape = X.shape

        def __init__(self):
            self.asked = 0

        def __len__(self):
            return N

        def __getitem__(self, rows):
            self.asked += np.size(rows)
            return X[rows]

    table = Table()
    model = FusedModel(dense())
    model.compile(optimizer="adam", loss="mse")
    model.fit(table, rows=np.arange(N), epochs=5)
    assert table.asked == N
