"""Which columns are categories: by their types, and to fitted detectors."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import AutoencoderDetector, ThresholdedDetector
from skanomaly.utils._categories import fitted_categories, is_category, take_columns


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series(["a", "b"], dtype="category"), True),
        (pd.Series([1, 2], dtype="category"), True),
        (pd.Series(["a", "b"], dtype=object), True),
        (pd.Series(["a", "b"], dtype="string"), True),
        (pd.Series([True, False]), True),
        (pd.Series([True, None], dtype="boolean"), True),
        (pd.Series([True, None], dtype=object), True),
        (pd.Series([1.5, None], dtype=object), False),
        (pd.Series([None, None], dtype=object), False),
        (pd.Series([1, 2], dtype="Int64"), False),
        (pd.Series([1.0, 2.0]), False),
        (pd.Series(["a", None], dtype="str").convert_dtypes(dtype_backend="pyarrow"), True),
        (pd.Series([True, None]).convert_dtypes(dtype_backend="pyarrow"), True),
        (pd.Series([1, None]).convert_dtypes(dtype_backend="pyarrow"), False),
        (pd.cut(pd.Series([1.0, 2.0]), 2), True),
        (pd.Series(pd.IntervalIndex.from_breaks([0, 1, 2])), True),
        (pd.Series([b"a", b"b"]), True),
        (pd.Series([1, "a"], dtype=object), True),
        (pd.Series([[1], [2]]), False),
    ],
    ids=lambda value: f"{value.dtype}{list(value)}" if hasattr(value, "dtype") else "",
)
def test_which_columns_hold_categories(column, expected):
    assert is_category(column) is expected


@pytest.fixture(scope="module")
def coded():
    X = np.random.default_rng(0).normal(size=(40, 3))
    X[:, 1] = np.arange(40) % 3
    return X, AutoencoderDetector("plain", epochs=1, categorical_features=[1], random_state=0)


def test_a_detector_says_it_behind_steps_that_keep_columns(coded):
    X, detector = coded
    wrapped = [detector, ThresholdedDetector(detector), make_pipeline(StandardScaler(), detector)]
    for one in wrapped:
        assert fitted_categories(one.fit(X), 3).tolist() == [False, True, False]
    assert fitted_categories(make_pipeline(PCA(), detector).fit(X), 3) is None
    assert fitted_categories(IsolationForest(n_estimators=2).fit(X), 3) is None
    numbers = AutoencoderDetector("plain", epochs=1, random_state=0).fit(X)
    assert fitted_categories(numbers, 3).tolist() == [False] * 3


def test_columns_are_taken_from_any_container(coded):
    X, kept = coded[0], np.array([True, False, True])
    for rows in (X, X.tolist(), pd.DataFrame(X)):
        np.testing.assert_array_equal(take_columns(rows, kept), X[:, [0, 2]])
    for name in ("csr", "csc", "dia", "bsr", "dok"):
        taken = take_columns(sp.csr_array(X).asformat(name), kept)
        np.testing.assert_array_equal(taken.toarray(), X[:, [0, 2]])
