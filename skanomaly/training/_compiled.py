"""Compiled programs, found again by what they depend on.

Owns the answer to "may this model use the program compiled for that one?". Two models share
a program when their configurations agree in everything but names, seeds and initial values.
Models whose behaviour a configuration does not pin down (own layer classes, lambdas) share
with nobody: their programs live and die with them.
"""

import ctypes
import functools
import json
import os
import stat
import threading
import types
import warnings
import weakref
from collections import OrderedDict
from pathlib import Path

from skanomaly.backend import keras
from skanomaly.backend._fork import refuse_stranded
from skanomaly.backend._serialization import serialize

#: Compilations kept for later models; programs least recently used are dropped first. One of
#: them takes some three megabytes.
MAX_COMPILED = 32
#: Environment variable that names the folder of compiled programs shared across processes.
CACHE_SETTING = "SKANOMALY_CACHE_DIR"
#: LLVM's first level on CPUs: a third less to wait for than its second, for code as fast.
_CPU_OPTIONS = {"xla_backend_optimization_level": 1}
_VALUE_FREE = ("seed", "build_config", "shared_object_id")
_NAMES = ("name", "input_layers", "output_layers", "keras_history")
_OWN_SLOT = "_skanomaly_programs"
_lock = threading.RLock()
_programs = OrderedDict()


class Program:
    """A function of arrays, compiled once for every set of shapes, callable from any thread.

    Parameters
    ----------
    function : callable
        Pure function of (nested) arrays; tracing it may touch shared objects, so that one
        thread traces at a time.
    **options : dict
        Passed to `jax.jit`.
    """

    def __init__(self, function, **options):
        import jax

        self._jitted, self._compiled = jax.jit(function, **options), {}
        self._lock = threading.Lock()

    def __call__(self, *arguments):
        """Run the function."""
        import jax

        refuse_stranded("This network")
        leaves, structure = jax.tree.flatten(arguments)
        key = (structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves))
        compiled = self._compiled.get(key)
        if compiled is None:
            with self._lock:
                if key not in self._compiled:
                    on_cpu = jax.default_backend() == "cpu"
                    options = _CPU_OPTIONS if on_cpu else None
                    self._compiled[key] = self._jitted.lower(*arguments).compile(options)
                compiled = self._compiled[key]
        return compiled(*arguments)

    @property
    def n_compiled(self):
        """Number of sets of shapes compiled so far."""
        return len(self._compiled)


def cached(key, build, owner=None):
    """Return the program stored under `key`, made by ``build()`` at its first use.

    Parameters
    ----------
    key : tuple of hashable
        What the program depends on.
    build : callable
        Makes the program.
    owner : object, default=None
        With an owner the program is stored there and goes with it.
    """
    with _lock:
        store = _programs if owner is None else vars(owner).setdefault(_OWN_SLOT, OrderedDict())
        if key not in store:
            store[key] = build()
        store.move_to_end(key)
        n_before = len(store)
        while len(store) > 1 and sum(map(_size, store.values())) > MAX_COMPILED:
            store.popitem(last=False)
        if len(store) < n_before:
            _give_memory_back()
        return store[key]


def _give_memory_back():
    """Return free memory to the system: compilers leave pieces of it in the arenas of glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _size(program):
    """Return how many compilations a program stands for; one that is new will have its first."""
    return max(1, getattr(program, "n_compiled", 1))


def clear():
    """Forget all shared programs."""
    with _lock:
        _programs.clear()


def count():
    """Return the number of compilations that the shared programs stand for."""
    with _lock:
        return sum(program.n_compiled for program in _programs.values())


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
    config = _strip(serialize(thing), set(scalars), {})
    return json.dumps(config, sort_keys=True, default=str)


def is_described(thing):
    """Tell whether a configuration pins the object down: known classes and functions alone."""
    return _is_described(thing, set())


def _is_described(thing, seen):
    if id(thing) in seen:
        return True
    seen.add(id(thing))
    if isinstance(thing, (types.FunctionType, type)):
        return _is_known(thing)
    if isinstance(thing, functools.partial) or not _is_known(type(thing)):
        return False
    return all(_is_described(part, seen) for part in _parts(thing))


def _parts(thing):
    """List the objects and functions inside that decide what a Keras object computes."""
    parts = [*getattr(thing, "_layers", ()), *getattr(thing, "operations", ())]
    for name, value in getattr(thing, "__dict__", {}).items():
        if callable(value) and not name.endswith("_initializer"):
            parts.append(value)
    optimizer = getattr(thing, "inner_optimizer", None)
    schedule = getattr(thing, "_learning_rate", None)
    parts += [part for part in (optimizer, schedule) if callable(part)]
    return [part for part in parts if not isinstance(part, keras.Variable)]


def _is_known(thing):
    return (thing.__module__ or "").split(".")[0] in ("keras", "skanomaly")


def _strip(config, dropped, names, names_here=False):
    """Drop what the program does not depend on and number the names in order of appearance.

    With `names_here` strings are the names of layers: an activation may be called like one.
    """
    if isinstance(config, dict):
        kept = {}
        for key in sorted(config):
            if key in dropped or key in _VALUE_FREE or key.endswith("_initializer"):
                continue
            if key == "dtype":  # the name of a policy says what is computed
                kept[key] = config[key]
                continue
            kept[key] = _strip(config[key], dropped, names, names_here or key in _NAMES)
        return kept
    if isinstance(config, (list, tuple)):
        return [_strip(item, dropped, names, names_here) for item in config]
    if names_here and isinstance(config, str):
        return names.setdefault(config, f"name{len(names)}")
    return config


def use_persistent_cache(folder):
    """Keep JAX's compiled programs in a folder, so that later processes start warm.

    Called at import with the environment variable ``SKANOMALY_CACHE_DIR``, when it is set. The
    folder may be shared by processes running at once, read-only, full or damaged: what cannot
    be read is compiled, what cannot be written is not kept.

    Parameters
    ----------
    folder : str or path-like
        Made when it is missing, for this user alone. One that others can write to is not used,
        with a warning: programs in it are executed.
    """
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    wrong = _what_is_wrong(Path(folder))
    if wrong:
        warnings.warn(
            f"{CACHE_SETTING} names the folder {os.fspath(folder)!r}, which {wrong}. It is not "
            "used: programs are compiled in every process.",
            UserWarning,
            stacklevel=2,
        )
        return
    # JAX reports every entry it cannot read or write: a full disk would mean a line a program
    message = "Error (reading|writing) persistent compilation cache entry"
    warnings.filterwarnings("ignore", message=message, category=UserWarning)
    compilation_cache.reset_cache()  # JAX looks at its settings once, at its first compilation
    jax.config.update("jax_compilation_cache_dir", os.fspath(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _what_is_wrong(folder):
    """Return why a folder cannot hold programs, or None; it is made where it is missing.

    Compiled programs are run as they are found: whoever can write there runs code as this user.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        return f"cannot be made ({error}). Name a writable folder"
    if os.name != "posix":
        return None
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return (
            "other users can write to, although programs in it are executed. Take their right "
            f"away with `chmod go-w {os.fspath(folder)}`, or name another folder"
        )
    if found.st_uid not in (0, os.getuid()):
        return "belongs to another user, although programs in it are executed. Name one of yours"
    return None


if os.environ.get(CACHE_SETTING) and keras.backend.backend() == "jax":
    use_persistent_cache(os.environ[CACHE_SETTING])
