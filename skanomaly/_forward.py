"""Runs a network over many rows: fixed blocks, all cores, compiled once.

Owns the forward pass alone. Every row goes through a block of one fixed shape, so that its
result does not depend on the rows it is scored with.
"""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skanomaly import _programs
from skanomaly._backend import choose_backend

choose_backend()

import keras  # noqa: E402  (the backend is chosen first)
from keras import ops  # noqa: E402

#: Rows in one block, and blocks in one long call.
BLOCK_ROWS = 256
CALL_BLOCKS = 32


def forward(model, x, values=None):
    """Return a model's outputs for many rows.

    Every row passes through a block of the same fixed shape, so that its result does not
    depend on the other rows. Long inputs use all processor cores on JAX.

    Parameters
    ----------
    model : keras.Model
        Model with one input and any structure of outputs.
    x : object
        Rows; slices give float32 arrays.
    values : tuple of (list, list), default=None
        Trainable and non-trainable values to use instead of the model's own (JAX alone).

    Returns
    -------
    outputs : ndarray, or list of ndarray, first axis of length ``len(x)``
    """
    call = _forward_call(model, values)
    return _blockwise(call, x, len(x))


def _blockwise(call, x, n):
    """Run `call` over padded runs of blocks and join the parts."""
    spans, start = [], 0
    while start < n:
        rows = BLOCK_ROWS * (CALL_BLOCKS if n - start > BLOCK_ROWS else 1)
        spans.append((start, min(start + rows, n), rows))
        start += rows

    def run(span):
        start, stop, rows = span
        block = np.asarray(x[start:stop], dtype=np.float32)
        outputs = call(pad_rows(block, rows).reshape(-1, BLOCK_ROWS, *block.shape[1:]))
        single = not isinstance(outputs, (list, tuple))
        parts = [outputs] if single else outputs
        parts = [np.asarray(p).reshape(rows, *p.shape[2:])[: stop - start] for p in parts]
        return parts[0] if single else parts

    if len(spans) > 2:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            parts = list(pool.map(run, spans))
    else:
        parts = [run(span) for span in spans]
    if isinstance(parts[0], list):
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def pad_rows(array, size):
    """Return the array with zeros up to `size` along its first axis."""
    if array is None:
        return None
    padded = np.zeros((size, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def _forward_call(model, values):
    """Return the function from blocks (k, BLOCK_ROWS, ...) to outputs, compiled on JAX."""
    if keras.backend.backend() != "jax":
        return lambda blocks: _plain_blocks(model, blocks)
    key = ("forward", _programs.signature(model), tuple(v.dtype for v in model.variables))
    program = _programs.cached(key, lambda: _compile_forward(_clone(model)))
    if values is None:
        values = (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )
    return lambda blocks: program(values, blocks)


def _clone(model):
    """Return a private copy to trace; a model that cannot be copied stands for itself."""
    if not _programs.is_described(model):
        return model
    return _programs.deserialize(_programs.serialize(model))


def _compile_forward(model):
    import jax

    def one(values, block):
        pairs = [*zip(model.trainable_variables, values[0], strict=True)]
        pairs += zip(model.non_trainable_variables, values[1], strict=True)
        with keras.StatelessScope(pairs):
            return model(block, training=False)

    return jax.jit(lambda values, blocks: jax.lax.map(lambda b: one(values, b), blocks))


def _plain_blocks(model, blocks):
    """Call the model block by block."""
    outputs = [_detached(model, block) for block in blocks]
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
