"""Keras objects as configurations and back, without a TensorFlow that nobody uses.

Owns what a configuration may hold: classes of Keras and registered ones, no Python code. States
that leave the process, as text, are checked when they are written and before they are read.
"""

import json
import types

from skanomaly.backend import keras
from skanomaly.backend._choice import keras_without_tensorflow
from skanomaly.backend._seeding import seeded, zeros_by_numpy

#: Layers of Keras that hold Python code, or read files or objects by themselves.
_WITH_CODE = {
    "FlaxLayer", "IntegerLookup", "JaxLayer", "Lambda", "StringLookup", "TFSMLayer",
    "TextVectorization", "TorchModuleWrapper",
}  # fmt: skip
#: Modules of Keras in which functions are known by name.
_FUNCTIONS = ("activations", "constraints", "initializers", "losses", "metrics", "regularizers")


def serialize(thing):
    """Return a Keras object's configuration."""
    with keras_without_tensorflow():
        return keras.saving.serialize_keras_object(thing)


def deserialize(config, blank=False):
    """Rebuild a Keras object from its configuration; no global generator moves.

    With `blank` initial weights are zeros: for those whose weights are set afterwards.
    """
    with seeded(0), zeros_by_numpy(blank), keras_without_tensorflow():
        return keras.saving.deserialize_keras_object(config)


def to_text(thing):
    """Return a Keras object's configuration as JSON.

    Raises
    ------
    ValueError
        If the object, or a layer inside, holds Python code or is of a class that is not
        registered. The layer is named.
    """
    for layer in thing._flatten_layers() if isinstance(thing, keras.Layer) else ():
        _check_layer(layer)
    config = serialize(thing)
    check_config(config)
    return json.dumps(config)


def from_text(text, blank=False):
    """Rebuild a Keras object from `to_text`; what may hold code is refused before.

    `blank` is that of `deserialize`.

    Raises
    ------
    ValueError
        If the text is no such configuration.
    """
    config = json.loads(text)
    check_config(config)
    return deserialize(config, blank)


def check_config(config, owner=None):
    """Refuse a configuration with Python code, or with a class that is not known here."""
    if isinstance(config, dict):
        if {"code", "closure"} <= config.keys():
            raise ValueError(_code_message(owner or "a part", "a lambda"))
        if "class_name" in config:
            inner = config.get("config")
            named = isinstance(inner, dict) and isinstance(inner.get("name"), str)
            owner = f"the layer {inner['name']!r}" if named else owner
            _check_class(config, owner or f"the part {config['class_name']!r}")
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            check_config(part, owner)


def _check_layer(layer):
    """Refuse a layer with code, before Keras puts it into a configuration."""
    owner, kind = f"the layer {layer.name!r}", type(layer)
    lambdas = [
        value for value in vars(layer).values()
        if isinstance(value, types.FunctionType) and value.__name__ == "<lambda>"
    ]  # fmt: skip
    if lambdas or kind.__name__ in _WITH_CODE:
        raise ValueError(_code_message(owner, "a lambda" if lambdas else kind.__name__))
    of_keras = (kind.__module__ or "").split(".")[0] == "keras"
    registered = keras.saving.get_registered_name(kind)
    if not of_keras and keras.saving.get_registered_object(registered) is not kind:
        raise ValueError(_unknown_message(owner, kind.__name__))


def _check_class(config, owner):
    name, module = config["class_name"], config.get("module") or ""
    if name == "function":
        _check_function(config.get("config"), owner)
        return
    if name in _WITH_CODE or name == "__lambda__":
        raise ValueError(_code_message(owner, name))
    registered = config.get("registered_name")
    if registered and keras.saving.get_registered_object(registered) is not None:
        return
    if not name.startswith("__") and module.split(".")[0] != "keras":
        raise ValueError(_unknown_message(owner, registered or name))


def is_known(thing):
    """Tell whether a class or function is Keras' own, or registered."""
    name = getattr(thing, "__name__", "")
    if isinstance(thing, types.FunctionType):
        own = any(getattr(getattr(keras, module), name, None) is thing for module in _FUNCTIONS)
    else:
        own = thing.__module__.split(".")[0] == "keras"
    registered = keras.saving.get_registered_object(keras.saving.get_registered_name(thing))
    return own or registered is thing


def _check_function(name, owner):
    known = isinstance(name, str) and (
        keras.saving.get_registered_object(name) is not None
        or any(hasattr(getattr(keras, module), name) for module in _FUNCTIONS)
    )
    if not known:
        raise ValueError(_unknown_message(owner, f"function {name}"))


def _code_message(owner, what):
    return (
        f"{owner[0].upper()}{owner[1:]} holds Python code ({what}), and neither a file nor a copy "
        "of a fitted detector may. Write a class of keras.layers.Layer instead, and decorate it "
        "with @keras.saving.register_keras_serializable()."
    )


def _unknown_message(owner, what):
    return (
        f"{owner[0].upper()}{owner[1:]} needs {what!r}, which is neither part of Keras nor "
        "registered. Decorate its class or function with "
        "@keras.saving.register_keras_serializable(), and import its module before loading."
    )
