"""Missing values counted once, in dense and sparse rows."""

import numpy as np
import pytest
import scipy.sparse as sp

from skanomaly.preprocessing import _missing
from skanomaly.preprocessing._missing import MissingValues

X = np.array([[1.0, np.nan, 0.0], [np.nan] * 3, [0.0, 2.0, 3.0]])


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, sp.csr_array])
@pytest.mark.parametrize("block", [1, 2**20])
def test_counts_are_those_of_numpy(kind, block, monkeypatch):
    monkeypatch.setattr(_missing, "_BLOCK_VALUES", block)
    missing = MissingValues(kind(X))
    assert missing
    assert missing.by_row.tolist() == [1, 3, 0]
    assert missing.by_column.tolist() == [1, 2, 1]
    assert missing.empty_rows.tolist() == [False, True, False]


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_complete_rows_say_so(kind):
    missing = MissingValues(kind(np.nan_to_num(X)))
    assert not missing
    assert missing.by_row is missing.by_column is missing.empty_rows is None


def test_parts_know_their_own_rows():
    missing = MissingValues(X)
    assert missing.part(slice(0, 2)).by_row.tolist() == [1, 3]
    assert not missing.part(np.array([2]))
    assert missing.part(np.array([0, 2])).empty_rows is None
