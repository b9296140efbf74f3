"""A row's hash depends on its values alone."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly.distributed._content import hashes_of, numbers_of

FRAME = pd.DataFrame({"a": [1.0, 2.0, np.nan], "b": ["x", "y", None], "c": [True, False, True]})


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.astype({"b": "category"}),
        lambda f: f.assign(b=pd.Categorical(f["b"], categories=["z", "y", "x"])),
        lambda f: f.astype({"b": object}),
        lambda f: f.astype({"a": "Float64"}),
        lambda f: f.set_axis([7, 8, 9], axis=0),
    ],
)
def test_containers_and_codes_do_not_matter(change):
    expected = hashes_of(numbers_of(FRAME)[0])
    assert_array_equal(hashes_of(numbers_of(change(FRAME))[0]), expected)


def test_every_value_matters():
    hashes = hashes_of(numbers_of(FRAME)[0])
    changed = FRAME.assign(b=["x", "z", "x"])
    assert_array_equal(hashes_of(numbers_of(changed)[0]) == hashes, [True, False, False])
    assert len(np.unique(hashes)) == 3


def test_numbers_and_categories_are_told_apart():
    values, is_categorical = numbers_of(FRAME)
    assert_array_equal(is_categorical, [False, True, False])
    assert_array_equal(np.isnan(values), FRAME.isna())


def test_dates_are_read_and_missing_ones_are_missing():
    values, _ = numbers_of(pd.DataFrame({"t": pd.to_datetime(["2020-01-01", None])}))
    assert_array_equal(np.isnan(values[:, 0]), [False, True])


def test_hashes_of_neighbouring_numbers_are_spread_evenly():
    share = hashes_of(np.arange(10_000.0)[:, None]) / 2.0**64
    assert abs(share.mean() - 0.5) < 0.01
    assert abs((share < 0.1).mean() - 0.1) < 0.01
