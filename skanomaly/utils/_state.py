"""Fitted objects as plain data, and back: what goes into a pickle or a file.

Owns the form: containers, arrays, numbers and strings, with the parts of a fitted estimator as
named entries, so that a file holds no private class and outlives every move of one. Does not own:
which classes an estimator is made of (its wing says so), or any file. No Keras.
"""

import contextlib
import contextvars
import re

import numpy as np
import pandas as pd
from sklearn.utils.fixes import parse_version

from skanomaly._version import __version__

#: Key of an entry that stands for an object: the value names its kind, "state" holds what it is.
KIND = "__kind__"
#: Arrays of at least as many values are looked at for digits that they do not need.
_MANY = 1024
_RELEASE = r"[0-9]+(\.[0-9]+)*[0-9a-z.+]*"
_kept = contextvars.ContextVar("skanomaly_kept", default=frozenset())


@contextlib.contextmanager
def keeping(*what):
    """Let states taken inside hold more than scores need.

    Parameters
    ----------
    *what : {"rows", "training", "data"}
        Training rows; the optimizer's numbers; no functions, but nothing else than data.
    """
    token = _kept.set(_kept.get().union(what))
    try:
        yield
    finally:
        _kept.reset(token)


def is_kept(what):
    """Tell whether states are to hold "rows" or "training"."""
    return what in _kept.get()


def pack(thing, classes, encode=None):
    """Return an object as plain data.

    Parameters
    ----------
    thing : object
        Object of one of the classes, container, array, number or string.
    classes : iterable of type
        What may be taken apart, known by its name. The state of an object is what its
        ``__getstate__`` says.
    encode : callable, default=None
        Function of any other object that returns its (kind, state), or None to leave the object as
        it is.

    Returns
    -------
    state : object
        The same place for the same object, so that what is shared stays shared.

    Examples
    --------
    >>> from skanomaly.utils._calibration import SigmoidMap
    >>> from skanomaly.utils._state import pack
    >>> curve = SigmoidMap.__new__(SigmoidMap)
    >>> curve.slope = 2.0
    >>> pack([curve], [SigmoidMap])
    [{'__kind__': 'SigmoidMap', 'state': {'slope': 2.0}}]
    """
    known, packed = set(_by_name(classes).values()), {}

    def visit(thing):
        if isinstance(thing, np.ndarray):
            return _lean(thing)
        if thing is None or isinstance(thing, (bool, int, float, str, bytes)):
            return thing.item() if isinstance(thing, np.generic) else thing
        if isinstance(thing, np.generic):
            return thing.item() if thing.dtype in (np.int64, np.bool_) else thing
        if type(thing) in (list, tuple):
            return type(thing)(visit(item) for item in thing)
        if type(thing) is dict:
            return {key: visit(value) for key, value in thing.items()}
        if id(thing) not in packed:  # the object is kept: its place in memory names it
            packed[id(thing)] = entry(thing), thing
        return packed[id(thing)][0]

    def entry(thing):
        if isinstance(thing, pd.DataFrame):
            return {KIND: "DataFrame", "state": visit(_columns(thing))}
        if type(thing) in known:
            return {KIND: type(thing).__name__, "state": visit(_state_of(thing))}
        found = None if encode is None else encode(thing)
        return thing if found is None else {KIND: found[0], "state": visit(found[1])}

    return visit(thing)


def unpack(state, classes, decode=None):
    """Return the object that `pack` made plain data of.

    Parameters
    ----------
    state : object
        What `pack` returned.
    classes : iterable of type
        What it may hold.
    decode : callable, default=None
        Function of (kind, state) for the kinds that `encode` gave.

    Raises
    ------
    ValueError
        If the state names a kind that is not known here.
    """
    known, made = _by_name(classes), {}

    def visit(state):
        if type(state) in (list, tuple):
            return type(state)(visit(item) for item in state)
        if type(state) is not dict:
            return state
        if KIND not in state:
            return {key: visit(value) for key, value in state.items()}
        if id(state) not in made:
            made[id(state)] = build(state[KIND], visit(state["state"])), state
        return made[id(state)][0]

    def build(kind, state):
        if kind == "float64":
            return np.asarray(state, dtype=np.float64)
        if kind == "float32":
            return _single(state)
        if kind == "DataFrame":
            return _frame(state)
        if kind in known:
            return _restored(known[kind], state)
        if decode is None:
            raise ValueError(unknown_kind(kind))
        return decode(kind, state)

    return visit(state)


def check_version(version, owner):
    """Refuse a state that a newer version of the package has written.

    Raises
    ------
    ValueError
        If the state is newer, or holds no version.
    """
    known = isinstance(version, str) and bool(re.fullmatch(_RELEASE, version))
    if not known:
        raise ValueError(
            f"The state of {owner} says {version!r} for the version of skanomaly that wrote it. "
            "Expected a number such as '0.1.0': it is damaged, or was not written by skanomaly."
        )
    if parse_version(version) > parse_version(__version__):
        raise ValueError(
            f"{owner} was saved with skanomaly {version}, and this is skanomaly "
            f"{__version__}, which cannot know what is new there. Update it: "
            f"pip install 'skanomaly>={version}'."
        )


def _by_name(classes):
    """Return classes by name; a state cannot tell two of one name apart."""
    known = {kind.__name__: kind for kind in classes}
    if len(known) < len(set(classes)):
        names = sorted(kind.__name__ for kind in set(classes))
        raise TypeError(f"Parts of a state must differ in their names, got {names}.")
    return known


def unknown_kind(kind):
    """Return what to say of a kind that is not known here."""
    return (
        f"The state holds a part of the kind {kind!r}, which this version of skanomaly does not "
        "know. It is damaged, or was not written by skanomaly."
    )


def _lean(array):
    """Return an array in the fewest bytes that hold its values, whatever its precision."""
    if array.size < _MANY or array.dtype not in (np.float64, np.float32):
        return array
    single = array if array.dtype == np.float32 else _narrower(array, np.float32)
    if single is None:
        return array
    half = _narrower(single, np.float16)
    small = _for_single(single if half is None else half)
    return {KIND: "float64", "state": small} if array.dtype == np.float64 else small


def _narrower(array, dtype):
    """Return an array of another type, or None where that changes a value."""
    with np.errstate(over="ignore", invalid="ignore"):
        small = array.astype(dtype)
    kept = np.array_equal(_bits(small.astype(array.dtype)), _bits(array))
    return small if kept else None


def _for_single(array):
    """Return what stands for single precision: for a file byte by byte, first ones compress."""
    if not is_kept("data"):
        return array if array.dtype == np.float32 else {KIND: "float32", "state": array}
    size = array.itemsize
    parts = np.ascontiguousarray(array, f"<f{size}").view(np.uint8).reshape(*array.shape, size)
    return {KIND: "float32", "state": np.ascontiguousarray(np.moveaxis(parts, -1, 0))}


def _single(state):
    """Return the array of single precision that `_for_single` was given."""
    if isinstance(state, np.ndarray) and state.dtype == np.float16:
        return state.astype(np.float32)
    if not (isinstance(state, np.ndarray) and state.dtype == np.uint8 and len(state) in (2, 4)):
        raise ValueError("The state holds an array whose bytes are not in two or four planes.")
    together = np.ascontiguousarray(np.moveaxis(state, 0, -1))
    return together.view(f"<f{len(state)}").reshape(state.shape[1:]).astype(np.float32, copy=False)


def _bits(array):
    return np.ascontiguousarray(array).view(f"u{array.itemsize}")


def _state_of(thing):
    state = thing.__getstate__()
    return {} if state is None else state


def _restored(kind, state):
    thing = kind.__new__(kind)
    if hasattr(thing, "__setstate__"):
        thing.__setstate__(state)
    else:
        vars(thing).update(state)
    return thing


def _columns(frame):
    """Return the names, types and values of a table's columns."""
    columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
    return {
        "names": list(frame.columns),
        "index": frame.index.to_numpy(),
        "columns": [_values(column) for column in columns],
    }


def _values(column):
    if isinstance(column.dtype, pd.CategoricalDtype):
        kinds, ordered = column.cat.categories.to_numpy(), column.cat.ordered
        return {"codes": column.cat.codes.to_numpy(), "categories": kinds, "ordered": ordered}
    plain = isinstance(column.dtype, np.dtype)
    values = column.to_numpy() if plain else column.astype(object).to_numpy(na_value=None)
    return {"values": values, "dtype": str(column.dtype)}


def _frame(state):
    series = [_column(values, state["index"]) for values in state["columns"]]
    frame = pd.concat(series, axis=1) if series else pd.DataFrame(index=state["index"])
    return frame.set_axis(state["names"], axis=1)


def _column(state, index):
    if "codes" in state:
        kinds, ordered = state["categories"], state["ordered"]
        values = pd.Categorical.from_codes(state["codes"], kinds, ordered)
        return pd.Series(values, index=index)
    return pd.Series(state["values"], index=index, dtype=state["dtype"])
