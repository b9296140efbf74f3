"""Training rows: their order, their copies, and columns without a value."""

import numpy as np
import pytest
import scipy.sparse as sp

from skanomaly.preprocessing._training_rows import TrainingRows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
WEIGHT = np.tile([0.0, 1.0, 3.0], 4)


def test_the_order_of_a_pass_is_decided_by_content():
    shuffled = RNG.permutation(12)
    rows, others = TrainingRows(X), TrainingRows(X[shuffled])
    np.testing.assert_array_equal(X[rows.row_indices], X[shuffled][others.row_indices])
    assert len(rows) == len(rows.row_indices) == 12


def test_weights_are_copies():
    rows = TrainingRows(X, weight=WEIGHT)
    np.testing.assert_array_equal(rows.counts, WEIGHT)
    assert rows.row_indices is rows.row_indices  # worked out once


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_the_view_has_the_values_of_the_source(kind):
    rows = TrainingRows(kind(X))
    encoder = rows.encode()
    np.testing.assert_allclose(rows.X[:], X)
    again = TrainingRows(kind(X))
    assert again.encode(encoder) is encoder


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("weight", [None, np.r_[0.0, np.ones(11)]])
def test_columns_without_a_value_are_named(kind, weight):
    holes = X.copy()
    holes[:, [0, 2]] = np.nan
    if weight is not None:
        holes[0] = 1.0  # a row that does not count fills nothing
    with pytest.raises(ValueError, match=r"The column 0 of X \(and 1 more\) holds missing values"):
        TrainingRows(kind(holes), weight=weight).refuse_empty_columns(object())
    holes[5] = 1.0
    TrainingRows(kind(holes), weight=weight).refuse_empty_columns(object())


def test_weights_that_leave_one_row_are_named():
    weight = 1 + 1e12 * (np.arange(30) == 5)
    rows = TrainingRows(np.random.default_rng(0).normal(size=(30, 2)), weight=weight)
    with pytest.warns(UserWarning, match="sample_weight leaves 1 of 30 rows to learn from"):
        rows.warn_if_constant(None)
