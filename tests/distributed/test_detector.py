"""DaskDetector: the detector that rows in memory give, on rows that lie elsewhere."""

import pickle

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from mean_distance import MeanDistance
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from skanomaly import (
    AutoencoderDetector,
    NeuralAnomalyClassifier,
    WindowedDetector,
)
from skanomaly.distributed import DaskDetector

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 3))
FOREST = IsolationForest(n_estimators=10, random_state=0)
SMALL = AutoencoderDetector("plain", epochs=1, hidden_layer_sizes=4, random_state=0)


@pytest.fixture(scope="module")
def mixed():
    """Return a table of numbers and categories with values missing, labels and weights."""
    frame = pd.DataFrame(X[:200].copy(), columns=list("abc"))
    frame.loc[::9, "b"] = np.nan
    frame["k"] = pd.Categorical(RNG.choice(["x", "y", None], 200))
    y = pd.Series(np.where(np.arange(200) < 15, 1, 0), frame.index)
    weight = pd.Series(np.arange(200) % 3, frame.index)
    return frame, y, weight


def unknown(array):
    """Return an array of unknown chunk sizes, with chunks of no rows among them."""
    padded = da.concatenate([array[:0], array, array[:0]])
    return padded[da.ones(len(padded), chunks=padded.chunks[:1]) > 0]


@pytest.mark.parametrize("estimator", [FOREST, SMALL], ids=["forest", "autoencoder"])
@pytest.mark.parametrize("cut", [lambda a: a, unknown], ids=["known", "unknown"])
def test_without_sampling_it_is_the_detector_of_rows_in_memory(estimator, cut):
    detector = DaskDetector(estimator).fit(cut(da.from_array(X, chunks=(170, 2))))
    expected = clone(estimator).fit(X)
    assert_array_equal(detector.estimator_.score_samples(X), expected.score_samples(X))
    assert detector.offset_ == expected.offset_
    assert detector.n_sampled_ == detector.n_samples_seen_ == 600
    assert detector.quantile_error_ == 0


def test_mixed_tables_labels_and_weights_are_those_in_memory(mixed):
    frame, y, weight = mixed
    estimator = NeuralAnomalyClassifier("plain", epochs=1, random_state=0)
    expected = clone(estimator).fit(frame, y, sample_weight=weight).score_samples(frame)
    table = dd.from_pandas(frame.assign(y=y, weight=weight), npartitions=3)
    rows = table[["a", "b", "c", "k"]].assign(k=table["k"].cat.as_unknown())
    detector = DaskDetector(estimator).fit(rows, table["y"], table["weight"])
    assert_array_equal(detector.estimator_.score_samples(frame), expected)
    assert detector.feature_names_in_.tolist() == ["a", "b", "c", "k"]
    assert detector.statistics_.loc["b", "missing"] == weight[::9].sum()
    assert detector.statistics_.loc["k", "n_categories"] == 2


@pytest.mark.parametrize("chunks", [60, 250, 600])
def test_samples_depend_neither_on_cuts_nor_on_the_order_of_rows(chunks):
    expected = DaskDetector(FOREST, max_rows=150).fit(da.from_array(X, chunks=(170, 3)))
    assert (expected.n_samples_seen_, expected.n_sampled_) == (600, 150)
    order = np.random.default_rng(chunks).permutation(600)
    other = DaskDetector(FOREST, max_rows=150).fit(da.from_array(X[order], chunks=(chunks, 3)))
    assert_array_equal(other.estimator_.score_samples(X), expected.estimator_.score_samples(X))


def test_a_sample_scores_like_all_rows():
    rows = np.concatenate([RNG.normal(size=(20_000, 3)), RNG.normal(size=(200, 3)) * 4])
    forest = IsolationForest(n_estimators=200, random_state=0)
    detector = DaskDetector(forest, max_rows=5000).fit(da.from_array(rows, chunks=(6000, 3)))
    scores = detector.estimator_.score_samples(rows)
    assert np.corrcoef(scores, clone(forest).fit(rows).score_samples(rows))[0, 1] > 0.98


def test_weights_are_copies_where_rows_are_sampled():
    weight = np.arange(600) % 4
    copies = np.repeat(X, weight, axis=0)
    one, other = (
        DaskDetector(FOREST, max_rows=100).fit(da.from_array(rows, chunks=(200, 3)), None, w)
        for rows, w in ((X, da.from_array(weight, chunks=200)), (copies, None))
    )
    assert_array_equal(one.estimator_.score_samples(X), other.estimator_.score_samples(X))


def test_rows_that_often_repeat_lose_nothing():
    rows = np.repeat(X[:50], 30, axis=0)
    weighted = clone(SMALL).fit(X[:50], sample_weight=np.full(50, 30.0))
    detector = DaskDetector(SMALL, max_rows=100).fit(da.from_array(rows, chunks=(400, 3)))
    assert detector.n_samples_seen_ == 1500
    assert_allclose(detector.estimator_.score_samples(X), weighted.score_samples(X))


def test_half_of_the_rows_stay_half_of_the_sample():
    rows = np.concatenate([X, np.zeros((600, 3))])
    detector = DaskDetector(Recorder(), max_rows=60).fit(da.from_array(rows, chunks=(400, 3)))
    assert 25 <= np.sum(~detector.estimator_.rows_.any(axis=1)) <= 35


class Recorder(IsolationForest):
    """Keeps the rows that it is fitted to."""

    def __init__(self):
        super().__init__(n_estimators=2, random_state=0)

    def fit(self, X, y=None):
        self.rows_, self.y_ = X, y
        return super().fit(X)


def test_rare_anomalies_are_not_lost():
    y = np.where(np.arange(600) < 5, -1, 1)
    rows = da.from_array(X, chunks=(200, 3))
    detector = DaskDetector(Recorder(), max_rows=100).fit(rows, da.from_array(y, chunks=200))
    assert np.sum(detector.estimator_.y_ == -1) == 5
    assert len(detector.estimator_.y_) == 100


def test_a_failed_or_cancelled_fit_changes_nothing():
    detector = DaskDetector(FOREST).fit(X)
    before = dict(vars(detector))

    def cancel(block):
        raise KeyboardInterrupt

    def fail(block):
        raise OSError("the file is gone")

    for wrong, error in ((cancel, KeyboardInterrupt), (fail, ValueError)):
        rows = da.ones((10, 3), chunks=(5, 3)).map_blocks(
            wrong, dtype=float, meta=np.empty((0, 0))
        )
        with pytest.raises(error), dask.config.set(scheduler="synchronous"):
            detector.fit(rows)
        assert vars(detector) == before


def test_the_fitted_detector_is_an_ordinary_one():
    detector = DaskDetector(SMALL).fit(da.from_array(X, chunks=(200, 3)))
    assert type(detector.estimator_) is AutoencoderDetector
    again = pickle.loads(pickle.dumps(detector))
    assert_array_equal(again.score_samples(X), detector.score_samples(X))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (da.zeros((0, 3)), "none of a positive weight"),
        (da.from_array(np.where(X > 2, np.inf, X), chunks=(600, 3)), "infinite values"),
    ],
)
def test_unusable_rows_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        DaskDetector(FOREST).fit(rows)


def test_series_are_refused():
    with pytest.raises(ValueError, match="WindowedDetector judges rows by"):
        DaskDetector(WindowedDetector(FOREST)).fit(X)


# the checks bring a handful of rows, many of them twice
@pytest.mark.filterwarnings("ignore:no row lies below the threshold:UserWarning")
def test_scikit_learn_finds_nothing():
    # scikit-learn leaves out one check itself, of array API input, where SciPy is not set to it
    done = check_estimator(DaskDetector(MeanDistance(contamination=0.1)), on_skip=None)
    left_out = {check["check_name"] for check in done if check["status"] != "passed"}
    assert left_out <= {"check_array_api_input"}


def test_weights_of_detectors_that_take_none_are_repetitions():
    weight = da.from_array(np.r_[np.zeros(300), np.ones(300)], chunks=170)
    rows = da.from_array(X, chunks=(170, 3))
    detector = DaskDetector(LocalOutlierFactor(novelty=True)).fit(rows, sample_weight=weight)
    assert detector.estimator_.n_samples_fit_ == detector.n_sampled_
    assert detector.score_samples(X[300:]).mean() > detector.score_samples(X[:300] + 9).mean()
    piped = make_pipeline(StandardScaler(), FOREST)
    assert DaskDetector(piped).fit(rows, sample_weight=weight).n_sampled_ <= 600


def test_labels_that_nothing_reads_have_no_say_in_the_sample():
    rows = da.from_array(X, chunks=(170, 3))
    y = np.arange(600) < 6
    for estimator in (FOREST, make_pipeline(StandardScaler(), FOREST)):
        without = DaskDetector(estimator, max_rows=100).fit(rows)
        labelled = DaskDetector(estimator, max_rows=100).fit(rows, y)
        assert_array_equal(labelled.score_samples(X), without.score_samples(X))


@pytest.mark.parametrize("kind", ["masked", "list"])
def test_missing_labels_of_arrays_and_lists_stay_missing(kind):
    known = np.arange(600) < 30
    y = np.ma.array(known.astype(int), mask=~known)
    name = {}
    if kind == "list":
        y, name = ["bad" if one else np.nan for one in known], {"anomaly_label": "bad"}
    estimator = NeuralAnomalyClassifier("plain", epochs=1, random_state=0, **name)
    detector = DaskDetector(estimator).fit(da.from_array(X, chunks=(170, 3)), y)
    assert not hasattr(detector.estimator_, "predict_proba")
    assert_array_equal(detector.score_samples(X), clone(estimator).fit(X, y).score_samples(X))


def test_before_fit_it_says_so():
    rows = da.from_array(X, chunks=(170, 3))
    for method in ("predict", "score_samples", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(DaskDetector(FOREST), method)(rows)


@pytest.mark.filterwarnings("ignore:All 20 rows of X are the same:UserWarning")
def test_one_row_many_times_is_learnt_from():
    table = dd.from_pandas(pd.DataFrame(np.ones((40, 2)), columns=list("ab")), npartitions=2)
    detector = DaskDetector(MeanDistance(), max_rows=20).fit(table)
    assert detector.n_sampled_ == 20
    assert_array_equal(detector.score_samples(table).compute(), np.zeros(40))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: dd.from_pandas(pd.DataFrame(X), npartitions=2)[0], "a Dask Series of 1 dim"),
        (lambda: dask.delayed(X), "a Dask Delayed"),
        (lambda: da.from_array(X).map_blocks(sparse.csr_matrix), "it is a sparse matrix"),
    ],
    ids=["series", "delayed", "sparse"],
)
def test_what_is_no_table_of_dask_is_named(make, told):
    with pytest.raises(ValueError, match=told):
        DaskDetector(SMALL).fit(make())


def test_labels_of_fewer_rows_are_refused():
    table, y = pd.DataFrame(X), pd.Series(np.arange(600) % 2)
    with pytest.raises(ValueError, match="y has the divisions 0 to 499, X has 0 to 599"):
        DaskDetector(NeuralAnomalyClassifier("plain", epochs=1)).fit(
            dd.from_pandas(table, npartitions=2), dd.from_pandas(y[:500], npartitions=2)
        )
