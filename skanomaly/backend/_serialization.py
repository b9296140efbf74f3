"""Keras objects as configurations and back, without a TensorFlow that nobody uses."""

from skanomaly.backend import keras
from skanomaly.backend._choice import keras_without_tensorflow
from skanomaly.backend._seeding import seeded, zeros_by_numpy


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
