"""Categories as numbers and as one-hot columns that weigh as one feature."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skanomaly.preprocessing._categories import (
    MAX_CATEGORIES,
    OneHot,
    category_ids,
    value_names,
)

values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=3),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(values, min_size=1, max_size=20))
def test_equal_values_have_equal_identifiers(column):
    ids = category_ids(pd.Series(column, dtype=object))
    for one, a in zip(column, ids, strict=True):
        for other, b in zip(column, ids, strict=True):
            if one is None or other is None:
                assert np.isnan(a) == (one is None)
            else:
                assert (a == b) == (one == other)


def test_identifiers_do_not_depend_on_the_type_of_the_column():
    words = ["b", "a", None, "b"]
    expected = category_ids(pd.Series(words, dtype=object))
    for dtype in ("string", "category", "str"):
        np.testing.assert_array_equal(category_ids(pd.Series(words, dtype=dtype)), expected)
    truths = category_ids(pd.Series([True, False, None], dtype=object))
    np.testing.assert_array_equal(category_ids(pd.Series([True, False])), truths[:2])
    np.testing.assert_array_equal(
        category_ids(pd.Series([True, False, None], dtype="boolean")), truths
    )
    written = pd.Series(["True", "False", None], dtype="string")
    np.testing.assert_array_equal(category_ids(written), truths)
    np.testing.assert_array_equal(category_ids(pd.Series([3, 1, 3])), [3, 1, 3])
    np.testing.assert_array_equal(category_ids(pd.Series([3.0, np.nan])), [3, np.nan])


def test_identifiers_are_the_same_in_every_process(fresh_python):
    code = (
        "import pandas as pd; from skanomaly.preprocessing._categories import category_ids;"
        "print(*category_ids(pd.Series(['x', 'ü', ''])))"
    )
    assert fresh_python(code) == " ".join(map(str, category_ids(pd.Series(["x", "ü", ""]))))


def test_one_hot_columns():
    X = np.array([[5.0, 1.0], [6.0, 2.0], [7.0, np.nan], [8.0, 2.0]])
    coder = OneHot(np.array([False, True])).fit([X[:, 1]])
    np.testing.assert_array_equal(
        coder.transform(np.array([[9.0, 2.0], [9.0, 3.0], [9.0, np.nan]])),
        [[9, 0, 1, 0], [9, 0, 0, 1], [9, np.nan, np.nan, np.nan]],
    )
    np.testing.assert_allclose(coder.layout_.shares[0], [1 / 3, 2 / 3, 0])
    assert coder.layout_.blocks == [(1, 4)]


def test_numbers_come_first_and_the_order_of_the_data_is_known():
    X = np.array([[1.0, 5.0, 2.0], [2.0, 6.0, 2.0]])
    coder = OneHot(np.array([True, False, True])).fit([X[:, 0], X[:, 2]])
    np.testing.assert_array_equal(coder.transform(X), [[5, 1, 0, 0, 1, 0], [6, 0, 1, 0, 1, 0]])
    assert coder.layout_.order.tolist() == [1, 0, 2]


def test_many_values_share_the_last_column():
    ids = np.repeat(np.arange(166.0), np.r_[np.full(66, 50), np.ones(100, int)])
    coder = OneHot(np.array([True])).fit([ids])
    assert coder.layout_.width == MAX_CATEGORIES + 1
    assert set(coder.known_[0]) <= set(range(66))
    assert coder.layout_.shares[0][-1] == pytest.approx(1 - 50 * MAX_CATEGORIES / 3400)


def test_values_of_weight_zero_are_not_known():
    coder = OneHot(np.array([True])).fit([np.array([1.0, 2.0, 2.0])], np.array([0.0, 1.0, 1.0]))
    assert coder.known_[0].tolist() == [2.0]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=40))
def test_a_category_has_the_variance_of_one_number(ids):
    ids = np.array(ids, dtype=float)
    coder = OneHot(np.array([True])).fit([ids])
    layout, coded = coder.layout_, coder.transform(ids[:, None])
    scaled = (coded - coded.mean(axis=0)) / layout.scales(np.ones(layout.width))
    expected = 0 if len(set(ids)) == 1 else 1
    assert scaled.var(axis=0).sum() == pytest.approx(expected, abs=1e-9)
    assert all(entropy >= 0.1 for entropy in layout.entropies)


def one_hot_of(counts):
    ids = np.repeat(np.arange(len(counts), dtype=float), counts)
    return OneHot(np.array([True])).fit([ids])


def test_names_of_many_users_share_one_column():
    for k in (100, 200, 1000):
        layout = one_hot_of(np.random.default_rng(0).multinomial(2000, np.full(k, 1 / k))).layout_
        assert layout.width == 1
        assert layout.shares[0].tolist() == [1.0]


def test_frequent_values_among_many_names_are_told_apart():
    assert one_hot_of([400, 300, *[1] * 300]).known_[0].tolist() == [0.0, 1.0]


def test_a_tail_of_rare_values_shares_the_last_column():
    coder = one_hot_of([*range(10, 74), 1, 1, 1])
    assert coder.layout_.width == 65
    assert coder.layout_.shares[0][-1] == pytest.approx(3 / 2659)


def test_identifiers_have_the_names_that_a_column_gives_them():
    column = pd.Series(["red", "blue", None, 3, True], dtype=object)
    ids = np.append(np.unique(category_ids(pd.Series(["red", "green", 3]))), np.nan)
    names = value_names(ids, column)
    assert sorted(names) == ["3", "a value", "another", "red"]
    assert sorted(value_names(ids)) == ["3.0", "a value", "a value", "another"]
