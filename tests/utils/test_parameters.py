"""Parameters of other libraries' types become Python's."""

import numpy as np
import pytest

from skanomaly.utils._parameters import plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("relu"), "relu"),
        (np.array(2), 2),
        ([np.int8(1), (np.int8(2),)], [1, (2,)]),
        ({"a": np.int8(1)}, {"a": 1}),
    ],
)
def test_values_are_those_of_python(value, expected):
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)


def test_anything_else_stays_what_it_is():
    for value in (None, len, np.arange(3), object()):
        assert plain(value) is value


def test_long_doubles_become_floats():
    assert type(plain(np.longdouble("0.1"))) is float
    assert type(plain([np.longdouble("0.1")])[0]) is float
