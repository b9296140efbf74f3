"""Rows made when they are asked for, and functions of them in bounded chunks."""

import numpy as np
import pytest

from skanomaly.preprocessing import _views
from skanomaly.preprocessing._views import RowView, block_rows, in_chunks


class Doubled(RowView):
    """Twice the rows of an array; remembers how many were asked for at once."""

    def __init__(self, X, step):
        self.X, self.step, self.shape, self.asked = X, step, X.shape, []

    @property
    def block_rows(self):
        return self.step

    def __getitem__(self, rows):
        found = 2 * self.X[rows]
        self.asked.append(len(found))
        return found


X = np.arange(20.0).reshape(10, 2)


@pytest.mark.parametrize("step", [1, 3, 10, 99])
def test_chunks_are_joined_and_bounded(step):
    view = Doubled(X, step)
    assert len(view) == 10
    np.testing.assert_array_equal(in_chunks(lambda rows: rows[:].sum(axis=1), view), 2 * X.sum(1))
    assert max(view.asked) <= step


def test_answers_keep_their_type():
    answer = in_chunks(lambda rows: rows[:].astype(np.float32), Doubled(X, 4))
    assert answer.dtype == np.float32
    assert answer.shape == (10, 2)


def test_a_table_may_bound_its_chunks_below_what_is_asked():
    assert block_rows(X) == _views.BLOCK_ROWS
    assert block_rows(Doubled(X, 3)) == 3
    assert block_rows(Doubled(X, 10**9)) == _views.BLOCK_ROWS


def test_arrays_are_cut_as_well(monkeypatch):
    monkeypatch.setattr(_views, "BLOCK_ROWS", 4)
    sizes = []

    def total(rows):
        sizes.append(len(rows))
        return rows.sum(axis=1)

    np.testing.assert_array_equal(in_chunks(total, X), X.sum(axis=1))
    assert sizes == [4, 4, 2]
