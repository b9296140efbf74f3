"""The user's own network: built or copied, and checked.

Owns what a `model` parameter may be. Does not own what becomes of the network.
"""

import functools
import inspect

import numpy as np

from skanomaly.backend import _serialization, keras
from skanomaly.backend._choice import keras_without_tensorflow


def user_network(model, n_features):
    """Return the network a user's `model` parameter stands for.

    Parameters
    ----------
    model : callable or keras.Model
        A function or partial (with or without an argument called ``n_features``,
        ``n_features_in_`` or ``meta``) that returns a Keras model, or a Keras model, of
        which a copy with the same weights is taken. Where it is compiled, its optimizer and
        loss are used.
    n_features : int
        Columns of the training rows.

    Returns
    -------
    network : keras.Model
        Built network.

    Raises
    ------
    TypeError
        If `model` gives something that is not a Keras model.
    """
    if isinstance(model, keras.Model):
        network = _copy_network(model, n_features)
    else:
        network = model(**_builder_arguments(model, n_features))
        if not isinstance(network, keras.Model):
            raise TypeError(
                "The function given as `model` must return a keras.Model, got "
                f"{type(network).__name__} instead. Return the network itself, for example "
                "keras.Sequential([...])."
            )
    if not network.built and isinstance(network, keras.Sequential):
        network.build((None, n_features))
    output_shape(network, n_features)  # a call builds any other kind
    return network


def output_shape(network, n_features):
    """Return the shape of a network's output for one row, without the row's axis."""
    row = np.zeros((1, n_features), np.float32)
    return tuple(network(keras.ops.convert_to_tensor(row), training=False).shape)[1:]


def refuse_unrestorable(network):
    """Raise a TypeError, naming the layer, where a network's configuration cannot rebuild it.

    That is how networks are pickled and copied: without this, what is written could never be
    read again.
    """
    if all(map(_is_of_keras, network._flatten_layers())):
        return
    try:
        _serialization.deserialize(_serialization.serialize(network), blank=True)
    except Exception as error:
        layers = [*network._flatten_layers(include_self=False), network]
        layer = next((la for la in layers if not _is_restorable(la)), network)
        raise TypeError(
            f"The network cannot be saved or copied: its layer {layer.name!r}, a "
            f"{type(layer).__name__}, cannot be rebuilt from its configuration "
            f"({type(error).__name__}: {str(error).splitlines()[0]}). Expected layers of Keras "
            "other than Lambda, or classes with get_config that "
            "keras.saving.register_keras_serializable registers."
        ) from error


def _is_of_keras(layer):
    """Tell layers whose classes and settings are Keras' or our own."""
    owner = type(layer).__module__.split(".")[0]
    settings = [value for value in vars(layer).values() if inspect.isfunction(value)]
    known = all((value.__module__ or "").split(".")[0] == "keras" for value in settings)
    return owner in ("keras", "skanomaly") and known and type(layer) is not keras.layers.Lambda


def _is_restorable(layer):
    try:
        _serialization.deserialize(_serialization.serialize(layer), blank=True)
    except Exception:
        return False
    return True


def _copy_network(model, n_features):
    """Return a twin of a model, with its weights where it has any."""
    refuse_unrestorable(model)
    with keras_without_tensorflow():  # initial weights come from the seed of the caller
        twin = keras.saving.deserialize_keras_object(_serialization.serialize(model))
    if not twin.built:
        twin.build((None, n_features))
    if model.built:
        twin.set_weights(model.get_weights())
    return twin


def _builder_arguments(builder, n_features):
    names = inspect.signature(builder).parameters
    known = {
        "n_features": n_features,
        "n_features_in_": n_features,
        "meta": {"n_features_in_": n_features},
    }
    bound = builder.keywords if isinstance(builder, functools.partial) else {}
    return {name: known[name] for name in names if name in known and name not in bound}
