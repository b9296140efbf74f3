"""The comparison: figures, tests, codings, failures, errors, picture."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import make_scorer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import metrics
from skanomaly.metrics import anomaly_scorer
from skanomaly.model_selection import StratifiedAnomalyKFold, compare_detectors
from skanomaly.model_selection._comparison import _corrected_t_test


class Named(OutlierMixin, BaseEstimator):
    """A detector that learns which value is the anomaly, and remembers the labels it saw."""

    def __init__(self, anomaly_label="auto", fails=False):
        self.anomaly_label = anomaly_label
        self.fails = fails

    def fit(self, X, y=None):
        if self.fails:
            raise RuntimeError("diverged")
        self.seen_ = None if y is None else set(pd.Series(y).dropna())
        return self

    def score_samples(self, X):
        assert self.anomaly_label in ("auto", -1)
        assert self.seen_ is None or self.seen_ <= {-1, 1}
        return -np.asarray(X)[:, 0]

    def predict(self, X):
        return np.where(self.score_samples(X) < -2, -1, 1)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    anomaly = np.arange(80) % 8 == 4
    X = rng.normal(size=(80, 2)) + 2 * anomaly[:, None]
    return X, anomaly


DETECTORS = {
    "svm": OneClassSVM(gamma=0.1),
    "forest": make_pipeline(StandardScaler(), IsolationForest(n_estimators=5, random_state=0)),
    "bad": OneClassSVM(gamma=1e4),
}


@pytest.fixture(scope="module")
def comparison(data):
    return compare_detectors(DETECTORS, *data, cv=4, scoring=["roc_auc", "f1"])


def test_summary_is_what_cross_validation_says(data, comparison):
    X, anomaly = data
    cv = StratifiedAnomalyKFold(4, shuffle=True, random_state=0)
    assert len(comparison) == 6
    for metric in ("roc_auc", "f1"):
        scores = {
            name: cross_val_score(
                detector, X, anomaly, cv=cv, scoring=getattr(metrics, f"{metric}_scorer")
            )
            for name, detector in DETECTORS.items()
        }
        rows = comparison[comparison["metric"] == metric].set_index("detector")
        ranks = pd.DataFrame(scores).rank(axis=1, ascending=False).mean()
        for name, values in scores.items():
            assert rows.loc[name, "mean"] == pytest.approx(values.mean())
            assert rows.loc[name, "std"] == pytest.approx(values.std(ddof=1))
            assert rows.loc[name, "rank"] == pytest.approx(ranks[name])
        assert rows["mean"].is_monotonic_decreasing
        assert (rows["n_splits"] == 4).all()
        assert (rows[["fit_time", "score_time"]] > 0).all(axis=None)


def test_p_values_are_corrected_and_adjusted(data):
    scores = compare_detectors(DETECTORS, *data, cv=4, scoring="roc_auc", per_split=True)
    summary = compare_detectors(DETECTORS, *data, cv=4, scoring="roc_auc").set_index("detector")
    table = scores.pivot(index="split", columns="detector", values="score")
    best = table.mean().idxmax()
    raw = []
    for name in table.columns.drop(best):
        d = (table[best] - table[name]).to_numpy()
        t = d.mean() / np.sqrt(d.var(ddof=1) * (1 / 4 + 20 / 60))
        raw.append((2 * stats.t.sf(abs(t), 3), name))
    (small, first), (large, second) = sorted(raw)
    assert np.isnan(summary.loc[best, "p_value"])
    assert summary.loc[first, "p_value"] == pytest.approx(min(1, 2 * small))
    assert summary.loc[second, "p_value"] == pytest.approx(min(1, max(2 * small, large)))


def test_test_holds_its_level_under_equality():
    # Two detectors of equal quality on cross-validated means: far fewer than 1 in 5 "wins".
    rng = np.random.default_rng(0)
    table = rng.normal(size=(300, 10))
    wins = np.mean([_corrected_t_test(row, 1 / 9) < 0.05 for row in table])
    assert wins <= 0.05
    assert _corrected_t_test(rng.normal(2, 1, size=10), 1 / 9) < 0.05


def test_equal_detectors_are_not_told_apart(data):
    pair = {"a": OneClassSVM(), "b": OneClassSVM()}
    results = compare_detectors(pair, *data, cv=3, scoring="roc_auc")
    assert results["rank"].tolist() == [1.5, 1.5]
    assert results["p_value"].tolist()[1] == 1


def test_all_detectors_see_the_same_splits(data):
    X, anomaly = data
    results = compare_detectors(
        {"a": OneClassSVM(), "b": OneClassSVM()},
        X,
        anomaly,
        cv=StratifiedAnomalyKFold(3, shuffle=True, random_state=np.random.RandomState(0)),
        per_split=True,
        scoring="roc_auc",
    )
    a, b = (part["score"].to_numpy() for _, part in results.groupby("detector"))
    assert (a == b).all()
    assert results.columns.tolist() == [
        "metric",
        "detector",
        "split",
        "score",
        "fit_time",
        "score_time",
    ]
    assert len(results) == 6


def test_two_processes_give_the_same_figures(data, comparison):
    again = compare_detectors(DETECTORS, *data, cv=4, scoring=["roc_auc", "f1"], n_jobs=2)
    columns = ["metric", "detector", "mean", "std", "rank", "p_value", "n_splits"]
    pd.testing.assert_frame_equal(again[columns], comparison[columns])


def test_without_labels(data):
    results = compare_detectors(
        [OneClassSVM(gamma=0.1), IsolationForest(random_state=0)], data[0], cv=2
    )
    assert results["metric"].unique().tolist() == ["excess_mass", "neg_mass_volume"]
    assert set(results["detector"]) == {"OneClassSVM", "IsolationForest"}
    assert np.isfinite(results["mean"]).all()


def test_named_labels_reach_everybody_in_their_coding(data):
    X, anomaly = data
    y = np.where(np.arange(80) % 9 == 0, None, np.where(anomaly, "bad", "good"))
    results = compare_detectors(
        {
            "auto": Named(),
            "own": Named("bad"),
            "piped": make_pipeline(StandardScaler(), Named("bad")),
        },
        pd.DataFrame(X),
        y,
        anomaly_label="bad",
        cv=StratifiedAnomalyKFold(2, anomaly_label="bad"),
        scoring={
            "own": anomaly_scorer("roc_auc", anomaly_label="bad"),
            "auto": metrics.roc_auc_scorer,
            "matthews_corrcoef": "matthews_corrcoef",
        },
        error_score="raise",
    )
    assert results["metric"].unique().tolist() == ["own", "auto", "matthews_corrcoef"]
    means = results.pivot(index="detector", columns="metric", values="mean")
    assert (means["own"] == means["auto"]).all()


def test_scoring_may_be_any_scorer(data):
    X, anomaly = data
    accuracy = make_scorer(lambda y, y_pred: float(np.mean(y == y_pred)))
    for scoring, names in [
        (metrics.matthews_corrcoef_scorer, ["matthews_corrcoef"]),
        (accuracy, ["score"]),
        (anomaly_scorer(["f1", "matthews_corrcoef"]), ["f1", "matthews_corrcoef"]),
        (None, ["roc_auc", "average_precision"]),
    ]:
        results = compare_detectors({"svm": OneClassSVM()}, X, anomaly, cv=2, scoring=scoring)
        assert results["metric"].tolist() == names
        assert results["p_value"].isna().all()


def test_a_failing_detector_does_not_stop_the_others(data):
    pair = {"fine": Named(), "broken": Named(fails=True)}
    with pytest.warns(FitFailedWarning, match="(?s)'broken' failed on split.*diverged"):
        results = compare_detectors(pair, *data, cv=2, scoring=["roc_auc", "f1"])
    results = results.set_index(["metric", "detector"])
    assert np.isnan(results.loc[("f1", "broken"), "mean"])
    assert np.isnan(results.loc[("f1", "broken"), "p_value"])
    assert results.loc[("f1", "broken"), "rank"] == 2
    assert results.loc[("roc_auc", "fine"), "mean"] > 0.5
    with pytest.raises(RuntimeError, match="diverged"):
        compare_detectors(pair, *data, cv=2, error_score="raise")


def test_nothing_but_failures_is_an_error(data):
    with (
        pytest.warns(FitFailedWarning, match="diverged"),
        pytest.raises(ValueError, match="every detector failed"),
    ):
        compare_detectors([Named(fails=True)], *data, cv=2)


def test_detectors_are_left_unfitted(data):
    detector = OneClassSVM()
    compare_detectors([("mine", detector)], *data, cv=2, scoring="f1")
    assert not hasattr(detector, "offset_")


@pytest.mark.parametrize(
    ("detectors", "options", "match"),
    [
        ([], {}, "at least one detector"),
        ([OneClassSVM(), OneClassSVM()], {}, "different names, got 'OneClassSVM' twice"),
        ([OneClassSVM()], {"scoring": "auc"}, "metric must be one of"),
        ([OneClassSVM()], {"anomaly_label": "bad"}, "anomaly_label must be one of"),
    ],
)
def test_comparison_refuses(data, detectors, options, match):
    with pytest.raises(ValueError, match=match):
        compare_detectors(detectors, *data, **options)


def test_lazy_tables_are_collected():
    pl = pytest.importorskip("polars", reason="needs polars")
    X = np.random.default_rng(0).normal(size=(60, 2))
    table, y = pl.DataFrame(X, schema=list("ab")), (X[:, 0] > 1).astype(int)
    forest = {"forest": IsolationForest(n_estimators=5, random_state=0)}
    lazy, plain = (compare_detectors(forest, t, y, cv=2) for t in (table.lazy(), table))
    assert lazy["mean"].equals(plain["mean"])


class Untouched(IsolationForest):
    def fit(self, X, y=None):
        raise AssertionError("nothing is fitted before the arguments are checked")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"y": None, "scoring": "roc_auc"}, "'roc_auc' needs labels"),
        ({"y": None, "scoring": {"a": ["excess_mass", "f1"]}}, "'f1' needs labels"),
        ({"scoring": metrics.roc_auc_score}, "a function of labels and scores"),
        ({"scoring": []}, "at least one metric"),
        ({"error_score": "ignore"}, "error_score must be"),
        ({"detectors": Untouched()}, "got one: Untouched"),
        ({"detectors": [Untouched]}, "got the class Untouched"),
    ],
)
def test_arguments_are_refused_before_any_fit(options, told):
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    with pytest.raises((ValueError, TypeError), match=told):
        compare_detectors(**{"detectors": [Untouched()], "X": X, "y": y, "cv": 2} | options)


def test_several_metrics_may_have_a_name_of_their_own():
    X, y = np.arange(40.0)[:, None], (np.arange(40) % 8 == 0).astype(int)
    scoring = {"of labels": ["f1", "recall"], "auc": "roc_auc"}
    found = compare_detectors(
        {"forest": IsolationForest(n_estimators=5)}, X, y, cv=2, scoring=scoring
    )
    assert found["metric"].tolist() == ["f1", "recall", "auc"]
