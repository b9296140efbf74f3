"""Keras objects as configurations and back, without a TensorFlow that nobody uses."""

from skanomaly.backend import keras
from skanomaly.backend._choice import keras_without_tensorflow
from skanomaly.backend._seeding import seeded


def serialize(thing):
    """Return a Keras object's configuration."""
    with keras_without_tensorflow():
        return keras.saving.serialize_keras_object(thing)


def deserialize(config):
    """Rebuild a Keras object from its configuration; no global generator moves."""
    with seeded(0), keras_without_tensorflow():
        return keras.saving.deserialize_keras_object(config)
