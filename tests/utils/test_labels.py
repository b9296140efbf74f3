"""Tests of the one room that reads labels."""

import datetime
import decimal
import math
import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skanomaly.utils._labels import label_codes, read_labels

DAY = datetime.date(2020, 1, 1)
MISSING = [None, float("nan"), np.nan, pd.NA, pd.NaT]


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([-1, 1, 1], [-1, 1, 1]),
        ([-1.0, 1.0], [-1, 1]),
        ([0, 1, 0], [1, -1, 1]),
        ([1, 1, 1, 0], [-1, -1, -1, 1]),  # 1 is the anomaly however frequent it is
        ([-1, -1, -1, 1], [-1, -1, -1, 1]),
        ([False, True], [1, -1]),
        ([True, 0, 1], [-1, 1, -1]),
        ([decimal.Decimal(0), decimal.Decimal(0)], [1, 1]),
        ([1, 1], [1, 1]),
        ([0, 0], [1, 1]),
        ([-1, -1], [-1, -1]),
        ([7, 7], [1, 1]),
        (["ok", "ok"], [1, 1]),
        ([True, True], [-1, -1]),
        ([False, False], [1, 1]),
    ],
)
def test_codings_that_need_no_hint(y, expected):
    labels = read_labels(y)
    assert labels.dtype == np.int8
    assert labels.tolist() == expected


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        np.array,
        pd.Series,
        pd.Index,
        pd.Categorical,
        pd.DataFrame,
        lambda y: np.array(y).reshape(-1, 1),
        lambda y: [[value] for value in y],
        lambda y: pd.Series(y, index=[9, 8, 7, 6], dtype="category"),
        lambda y: pd.Series(y, dtype="Int64"),
        lambda y: pd.Series(y, dtype="boolean"),
        lambda y: pd.Series(y, dtype=object),
        pytest.param(
            lambda y: pd.Series(y, dtype="int64[pyarrow]"),
            marks=pytest.mark.skipif(find_spec("pyarrow") is None, reason="needs pyarrow"),
        ),
        lambda y: np.array(y, dtype=bool),
        lambda y: np.array(y, dtype=np.float32),
        lambda y: np.array(y, dtype=object),
    ],
)
def test_containers(container):
    assert read_labels(container([0, 1, 1, 0])).tolist() == [1, -1, -1, 1]


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize(
    ("y", "expected"), [([0, 1], [1, -1]), ([-1, 1], [-1, 1]), ([True, False], [-1, 1])]
)
def test_missing_is_unlabelled(y, expected, missing):
    assert read_labels([*y, missing]).tolist() == [*expected, 0]


@pytest.mark.parametrize(
    "y",
    [
        pd.Series([0, 1, None], dtype="Int8"),
        pd.Series([False, True, None], dtype="boolean"),
        pd.Series([0.0, 1.0, np.nan]),
        np.ma.masked_array([0, 1, 1], mask=[False, False, True]),
        pd.Categorical([0, 1, None]),
    ],
)
def test_missing_in_typed_containers(y):
    assert read_labels(y).tolist() == [1, -1, 0]


def test_nothing_labelled():
    assert read_labels([None, np.nan]).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("y", "expected", "named"),
    [
        (["b", "a", "b"], [1, -1, 1], "'a'"),
        (["1", "0", "1"], [1, -1, 1], "'0'"),  # strings are not read as numbers
        ([2, 1, 2, 2], [1, -1, 1, 1], "1"),
        ([3, 4], [1, -1], "4"),  # a tie: the last in sorted order
        ([0, -1, 1, 1, 0], [1, -1, 1, 1, 1], "-1"),
        ([1, 1, 2, 2, 3], [1, 1, 1, 1, -1], "3"),
        (["x", 1, 1], [-1, 1, 1], "'x'"),
        (["x", 1], [-1, 1], "'x'"),
        (pd.to_datetime(["2020", "2021", "2020"]), [1, -1, 1], "2021"),
        (np.array(["2020", "2021", "2020"], "datetime64[D]"), [1, -1, 1], "2021"),
    ],
)
def test_rarest_is_taken_with_a_warning(y, expected, named):
    with pytest.warns(UserWarning, match=f"rarest value, .*{named}.*anomaly_label="):
        labels = read_labels(y)
    assert labels.tolist() == expected


def test_warning_points_at_the_caller():
    with pytest.warns(UserWarning, match="rarest") as caught:
        read_labels(["a", "b", "b"])
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("y", "anomaly_label", "expected"),
    [
        ([-1, 1, 1], 1, [1, -1, -1]),
        ([0, 1, None], 0, [-1, 1, 0]),
        (["a", "b", "c"], "b", [1, -1, 1]),
        ([True, False], False, [1, -1]),
        ([1, 1], 1, [-1, -1]),
        (pd.Categorical(["a", "b"], categories=["a", "b", "c"]), "a", [-1, 1]),
        (["x", 1, 2.5], 2.5, [1, 1, -1]),
        (np.array([0.1, 0.2], dtype=np.float32), np.float32(0.1), [-1, 1]),
        (
            [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)],
            datetime.date(2021, 1, 1),
            [1, -1],
        ),
    ],
)
def test_named_anomaly(y, anomaly_label, expected):
    assert read_labels(y, anomaly_label=anomaly_label).tolist() == expected


@pytest.mark.parametrize(
    ("y", "options", "error", "match"),
    [
        (None, {}, TypeError, "got None"),
        ([], {}, ValueError, "at least one"),
        (1, {}, ValueError, "one column"),
        ({0, 1}, {}, ValueError, "one column"),
        (np.zeros((3, 2)), {}, ValueError, r"got shape \(3, 2\)"),
        (pd.DataFrame({"a": [0], "b": [1]}), {}, ValueError, "one column"),
        (np.zeros((2, 1, 1)), {}, ValueError, "one column"),
        ([0, 1], {"n_samples": 3}, ValueError, "expected 3 labels, got 2"),
        ([0, 1, np.inf], {}, ValueError, "infinity"),
        (np.array([-np.inf, 1.0]), {}, ValueError, "infinity"),
        ([0, 1, [2]], {}, TypeError, "plain values"),
        ([0, 1], {"anomaly_label": 2}, ValueError, "got 2; y holds the values 0, 1"),
        (["a", "c"], {"anomaly_label": "b"}, ValueError, "'b'"),
        ([None], {"anomaly_label": 1}, ValueError, "no label at all"),
        (list(range(9)), {"anomaly_label": "a"}, ValueError, "and 3 more"),
        ([0, 1], {"anomaly_label": None}, ValueError, "'auto' or one value"),
        ([0, 1], {"anomaly_label": np.nan}, ValueError, "'auto' or one value"),
        ([0, 1], {"anomaly_label": [0, 1]}, ValueError, "several values"),
    ],
)
def test_errors(y, options, error, match):
    with pytest.raises(error, match=match):
        read_labels(y, **options)


def test_input_is_left_alone():
    y = np.array([0, 1, 1])
    y.flags.writeable = False
    read_labels(y)
    assert y.tolist() == [0, 1, 1]


values = st.one_of(
    st.integers(-3, 3),
    st.booleans(),
    st.sampled_from(["a", "b", "0", ""]),
    st.sampled_from(MISSING),
    st.floats(allow_infinity=False).map(lambda x: x if math.isnan(x) else float(round(x))),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(values, min_size=1, max_size=12))
def test_any_values_are_read(y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = read_labels(y)
        again = read_labels(pd.Series(y, dtype=object))
    missing = pd.isna(pd.Series(y, dtype=object)).to_numpy()
    assert labels.tolist() == again.tolist()
    assert ((labels == 0) == missing).all()
    for i, left in enumerate(y):  # equal labels mean the same
        for j, right in enumerate(y):
            if not missing[i] and not missing[j] and left == right:
                assert labels[i] == labels[j]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=12))
def test_every_coding_of_the_same_labels_agrees(signs):
    expected = np.array(signs)
    names = np.where(expected == -1, "bad", "good")
    assert (read_labels(signs) == expected).all()
    if -1 in signs:
        assert (read_labels(names, anomaly_label="bad") == expected).all()
    if 1 in signs:
        assert (read_labels(expected == -1) == expected).all()
        assert (read_labels(names == "bad") == expected).all()


@pytest.mark.parametrize("mark", [1, True, 1.0])
@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_one_beside_missing_labels_marks_the_known_anomalies(mark, missing):
    assert read_labels([mark, missing, missing]).tolist() == [-1, 0, 0]


def test_zero_beside_missing_labels_marks_known_normal_rows():
    assert read_labels([0, None, 0]).tolist() == [1, 0, 1]


def test_another_mark_beside_missing_labels_is_taken_with_a_warning():
    with pytest.warns(UserWarning, match="'fraud' is taken as the mark of the known anomalies"):
        assert read_labels([None, "fraud", None]).tolist() == [0, -1, 0]


@pytest.mark.parametrize("y", [np.linspace(0, 1, 9), [0.5, 1.0, 2.0, None]], ids=["many", "some"])
def test_measured_numbers_are_no_labels(y):
    with pytest.raises(ValueError, match=r"y holds \d different numbers such as .* y > threshold"):
        read_labels(y)
    assert read_labels(y, anomaly_label=0.5).tolist().count(-1) == 1


def test_labels_without_the_anomaly_that_is_named():
    assert read_labels(["ok", "ok"], anomaly_label="bad").tolist() == [1, 1]
    assert read_labels(["ok", None], anomaly_label="bad").tolist() == [1, 0]
    for y, label in ((["ok", "worn"], "bad"), ([0, 0], "bad")):
        with pytest.raises(ValueError, match="must be one of the values of y"):
            read_labels(y, anomaly_label=label)


def test_a_label_beyond_what_numpy_holds_is_none_of_y():
    with pytest.raises(ValueError, match="must be one of the values of y"):
        read_labels([0, 1, 1], anomaly_label=2**70)


@pytest.mark.parametrize("value", [[1, "a"], pd.Series([1, 2]), {0}])
def test_several_values_for_unlabelled_rows_are_refused(value):
    with pytest.raises(ValueError, match="unlabeled_label must be one value of y"):
        label_codes([0, 1, 0], 3, unlabeled_label=value)
