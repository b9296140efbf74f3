"""Picks the Keras backend before Keras is first imported.

Owns that one decision, and nothing else: no backend is imported here. Every module that
imports Keras calls :func:`choose_backend` first.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import sys
import threading
from pathlib import Path

BACKENDS = ("jax", "tensorflow", "torch")
_WRITTEN_BY_KERAS = {
    "floatx": "float32",
    "epsilon": 1e-07,
    "backend": "tensorflow",
    "image_data_format": "channels_last",
}
_hiding = threading.Lock()
_inside = [0]


def choose_backend():
    """Set ``KERAS_BACKEND`` where neither the user nor Keras has decided yet.

    The order is: a Keras already imported, the environment variable ``KERAS_BACKEND``, the
    user's ``keras.json``, then the first installed of JAX, TensorFlow and PyTorch. The
    ``keras.json`` that Keras itself writes at its first import names TensorFlow whatever is
    installed or in use: as long as it stands unchanged, it is nobody's decision.

    Raises
    ------
    ImportError
        If no backend is installed, or not the one that the environment variable names.
    """
    if "keras" in sys.modules:
        return
    if os.environ.get("KERAS_BACKEND"):
        _check_backend(os.environ["KERAS_BACKEND"])
        return
    chosen = _configured_backend()
    if chosen is None or not _installed(chosen):
        chosen = next((name for name in BACKENDS if _installed(name)), None)
    if chosen is None:
        raise ImportError(
            "skanomaly needs a Keras backend, and none of jax, tensorflow and torch is "
            "installed. Install one, for example with `pip install jax`."
        )
    os.environ["KERAS_BACKEND"] = chosen


def _check_backend(name):
    """Refuse a backend that cannot be loaded or trains nothing, before Keras is imported."""
    if name not in BACKENDS:
        raise ImportError(
            f"skanomaly needs a Keras backend that trains, one of {', '.join(BACKENDS)}, but the "
            f"environment variable KERAS_BACKEND is {name!r}. Set it to one of these, or unset it."
        )
    if not _installed(name):
        package = {"tensorflow": "'skanomaly[tensorflow]'", "torch": "'skanomaly[torch]'"}
        raise ImportError(
            f"the environment variable KERAS_BACKEND is {name!r}, but {name} is not installed. "
            f"Install it with `pip install {package.get(name, name)}`, or unset the variable: "
            "skanomaly then takes the first installed of " + ", ".join(BACKENDS) + "."
        )


@contextlib.contextmanager
def tensorflow_hidden():
    """Hide an installed TensorFlow that nobody uses while SciKeras is imported.

    SciKeras loads TensorFlow wherever it finds it, for seconds and hundreds of megabytes,
    only to seed it. Once TensorFlow is loaded or is the backend, nothing is hidden.
    """
    name = "tensorflow"
    if name in sys.modules or os.environ.get("KERAS_BACKEND") in (None, name):
        yield
        return
    sys.modules[name] = None
    try:
        yield
    finally:
        del sys.modules[name]


@contextlib.contextmanager
def keras_without_tensorflow():
    """Keep Keras from loading a TensorFlow that nobody uses while it (de)serialises.

    Keras asks for TensorFlow's own types then, and loads the whole package to compare.
    Threads may be inside together: the last one out undoes it.
    """
    from keras.src.utils import module_utils

    lazy = getattr(module_utils, "tensorflow", None)
    with _hiding:
        unused = "tensorflow" not in sys.modules and hasattr(lazy, "_available")
        hidden = unused and (_inside[0] > 0 or lazy._available is None)
        if hidden:
            _inside[0] += 1
            lazy._available = False
    try:
        yield
    finally:
        if hidden:
            with _hiding:
                _inside[0] -= 1
                if not _inside[0]:
                    lazy._available = None


@contextlib.contextmanager
def matplotlib_later():
    """Keep Keras from loading matplotlib until somebody draws with it.

    Keras' galleries of images hold it by name, and it takes a sixth of the time that Keras takes
    to load. What they are given here loads it when it is first used.
    """
    names = ("matplotlib", "matplotlib.pyplot")
    if any(name in sys.modules for name in ("keras", *names)) or not _installed(names[0]):
        yield
        return
    sys.modules.update(zip(names, map(_Later, names), strict=True))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


class _Later:
    """A module that is loaded when something of it is asked for."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        if name.startswith("__"):  # what the import system asks of a module
            raise AttributeError(name)
        if isinstance(sys.modules.get("matplotlib"), _Later):
            return _Later(f"{self._name}.{name}")
        return getattr(importlib.import_module(self._name), name)


def _configured_backend():
    """Return the backend the user's ``keras.json`` names, or None."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        config = json.loads((home / "keras.json").read_text())
        return None if config == _WRITTEN_BY_KERAS else config.get("backend")
    except (OSError, ValueError, AttributeError):
        return None


def _installed(name):
    """Tell whether the backend's package can be found, without importing it."""
    return importlib.util.find_spec(name) is not None
