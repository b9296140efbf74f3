"""Runs a network over many rows: fixed blocks, all cores, compiled once.

Owns the forward pass alone. Every row goes through a block of one fixed shape, so that its
result does not depend on the rows it is scored with.
"""

import contextlib
import functools

import numpy as np

from skanomaly.backend import _fork, _serialization, keras, ops
from skanomaly.training import _compiled, _devices, _numpy_forward
from skanomaly.utils._threads import in_threads

#: Rows in one block. With 256 on JAX, one row takes up to four times as long, and many rows at
#: most 15% less. The other backends pay for every block, not for its rows.
BLOCK_ROWS = 64 if keras.backend.backend() == "jax" else 256
#: Rows that one call has room for, beside a single block: few shapes, so that few programs are
#: compiled. Blocks that hold no row are not run.
CALL_ROWS = (256, 4096)
#: Where rows have more values than this, a call has room for fewer of them: a quarter.
WIDE_VALUES = 256
#: The other backends share a block out to threads of their own.
CALLED_FROM_THREADS = keras.backend.backend() == "jax"
_HANDLE = "_skanomaly_forward"


def forward(model, x):
    """Return a model's outputs for many rows.

    Every row passes through a block of the same fixed shape, so that its result does not
    depend on the other rows. Long inputs use all processor cores on JAX.

    Parameters
    ----------
    model : keras.Model
        Model with one input and any structure of outputs.
    x : object
        Rows; slices give float32 arrays.

    Returns
    -------
    outputs : ndarray, or list of ndarray, first axis of length ``len(x)``
    """
    block_rows = block_rows_of(model)
    width = 0 if len(x) <= CALL_ROWS[0] else np.asarray(x[:1]).size
    spans = list(block_spans(len(x), block_rows, width))
    run = functools.partial(_run_span, _forward_call(model), x, block_rows)
    parts = in_threads(run, spans, most=None if CALLED_FROM_THREADS else 1)
    if isinstance(parts[0], list):
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def block_rows_of(model):
    """Return the rows in one block of a model: those of its ``block_rows`` on JAX, or as usual."""
    if keras.backend.backend() != "jax":
        return BLOCK_ROWS
    return getattr(model, "block_rows", BLOCK_ROWS)


def block_spans(n, block_rows=BLOCK_ROWS, width=0):
    """Cut n rows of some width into calls: (first row, row behind the last, room of the call)."""
    few, most = CALL_ROWS
    rooms = block_rows, few, most // 4 if width > WIDE_VALUES else most
    start = 0
    while start < n or start == 0:
        size = next((room for room in rooms if room >= n - start), rooms[-1])
        yield start, min(start + size, n), size
        start += size


def _run_span(call, x, block_rows, span):
    start, stop, size = span
    block = pad_rows(np.asarray(x[start:stop], dtype=np.float32), size)
    n_blocks = max(-(-(stop - start) // block_rows), 1)
    outputs = call(block.reshape(-1, block_rows, *block.shape[1:]), n_blocks)
    single = not isinstance(outputs, (list, tuple))
    parts = [outputs] if single else outputs
    parts = [np.asarray(p).reshape(-1, *p.shape[2:])[: stop - start] for p in parts]
    return parts[0] if single else parts


def pad_rows(array, size):
    """Return the array with zeros up to `size` along its first axis; a full one as it is."""
    if array is None or len(array) == size:
        return array
    padded = np.zeros((size, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def _forward_call(model):
    """Return the function from blocks (k, BLOCK_ROWS, ...), the first n run, to outputs."""
    if keras.backend.backend() != "jax":
        return functools.partial(_plain_blocks, model)
    if _fork.jax_is_stranded() and _numpy_forward.is_known(model):
        return functools.partial(_numpy_blocks, model)
    handle = vars(model).get(_HANDLE)
    if handle is None:  # describing a model takes longer than scoring a row with it
        variables = list(model.variables)
        key = ("forward", _compiled.signature(model), tuple(v.dtype for v in variables))
        owner = None if _compiled.is_described(model) else model
        program = _compiled.cached(key, lambda: _compile_forward(_clone(model)), owner)
        handle = vars(model)[_HANDLE] = (program, variables)
    program, variables = handle
    values = _devices.on_one_device([v.value for v in variables])
    return lambda blocks, n_blocks: program(values, blocks, np.int32(n_blocks))


def _clone(model):
    """Return a private copy to trace; a model that cannot be copied stands for itself."""
    if not _compiled.is_described(model):
        return model
    return _serialization.deserialize(_serialization.serialize(model), blank=True)


def _compile_forward(model):
    import jax
    import jax.numpy as jnp

    def one(values, block):
        with keras.StatelessScope(list(zip(model.variables, values, strict=True))):
            return model(block, training=False)

    def run(values, blocks, n_blocks):
        if len(blocks) == 1:
            return jax.tree.map(lambda part: part[None], one(values, blocks[0]))

        def body(k, outputs):
            parts = one(values, blocks[k])
            return jax.tree.map(lambda whole, part: whole.at[k].set(part), outputs, parts)

        shapes = jax.eval_shape(one, values, blocks[0])
        outputs = jax.tree.map(lambda p: jnp.zeros((len(blocks), *p.shape), p.dtype), shapes)
        return jax.lax.fori_loop(0, n_blocks, body, outputs)

    return _compiled.Program(run)


def _numpy_blocks(model, blocks, n_blocks):
    """Run the model block by block without JAX, in a process that was forked."""
    return _stacked([_numpy_forward.run(model, block) for block in blocks[:n_blocks]])


def _plain_blocks(model, blocks, n_blocks):
    """Call the model block by block."""
    return _stacked([_detached(model, block) for block in blocks[:n_blocks]])


def _stacked(outputs):
    if isinstance(outputs[0], list):
        return [np.stack(parts) for parts in zip(*outputs, strict=True)]
    return np.stack(outputs)


def _detached(model, block):
    """Return the model's outputs for one block as NumPy arrays."""
    with contextlib.ExitStack() as stack:
        if keras.backend.backend() == "torch":
            import torch

            stack.enter_context(torch.no_grad())
        outputs = model(ops.convert_to_tensor(block), training=False)
    if isinstance(outputs, (list, tuple)):
        return [ops.convert_to_numpy(o) for o in outputs]
    return ops.convert_to_numpy(outputs)
