"""Names of Keras' optimizers, losses and activations, checked before any work starts.

Owns the check and its words. What Keras itself finds by a name is right, registered names of the
user's own included.
"""

from skanomaly.backend import keras

#: What is in Keras' modules besides what can be named.
_OTHERS = ("get", "serialize", "deserialize", "schedules", "optimizer", "loss")


def check_names(owner, **parameters):
    """Refuse names that Keras does not know, with those it knows.

    Parameters
    ----------
    owner : str
        Name of the estimator.
    **parameters : object
        Values of "optimizer", "loss" and "activation"; what is no string is not looked at.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    for name, value in parameters.items():
        module = _module(name)
        if not isinstance(value, str) or value == "auto" or _is_known(module, value):
            continue
        raise ValueError(
            f"The {name!r} parameter of {owner} must be a name that Keras knows, got {value!r}. "
            f"Pass one of {_names_in(module)}, or an object of your own."
        )


def _module(name):
    kinds = {"optimizer": keras.optimizers, "loss": keras.losses, "activation": keras.activations}
    return kinds[name]


def _is_known(module, name):
    try:
        return module.get(name) is not None
    except Exception:  # each kind of object refuses in words of its own
        return False


def _names_in(module):
    """Return the names in a module that `get` takes, those of classes in lower case."""
    found = [n for n in dir(module) if not n.startswith("_") and n.lower() not in _OTHERS]
    lower = {name.lower() if module is keras.optimizers else name for name in found}
    return sorted(name for name in lower if _is_known(module, name))
