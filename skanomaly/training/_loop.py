"""Training loops: whole runs of steps inside one compiled program, or Keras' own steps.

Owns the order of batches and epochs around a `FusedModel`, which brings the objective; what
callbacks see is said in ``training._callbacks``. On JAX, steps run in a compiled loop over the
state of model and optimizer; on other backends, and for callbacks that want every batch, the
same batches go one by one through Keras' own training step.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skanomaly.backend import keras, ops
from skanomaly.backend._seeding import zeros_by_numpy
from skanomaly.training import _callbacks, _devices, _jax_steps, _member_halves
from skanomaly.training._batches import StepStream, epoch_batches
from skanomaly.training._predict import BLOCK_ROWS, block_spans, forward, pad_rows

#: Steps one compiled call holds: a power of two between these, whatever the number of epochs.
CALL_STEPS = (64, 512)
#: Upper bound on the float32 values one compiled call is fed with.
CALL_VALUES = 2**19
#: A batch holds no more rows than there are, where there are so many.
LARGEST_BATCH = 8192
#: Tables of at most so many values are held ready in float32.
HELD_VALUES = 4_000_000
#: Compiled calls that wait with their rows in memory.
CALLS_AHEAD = 2


def train(model, feed, callbacks, initial_epoch):
    """Train a compiled `FusedModel` and return its `keras.callbacks.History`."""
    with zeros_by_numpy():
        model.optimizer.build(model.trainable_variables)
    _callbacks.refuse_setters_of_a_schedule(model.optimizer, callbacks)
    with _callbacks.shown(model):
        epochs = initial_epoch + feed.plan.epochs
        observers = _callbacks.observers(model, callbacks, epochs, feed.plan.per_epoch)
        observers.on_train_begin()
        batches = keras.backend.backend() != "jax" or any(map(_callbacks.wants_batches, callbacks))
        if batches:
            logs = _run_observed(_KerasRunner(model, feed, observers), observers, initial_epoch)
        else:
            watched = not all(getattr(c, "reads_logs_alone", False) for c in callbacks)
            observed = callbacks or feed.validation_rows is not None
            run = _run_observed if observed else _run_unobserved
            with _Runner(model, feed, watched) as runner:
                logs = run(runner, observers, initial_epoch)
        model.optimizer.finalize_variable_values(model.trainable_weights)
        observers.on_train_end(logs)
        model.history = _callbacks.history_of(observers)
    return model.history


class Plan:
    """Which batches make up which epoch; a budget in steps ends in a cut epoch."""

    def __init__(self, rows, batch_size, rng, epochs, steps):
        # rows that come again and again in one batch say no more than once
        batch_size = min(batch_size, max(len(rows), LARGEST_BATCH))
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

    def __init__(self, x, y, plan, validation_rows=None, patience=None):
        self.x, self.y, self.plan, self.patience = x, y, plan, patience
        if len(x) * int(np.prod(x.shape[1:])) <= HELD_VALUES:  # standardise few rows once only
            self.x = np.asarray(x[np.arange(len(x))], dtype=np.float32)
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


def _run_unobserved(runner, observers, initial_epoch):
    """Run all epochs and tell their losses afterwards: nobody looks in between."""
    plan, logs = runner.feed.plan, {}
    spans = [runner.push(*plan.epoch(epoch)) for epoch in range(plan.epochs)]
    for epoch, span in enumerate(spans):
        observers.on_epoch_begin(initial_epoch + epoch)
        logs = {"loss": runner.loss(span)}
        observers.on_epoch_end(initial_epoch + epoch, logs)
    runner.write_back()
    return logs


def _run_observed(runner, observers, initial_epoch):
    """Run epoch by epoch; the variables are up to date whenever a callback may look."""
    model, feed, logs = runner.model, runner.feed, {}
    network = model.network
    best = _Best(feed.patience)
    for epoch in range(initial_epoch, initial_epoch + feed.plan.epochs):
        observers.on_epoch_begin(epoch)
        logs = {"loss": runner.epoch(epoch - initial_epoch)}
        if feed.validation_rows is not None:
            observers.on_test_begin()
            logs["val_loss"] = runner.validate()
            observers.on_test_end({"loss": logs["val_loss"]})
            network.stop_training |= best.update(epoch, logs["val_loss"], runner.snapshot)
        observers.on_epoch_end(epoch, logs)
        if network.stop_training:
            break
    runner.finish()
    best.restore(model)
    return logs


class _Best:
    """Early stopping as in Keras, with the best weights kept where they are computed."""

    def __init__(self, patience):
        self.patience, self.loss, self.state, self.wait = patience, None, None, 0

    def update(self, epoch, loss, snapshot):
        """Take in an epoch; tell whether to stop."""
        if self.patience is None:
            return False
        self.wait += 1
        if self.loss is None or loss < self.loss:
            self.loss, self.state, self.wait = loss, snapshot(), 0
        return self.wait >= self.patience and epoch > 0

    def restore(self, model):
        """Hand the best weights to the model; random generators and optimizer go on."""
        if self.state is None:
            return
        weights = {id(v) for v in model.weights}
        kinds = (model.trainable_variables, model.non_trainable_variables)
        for variables, values in zip(kinds, self.state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                if id(variable) in weights:
                    variable.assign(value)


class _Runner:
    """Holds the training state on the device and queues batches until a call is full.

    With `watched`, callbacks may read and change the variables between two epochs. Members
    that can be trained apart have a thread for each part.
    """

    def __init__(self, model, feed, watched):
        self.model, self.feed, self.watched = model, feed, watched
        self.mesh = _devices.mesh()
        self.n_parts = _member_halves.n_parts(model) if self.mesh is None else 1
        self.devices = _devices.for_parts(self.n_parts)
        self.programs = {  # one for each device, whatever the number of parts
            device: _jax_steps.training_program(model, self.n_parts, device)
            for device in dict.fromkeys(self.devices)
        }
        # one for each part behind the first: JAX runs in parallel what different threads start
        self.threads = [ThreadPoolExecutor(1) for _ in range(1, self.n_parts)]
        self.exact = not _jax_steps.is_row_wise(model)
        self.read()
        self.queue, self.queued = [], 0
        self.losses, self.weights, self.ran, self.total = [], [], 0, 0
        self.call_steps = self._call_steps()
        self.validator = self.validation = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for thread in self.threads:
            thread.shutdown()

    def _call_steps(self):
        """Return how many steps a compiled call holds: few sizes, whatever n is."""
        plan = self.feed.plan
        per_step = self.feed.gather(np.zeros(1, np.uint32))[0].size * plan.batch_size
        low, high = CALL_STEPS
        wanted = min(max(1 << (plan.per_epoch - 1).bit_length(), low), high)
        return max(1, min(wanted, CALL_VALUES // per_step))

    def epoch(self, number):
        """Run one epoch and return its loss."""
        if self.watched:
            self.read()
        loss = self.loss(self.push(*self.feed.plan.epoch(number)))
        if self.watched:
            self.write_back()
        return loss

    def snapshot(self):
        """Return the values of trainable and other variables."""
        return _member_halves.joined(self.model, self.states)[:2]

    def read(self):
        """Take the state from the model's variables."""
        state = _devices.everywhere(self.mesh, _jax_steps.state_of(self.model))
        states = _member_halves.cut(self.model, state, self.n_parts)
        self.states = [_devices.on(*pair) for pair in zip(self.devices, states, strict=True)]

    def write_back(self):
        """Hand the state to the model's variables."""
        _jax_steps.put_state(self.model, _member_halves.joined(self.model, self.states))

    def finish(self):
        """Leave the variables as the last epoch, or the last callback, left them."""
        if not self.watched:
            self.write_back()

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
        while self.queued >= self.call_steps:
            self._run_queue(self.call_steps)
        return span

    def _enqueue(self, index, counts):
        if len(counts):
            self.queue.append((index, counts))
            self.queued += len(counts)

    def flush(self):
        """Run what is queued."""
        while self.queued:
            self._run_queue(min(self.queued, self.call_steps))

    def _run_queue(self, steps):
        """Run the first steps of the queue; what is left is cut, not copied."""
        index, counts, have = [], [], 0
        while have < steps:
            some, many = self.queue.pop(0)
            take = min(len(many), steps - have)
            if take < len(many):
                self.queue.insert(0, (some[take:], many[take:]))
            index.append(some[:take])
            counts.append(many[:take])
            have += take
        self.queued -= steps
        self._run(np.concatenate(index), np.concatenate(counts), self.call_steps)

    def _run(self, index, counts, size):
        """Run one compiled call of at most `size` steps."""
        x, y = self.feed.gather(index)
        steps, self.ran = len(counts), self.ran + len(counts)
        scalars = _jax_steps.scalar_values(self.model.optimizer)
        self.weights.append(counts)
        x, y, counts = (pad_rows(a, size) for a in (x, y, counts))
        x, y = (_devices.shared_out(self.mesh, a) for a in (x, y))
        batches = (x, y, counts, np.int32(steps), scalars)
        others = [
            thread.submit(self._run_part, part, batches)
            for part, thread in enumerate(self.threads, 1)
        ]
        done = [self._run_part(0, batches), *(other.result() for other in others)]
        self.states = [state for state, _ in done]
        self.losses.append(([losses for _, losses in done], steps))
        if len(self.losses) > CALLS_AHEAD:  # calls run in the background: bound their rows
            self._collect(len(self.losses) - CALLS_AHEAD)

    def _run_part(self, part, batches):
        device = self.devices[part]
        return self.programs[device](self.states[part], *_devices.on(device, batches))

    def _collect(self, n):
        """Wait for the first n calls and keep their losses as NumPy arrays."""
        for k in range(n - 1, -1, -1):
            losses, steps = self.losses[k]
            if isinstance(losses, np.ndarray):
                break
            self.losses[k] = (np.sum(losses, axis=0)[:steps], steps)

    def loss(self, span):
        """Return the mean loss of a span of steps, weighted by their rows."""
        if span[1] > self.ran:
            self.flush()
        if len(self.losses) > 1 or not isinstance(self.losses[0][0], np.ndarray):
            self._collect(len(self.losses))
            self.losses = [(np.concatenate([values for values, _ in self.losses]), self.ran)]
            self.weights = [np.concatenate(self.weights)]
        places = slice(*span)
        losses = self.losses[0][0][places].astype(np.float64)
        return float(np.average(losses, weights=self.weights[0][places])) / self._members

    def validate(self):
        """Return the mean loss of the validation rows."""
        if self.validator is None:
            self.validator = _jax_steps.validation_program(self.model)
        state = self.snapshot()
        total = sum(
            np.asarray(self.validator(state, x, y, counts), np.float64).sum()
            for x, y, counts in self._validation_blocks()
        )
        return float(total) / (len(self.feed.validation_rows) * self._members)

    def _validation_blocks(self):
        """Return the validation rows in blocks; few rows are gathered once."""
        if self.validation is not None:
            return self.validation
        rows = self.feed.validation_rows
        width = self.feed.gather(rows[:1])[0].size
        spans = block_spans(len(rows), width=width)
        blocks = (self._validation_block(rows, *span) for span in spans)
        if len(rows) * width > CALL_VALUES:
            return blocks
        self.validation = list(blocks)
        return self.validation

    def _validation_block(self, rows, start, stop, size):
        parts = self.feed.gather(rows[start:stop])
        parts = (pad_rows(p, size) for p in parts)
        x, y = (None if p is None else p.reshape(-1, BLOCK_ROWS, *p.shape[1:]) for p in parts)
        firsts = np.arange(start, start + size, BLOCK_ROWS)
        return x, y, np.clip(stop - firsts, 0, BLOCK_ROWS).astype(np.int32)

    @property
    def _members(self):
        return self.model.n_members or 1


class _KerasRunner:
    """Trains with Keras' own step, batch by batch, on the same batches as the compiled loop."""

    def __init__(self, model, feed, observers):
        self.model, self.feed, self.observers = model, feed, observers

    def epoch(self, number):
        """Run one epoch and return its loss."""
        total = seen = 0
        for place, (index, count) in enumerate(zip(*self.feed.plan.epoch(number), strict=True)):
            self.observers.on_train_batch_begin(place)
            loss = self._step(*self.feed.gather(index[:count]))
            total, seen = total + float(loss) * count, seen + count
            self.observers.on_train_batch_end(place, {"loss": total / seen / self._members})
            if self.model.network.stop_training:
                break
        return total / seen / self._members

    def _step(self, x, y):
        """Train on one batch and return its loss."""
        weight = np.full(len(x), 1 / len(x), np.float32)
        target = weight if y is None else y  # without targets Keras wants some all the same
        return self.model.train_on_batch(x, target, weight, return_dict=True)["loss"]

    @property
    def _members(self):
        return self.model.n_members or 1

    def validate(self):
        """Return the mean loss of the validation rows."""
        parts = []
        for start, stop, _ in block_spans(len(self.feed.validation_rows)):
            x, y = self.feed.gather(self.feed.validation_rows[start:stop])
            output = ops.convert_to_tensor(forward(self.model.network, x))
            losses = self.model.row_losses(ops.convert_to_tensor(x), y, output)
            parts.append(ops.convert_to_numpy(losses).astype(np.float64))
        return float(np.concatenate(parts).mean())

    def snapshot(self):
        """Return copies of the values of trainable and other variables."""
        kinds = (self.model.trainable_variables, self.model.non_trainable_variables)
        return [[np.array(ops.convert_to_numpy(v)) for v in kind] for kind in kinds]

    def finish(self):
        """Do nothing: the variables are always up to date."""
