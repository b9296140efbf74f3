"""Tables in any container: nothing is dropped, and other things stay what they are."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skanomaly.utils._containers import as_table, collected


def test_masks_become_missing_values():
    rows = as_table(np.ma.MaskedArray([[1, 2], [3, 4]], [[False, True], [False, False]]))
    np.testing.assert_array_equal(rows, [[1.0, np.nan], [3.0, 4.0]])
    whole = as_table(np.ma.MaskedArray([[1, 2]]))
    assert whole.dtype.kind == "i"


def test_numbers_beside_text_stay_numbers():
    rows = as_table([[1.5, "a"], [2.5, "b"]])
    assert rows.dtype == object
    assert rows[:, 0].tolist() == [1.5, 2.5]
    assert as_table([[1, 2]]).dtype.kind == "i"


@pytest.mark.parametrize(
    "X", [np.eye(2), sp.csr_matrix(np.eye(2)), pd.DataFrame(np.eye(2)), [[1], [2, 3]], 5]
)
def test_what_needs_no_conversion_is_handed_back(X):
    assert as_table(X) is X


def test_tables_of_polars_lazy_or_not():
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"a": [1, None], "b": ["x", "y"]})
    for given in (table, table.lazy()):
        frame = as_table(given)
        assert list(frame) == ["a", "b"]
        assert frame["b"].tolist() == ["x", "y"]
        assert frame["a"].isna().tolist() == [False, True]
    assert collected(table.lazy()).equals(table)
