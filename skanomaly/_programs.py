"""A bounded store of compiled programs, found again by what they depend on.

Owns the answer to "may this model use the program compiled for that one?". Two models share
a program when their configurations agree in everything but names, seeds and initial values.
Models whose behaviour a configuration does not pin down (own layer classes, lambdas) share
with nobody but themselves.
"""

import json
import threading
import weakref
from collections import OrderedDict

from skanomaly._backend import choose_backend, keras_without_tensorflow

choose_backend()

import keras  # noqa: E402  (the backend is chosen first)

MAX_PROGRAMS = 64

_VALUE_FREE = ("seed", "build_config", "shared_object_id")
_lock = threading.RLock()
_programs = OrderedDict()


def cached(key, build):
    """Return the program stored under `key`, made by ``build()`` at its first use."""
    with _lock:
        if key in _programs:
            _programs.move_to_end(key)
            return _programs[key]
    program = build()
    with _lock:
        program = _programs.setdefault(key, program)
        _programs.move_to_end(key)
        while len(_programs) > MAX_PROGRAMS:
            _programs.popitem(last=False)
    return program


def serialize(thing):
    """Return a Keras object's configuration."""
    with keras_without_tensorflow():
        return keras.saving.serialize_keras_object(thing)


def deserialize(config):
    """Rebuild a Keras object from its configuration."""
    with keras_without_tensorflow():
        return keras.saving.deserialize_keras_object(config)


def clear():
    """Forget all compiled programs."""
    with _lock:
        _programs.clear()


def signature(thing, scalars=()):
    """Return a hashable key of what a program compiled for `thing` depends on.

    Parameters
    ----------
    thing : keras.Layer, keras.Model, keras.Optimizer, keras.Loss, str or callable
        Object to describe.
    scalars : iterable of str
        Names of configuration entries that reach the program as data.

    Returns
    -------
    key : str or weakref.ref
        Equal for two objects that may share a program. Objects that configurations do not
        pin down are known by their identity.
    """
    if thing is None or isinstance(thing, str):
        return str(thing)
    if not is_described(thing):
        try:
            return weakref.ref(thing)
        except TypeError:
            return f"id:{id(thing)}"
    config = serialize(thing)
    names = {}
    return json.dumps(_strip(config, set(scalars), names), sort_keys=True, default=str)


def is_described(thing):
    """Tell whether a configuration pins the object down: it is built of known classes alone."""
    if isinstance(thing, keras.Model):
        known = _is_known(type(thing)) or type(thing).__name__ in ("Functional", "Sequential")
        return known and all(is_described(layer) for layer in thing.layers)
    if not _is_known(type(thing)) or isinstance(thing, keras.layers.Lambda):
        return False
    return all(is_described(layer) for layer in getattr(thing, "_layers", ()))


def _is_known(cls):
    return cls.__module__.split(".")[0] in ("keras", "skanomaly")


def _strip(config, dropped, names):
    """Drop what the program does not depend on and number the names in order of appearance."""
    if isinstance(config, dict):
        kept = {}
        for key in sorted(config):
            value = config[key]
            if key in dropped or key in _VALUE_FREE or key.endswith("_initializer"):
                continue
            if key == "name" and isinstance(value, str):
                value = names.setdefault(value, f"name{len(names)}")
            kept[key] = _strip(value, dropped, names)
        return kept
    if isinstance(config, (list, tuple)):
        return [_strip(item, dropped, names) for item in config]
    if isinstance(config, str):
        return names.get(config, config)
    return config
