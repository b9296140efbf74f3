"""Which Keras backend, its seeds, and configurations of Keras' objects.

The only wing that touches Keras' internals; imports nothing of the package. Networks, training
and learners take `keras` and `ops` from here, so that the backend is chosen before either loads.
"""

import importlib
import random
import sys

import numpy as np

__all__ = ["keras", "ops"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'skanomaly.backend' has no attribute {name!r}")
    from skanomaly.backend._arrays import accept_copy
    from skanomaly.backend._choice import choose_backend, matplotlib_later

    choose_backend()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with matplotlib_later():
            loaded = importlib.import_module("keras" if name == "keras" else "keras.ops")
    finally:  # JAX draws from the global generators when it is imported
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
    accept_copy(sys.modules["keras"].Variable)
    globals()[name] = loaded
    return loaded
