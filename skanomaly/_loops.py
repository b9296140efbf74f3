"""Training loops: whole runs of steps inside one compiled program, or Keras' own `fit`.

Owns the order of batches, epochs and callbacks around a `FusedModel`, which brings the
objective. On JAX, steps run in a compiled loop over the state of model and optimizer; on other
backends, and for callbacks that want every batch, the same batches go through Keras' own
`fit`.
"""

import contextlib
import threading

import numpy as np

from skanomaly import _programs
from skanomaly._backend import choose_backend
from skanomaly._forward import forward, pad_rows
from skanomaly._sampling import StepStream, epoch_batches

choose_backend()

import keras  # noqa: E402  (the backend is chosen first)
from keras import ops  # noqa: E402

#: Steps one compiled call holds: a short call for one small epoch, a long one for the rest.
CALL_STEPS = (32, 512)
#: Upper bound on the float32 values one compiled call is fed with.
CALL_VALUES = 4_000_000

_ROW_WISE = (
    "Activation", "AveragePooling1D", "AveragePooling2D", "Conv1D", "Conv1DTranspose", "Conv2D",
    "Conv2DTranspose", "Dense", "Dropout", "EinsumDense", "ELU", "Flatten", "GaussianNoise",
    "GRU", "InputLayer", "LayerNormalization", "LeakyReLU", "LSTM", "MaxPooling1D",
    "MaxPooling2D", "PReLU", "RepeatVector", "Reshape", "ReLU", "Rescaling", "Softmax",
    "TimeDistributed", "UpSampling1D", "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D",
)  # fmt: skip


def train(model, feed, callbacks, initial_epoch):
    """Train a compiled `FusedModel` and return its `keras.callbacks.History`."""
    fused = keras.backend.backend() == "jax" and not any(map(_wants_batches, callbacks))
    loop = _fit_fused if fused else _fit_keras
    return loop(model, feed, callbacks, initial_epoch)


class Plan:
    """Which batches make up which epoch; a budget in steps ends in a cut epoch."""

    def __init__(self, rows, batch_size, rng, epochs, steps):
        self.rows, self.batch_size, self.rng = rows, batch_size, rng
        self.per_epoch = -(-len(rows) // batch_size)
        self.steps = steps
        self.epochs = epochs if steps is None else -(-steps // self.per_epoch)
        self.stream = None if steps is None else StepStream(rows, batch_size, rng)

    def epoch(self, number):
        """Return the index and counts of epoch `number`'s batches."""
        if self.stream is None:
            return epoch_batches(self.rows, self.batch_size, self.rng)
        left = self.steps - number * self.per_epoch
        return self.stream.take(min(self.per_epoch, left))


class Feed:
    """The rows' values for a plan: gathers float32 batches when they are needed."""

    def __init__(self, x, y, plan, validation_rows):
        self.x, self.y, self.plan = x, y, plan
        has_validation = validation_rows is not None and len(validation_rows)
        self.validation_rows = validation_rows if has_validation else None

    def gather(self, index):
        """Return inputs and targets (or None) for an index of any shape."""
        flat = index.reshape(-1)
        values = np.asarray(self.x[flat], dtype=np.float32)
        values = values.reshape(*index.shape, *values.shape[1:])
        if self.y is None:
            return values, None
        return values, self.y[flat].reshape(*index.shape, *self.y.shape[1:])


def _fit_fused(model, feed, callbacks, initial_epoch):
    """Train with whole runs of steps inside one compiled call."""
    runner = _Runner(model, feed)
    observers = keras.callbacks.CallbackList(callbacks, model=model, add_history=True)
    history = next(c for c in observers.callbacks if isinstance(c, keras.callbacks.History))
    observers.params = {"epochs": initial_epoch + feed.plan.epochs, "steps": feed.plan.per_epoch}
    for callback in observers.callbacks:
        callback.set_params(observers.params)
    observed = bool(callbacks) or feed.validation_rows is not None
    model.stop_training = False
    observers.on_train_begin()
    pending = []
    logs = {}
    for epoch in range(feed.plan.epochs):
        number = initial_epoch + epoch
        if not observed:
            pending.append(runner.push(*feed.plan.epoch(epoch)))
            continue
        observers.on_epoch_begin(number)
        span = runner.push(*feed.plan.epoch(epoch))
        logs = {"loss": runner.loss(span)}
        if feed.validation_rows is not None:
            logs["val_loss"] = runner.validate()
        if callbacks:
            runner.write_back()
        observers.on_epoch_end(number, logs)
        if model.stop_training:
            break
        runner.read_again(callbacks)
    for epoch, span in enumerate(pending):
        logs = {"loss": runner.loss(span)}
        observers.on_epoch_end(initial_epoch + epoch, logs)
    if not model.stop_training:
        runner.write_back()
    observers.on_train_end(logs)
    return history


class _Runner:
    """Holds the training state on the device and queues batches until a call is full."""

    def __init__(self, model, feed):
        self.model, self.feed = model, feed
        model.optimizer.build(model.trainable_variables)
        self.program = _training_program(model)
        self.exact = not _is_row_wise(model)
        self.state = _state(model)
        self.queue, self.queued = [], 0
        self.losses, self.weights, self.ran = [], [], 0
        self.total = 0
        per_step = max(1, int(np.prod(feed.gather(np.zeros(1, np.uint32))[0].shape)))
        room = CALL_VALUES // (per_step * feed.plan.batch_size)
        self.call_steps = [max(1, min(size, room)) for size in CALL_STEPS]

    def push(self, index, counts):
        """Queue batches and run all full calls; return the steps' places in the history."""
        span = (self.total, self.total + len(counts))
        self.total += len(counts)
        if self.exact and counts[-1] < index.shape[1]:
            self._enqueue(index[:-1], counts[:-1])
            self.flush()
            self._run(index[-1:, : counts[-1]], counts[-1:], 1)
        else:
            self._enqueue(index, counts)
        while self.queued >= self.call_steps[-1]:
            self._run_queue(self.call_steps[-1])
        return span

    def _enqueue(self, index, counts):
        if len(counts):
            self.queue.append((index, counts))
            self.queued += len(counts)

    def flush(self):
        """Run what is queued."""
        while self.queued:
            self._run_queue(min(self.queued, self.call_steps[-1]))

    def _run_queue(self, steps):
        index = np.concatenate([q[0] for q in self.queue])
        counts = np.concatenate([q[1] for q in self.queue])
        self.queue = [(index[steps:], counts[steps:])] if len(counts) > steps else []
        self.queued = len(counts) - steps
        size = next(size for size in self.call_steps if size >= steps)
        self._run(index[:steps], counts[:steps], size)

    def _run(self, index, counts, size):
        """Run one compiled call of at most `size` steps."""
        x, y = self.feed.gather(index)
        steps, self.ran = len(counts), self.ran + len(counts)
        if steps < size:
            x, y, counts = (pad_rows(a, size) for a in (x, y, counts))
        self.state, losses = self.program(
            self.state, x, y, counts, np.int32(steps), _scalar_values(self.model.optimizer)
        )
        self.losses.append((losses, steps))
        self.weights.append(counts[:steps])

    def loss(self, span):
        """Return the mean loss of a span of steps, weighted by their rows."""
        if span[1] > self.ran:
            self.flush()
        if len(self.losses) > 1 or not isinstance(self.losses[0], np.ndarray):
            parts = [
                p if isinstance(p, np.ndarray) else np.asarray(p[0])[: p[1]] for p in self.losses
            ]
            self.losses = [np.concatenate(parts)]
            self.weights = [np.concatenate(self.weights)]
        places = slice(*span)
        value = np.average(
            self.losses[0][places].astype(np.float64), weights=self.weights[0][places]
        )
        return float(value) / (self.model.n_members or 1)

    def validate(self):
        """Return the mean loss of the validation rows."""
        trainable, non_trainable, _ = self.state
        losses = _row_losses(self.model, self.feed, trainable, non_trainable)
        return float(losses.mean())

    def write_back(self):
        """Hand the state to the Keras variables."""
        self.flush()
        for variables, values in zip(_variables(self.model), self.state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def read_again(self, callbacks):
        """Take over what callbacks may have changed (rates, weights)."""
        if callbacks:
            self.state = _state(self.model)


def _training_program(model):
    """Return the compiled loop over steps for models like this one."""
    scalars = {name for _, name, _ in _scalars(model.optimizer)} | {"learning_rate"}
    if isinstance(model.optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        scalars.discard("learning_rate")
    key = (
        "train",
        model.reconstructs,
        model.n_members,
        _programs.signature(model.network),
        _programs.signature(model.corruption),
        _programs.signature(model.optimizer, scalars),
        _programs.signature(model.loss),
        tuple(v.dtype for v in model.variables),
    )
    return _programs.cached(key, lambda: _compile_training(_template(model)))


def _template(model):
    """Return a private copy to trace, so that later changes of the model cannot reach it."""
    parts = (model.network, model.optimizer, model.corruption)
    if not all(p is None or _programs.is_described(p) for p in parts):
        return model
    copy = type(model).from_config(model.get_config())
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.build(copy.trainable_variables)
    copy.compile(optimizer=optimizer, loss=model.loss)
    copy.reconstructs = model.reconstructs
    return copy


def _compile_training(model):
    """Build the jitted function (state, batches) -> (state, losses)."""
    import jax
    import jax.numpy as jnp

    lock = threading.Lock()

    def objective(trainable, non_trainable, optimizer_state, x, y, count):
        pairs = [*zip(model.trainable_variables, trainable, strict=True)]
        pairs += zip(model.non_trainable_variables, non_trainable, strict=True)
        weight = (jnp.arange(x.shape[0]) < count) / count
        with keras.StatelessScope(pairs, collect_losses=True) as scope:
            output = model(x, training=True)
            loss = model.compute_loss(x, y, output, weight.astype("float32"))
        updated = [scope.get_current_value(v) for v in model.non_trainable_variables]
        with keras.StatelessScope(
            list(zip(model.optimizer.variables, optimizer_state, strict=True))
        ):
            scaled = model.optimizer.scale_loss(loss)
        return scaled, (loss, updated)

    def step(state, x, y, count):
        trainable, non_trainable, optimizer_state = state
        gradient = jax.grad(objective, has_aux=True)
        grads, (loss, non_trainable) = gradient(
            trainable, non_trainable, optimizer_state, x, y, count
        )
        trainable, optimizer_state = model.optimizer.stateless_apply(
            optimizer_state, grads, trainable
        )
        return (trainable, non_trainable, optimizer_state), loss

    def run(state, x, y, counts, n_steps, scalars):
        def body(k, carry):
            state, losses = carry
            batch_y = None if y is None else y[k]
            state, loss = step(state, x[k], batch_y, counts[k])
            return state, losses.at[k].set(loss.astype("float32"))

        with _scalars_set(model.optimizer, scalars):
            start = (state, jnp.zeros(counts.shape, "float32"))
            return jax.lax.fori_loop(0, n_steps, body, start)

    compiled = jax.jit(run)

    def call(*arguments):
        with lock:  # tracing sets attributes of the shared optimizer
            return compiled(*arguments)

    return call


def _scalars(optimizer):
    """List the optimizer's numbers that a program takes as data: (owner, name, value)."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    found = []
    if isinstance(optimizer.weight_decay, (int, float)):
        found.append((optimizer, "weight_decay", float(optimizer.weight_decay)))
    schedule = optimizer._learning_rate
    if type(schedule) is keras.optimizers.schedules.CosineDecay:
        for name in ("initial_learning_rate", "decay_steps", "warmup_target", "warmup_steps"):
            if getattr(schedule, name) is not None:
                found.append((schedule, name, float(getattr(schedule, name))))
    return found


def _scalar_values(optimizer):
    return [np.float32(value) for _, _, value in _scalars(optimizer)]


@contextlib.contextmanager
def _scalars_set(optimizer, values):
    """Let the optimizer see `values` (tracers) in place of its own numbers."""
    places = _scalars(optimizer)
    for (owner, name, _), value in zip(places, values, strict=True):
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in places:
            setattr(owner, name, value)


def _variables(model):
    return model.trainable_variables, model.non_trainable_variables, model.optimizer.variables


def _state(model):
    return tuple([v.value for v in variables] for variables in _variables(model))


def _is_row_wise(model):
    """Tell whether a padded row leaves the others' gradients alone."""
    return all(
        type(layer).__name__ in _ROW_WISE
        or type(layer).__module__.startswith("skanomaly")
        or isinstance(layer, keras.Model)
        for layer in model._flatten_layers(include_self=False)
    ) and not any(
        getattr(layer, "activity_regularizer", None) for layer in model._flatten_layers()
    )


class _Batches(keras.utils.PyDataset):
    """The plan's batches for Keras' own `fit`."""

    def __init__(self, feed):
        super().__init__()
        self.feed, self.number = feed, 0
        self.batches = feed.plan.epoch(0)

    def __len__(self):
        return len(self.batches[1])

    def __getitem__(self, place):
        index, counts = self.batches
        count = counts[place]
        x, y = self.feed.gather(index[place, :count])
        weight = np.full(count, 1 / count, np.float32)
        return x, (weight if y is None else y), weight

    def on_epoch_end(self):
        """Move on to the next epoch's batches."""
        self.number += 1
        if self.number < self.feed.plan.epochs:
            self.batches = self.feed.plan.epoch(self.number)


class _ValidationLoss(keras.callbacks.Callback):
    """Adds the validation loss that early stopping reads."""

    def __init__(self, feed):
        super().__init__()
        self.feed = feed

    def on_epoch_end(self, epoch, logs=None):
        """Put ``val_loss`` into the epoch's logs."""
        logs["val_loss"] = float(_row_losses(self.model, self.feed).mean())


class _LossPerMember(keras.callbacks.Callback):
    """Divides the summed loss by the members, as the fused loop does."""

    def on_epoch_end(self, epoch, logs=None):
        """Rescale the epoch's loss."""
        logs["loss"] = float(logs["loss"]) / (self.model.n_members or 1)


def _fit_keras(model, feed, callbacks, initial_epoch):
    """Train with Keras' own loop on the same batches."""
    watchers = [_LossPerMember()]
    if feed.validation_rows is not None:
        watchers.append(_ValidationLoss(feed))
    batches = _Batches(feed)
    history = keras.callbacks.History()
    keras.Model.fit(
        model,
        batches,
        epochs=initial_epoch + feed.plan.epochs,
        initial_epoch=initial_epoch,
        callbacks=[*watchers, *callbacks, history],
        shuffle=False,
        verbose=0,
    )
    return history


def _wants_batches(callback):
    """Tell whether a callback listens to single batches."""
    base = keras.callbacks.Callback
    hooks = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
    return any(getattr(type(callback), hook) is not getattr(base, hook) for hook in hooks)


def _row_losses(model, feed, trainable=None, non_trainable=None):
    """Return the rows' losses of the validation rows, float64."""
    values = None if trainable is None else (trainable, non_trainable)
    index = feed.validation_rows
    x, y = feed.gather(index)
    outputs = forward(model.network, x, _network_values(model, values))
    losses = model.row_losses(ops.convert_to_tensor(x), y, ops.convert_to_tensor(outputs))
    return ops.convert_to_numpy(losses).astype(np.float64)


def _network_values(model, values):
    """Pick the network's own values out of those of the whole model."""
    if values is None:
        return None
    trainable, non_trainable = values
    by_id = dict(zip(map(id, model.trainable_variables), trainable, strict=True))
    by_id.update(zip(map(id, model.non_trainable_variables), non_trainable, strict=True))
    network = model.network
    return (
        [by_id[id(v)] for v in network.trainable_variables],
        [by_id[id(v)] for v in network.non_trainable_variables],
    )
