"""Tables in any container become arrays or pandas tables, and nothing is dropped."""

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest

from skanomaly.utils._containers import as_table, collected, n_rows


def test_masks_become_missing_values():
    masked = np.ma.MaskedArray([[1, 2], [3, 4]], [[False, True], [False, False]])
    np.testing.assert_array_equal(as_table(masked), [[1, np.nan], [3, 4]])
    words = np.ma.MaskedArray(np.array([["a"], ["b"]]), [[True], [False]])
    assert pd.isna(as_table(words)).tolist() == [[True], [False]]
    single = np.ma.MaskedArray(np.float32([[1.0]]), [[False]])
    assert as_table(single).dtype == np.float32


def test_lists_keep_the_types_of_their_items():
    assert as_table([[1.0, "a"], (2.0, "b")]).tolist() == [[1.0, "a"], [2.0, "b"]]
    assert as_table([[1, 2]]).dtype.kind == "i"
    ragged = [[1], [1, 2]]
    assert as_table(ragged) is ragged


@pytest.mark.parametrize("lazy", [False, True])
def test_tables_of_polars(lazy):
    frame = polars.DataFrame({"a": [1, None], "b": ["x", None], "c": [True, False]})
    table = as_table(frame.lazy() if lazy else frame)
    assert table.columns.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(table["a"], [1.0, np.nan])
    assert table["b"].tolist() == ["x", None]


def test_tables_of_pyarrow():
    table = as_table(pyarrow.table({"a": [1, 2]}))
    pd.testing.assert_frame_equal(table, pd.DataFrame({"a": [1, 2]}))


def test_anything_else_stays_what_it_is():
    for value in (None, 3, "X", pd.DataFrame(), np.zeros(3), polars.Series([1])):
        assert as_table(value) is value


@pytest.mark.parametrize("value", [{"a": [1, 2]}, {1, 2}])
def test_what_has_no_rows_in_an_order_is_refused(value):
    with pytest.raises(TypeError, match=f"table of rows.*got {type(value).__name__}"):
        collected(value)


@pytest.mark.parametrize("X", [np.zeros((3, 2)), pd.DataFrame({"a": [1, 2, 3]}), [[1], [2], [3]]])
def test_number_of_rows(X):
    assert n_rows(X) == 3
