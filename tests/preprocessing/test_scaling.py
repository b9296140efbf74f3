"""Standardised rows on demand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from skanomaly.preprocessing import _views
from skanomaly.preprocessing._scaling import CLIP, RowScaler, ScaledRows, StackedRows
from skanomaly.preprocessing._views import in_chunks
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


def test_chunks_are_joined(table, monkeypatch):
    monkeypatch.setattr(_views, "BLOCK_ROWS", 64)
    sizes = []

    def total(rows):
        sizes.append(len(rows))
        return rows.sum(axis=1)

    np.testing.assert_array_equal(in_chunks(total, table), table.sum(axis=1))
    assert sizes == [64, 64, 64, 8]
