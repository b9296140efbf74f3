"""Partitions, what lies beside them, and failures that say where."""

import functools
import operator
import pickle

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from mean_distance import MeanDistance
from numpy.testing import assert_array_equal

from skanomaly.distributed import _collections
from skanomaly.distributed._collections import PartitionError, Partitions, WithRows, map_rows

ROWS = np.arange(24.0).reshape(12, 2)


def sizes(rows, labels, weight):
    return [(len(rows), None if labels is None else list(labels))]


def joined(parts):
    return functools.reduce(operator.iadd, parts, [])


def unknown(array):
    """Return an array of unknown chunk sizes."""
    return array[da.ones(len(array), chunks=array.chunks[:1]) > 0]


@pytest.mark.parametrize("chunks", [(5, 2), (5, 1), (12, 2)])
def test_rows_of_arrays_stay_whole(chunks):
    found = Partitions(da.from_array(ROWS, chunks=chunks)).reduce(sizes, joined)
    assert sum(n for n, _ in found) == 12


def test_labels_are_cut_like_the_rows():
    X = da.from_array(ROWS, chunks=(5, 2))
    for y in (da.arange(12, chunks=4), np.arange(12), list(range(12)), pd.Series(range(12))):
        found = Partitions(X, y).reduce(sizes, joined)
        assert found == [(5, [0, 1, 2, 3, 4]), (5, [5, 6, 7, 8, 9]), (2, [10, 11])]


def test_unknown_sizes_are_counted_for_labels_in_memory():
    X = unknown(da.from_array(ROWS, chunks=(5, 2)))
    assert Partitions(X, np.arange(12)).lengths() == [5, 5, 2]


def test_tables_of_other_divisions_are_cut_anew():
    frame = pd.DataFrame(ROWS, columns=["a", "b"])
    X, y = dd.from_pandas(frame, npartitions=3), dd.from_pandas(frame["a"], npartitions=2)
    found = Partitions(X, y).reduce(sizes, joined)
    assert [len(labels) for _, labels in found] == [n for n, _ in found]


def test_partitions_that_do_not_belong_together_are_refused():
    X = unknown(da.from_array(ROWS, chunks=(5, 2)))
    with pytest.raises(ValueError, match="y has 2 partitions, but X has 3"):
        Partitions(X, da.arange(12, chunks=6))
    with pytest.raises(ValueError, match="expected 12 values, got 3"):
        Partitions(X, [1, 2, 3])
    with pytest.raises(PartitionError, match="partition 1 of X: y has 6 values where X has 5"):
        Partitions(X, da.arange(13, chunks=((5, 6, 2),))).reduce(sizes, joined)


def test_all_that_is_collected_is_in_order():
    X = da.from_array(ROWS, chunks=(5, 2))
    rows, y, weight = Partitions(X, da.arange(12, chunks=5), None).collect()
    assert_array_equal(rows, ROWS)
    assert_array_equal(y, np.arange(12))
    assert weight is None


def broken(number):
    if number == 2:
        raise OSError("the file is gone")
    return ROWS[:4]


def test_a_partition_that_cannot_be_read_names_itself():
    parts = [dask.delayed(broken)(number) for number in range(3)]
    X = da.concatenate([da.from_delayed(part, (4, 2), float) for part in parts])
    with pytest.raises(PartitionError, match="partition 2 of X: the file is gone"):
        Partitions(X).reduce(sizes, joined)


def test_results_come_when_they_are_asked_for_and_name_their_partition():
    def refuse(detector, rows):
        if 6 in rows:
            raise TypeError("no sixes")
        return rows[:, 0]

    scores = map_rows(refuse, da.from_array(ROWS, chunks=(3, 2)), None, np.empty(0))
    with pytest.raises(PartitionError, match="partition 1 of X: no sixes"):
        scores.compute()


def test_rows_to_compare_with_are_sent_along_where_they_are_needed():
    detector = MeanDistance().fit(ROWS)
    sent = pickle.loads(pickle.dumps(WithRows(detector))).detector
    expected = detector.explain(ROWS[:2]).contributions
    assert_array_equal(sent.explain(ROWS[:2]).contributions, expected)


def test_rows_with_more_axes_are_refused():
    with pytest.raises(ValueError, match="of 3 dimensions"):
        Partitions(da.zeros((4, 2, 2)))


def test_without_dask_the_message_names_the_extra(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(_collections.importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install 'skanomaly\[dask\]'"):
        Partitions(None)
