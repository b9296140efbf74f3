"""Seeds every generator that building a network may draw from, and puts them back.

Owns the global generators: nothing else in the package touches them, so that neither a fit nor
a copy of a network shows in the caller's random numbers. Owns initial values of zeros and ones,
too.
"""

import contextlib
import functools
import random
import threading

import numpy as np

from skanomaly.backend import keras
from skanomaly.backend._fork import refuse_stranded

_building = threading.RLock()


@contextlib.contextmanager
def zeros_by_numpy(blank=False):
    """Let Keras' initialisers of zeros and ones take NumPy's, in this thread.

    On JAX each shape of theirs is compiled into a program of its own, for 1.6 megabytes that are
    never given back and 20 milliseconds.

    Parameters
    ----------
    blank : bool, default=False
        Whether the random initialisers give zeros, too: for networks whose weights are set
        afterwards.
    """
    kinds = {"Zeros": np.zeros, "Ones": np.ones}
    kinds |= dict.fromkeys(_RANDOM, np.zeros) if blank else {}
    with _building:
        before = {}
        for name, make in kinds.items():
            kind = getattr(keras.initializers, name)
            before[kind] = kind.__call__
            kind.__call__ = _filled_by(make, kind.__call__, threading.get_ident())
        try:
            yield
        finally:
            for kind, call in before.items():
                kind.__call__ = call


#: Keras' initialisers that draw; those not named here inherit from one that is.
_RANDOM = ("VarianceScaling", "RandomNormal", "RandomUniform", "TruncatedNormal", "Orthogonal")


def _filled_by(make, otherwise, thread):
    @functools.wraps(otherwise)  # Keras asks the signature whether a layout may be passed
    def call(self, shape, dtype=None, **layout):
        dtype = keras.backend.standardize_dtype(dtype)
        if layout or dtype not in ("float32", "float64") or threading.get_ident() != thread:
            return otherwise(self, shape, dtype=dtype, **layout)
        return keras.ops.convert_to_tensor(make(shape, dtype), dtype=dtype)

    return call


@contextlib.contextmanager
def seeded(seed):
    """Seed every generator a builder may draw from, and put their states back afterwards.

    Layers and initialisers without a seed of their own take it from Keras' or Python's global
    generator. One thread at a time is inside.

    Parameters
    ----------
    seed : int
        Seed, not negative.
    """
    refuse_stranded("A new network, or a loaded one,")
    with zeros_by_numpy(), _keras_seeded(seed), _torch_seeded(seed):
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


@contextlib.contextmanager
def seeded_training(seed):
    """Seed what training draws from besides the layers' own seeds.

    That is nothing, but on PyTorch: Keras' dropout takes PyTorch's global generator there,
    whatever its seed says. One thread at a time trains on PyTorch, therefore.

    Parameters
    ----------
    seed : int
        Seed, not negative.
    """
    if keras.backend.backend() != "torch":
        yield
        return
    with _building, _torch_seeded(seed):
        yield


@contextlib.contextmanager
def _keras_seeded(seed):
    from keras.src.backend.common import global_state
    from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
    from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED

    names = (GLOBAL_RANDOM_SEED, GLOBAL_SEED_GENERATOR)
    before = [global_state.get_global_attribute(name) for name in names]
    global_state.set_global_attribute(GLOBAL_RANDOM_SEED, seed)
    global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)
    try:
        yield
    finally:
        for name, value in zip(names, before, strict=True):
            global_state.set_global_attribute(name, value)


@contextlib.contextmanager
def _torch_seeded(seed):
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    before = torch.get_rng_state()
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)
