"""Keras objects among an estimator's parameters as plain data, for its pickles and files.

Owns which of them can be data: networks, and what Keras or a registration can name. Does not own
the text of a configuration (``backend._serialization``).
"""

import types

import numpy as np

from skanomaly.backend import keras
from skanomaly.backend._serialization import from_text, is_known, to_text


def encode(thing):
    """Return a Keras object as (kind, state); None for any other object."""
    if isinstance(thing, keras.Model):
        values = [np.asarray(value) for value in thing.get_weights()] if thing.built else None
        return "network", {"config": to_text(thing), "values": values}
    function = isinstance(thing, types.FunctionType)
    if not (function or hasattr(thing, "get_config")) or isinstance(thing, type):
        return None
    return ("keras", to_text(thing)) if is_known(thing if function else type(thing)) else None


def encode_untrained(network):
    """Return a network without its weights as (kind, state)."""
    return "network", {"config": to_text(network), "values": None}


def _network(state):
    network = from_text(state["config"])
    if state["values"] is not None:
        network.set_weights(state["values"])
    return network


#: How to rebuild what `encode` gives.
KINDS = {"keras": from_text, "network": _network}
