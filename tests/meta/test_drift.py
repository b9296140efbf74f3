"""DriftMonitor around detectors of scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils.estimator_checks import parametrize_with_checks

from skanomaly import DriftMonitor, WindowedDetector
from skanomaly.meta._column_bins import N_BINS, ColumnBins, stability_index, table_columns
from skanomaly.thresholds import alert_budget_threshold, fpr_threshold

FOREST = IsolationForest(n_estimators=20, random_state=0)


class Thresholdless(BaseEstimator):
    """Scores, and nothing else."""

    def fit(self, X, y=None):
        self.centre_ = np.mean(X, axis=0)
        return self

    def score_samples(self, X):
        return -np.abs(X - self.centre_).max(axis=1)


@pytest.mark.filterwarnings("ignore:y holds the values:UserWarning")
@parametrize_with_checks([DriftMonitor(OneClassSVM(gamma="scale"), random_state=0)])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(800, 3))


@pytest.fixture
def monitor(rows):
    return DriftMonitor(FOREST, random_state=0).fit(rows[:600])


def test_unchanged_rows_raise_no_alarm(monitor, rows):
    report = monitor.update(rows[600:])
    assert not report.drift
    assert report.detected_at is None
    assert not report.columns["moved"].any()
    assert monitor.n_rows_ == report.n_rows == report.n_batch == 200
    assert len(monitor.scores_) == 150


def test_a_change_is_found_with_its_column_and_stays_until_reset(monitor, rows):
    monitor.update(rows[600:700])
    report = monitor.update(rows[700:] + np.array([0, 3, 0]))
    assert report.drift
    assert 100 < report.detected_at <= 200
    assert list(report.columns.index[report.columns["moved"]]) == ["x1"] == monitor.moved_columns_
    first = report.columns.iloc[0]
    assert first["batch"] - first["reference"] == pytest.approx(3, abs=0.5)
    assert first["psi"] > 0.25
    assert "drift since row" in repr(report)
    assert monitor.update(rows[600:610]).drift
    assert not monitor.reset().drift_
    assert monitor.n_rows_ == 0
    assert monitor.moved_columns_ == []


def test_it_is_the_detector_for_predictions(monitor, rows):
    inner = monitor.estimator_
    np.testing.assert_array_equal(monitor.predict(rows), inner.predict(rows))
    np.testing.assert_array_equal(monitor.score_samples(rows), inner.score_samples(rows))
    assert monitor.offset_ == inner.offset_
    flagged = monitor.update(rows[:50]).flagged
    assert flagged == np.mean(inner.predict(rows[:50]) == -1)


def test_given_scores_spare_the_detector(monitor, rows):
    other = pickle.loads(pickle.dumps(monitor))
    report = monitor.update(rows[600:], scores=monitor.score_samples(rows[600:]))
    assert report.evidence == other.update(rows[600:]).evidence


def test_out_of_fold_and_frozen(rows):
    folds = DriftMonitor(FOREST, cv=3, random_state=0).fit(rows[:300])
    assert len(folds.scores_) == 300
    frozen = FrozenEstimator(clone(FOREST).fit(rows[:300]))
    kept = DriftMonitor(frozen, random_state=0).fit(rows[300:])
    assert len(kept.scores_) == 500
    for fitted in (folds, kept):
        assert fitted.update(rows[:100] * 3).drift


def test_known_anomalies_are_no_reference(rows):
    y = np.zeros(len(rows))
    y[::2] = 1
    assert len(DriftMonitor(FOREST, random_state=0).fit(rows, y).scores_) == 100


def test_mixed_tables(rows):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rows, columns=list("abc"))
    frame["d"] = rng.choice(["x", "y", "z"], len(frame))
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, 800), "D")
    numeric = make_pipeline(ColumnsAB(), StandardScaler(), FOREST)
    monitor = DriftMonitor(numeric, random_state=0).fit(frame[:600])
    assert not monitor.update(frame[600:700]).columns["moved"].any()
    later = frame[700:].assign(d="new", b=np.nan, when=pd.Timestamp("2024-09-01"))
    later["b"] = later["b"].where(later.index % 2 == 0, 1.0).fillna(0.0)
    report = monitor.update(later)
    moved = set(report.columns.index[report.columns["moved"]])
    assert moved == {"b", "d", "when"}
    assert report.columns.loc["d", "unseen"] == 1
    assert report.columns.loc["d", "batch"] == "new"


class ColumnsAB(StandardScaler):
    """Take two columns."""

    def fit(self, X, y=None):
        return super().fit(X[["a", "b"]])

    def transform(self, X):
        return super().transform(X[["a", "b"]])


def test_wrong_batches_change_nothing(monitor, rows):
    monitor.update(rows[600:650])
    with pytest.raises(ValueError, match=r"one for each of the 10 rows"):
        monitor.update(rows[:10], scores=np.zeros(9))
    with pytest.raises(ValueError, match="finite"):
        monitor.update(rows[:2], scores=[np.nan, 0])
    with pytest.raises(ValueError, match=r"lacks the columns \['x2'\]"):
        monitor.update(rows[:2, :2], scores=[0, 0])
    assert monitor.n_rows_ == 50


def test_too_few_rows_and_no_fit():
    with pytest.raises(NotFittedError):
        DriftMonitor(FOREST).update([[0.0]])
    with pytest.raises(ValueError, match="no reference row is left of n_samples=40"):
        DriftMonitor(FOREST, random_state=0).fit(np.eye(40), [True] * 40)


def test_a_fit_that_fails_leaves_the_monitor_as_it_was(monitor, rows):
    monitor.update(rows[600:])
    before = dict(vars(monitor))
    with pytest.raises(ValueError, match="no reference row is left"):
        monitor.fit(rows[:600], np.full(600, -1))
    assert vars(monitor) == before
    monitor.estimator = Thresholdless()
    with pytest.raises(AttributeError, match="offset_"):
        monitor.fit(rows[:300])
    assert vars(monitor) == before | {"estimator": monitor.estimator}


def test_bins():
    numbers = ColumnBins(np.arange(100.0))
    codes = numbers.codes(np.array([-5.0, np.nan, 50, 1e9]))
    assert codes[0] == 1 < codes[2] < codes[3] == N_BINS - 1
    assert codes[1] == 0
    texts = ColumnBins(pd.Series(["a", "b", "b", None]))
    assert list(texts.codes(pd.Series(["b", "a", None, "c"]))) == [2, 1, 0, N_BINS - 1]
    assert texts.typical(pd.Series(["q", "q", "b"])) == "q"
    assert ColumnBins(pd.Series([None, None])).typical(pd.Series([None])) is None
    assert table_columns(["no", "table"]) == {}
    assert stability_index(np.array([5, 5]), np.array([5, 5])) == 0


def test_alert_budgets(monitor, rows):
    budget = alert_budget_threshold(monitor.scores_, 30, 100)
    assert monitor.set_threshold(budget).offset_ == budget
    assert monitor.set_threshold("fpr", level=0.3).offset_ == budget
    assert 20 < np.sum(monitor.predict(rows[600:]) == -1) < 100
    assert monitor.set_threshold("fpr", rows, level=0.5).offset_ > budget
    scores = np.random.default_rng(0).normal(size=1000)
    assert alert_budget_threshold(scores, 50, 1000) == fpr_threshold(scores, 0.05)
    rare = alert_budget_threshold(scores, 1, 100_000)
    assert -9 < rare < scores.min()
    for wrong in ((0, 10), (5, 5), ("5", 10), (1, float("inf"))):
        with pytest.raises(ValueError, match="n_"):
            alert_budget_threshold(scores, *wrong)


@pytest.mark.parametrize("low", [0.0, 1.0])
@pytest.mark.parametrize("share", [0.0, 0.01])
def test_a_rise_of_what_was_nearly_constant_is_told(low, share):
    rng = np.random.default_rng(0)
    reference, batch = rng.normal(size=(600, 2)), rng.normal(size=(200, 2))
    reference[:, 1] = low + (rng.random(600) < share)
    batch[:, 1] = low + (rng.random(200) < 0.4)
    column = DriftMonitor(FOREST, random_state=0).fit(reference).update(batch).columns.loc["x1"]
    assert column["moved"]
    assert column["psi"] > 0.25


def test_columns_of_numbers_fit_their_bins():
    rng = np.random.default_rng(0)
    for values in (np.repeat(np.arange(15.0), 40), rng.normal(size=900), np.ones(50)):
        bins = ColumnBins(values)
        assert len(bins.edges) <= N_BINS - 2
        assert bins.codes(np.array([np.nan]))[0] == 0
        assert bins.codes(values).max() < N_BINS


def test_rows_that_are_no_table_are_watched_by_their_scores_alone():
    X = sparse.random_array((200, 5), density=0.5, rng=np.random.default_rng(0), format="csr")
    report = DriftMonitor(FOREST, random_state=0).fit(X).update(X[:50])
    assert not report.drift
    assert len(report.columns) == 0


def test_scores_of_series_are_refused_because_they_would_always_drift():
    series = np.sin(np.arange(300) / 4)[:, None]
    inner = WindowedDetector(IsolationForest(n_estimators=5, random_state=0), 20)
    frozen = FrozenEstimator(make_pipeline(StandardScaler(), inner).fit(series))
    for detector in (inner, make_pipeline(StandardScaler(), inner), frozen):
        with pytest.raises(ValueError, match="windows that do not overlap as rows"):
            DriftMonitor(detector).fit(series)


def test_the_report_on_sparse_rows_says_that_columns_are_not_looked_at(rows):
    monitor = DriftMonitor(FOREST, random_state=0).fit(sparse.csr_matrix(rows))
    assert "columns not looked at" in repr(monitor.update(sparse.csr_matrix(rows[:50])))


def test_lazy_tables_are_collected(rows):
    pl = pytest.importorskip("polars", reason="needs polars")
    table = pl.DataFrame(rows, schema=list("abc"))
    monitor = DriftMonitor(FOREST, random_state=0).fit(table.lazy())
    report = monitor.update(table.lazy())
    assert report.n_batch == len(rows)
    assert sorted(report.columns.index) == list("abc")
