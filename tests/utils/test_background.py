"""Normal rows that a detector keeps for explanations."""

import numpy as np
import pandas as pd

from skanomaly.utils._background import background_rows

X = np.arange(2000.0)[:, None]
SCORES = np.arange(2000.0)


def test_rows_are_normal_and_spread_evenly_over_the_ranks():
    rows = background_rows(X, SCORES, offset=1000.0)[:, 0]
    assert len(rows) == 512
    assert rows.min() >= 1000
    assert set(np.diff(rows)) <= {1, 2}
    assert rows[-1] >= 1997


def test_order_of_the_rows_does_not_matter():
    shuffled = np.random.default_rng(0).permutation(2000)
    expected = background_rows(X, SCORES, 500.0)
    np.testing.assert_array_equal(background_rows(X[shuffled], SCORES[shuffled], 500.0), expected)


def test_rows_of_weight_zero_are_left_out():
    weight = (SCORES >= 1990).astype(float)
    assert background_rows(X, SCORES, 0.0, weight)[:, 0].tolist() == list(range(1990, 2000))


def test_where_no_row_is_normal_all_that_count_are_taken():
    rows = background_rows(X[:5], SCORES[:5], offset=99.0, sample_weight=np.r_[0, 1, 1, 1, 1])
    assert rows[:, 0].tolist() == [1, 2, 3, 4]


def test_wide_rows_are_fewer_and_frames_stay_frames():
    wide = pd.DataFrame(np.zeros((30, 200_000), np.int8))
    rows = background_rows(wide, SCORES[:30], 0.0)
    assert isinstance(rows, pd.DataFrame)
    assert len(rows) == 5
