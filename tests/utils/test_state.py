"""Objects as plain data and back: nothing lost, nothing built twice, nothing unknown."""

import contextlib
import copy

import numpy as np
import pandas as pd
import pytest

from skanomaly.utils._state import KIND, check_version, is_kept, keeping, pack, unpack


class Part:
    """A part of an estimator."""

    def __init__(self, **values):
        vars(self).update(values)


def round_trip(thing):
    return unpack(copy.deepcopy(pack(thing, [Part])), [Part])


def test_numbers_become_those_of_python():
    state = pack([np.float64(0.1), np.int64(3), np.bool_(True), np.str_("a")], [])
    assert [type(value) for value in state] == [float, int, bool, str]
    assert state == [0.1, 3, True, "a"]


def test_what_is_shared_stays_shared():
    scale = Part(mean=np.arange(3.0))
    one, other = round_trip([Part(scale=scale), Part(scale=scale)])
    assert one.scale is other.scale
    np.testing.assert_array_equal(one.scale.mean, scale.mean)


@pytest.mark.parametrize("for_file", [False, True])
@pytest.mark.parametrize("precision", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_come_back_to_the_last_bit_in_fewer_bytes(precision, dtype, for_file):
    values = np.random.default_rng(0).normal(size=(200, 10)).astype(precision).astype(dtype)
    values[0, :4] = np.nan, np.inf, -0.0, 1.0
    with keeping("data") if for_file else contextlib.nullcontext():
        packed = pack(values, [])
    back = unpack(packed, [])
    assert back.dtype == dtype
    bits = f"u{values.itemsize}"
    np.testing.assert_array_equal(back.view(bits), values.view(bits))
    needed = min(np.dtype(precision).itemsize, values.itemsize) * values.size
    assert sum(part.nbytes for part in _arrays(packed)) == needed


def test_values_beyond_a_precision_keep_theirs():
    values = np.linspace(0, 1e5, 2000).round().astype(np.float32)
    np.testing.assert_array_equal(unpack(pack(values, []), []), values)


def _arrays(packed):
    if isinstance(packed, dict):
        return [part for value in packed.values() for part in _arrays(value)]
    return [packed] if isinstance(packed, np.ndarray) else []


def test_tables_come_back_as_they_were():
    frame = pd.DataFrame(
        {
            "number": [1.5, np.nan, 3.0],
            "text": ["a", None, "b"],
            "switch": [True, False, True],
            "kind": pd.Categorical(["x", "y", None], categories=["y", "x"], ordered=True),
            "count": pd.array([1, None, 3], dtype="Int64"),
            7: [1, 2, 3],
        },
        index=[10, 20, 30],
    )
    pd.testing.assert_frame_equal(round_trip(frame), frame)


def test_other_objects_stay_what_they_are():
    thing = object()
    assert unpack(pack({"thing": [thing]}, [Part]), [Part]) == {"thing": [thing]}


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="kind 'Oracle'"):
        unpack({KIND: "Oracle", "state": None}, [Part])


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(TypeError, match="differ in their names"):
        pack([], [Part, type("Part", (), {})])


def test_kept_things_add_up():
    assert not is_kept("rows")
    with keeping("rows"), keeping("training"):
        assert is_kept("rows")
        assert is_kept("training")
    assert not is_kept("rows")


def test_versions():
    check_version("0.0.1", "It")
    with pytest.raises(ValueError, match=r"It was saved .* 99\.1, .*'skanomaly>=99\.1'"):
        check_version("99.1", "It")
    with pytest.raises(ValueError, match="damaged"):
        check_version(None, "It")
