"""Answers for distributed rows are lazy, and those that rows in memory get."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator

from skanomaly import (
    AutoencoderDetector,
    ConformalDetector,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
)
from skanomaly.distributed import DaskDetector

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 3))
FOREST = IsolationForest(n_estimators=10, random_state=0)
SMALL = AutoencoderDetector("plain", epochs=1, hidden_layer_sizes=4, random_state=0)


@pytest.fixture(scope="module")
def mixed():
    """Return a table of numbers and categories with values missing, and labels."""
    frame = pd.DataFrame(X[:200].copy(), columns=list("abc"))
    frame.loc[::9, "b"] = np.nan
    frame["k"] = pd.Categorical(RNG.choice(["x", "y", None], 200))
    y = pd.Series(np.where(np.arange(200) < 15, 1, 0), frame.index)
    return frame, y


def unknown(array):
    """Return an array of unknown chunk sizes, with chunks of no rows among them."""
    padded = da.concatenate([array[:0], array, array[:0]])
    return padded[da.ones(len(padded), chunks=padded.chunks[:1]) > 0]


@pytest.mark.parametrize("name", ["score_samples", "decision_function", "predict"])
def test_answers_are_lazy_and_keep_index_divisions_and_chunks(name, mixed):
    frame = mixed[0][["a", "b", "c"]].fillna(0.0).set_axis(np.arange(200) * 10)
    detector = DaskDetector(FOREST).fit(frame)
    expected = getattr(detector, name)(frame)
    table = dd.from_pandas(frame, npartitions=3)
    lazy = getattr(detector, name)(table)
    assert lazy.divisions == table.divisions
    found = lazy.compute()
    assert_array_equal(found.index, frame.index)
    assert_array_equal(found, expected)
    assert found.dtype == lazy.dtype == expected.dtype


@pytest.mark.parametrize("name", ["score_samples", "decision_function", "predict"])
def test_answers_for_arrays_keep_chunks(name):
    detector = DaskDetector(FOREST).fit(X)
    rows = da.from_array(X, chunks=(170, 2))
    lazy = getattr(detector, name)(rows)
    assert lazy.chunks == (rows.chunks[0],)
    assert_array_equal(lazy.compute(), getattr(detector, name)(X))
    assert_array_equal(getattr(detector, name)(unknown(rows)).compute(), lazy.compute())


def test_partitions_without_rows_have_no_scores(mixed):
    frame = mixed[0][["a", "c"]].assign(row=np.arange(200))
    table = dd.from_pandas(frame, npartitions=4)
    detector = DaskDetector(FOREST).fit(table[table["a"] > -9])
    few = table[table["row"] > 120]  # the first partitions are empty
    assert_array_equal(detector.predict(few).compute().index, frame.index[121:])
    assert DaskDetector(FOREST).fit(few).n_samples_seen_ == 79


def test_explanations_are_lazy(mixed):
    frame = mixed[0]
    table = dd.from_pandas(frame, npartitions=3)
    detector = DaskDetector(SMALL).fit(table)
    lazy = detector.explain(table, n_references=1)
    assert lazy.columns.tolist() == list("abck")
    assert lazy.divisions == table.divisions
    expected = detector.estimator_.explain(frame, n_references=1).contributions
    pd.testing.assert_frame_equal(lazy.compute(), expected, check_column_type=False)
    rows = DaskDetector(SMALL).fit(X).explain(da.from_array(X[:20], chunks=(9, 3)), n_references=1)
    assert rows.shape == (20, 3)
    assert rows.compute().shape == (20, 3)


def test_thresholds_and_p_values_are_calibrated_on_distributed_rows():
    rows, more = da.from_array(X, chunks=(200, 3)), da.from_array(-X, chunks=(200, 3))
    thresholded = DaskDetector(ThresholdedDetector(FOREST, "fpr", level=0.1, cv=3)).fit(rows)
    assert (thresholded.predict(more) == -1).compute().mean() < 0.2
    frozen = FrozenEstimator(thresholded.estimator_.estimator_)
    again = DaskDetector(ThresholdedDetector(frozen, "fpr", level=0.1)).fit(more)
    assert (again.predict(more) == -1).mean().compute() <= 0.1
    conformal = DaskDetector(ConformalDetector(FOREST, random_state=0)).fit(rows)
    assert_array_equal(conformal.p_values(more).compute(), conformal.estimator_.p_values(-X))
    assert not hasattr(thresholded, "p_values")
    promised = DaskDetector(ConformalDetector(FOREST, fdr=0.1)).fit(rows)
    with pytest.raises(ValueError, match="false discovery rate"):
        promised.predict(more)


def test_probabilities_have_two_columns(mixed):
    frame, y = mixed
    detector = DaskDetector(NeuralAnomalyClassifier("plain", epochs=1, random_state=0))
    table = dd.from_pandas(frame, npartitions=2)
    lazy = detector.fit(table, y).predict_proba(table)
    assert_allclose(lazy.compute().sum(axis=1), 1)
    assert lazy.columns.tolist() == [-1, 1]
