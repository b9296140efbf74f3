"""Which Keras backend, its seeds, and configurations of Keras' objects.

The only wing that touches Keras' internals; imports nothing of the package. Networks, training
and learners take `keras` and `ops` from here, so that the backend is chosen before either loads.
"""

import importlib

__all__ = ["keras", "ops"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'skanomaly.backend' has no attribute {name!r}")
    from skanomaly.backend._choice import choose_backend, matplotlib_later

    choose_backend()
    with matplotlib_later():
        loaded = importlib.import_module("keras" if name == "keras" else "keras.ops")
    globals()[name] = loaded
    return loaded
