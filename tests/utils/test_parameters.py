"""Parameters as Python's own types."""

import numpy as np
import pytest

from skanomaly.utils._parameters import plain


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.int64(3), 3),
        (np.array(0.5), 0.5),
        (np.bool_(True), True),
        ([np.int32(1), (np.float64(2.0),)], [1, (2.0,)]),
        ({np.str_("a"): np.int8(1)}, {"a": 1}),
    ],
)
def test_values_of_numpy_become_python_s(given, expected):
    found = plain(given)
    assert found == expected
    assert repr(found) == repr(expected)  # types too


@pytest.mark.parametrize("value", [np.arange(3), "relu", None, len])
def test_anything_else_stays_what_it_is(value):
    assert plain(value) is value
