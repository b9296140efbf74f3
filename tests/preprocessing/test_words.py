"""Values of categories beside the rows that hold their identifiers."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skanomaly.preprocessing._words import joined_words, named_rows, some_words, words_of

MASK = np.array([False, True])
FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0], "kind": ["x", None, "y"]})
ROWS = np.array([[1.0, -5], [2, np.nan], [3, -6]])


@pytest.mark.parametrize("make", [pd.DataFrame, np.array, lambda table: table.values.tolist()])
def test_values_come_back_beside_their_rows(make):
    words = words_of(make(FRAME), MASK, np.array([2, 1]))
    table = named_rows(ROWS[[2, 1]], words, MASK, ["a", "kind"])
    assert table["a"].tolist() == [3, 2]
    assert table["kind"].tolist()[0] == "y"
    assert pd.isna(table["kind"][1])


def test_numbers_need_no_words():
    X = np.array([[1.0, 4], [2, 5]])
    for rows in (X, sp.csr_array(X)):
        assert named_rows(rows, words_of(rows, MASK, np.arange(2)), MASK) is rows
    assert words_of(X, None, np.arange(2)) is None
    assert named_rows(X, None, None) is X


def test_values_that_no_row_has_are_forgotten():
    words = words_of(FRAME, MASK, np.arange(3))
    both = joined_words(words, words_of(FRAME.assign(kind=True), MASK, np.arange(3)))
    assert both[0].dropna().tolist() == ["x", "y", True, True, True]
    assert set(some_words(both, np.array([0, 5]))[0].cat.categories) == {"x", True}
    assert len(some_words(both, np.array([], dtype=int))) == 0
    assert joined_words(None, words) is joined_words(words, None) is None
