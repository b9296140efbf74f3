"""Plain bin numbers."""

import numpy as np
import pytest

from skanomaly.preprocessing._binning import QuantileBins


def test_bins_hold_about_equal_counts_and_the_ends_hold_what_is_new():
    X = np.random.default_rng(0).normal(size=(1000, 2))
    fitted = QuantileBins(12).fit(X)
    counts = np.bincount(fitted.transform(X)[:, 0].astype(int), minlength=12)
    assert counts[[0, 11]].tolist() == [0, 0]
    assert counts[1:11].min() >= 95
    assert fitted.transform(np.array([[-99.0, 0.0], [99.0, 0.0]]))[:, 0].tolist() == [0, 11]


def test_few_values_have_a_bin_each_and_missing_ones_none():
    X = np.array([[0.0, np.nan], [0.0, np.nan], [5.0, np.nan], [7.0, np.nan]])
    fitted = QuantileBins(8).fit(X)
    assert fitted.transform(X)[:, 0].tolist() == [1, 1, 2, 3]
    assert (fitted.transform(X)[:, 1] == -1).all()
    assert fitted.transform(np.array([[6.1, 3.0]])).tolist() == [[3, 7]]


@pytest.mark.parametrize("n_bins", [4, 16])
def test_a_constant_column_has_one_bin_and_two_for_surprises(n_bins):
    fitted = QuantileBins(n_bins).fit(np.full((9, 1), 3.0))
    assert fitted.transform(np.array([[2.0], [3.0], [4.0]])).ravel().tolist() == [0, 1, n_bins - 1]


def test_every_bin_has_a_value_that_stands_for_it():
    bins = QuantileBins(6).fit(np.array([[1.0, 0.0], [1.0, 2.0], [4.0, 4.0], [9.0, np.nan]]))
    np.testing.assert_array_equal(bins.middles_[0], [1, 1, 4, 9, 9, 9])
    np.testing.assert_array_equal(bins.middles_[1], [0, 0, 2, 4, 4, 4])
