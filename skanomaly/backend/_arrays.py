"""Lets NumPy read Keras' variables without a complaint.

Owns one method of theirs. NumPy 2 asks ``__array__`` whether to copy, which Keras' variables do
not understand: each reading warns, at a line of Keras' that no caller can change.
"""

import inspect

import numpy as np


def accept_copy(variable):
    """Teach a class of variables, and what it inherits from, the argument that is missing."""
    for kind in variable.__mro__:
        read = vars(kind).get("__array__")
        if read is not None and "copy" not in inspect.signature(read).parameters:
            kind.__array__ = _with_copy(read)


def _with_copy(read):
    """Return the method, which copies only where NumPy asks for it."""

    def __array__(self, dtype=None, copy=None):
        values = read(self, dtype)
        return np.array(values) if copy else values

    return __array__
