"""Rank-to-Gaussian columns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from skanomaly.scores._ranks import LIMIT, NormalScores

ROWS = np.random.default_rng(0).normal(size=(99, 2))


def test_training_columns_become_normal():
    scores = NormalScores().fit(ROWS).transform(ROWS)
    np.testing.assert_allclose(np.sort(scores[:, 0]), norm.ppf((np.arange(99) + 1) / 100))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_equal_values_stand_in_the_middle_of_their_ranks(share):
    X = (np.arange(100) < 100 * share).astype(float)[:, None]
    low, high = NormalScores().fit(X).transform(np.array([[0.0], [1.0]]))[:, 0]
    assert low == pytest.approx(norm.ppf((1 - share) / 2), abs=0.02)
    assert high == pytest.approx(norm.ppf(1 - share / 2), abs=0.05)


def test_other_columns_keep_their_values_and_rows_their_memory():
    kept = ROWS.copy()
    scores = NormalScores(1).fit(ROWS).transform(ROWS)
    assert np.array_equal(scores[:, 1], ROWS[:, 1])
    assert np.array_equal(ROWS, kept)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
@settings(max_examples=30, deadline=None)
def test_order_is_kept_and_bounded(a, b):
    fitted = NormalScores().fit(ROWS[:, :1])
    low, high = fitted.transform(np.array([[min(a, b)], [max(a, b)]]))[:, 0]
    assert -LIMIT <= low <= high <= LIMIT
