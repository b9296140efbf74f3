"""The compiled loop does what Keras' own `fit` does, batch by batch."""

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.networks._autoencoders import dense_autoencoder, member_autoencoder
from skanomaly.networks._layers import MultiscaleNoise
from skanomaly.training import _compiled, _jax_steps, _loop, _member_halves
from skanomaly.training._loop import Feed, Plan
from skanomaly.training._model import FusedModel

on_jax = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="the compiled loop is for JAX alone"
)
N, D, BATCH = 44, 5, 16  # three batches, the last of 12 rows
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def dense(l2=0.0, dropout=0.0):
    return dense_autoencoder(
        D, hidden_layer_sizes=(7, 6), latent_dim=None, activation="tanh", l2=l2, dropout=dropout
    )


def sequential(*layers):
    return keras.Sequential([keras.Input((D,)), *layers, keras.layers.Dense(D)])


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


def train_with_keras(network, optimizer, loss="mse", y=None, epochs=2):
    """Train on the batches of `plan`, with nothing of the package but their order."""
    eager = not any("Cell" in type(layer).__name__ for layer in network._flatten_layers())
    network.compile(optimizer=optimizer, loss=loss, run_eagerly=eager)
    batches = plan()
    for epoch in range(epochs):
        for index, count in zip(*batches.epoch(epoch), strict=True):
            rows = index[:count]
            network.train_on_batch(X[rows], (X if y is None else y)[rows])
    network.optimizer.finalize_variable_values(network.trainable_weights)


def plan(epochs=2, seed=3, steps=None, batch=BATCH):
    return Plan(np.arange(N), batch, np.random.default_rng(seed), epochs, steps)


def twin(network):
    """Return a copy with the same weights and random states, built without the package."""
    copy = network.__class__.from_config(network.get_config())
    if not copy.built:
        copy.build((None, D))
    assert len(copy.variables) == len(network.variables)
    for ours, theirs in zip(copy.variables, network.variables, strict=True):
        ours.assign(np.array(ops.convert_to_numpy(theirs)))  # Keras deletes what it trains on
    return copy


def fused(network, optimizer="adam", loss="mse", y=None, epochs=2, callbacks=(), **kwargs):
    model = FusedModel(network)
    model.compile(optimizer=optimizer, loss=loss)
    model.fit(
        X, y, rows=np.arange(N), batch_size=BATCH, epochs=epochs, callbacks=list(callbacks),
        rng=np.random.default_rng(3), **kwargs,
    )  # fmt: skip
    return model


def assert_same_weights(ours, theirs, rtol=3e-5, atol=3e-6):
    ours, theirs = ours.get_weights(), theirs.get_weights()
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


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


def decaying():
    return keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)


def cosine():
    return keras.optimizers.schedules.CosineDecay(0.0, 4, warmup_target=0.05, warmup_steps=2)


OPTIMIZERS = {
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "decay": lambda: keras.optimizers.SGD(0.05, weight_decay=0.1),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "clipnorm": lambda: keras.optimizers.SGD(0.5, clipnorm=0.1),
    "global_clipnorm": lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.1),
    "clipvalue": lambda: keras.optimizers.SGD(0.5, clipvalue=0.01),
    "schedule": lambda: keras.optimizers.SGD(decaying()),
    "cosine": lambda: keras.optimizers.SGD(cosine()),
    "average": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
    "accumulation": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
}


@on_jax
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_step_like_those_of_keras(name):
    network = sequential()
    theirs = twin(network)
    train_with_keras(theirs, OPTIMIZERS[name]())
    model = fused(network, OPTIMIZERS[name]())
    assert_same_weights(network, theirs)
    assert int(model.optimizer.iterations) == int(theirs.optimizer.iterations)
    assert float(model.optimizer.learning_rate) == pytest.approx(
        float(theirs.optimizer.learning_rate)
    )


@on_jax
@pytest.mark.parametrize("loss", ["binary_crossentropy", keras.losses.Huber(0.5)])
def test_targets_and_losses(loss):
    network = keras.Sequential([keras.Input((D,)), keras.layers.Dense(1, activation="sigmoid")])
    theirs = twin(network)
    train_with_keras(theirs, keras.optimizers.SGD(0.5), loss, Y)
    fused(network, keras.optimizers.SGD(0.5), loss, Y)
    assert_same_weights(network, theirs)


@on_jax
def test_own_loss_functions_do_not_share_a_program():
    def halved(y_true, y_pred):
        return 0.5 * ops.mean(ops.square(y_true - y_pred), axis=-1)

    first = halved

    def halved(y_true, y_pred):
        return 5.0 * ops.mean(ops.square(y_true - y_pred), axis=-1)

    histories = []
    for loss in (first, halved):
        keras.utils.set_random_seed(0)
        histories.append(fused(dense(), loss=loss, epochs=1).history.history["loss"][0])
    assert histories[1] == pytest.approx(10 * histories[0], rel=0.05)


@on_jax
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        network = dense()
        theirs = twin(network)
        train_with_keras(theirs, keras.optimizers.SGD(0.1))
        model = fused(network, keras.optimizers.SGD(0.1))
    finally:
        keras.config.set_dtype_policy(before)
    assert type(model.optimizer) is type(theirs.optimizer)
    assert network.layers[0].compute_dtype == policy.removeprefix("mixed_")
    assert_same_weights(network, theirs, rtol=2e-2, atol=3e-3)


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


def train_members(optimizer="adam", l2=0.0, dropout=0.0, n_members=4, n_parts=2, **kwargs):
    """Train members with noise; weights, seeds and batches are the same at every call."""
    keras.utils.set_random_seed(0)
    shape = {"hidden_layer_sizes": (4,), "latent_dim": 2, "activation": "tanh"}
    network = member_autoencoder(D, n_members, **shape, l2=l2, dropout=dropout)
    model = FusedModel(network, MultiscaleNoise(0.1, 1.0, n_members, 7, None, n_parts), n_members)
    model.compile(optimizer=optimizer, loss="mse")
    settings = {"rows": np.arange(N), "batch_size": BATCH, "epochs": 3} | kwargs
    model.fit(X, rng=np.random.default_rng(3), **settings)
    return model


@on_jax
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"l2": 0.1, "optimizer": "rmsprop"},
        {"n_members": 2},
        {"rows": np.arange(30), "validation_rows": np.arange(30, N), "patience": 1, "epochs": 9},
    ],
    ids=["adam", "penalty", "one_each", "early_stopping"],
)
def test_halves_train_like_all_members_at_once(settings, monkeypatch):
    halves = train_members(**settings)
    assert _member_halves.n_parts(halves) == 2
    with monkeypatch.context() as patch:
        patch.setattr(_member_halves, "n_parts", lambda model: 1)
        whole = train_members(**settings)
    assert_same_weights(halves, whole)
    for a, b in zip(halves.optimizer.variables, whole.optimizer.variables, strict=True):
        np.testing.assert_allclose(a.value, b.value, rtol=1e-4, atol=1e-6)
    ours, theirs = (model.history.history for model in (halves, whole))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)


@on_jax
def test_halves_train_like_members_in_keras_own_loop():
    counter = BatchCounter()
    assert_same_weights(train_members(), train_members(callbacks=[counter]))
    assert counter.batches == 9


@on_jax
def test_halves_go_on_where_they_stood():
    model = train_members()
    generators = [np.array(v.value) for v in model.non_trainable_variables]
    model.fit(X, rows=np.arange(N), batch_size=BATCH, rng=np.random.default_rng(4))
    assert int(model.optimizer.iterations) == 12
    for before, after in zip(generators, model.non_trainable_variables, strict=True):
        assert before[0] == after.value[0]
        assert before[1] < after.value[1]


@on_jax
@pytest.mark.parametrize(
    "settings",
    [
        {"dropout": 0.2},
        {"n_parts": 1},
        {"optimizer": keras.optimizers.Adam(global_clipnorm=1.0)},
        {"optimizer": "adafactor"},
        {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())},
    ],
    ids=["dropout", "noise", "clipping", "adafactor", "loss_scale"],
)
def test_members_with_something_in_common_train_together(settings):
    assert _member_halves.n_parts(train_members(epochs=1, **settings)) == 1


# ---------------------------------------------------------------------- callbacks


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls, self.rates, self.weights, self.logs = [], [], [], []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"+{epoch}")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"-{epoch}")
        self.rates.append(float(ops.convert_to_numpy(self.model.optimizer.learning_rate)))
        self.weights.append(self.model.get_weights())
        self.logs.append(dict(logs))

    def on_train_end(self, logs=None):
        self.calls.append("end")


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


class BatchCounter(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1


@pytest.mark.parametrize("y", [None, Y], ids=["reconstruction", "targets"])
def test_callbacks_for_batches_train_the_same_with_keras_own_loop(y):
    network = dense(dropout=0.2) if y is None else keras.Sequential(
        [keras.Input((D,)), keras.layers.Dense(1, activation="sigmoid")]
    )  # fmt: skip
    copy = twin(network)
    counter = BatchCounter()
    ours = fused(network, keras.optimizers.SGD(0.1), y=y)
    theirs = fused(copy, keras.optimizers.SGD(0.1), y=y, callbacks=[counter])
    assert counter.batches == 6
    assert_same_weights(network, copy)
    losses = [model.history.history["loss"] for model in (ours, theirs)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


# ---------------------------------------------------------------------- early stopping


def stopped(callbacks=(), patience=2, seed=0, epochs=40, network=None):
    keras.utils.set_random_seed(seed)
    network = network or dense(dropout=0.1)
    model = FusedModel(network)
    model.compile(optimizer=keras.optimizers.SGD(1.2), loss="mse")
    model.fit(
        X, rows=np.arange(30), validation_rows=np.arange(30, N), patience=patience,
        batch_size=BATCH, epochs=epochs, callbacks=list(callbacks), rng=np.random.default_rng(3),
    )  # fmt: skip
    return model


def validation_loss(model):
    output = ops.convert_to_numpy(model.network(X[30:]))
    return float(np.mean((output - X[30:]) ** 2))


def test_early_stopping_keeps_the_best_weights():
    model = stopped()
    losses = model.history.history["val_loss"]
    assert 2 < len(losses) < 40
    assert np.argmin(losses) == len(losses) - 3
    assert validation_loss(model) == pytest.approx(min(losses), rel=1e-5)
    assert int(model.optimizer.iterations) == 2 * len(losses)


def test_early_stopping_is_that_of_keras():
    ours = stopped()
    theirs = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    keras_model = stopped([theirs], patience=None)
    slow = stopped([BatchCounter()])
    assert ours.history.history["val_loss"] == keras_model.history.history["val_loss"]
    for a, b in zip(ours.get_weights(), keras_model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(
        slow.history.history["val_loss"], ours.history.history["val_loss"], rtol=1e-3
    )
    assert_same_weights(ours, slow, rtol=1e-3, atol=1e-4)


def test_the_best_weights_come_back_without_stopping_too():
    model = stopped(patience=100, epochs=12)
    losses = model.history.history["val_loss"]
    assert len(losses) == 12
    assert np.argmin(losses) < 11
    assert validation_loss(model) == pytest.approx(min(losses), rel=1e-5)


def test_looking_callbacks_leave_early_stopping_as_it_is():
    quiet, watched = stopped(), stopped([Recorder()])
    assert quiet.history.history == watched.history.history


@pytest.mark.parametrize("n", [1, 255, 257, 1500])
def test_validation_loss_over_any_number_of_rows(n):
    x = np.random.default_rng(1).normal(size=(n + 20, D)).astype("float32")
    network = dense()
    model = FusedModel(network)
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    model.fit(x, rows=np.arange(20), validation_rows=20 + np.arange(n), epochs=1)
    expected = np.mean((ops.convert_to_numpy(network(x[20:])) - x[20:]) ** 2)
    assert model.history.history["val_loss"] == pytest.approx([float(expected)], rel=1e-5)


@on_jax
def test_validation_rows_are_not_held_when_they_are_many(monkeypatch):
    monkeypatch.setattr(_loop, "CALL_VALUES", 64)
    streamed = stopped().history.history
    monkeypatch.undo()
    assert streamed == stopped().history.history


# ---------------------------------------------------------------------- calls and queues


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


def test_batches_of_one_row_and_of_more_rows_than_there_are():
    for size in (1, 1000):
        network = dense()
        model = FusedModel(network)
        model.compile(optimizer="adam", loss="mse")
        history = model.fit(X[:3], rows=np.arange(3), batch_size=size, epochs=1)
        assert np.isfinite(history.history["loss"][0])
        assert int(model.optimizer.iterations) == -(-3 // size)


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


def test_programs_survive_their_eviction(monkeypatch):
    monkeypatch.setattr(_compiled, "MAX_COMPILED", 1)
    losses = [fused(dense(), epochs=1).history.history["loss"][0] for _ in range(2)]
    assert np.isfinite(losses).all()
