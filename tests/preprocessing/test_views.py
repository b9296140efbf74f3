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


def test_several_threads_give_the_same_answer_on_as_many_rows_at_once(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    table = np.arange(60.0).reshape(30, 2)
    view = Doubled(table, 8)

    def total(rows):
        assert len(rows) <= 2
        return rows.sum(axis=1)

    np.testing.assert_array_equal(in_chunks(total, view, threads=True), 2 * table.sum(axis=1))
    assert max(view.asked) == 2


def test_an_error_of_a_chunk_is_raised(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)

    def fail(rows):
        raise ValueError(f"{len(rows)} rows")

    with pytest.raises(ValueError, match="rows"):
        in_chunks(fail, Doubled(X, 3), threads=True)
