"""The user's own network: built or copied, and checked.

Owns what a `model` parameter may be. Does not own what becomes of the network.
"""

import functools
import inspect
import re
import warnings

import numpy as np

from skanomaly.backend import _serialization, keras
from skanomaly.backend._choice import keras_without_tensorflow

#: Methods of a model by which Keras' own `fit` and `predict` would train and score it.
_OWN_TRAINING = (
    "fit",
    "train_step",
    "test_step",
    "predict_step",
    "compute_loss",
    "compute_metrics",
    "make_train_function",
)
#: What `compile` takes besides an optimizer and a loss.
_COMPILED_EXTRAS = ("metrics", "weighted_metrics", "loss_weights")
#: What colours texts in a terminal.
_CODES = re.compile(r"\x1b\[[0-9;]*m")


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
    ValueError
        If it does not take rows of `n_features` columns.
    """
    if isinstance(model, keras.Model):
        network = _copy_network(model, n_features)
    else:
        network = _built(model, n_features)
        if not isinstance(network, keras.Model):
            raise TypeError(
                "The function given as `model` must return a keras.Model, got "
                f"{type(network).__name__} instead. Return the network itself, for example "
                "keras.Sequential([...])."
            )
    _refuse_own_training(network)
    _warn_of_compiled_extras(network)
    try:
        if not network.built and isinstance(network, keras.Sequential):
            network.build((None, n_features))
        output = _output(network, n_features)  # a call builds any other kind
    except Exception as error:
        inputs = getattr(network, "input_shape", None)
        shape = f", and this one is made for inputs of shape {inputs}" if inputs else ""
        raise ValueError(
            f"The network given as `model` does not take rows of {n_features} columns{shape}. "
            f"Expected one input of shape ({n_features},); a function of n_features can build it "
            f"to measure. Keras says: {_first_line(error)}"
        ) from error
    if not hasattr(output, "shape"):
        raise ValueError(
            f"The network given as `model` must have one output, got {len(output)} "
            f"({type(output).__name__}). Return a single tensor for each row."
        )
    return network


def _first_line(error):
    """Return the first line of an error of Keras that says more than where it happened."""
    lines = [line.strip() for line in _CODES.sub("", str(error)).splitlines()]
    told = [line for line in lines if line and not line.startswith("Exception encountered")]
    return told[0] if told else type(error).__name__


def _refuse_own_training(network):
    """Refuse a class that trains or predicts in a way of its own, which nothing here calls."""
    for name in _OWN_TRAINING:
        owner = next(kind for kind in type(network).__mro__ if name in vars(kind))
        if owner.__module__.split(".")[0] not in ("keras", "keras_core"):
            raise ValueError(
                f"The network given as `model` is a {type(network).__name__} with a {name} of its "
                "own, but the detector trains and scores it in its own loop, from `call` alone. "
                "Expected a network without one: pass the loss as `loss`, or add it by "
                "self.add_loss in `call`."
            )


def _warn_of_compiled_extras(network):
    """Warn of what a model was compiled with that plays no part here."""
    given = (getattr(network, "compiled", False) and network.get_compile_config()) or {}
    extras = [name for name in _COMPILED_EXTRAS if given.get(name)]
    if extras:
        warnings.warn(
            f"The network given as `model` is compiled with {' and '.join(extras)}, which the "
            "detector does not use: it takes optimizer and loss, and history_ holds the loss. "
            "Compile it without, or measure by skanomaly.metrics.",
            UserWarning,
            stacklevel=2,
        )


def output_shape(network, n_features):
    """Return the shape of a network's output for one row, without the row's axis."""
    return tuple(_output(network, n_features).shape)[1:]


def _output(network, n_features):
    row = np.zeros((1, n_features), np.float32)
    return network(keras.ops.convert_to_tensor(row), training=False)


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


def _built(builder, n_features):
    """Call a function with the arguments that it knows, and refuse one that wants others."""
    try:
        signature = inspect.signature(builder)
    except ValueError:  # a builtin that does not tell: called without any
        return builder()
    known = {
        "n_features": n_features,
        "n_features_in_": n_features,
        "meta": {"n_features_in_": n_features},
    }
    bound = builder.keywords if isinstance(builder, functools.partial) else {}
    names = [name for name in signature.parameters if name in known and name not in bound]
    given = {name: known[name] for name in names}
    try:
        signature.bind(**given)
    except TypeError as error:
        raise TypeError(
            f"The function given as `model` cannot be called: {error}. Expected an argument "
            "called n_features, n_features_in_ or meta, or none; bind others by functools.partial."
        ) from error
    return builder(**given)
