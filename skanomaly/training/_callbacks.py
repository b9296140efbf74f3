"""Keras' callbacks around a training: what they see, and which of them cannot be honoured.

Owns the network's face towards callbacks and what they are told of a training. Does not own when
they are called (``training._loop``), or scikit-learn's callbacks.
"""

import contextlib

from skanomaly.backend import keras
from skanomaly.training._jax_steps import follows_schedule


@contextlib.contextmanager
def shown(model):
    """Make the network what callbacks take for the model under training, for that long.

    What they save and load are then the weights of `network_`, not those of a wrapper.
    """
    network = vars(model.network)
    names = ("optimizer", "loss", "stop_training", "history")
    before = {name: network[name] for name in names if name in network}
    network.update(optimizer=model.optimizer, loss=model.loss, stop_training=False)
    try:
        yield
    finally:
        for name in names:
            network.pop(name, None)
        network.update(before)


def refuse_setters_of_a_schedule(optimizer, callbacks):
    """Refuse Keras' callbacks that set the rate where a schedule sets it already."""
    setters = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    found = [type(callback).__name__ for callback in callbacks if isinstance(callback, setters)]
    if found and follows_schedule(optimizer):
        raise ValueError(
            f"the callback {found[0]} sets the learning rate, but the optimizer must follow a "
            "schedule of its own: the default recipes warm up and fall as a cosine. Leave the "
            "callback out, or pass optimizer=keras.optimizers.Adam(1e-3), whose rate it may set."
        )


def observers(model, callbacks, epochs, steps):
    """Return the callbacks, a history among them, ready to be told of a training."""
    told = keras.callbacks.CallbackList(callbacks, model=model.network, add_history=True)
    # whoever passes a callback that prints wants to see it: verbose
    told.params = {"verbose": 1, "epochs": epochs, "steps": steps}
    for callback in told.callbacks:
        callback.set_params(told.params)
    return told


def history_of(told):
    """Return the `keras.callbacks.History` among callbacks."""
    return next(c for c in told.callbacks if isinstance(c, keras.callbacks.History))


def wants_batches(callback):
    """Tell whether a callback listens to single batches."""
    base = keras.callbacks.Callback
    hooks = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
    own = ((getattr(callback, hook), getattr(base, hook)) for hook in hooks)
    # the instance's, not the class's: a LambdaCallback sets its functions on itself
    return any(getattr(method, "__func__", method) is not default for method, default in own)
