"""Columns of finite numbers."""

import numpy as np
import pytest

from skanomaly.utils._validation import check_column


def test_numbers_become_float64():
    column = check_column([1, True, 2.5], "scores")
    assert column.dtype == np.float64
    assert column.tolist() == [1.0, 1.0, 2.5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0], [2.0]], r"scores must be finite numbers of shape \(n_samples,\), got shape"),
        (3.0, r"got shape \(\)"),
        ([1.0, np.nan, np.inf], "with 2 values that are NaN or infinite"),
    ],
)
def test_anything_else_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        check_column(values, "scores")
