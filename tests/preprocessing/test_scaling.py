"""Standardised rows on demand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from skanomaly.preprocessing._scaling import (
    CLIP,
    RobustScaling,
    RowScaler,
    ScaledRows,
    StackedRows,
    StandardClip,
    soft_clip,
)
from skanomaly.utils import _weights

bounded = settings(max_examples=30, deadline=None)


@pytest.fixture
def table():
    return np.random.default_rng(0).normal([0, 5, -1e4], [1, 1e-3, 1e5], (200, 3))


def test_values_are_those_of_standard_scaler(table):
    expected = StandardScaler().fit_transform(table)
    np.testing.assert_allclose(RowScaler(table).transform(table), expected, rtol=1e-3, atol=1e-4)
    assert RowScaler(table).transform(table).dtype == np.float32


def test_weights_are_copies(table):
    weight = np.arange(200) % 4
    ours, theirs = RowScaler(table, weight), RowScaler(np.repeat(table, weight, axis=0))
    np.testing.assert_array_equal(ours.mean_, theirs.mean_)
    np.testing.assert_array_equal(ours.scale_, theirs.scale_)


def test_blocks_make_no_difference(table, monkeypatch):
    whole = RowScaler(table)
    monkeypatch.setattr(_weights, "_BLOCK_ROWS", 13)
    parts = RowScaler(table)
    np.testing.assert_allclose(parts.mean_, whole.mean_, rtol=1e-6)
    np.testing.assert_allclose(parts.scale_, whole.scale_, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 3.3, -1e30, 0.1])
def test_constant_columns_become_zero(value):
    X = np.full((9, 1), value)
    scaler = RowScaler(X)
    assert scaler.scale_ == [1.0]
    assert np.abs(scaler.transform(X)).max() <= 1e-6 * max(1.0, abs(value))


def test_one_absurd_entry_is_cut_off(table):
    scaler = RowScaler(table)
    assert scaler.transform([[1e300, 0, 0]])[0, 0] == CLIP
    assert scaler.transform([[-1e300, 0, 0]])[0, 0] == -CLIP


def test_inverse(table):
    scaler = RowScaler(table)
    back = scaler.inverse_transform(scaler.transform(table))
    np.testing.assert_allclose(back, table, rtol=1e-4, atol=1e-2)
    assert back.dtype == np.float64


@bounded
@given(st.lists(st.integers(0, 19), max_size=30))
def test_a_view_is_the_scaled_table(rows):
    X = np.random.default_rng(0).normal(size=(20, 2))
    scaler = RowScaler(X)
    view = ScaledRows(X, scaler)
    rows = np.array(rows, dtype=int)
    np.testing.assert_array_equal(view[rows], scaler.transform(X)[rows])
    assert len(view) == 20
    assert view.shape == (20, 2)


def test_a_view_without_scaler_copies_no_float32():
    X = np.ones((4, 2), np.float32)
    assert np.shares_memory(ScaledRows(X, None)[:], X)
    assert ScaledRows(X.astype(float), None)[:].dtype == np.float32


def test_a_view_reads_a_mapped_file_row_by_row(tmp_path):
    X = np.memmap(tmp_path / "x", np.float32, "w+", shape=(50, 2))
    X[:] = np.arange(100).reshape(50, 2)
    view = ScaledRows(X, RowScaler(X))
    assert type(view[np.array([3])]) is np.ndarray
    assert not np.shares_memory(view[:5], X)


@bounded
@given(st.lists(st.integers(0, 7), max_size=20))
def test_stacked_tables_are_one(rows):
    top, bottom = np.zeros((5, 2), np.float32), np.arange(6, dtype=np.float32).reshape(3, 2) + 1
    both = StackedRows(top, bottom)
    rows = np.array(rows, dtype=np.uint32)
    np.testing.assert_array_equal(both[rows], np.vstack([top, bottom])[rows])
    assert both.shape == (len(both), 2) == (8, 2)


RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4)) + 3
COUNTS = RNG.integers(0, 4, size=60)


def test_standard_clip_is_the_standard_scaler_within_the_limit():
    X = np.column_stack([ROWS, np.full(60, 0.1)])
    expected = StandardScaler().fit(X, sample_weight=COUNTS).transform(X)
    result = StandardClip(limit=1.5).fit(X, COUNTS).transform(X)
    np.testing.assert_allclose(result, np.clip(expected, -1.5, 1.5), atol=1e-6)
    assert result.max() == 1.5
    assert np.abs(result[:, 4]).max() < 1e-6


def test_values_of_any_size_are_clipped_without_warnings():
    X = np.array([[-1e308, 1e-300], [1e308, 2e-300], [0.0, 3e-300]])
    scaled = StandardClip().fit(X).transform(X)
    np.testing.assert_allclose(scaled[:, 1], np.array([-1, 0, 1]) * np.sqrt(1.5), atol=1e-6)
    assert np.abs(scaled).max() < 2


def test_the_smallest_numbers_there_are_stay_finite():
    X = np.array([[0.0], [5e-324], [1e-310]])
    assert np.isfinite(StandardClip().fit(X).transform(X)).all()


def test_a_small_spread_far_from_zero_is_seen():
    seconds = 1.7e9 + 100 * RNG.normal(size=(50, 1))
    scaled = StandardClip().fit(seconds).transform(seconds)
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(seconds), atol=1e-5)


def test_what_float32_cannot_hold_is_not_spread():
    noisy = np.float32(1e6) + np.float32(0.0625) * (np.arange(50) % 2).astype(np.float32)
    assert StandardClip().fit(noisy[:, None]).scaler_.scale_ == [1.0]
    assert StandardClip().fit(np.float64(noisy)[:, None]).scaler_.scale_[0] < 0.05


def test_robust_scaling_and_its_fall_backs():
    column = np.arange(9.0)
    rare = np.r_[np.zeros(8), 4.0]
    X = np.column_stack([column, rare, np.full(9, 7.0)])
    fitted = RobustScaling().fit(X)
    np.testing.assert_allclose(fitted.factor_, [1 / 4, 2 / 4, 0])
    np.testing.assert_allclose(fitted.transform(X)[8], [soft_clip(1.0), soft_clip(2.0), 0])


@given(z=st.floats(-1e300, 1e300))
@settings(max_examples=50, deadline=None)
def test_soft_clip_stays_within_its_limit_and_keeps_the_sign(z):
    clipped = soft_clip(z)
    assert abs(clipped) <= 3
    assert np.sign(clipped) == np.sign(z)
    assert abs(clipped) <= abs(z)


def test_soft_clip_leaves_small_values_alone():
    assert soft_clip(0.01) == pytest.approx(0.01, rel=1e-5)
