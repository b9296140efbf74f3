"""Parameters as Python's own types, whatever library their values come from."""

import numpy as np


def plain(value):
    """Return a parameter with Python's numbers, names and switches in place of NumPy's.

    Keras and JSON know no others, and a grid of parameters from ``np.arange`` holds NumPy's.

    Parameters
    ----------
    value : object
        A parameter; lists, tuples and dicts are gone through, anything else stays what it is.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.utils._parameters import plain
    >>> plain((np.int64(64), np.float32(0.5), np.str_("relu")))
    (64, 0.5, 'relu')
    """
    if isinstance(value, np.longdouble):  # whose item is itself
        return float(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(plain(part) for part in value)
    if type(value) is dict:
        return {plain(key): plain(part) for key, part in value.items()}
    return value
