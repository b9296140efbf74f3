"""Statistics of parts come together to those of the whole."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly.distributed._statistics import MAX_COUNTED, ColumnStatistics, column_statistics

RNG = np.random.default_rng(0)
VALUES = RNG.normal(1e6, 2, size=(300, 3))
VALUES[::7, 1] = np.nan
VALUES[:, 2] = np.arange(300) % 5
MASK = np.array([False, False, True])
QUARTILES = np.zeros((3, 3))


@pytest.mark.parametrize("cuts", [[], [150], [0, 1, 2, 299], [100, 100, 200]])
def test_parts_give_what_the_whole_gives(cuts):
    weight = RNG.integers(0, 3, 300).astype(float)
    parts = zip(np.split(VALUES, cuts), np.split(weight, cuts), strict=True)
    first, *others = [ColumnStatistics(v, w, MASK) for v, w in parts]
    for other in others:
        first = first.merge(other)
    table = first.table(["a", "b", "k"], QUARTILES)
    copies = np.repeat(VALUES, weight.astype(int), axis=0)
    assert_allclose(table["count"], (~np.isnan(copies)).sum(axis=0))
    assert_allclose(table["missing"], np.isnan(copies).sum(axis=0))
    for name in ("mean", "std", "min", "max"):
        expected = getattr(np, f"nan{name}")(copies[:, :2], axis=0)
        assert_allclose(table[name].iloc[:2], expected, rtol=1e-9, err_msg=name)
    assert table.loc["k", "n_categories"] == 5
    assert table.loc["k", ["mean", "min"]].isna().all()


def test_a_column_without_values_has_no_mean():
    statistics = ColumnStatistics(np.full((4, 1), np.nan), np.ones(4), np.zeros(1, bool))
    line = statistics.table(["a"], np.full((3, 1), np.nan)).iloc[0]
    assert line["missing"] == 4
    assert np.isnan(line[["mean", "std", "min", "max"]].to_numpy(float)).all()


def test_many_categories_are_estimated():
    values = np.arange(50_000.0)[:, None]
    statistics = ColumnStatistics(values, np.ones(len(values)), np.ones(1, bool))
    found = statistics.table(["k"], np.zeros((3, 1))).loc["k", "n_categories"]
    assert found != 50_000
    assert abs(found / 50_000 - 1) < 4 / np.sqrt(MAX_COUNTED)


def test_many_rows_are_gone_through_in_blocks():
    values = RNG.normal(size=(20_000, 1))
    line = column_statistics(values, np.ones(20_000), np.zeros(1, bool))
    line = line.table(["a"], np.zeros((3, 1))).iloc[0]
    assert_allclose([line["mean"], line["std"]], [values.mean(), values.std()])
    empty = column_statistics(values[:0], np.ones(0), np.zeros(1, bool))
    assert empty.merge(empty).count.tolist() == [0]
