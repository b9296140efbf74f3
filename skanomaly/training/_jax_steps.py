"""Training steps and validation losses of a `FusedModel` as compiled programs (JAX alone).

Owns the state that a program takes and gives back, what makes two models share a program, and
the numbers that reach it as data instead of being compiled in. Pure functions: nothing here
knows epochs, callbacks or the order of rows.
"""

import contextlib
import types

import numpy as np

from skanomaly.backend import keras
from skanomaly.backend._seeding import zeros_by_numpy
from skanomaly.training import _compiled, _devices
from skanomaly.training._member_halves import part_of

_ROW_WISE = (
    "Activation", "AveragePooling1D", "AveragePooling2D", "Bidirectional", "Conv1D",
    "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Cropping1D", "Cropping2D", "Dense", "Dropout",
    "EinsumDense", "ELU", "Flatten", "Functional", "GaussianNoise", "GRU", "GRUCell", "InputLayer",
    "LayerNormalization", "LeakyReLU", "LSTM", "LSTMCell", "MaxPooling1D", "MaxPooling2D",
    "PReLU", "RepeatVector", "Reshape", "ReLU", "Rescaling", "Sequential", "SimpleRNN",
    "SimpleRNNCell", "Softmax", "TimeDistributed", "UpSampling1D", "UpSampling2D",
    "ZeroPadding1D", "ZeroPadding2D", "Add", "Concatenate", "Multiply", "Subtract",
)  # fmt: skip


def state_of(model):
    """Return the values of trainable, other and optimizer variables, three lists."""
    return tuple([v.value for v in variables] for variables in _variables(model))


def put_state(model, state):
    """Hand a state to the model's variables."""
    for variables, values in zip(_variables(model), state, strict=True):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _variables(model):
    return model.trainable_variables, model.non_trainable_variables, model.optimizer.variables


def training_program(model, parts=1, device=None):
    """Return the compiled loop over steps for models like this one, or for parts of it.

    `device` is the one that its arrays lie on, None for the first.

    Returns
    -------
    program : callable
        ``(state, x, y, counts, n_steps, scalars) -> (state, losses)``: `x` and `y` hold one
        batch per entry of their first axis, `counts` the batches' rows that count; the first
        `n_steps` of them are run. `scalars` are those of `scalar_values`.
    """
    scalars = {name for _, name, _ in _scalars(model.optimizer)}
    if not _is_schedule(_inner(model.optimizer)._learning_rate):
        scalars.add("learning_rate")
    mesh = _devices.mesh()
    placed = {} if mesh is None else {"out_shardings": _devices.sharding(mesh)}
    return _cached(
        ("train", mesh, device),
        model,
        scalars,
        lambda m: _compiled.Program(_training_run(m), **placed),
        parts,
    )


def validation_program(model):
    """Return the compiled sums of row losses for models like this one.

    Returns
    -------
    program : callable
        ``((trainable, others), x, y, counts) -> sums``, one for each block of rows.
    """
    kind = ("validate", _devices.mesh())
    return _cached(kind, model, None, lambda m: _compiled.Program(_validation_run(m)))


def _cached(kind, model, scalars, build, n_parts=1):
    """Find or build a program; `scalars` is None where the optimizer does not matter."""
    parts = [model.network, model.corruption]
    parts += [] if scalars is None else [model.optimizer]
    if not isinstance(model.loss, types.FunctionType):  # functions are known by their identity
        parts.append(model.loss)
    shared = all(p is None or isinstance(p, str) or _compiled.is_described(p) for p in parts)
    key = (
        kind,
        n_parts,
        model.reconstructs,
        model.n_members,
        _compiled.signature(model.network),
        _compiled.signature(model.corruption),
        None if scalars is None else _compiled.signature(model.optimizer, scalars),
        _compiled.signature(model.loss),
        tuple(v.dtype for v in model.variables),
    )
    template = (lambda: _template(model, n_parts)) if shared or n_parts > 1 else (lambda: model)
    return _compiled.cached(key, lambda: build(template()), None if shared else model)


def _template(model, n_parts):
    """Return a private copy to trace, so that later changes of the model cannot reach it."""
    copy = part_of(model, n_parts) if n_parts > 1 else type(model).from_config(model.get_config())
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    with zeros_by_numpy():
        optimizer.build(copy.trainable_variables)
    copy.compile(optimizer=optimizer, loss=model.loss, auto_scale_loss=False)
    copy.reconstructs = model.reconstructs
    return copy


def _training_run(model):
    """Return the loop over steps as a pure function."""
    import jax
    import jax.numpy as jnp

    def run(state, x, y, counts, n_steps, scalars):
        def body(k, carry):
            state, losses = carry
            batch_y = None if y is None else y[k]
            state, loss = _step(model, state, x[k], batch_y, counts[k])
            return state, losses.at[k].set(loss.astype("float32"))

        with _scalars_set(model.optimizer, scalars):
            start = (state, jnp.zeros(counts.shape, "float32"))
            return jax.lax.fori_loop(0, n_steps, body, start)

    return run


def _step(model, state, x, y, count):
    """Return state and loss after one batch, of which the first `count` rows count."""
    import jax

    trainable, others, optimizer_state = state

    def objective(trainable):
        loss, updated = _objective(model, trainable, others, x, y, count)
        pairs = zip(model.optimizer.variables, optimizer_state, strict=True)
        with keras.StatelessScope(list(pairs)):
            return model.optimizer.scale_loss(loss), (loss, updated)

    gradients, (loss, others) = jax.grad(objective, has_aux=True)(trainable)
    optimizer = model.optimizer
    trainable, optimizer_state = optimizer.stateless_apply(optimizer_state, gradients, trainable)
    return (trainable, others, optimizer_state), loss


def _objective(model, trainable, others, x, y, count):
    """Return the loss of a batch and the other variables' new values."""
    import jax.numpy as jnp

    weight = (jnp.arange(x.shape[0]) < count) / count
    with _stateless(model, trainable, others, collect_losses=True) as scope:
        output = model(x, training=True)
        loss = model.compute_loss(x, y, output, weight.astype("float32"))
    return loss, [scope.get_current_value(v) for v in model.non_trainable_variables]


def _validation_run(model):
    """Return the sums of row losses of blocks as a pure function."""
    import jax
    import jax.numpy as jnp

    def one(values, x, y, count):
        with _stateless(model, *values):
            losses = model.row_losses(x, y, model.network(x, training=False))
        counts = jnp.arange(x.shape[0]) < count
        return jnp.sum(jnp.where(counts, losses.reshape(len(x), -1).sum(axis=1), 0.0))

    def run(values, x, y, counts):
        def body(k, sums):
            return sums.at[k].set(one(values, x[k], None if y is None else y[k], counts[k]))

        n_blocks = jnp.sum(counts > 0)  # those of nothing but padding are not run
        return jax.lax.fori_loop(0, n_blocks, body, jnp.zeros(counts.shape, "float32"))

    return run


def _stateless(model, trainable, others, **kwargs):
    pairs = [*zip(model.trainable_variables, trainable, strict=True)]
    pairs += zip(model.non_trainable_variables, others, strict=True)
    return keras.StatelessScope(pairs, **kwargs)


def scalar_values(optimizer):
    """Return the optimizer's numbers that a program takes as data."""
    return [np.float32(value) for _, _, value in _scalars(optimizer)]


def _scalars(optimizer):
    """List those numbers: (owner, name, value)."""
    optimizer, found = _inner(optimizer), []
    if isinstance(optimizer.weight_decay, (int, float)):
        found.append((optimizer, "weight_decay", float(optimizer.weight_decay)))
    schedule = optimizer._learning_rate
    if type(schedule) is keras.optimizers.schedules.CosineDecay:
        for name in ("initial_learning_rate", "decay_steps", "warmup_target", "warmup_steps"):
            if getattr(schedule, name):
                found.append((schedule, name, float(getattr(schedule, name))))
    return found


def _inner(optimizer):
    """Return the optimizer inside one that scales losses."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def follows_schedule(optimizer):
    """Tell whether an optimizer's rate is set by a schedule."""
    return _is_schedule(_inner(optimizer)._learning_rate)


def _is_schedule(rate):
    return isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)


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


def is_row_wise(model):
    """Tell whether a padded row leaves the others' gradients alone.

    True for networks of known layers that treat every row by itself. Anything else, batch
    normalisation and own layers with `add_loss` for instance, must not see padded rows.
    """
    layers = [*model._flatten_layers(include_self=False)]
    nodes = [op for layer in layers for op in getattr(layer, "operations", ())]
    return all(map(_treats_rows_alone, [*layers, *nodes]))


def _treats_rows_alone(layer):
    package = type(layer).__module__.split(".")[0]
    known = type(layer).__name__ in _ROW_WISE and package == "keras"
    described = _compiled.is_described(layer)
    silent = getattr(layer, "activity_regularizer", None) is None
    return described and silent and (known or package == "skanomaly")
