"""Tests of splitters that read labels, and of the comparison of detectors."""

import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import metrics
from skanomaly import model_selection as ms
from skanomaly.metrics import anomaly_scorer
from skanomaly.model_selection import (
    GroupedAnomalyKFold,
    NormalOnlySplit,
    StratifiedAnomalyKFold,
    TimeOrderedSplit,
    compare_detectors,
    plot_comparison,
)

CODINGS = [
    lambda anomaly: np.where(anomaly, -1, 1),
    lambda anomaly: anomaly.astype(int).tolist(),
    lambda anomaly: pd.Series(anomaly, index=range(5, 5 + len(anomaly))),
]


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
        expected = {-1, 1} if self.anomaly_label == "auto" else {"bad", "good"}
        assert self.seen_ is None or self.seen_ <= expected
        return -np.asarray(X)[:, 0]

    def predict(self, X):
        return np.where(self.score_samples(X) < -2, -1, 1)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    anomaly = np.arange(80) % 8 == 4
    X = rng.normal(size=(80, 2)) + 2 * anomaly[:, None]
    return X, anomaly


def folds(splitter, X, y, groups=None):
    return [(train, test) for train, test in splitter.split(X, y, groups)]


# -------------------------------------------------------------------------------- splitters


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from([0, 0, 1, None]), min_size=6, max_size=40).filter(
        lambda y: y.count(0) >= 3 and y.count(1) >= 3
    ),
    st.booleans(),
)
def test_stratified_folds_are_a_balanced_partition(y, shuffle):
    splitter = StratifiedAnomalyKFold(3, shuffle=shuffle, random_state=0 if shuffle else None)
    splits = folds(splitter, y, y)
    assert splitter.get_n_splits() == len(splits) == 3
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(y)))
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(len(y)))
        for kind in (0, 1, None):
            n_kind = sum(y[i] is kind for i in test)
            assert abs(n_kind - y.count(kind) / 3) < 1
        assert abs(len(test) - len(y) / 3) < 1


def test_stratified_folds_are_of_scikit_learns_sizes(data):
    X, anomaly = data
    ours = folds(StratifiedAnomalyKFold(4), X, anomaly)
    theirs = folds(StratifiedKFold(4), X, anomaly)
    sizes = [
        sorted((anomaly[test].sum(), len(test)) for _, test in splits) for splits in (ours, theirs)
    ]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    "splitter",
    [
        StratifiedAnomalyKFold(4, shuffle=True, random_state=3),
        GroupedAnomalyKFold(3),
        TimeOrderedSplit(3),
        NormalOnlySplit(3),
    ],
    ids=lambda s: type(s).__name__,
)
def test_the_coding_of_labels_does_not_matter(data, splitter):
    X, anomaly = data
    groups = np.arange(80) // 4
    expected = folds(splitter, X, np.where(anomaly, -1, 1), groups)
    named = sklearn.clone(splitter, safe=False)
    named.anomaly_label = "bad"
    others = [folds(splitter, X, coding(anomaly), groups) for coding in CODINGS]
    others.append(folds(named, X, np.where(anomaly, "bad", "good"), groups))
    for other in others:
        for (train, test), (expected_train, expected_test) in zip(other, expected, strict=True):
            assert (train == expected_train).all()
            assert (test == expected_test).all()


@pytest.mark.parametrize("splitter", [StratifiedAnomalyKFold, GroupedAnomalyKFold])
def test_shuffle_follows_the_seed(data, splitter):
    X, anomaly = data
    groups = np.arange(80) // 2

    def tests(**options):
        return [test.tolist() for _, test in folds(splitter(4, **options), X, anomaly, groups)]

    one = tests(shuffle=True, random_state=0)
    assert one == tests(shuffle=True, random_state=0)
    assert one != tests(shuffle=True, random_state=1)
    assert one != tests()


def test_groups_stay_together(data):
    X, anomaly = data
    groups = np.array([f"m{i}" for i in np.arange(80) // 5])
    y = np.where(np.arange(80) % 40 == 0, None, anomaly)  # two unlabelled rows, fewer than folds
    for train, test in folds(GroupedAnomalyKFold(4), X, y, groups):
        assert not set(groups[train]) & set(groups[test])
        assert anomaly[test].any()
        assert not anomaly[test].all()


def test_groups_are_requested_by_routing(data):
    X, anomaly = data
    groups = np.arange(80) // 5
    for splitter in (GroupedAnomalyKFold(3), NormalOnlySplit(GroupedAnomalyKFold(3))):
        options = {"cv": splitter, "scoring": metrics.roc_auc_scorer}
        with sklearn.config_context(enable_metadata_routing=True):
            routed = cross_val_score(
                OneClassSVM(), X, anomaly, params={"groups": groups}, **options
            )
        expected = [
            metrics.roc_auc_scorer(OneClassSVM().fit(X[train]), X[test], anomaly[test])
            for train, test in splitter.split(X, anomaly, groups)
        ]
        np.testing.assert_allclose(routed, expected)


series = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4)), min_size=6, max_size=15)


@settings(max_examples=100, deadline=None)
@given(series, st.integers(2, 3))
def test_time_order_never_cuts_an_episode(runs, n_splits):
    y = np.concatenate([[0] * normal + [1] * anomalous for normal, anomalous in runs])
    splitter = TimeOrderedSplit(n_splits)
    try:
        splits = folds(splitter, y, y)
    except ValueError:  # too few episodes after the first stretch
        reject()
    assert len(splits) == n_splits
    assert splits[-1][1][-1] == len(y) - 1
    end = splits[0][1][0]
    assert end >= len(y) // (n_splits + 1)
    for train, test in splits:
        assert test[0] == end  # stretches follow each other
        assert (train == np.arange(test[0])).all()
        assert y[test].any()
        assert not (y[test[0] - 1] and y[test[0]])  # no episode on both sides
        end = test[-1] + 1


def test_time_order_spreads_episodes_evenly():
    y = np.tile([0, 0, 0, 1], 15)
    splits = folds(TimeOrderedSplit(4), y, y)
    assert [y[test].sum() for _, test in splits] == [3, 3, 3, 3]


def test_time_order_gap_and_train_size():
    y = np.tile([0, 0, 0, 0, 0, 1], 8)
    plain = folds(TimeOrderedSplit(3), y, y)
    limited = folds(TimeOrderedSplit(3, gap=2, max_train_size=5), y, y)
    for (_, test), (train, same) in zip(plain, limited, strict=True):
        assert (test == same).all()
        assert (train == np.arange(test[0] - 7, test[0] - 2)).all()


def test_time_order_without_labels_is_scikit_learns():
    X = np.zeros((30, 1))
    ours = folds(TimeOrderedSplit(4, gap=1), X, None)
    for got, expected in zip(ours, folds(TimeSeriesSplit(4, gap=1), X, None), strict=True):
        assert (got[0] == expected[0]).all()
        assert (got[1] == expected[1]).all()


@pytest.mark.parametrize(
    "inner",
    [
        3,
        KFold(3, shuffle=True, random_state=0),
        StratifiedAnomalyKFold(3, shuffle=True, random_state=0),
        GroupedAnomalyKFold(3),
        GroupKFold(3),
        TimeOrderedSplit(3),
    ],
    ids=lambda c: str(c).split("(", maxsplit=1)[0],
)
def test_normal_only_trains_on_known_normals(data, inner):
    X, anomaly = data
    groups = np.arange(80) // 4 if "Group" in type(inner).__name__ else None
    y = np.where(np.arange(80) % 5 == 0, None, anomaly)
    splitter = NormalOnlySplit(inner)
    splits = folds(splitter, X, y, groups)
    assert splitter.get_n_splits(X, y, groups) == len(splits) == 3
    for train, test in splits:
        assert len(train)
        assert all(y[i] is not None and not y[i] for i in train)
        assert not set(train) & set(test)
        assert anomaly[test].any()


def test_normal_only_keeps_every_normal_row_of_the_inner_split(data):
    X, anomaly = data
    inner = KFold(4, shuffle=True, random_state=1)
    for (train, test), (all_train, same) in zip(
        folds(NormalOnlySplit(inner), X, anomaly), inner.split(X), strict=True
    ):
        assert (train == all_train[~anomaly[all_train]]).all()
        assert (test == same).all()


@pytest.mark.parametrize("cv", [3, KFold(3)])
def test_all_anomalies_are_tested_even_if_few(cv):
    y = np.array([1] + [0] * 11)
    for train, test in folds(NormalOnlySplit(cv, all_anomalies=True), y, y):
        assert 0 in test
        assert (y[train] == 0).all()
        assert 4 <= len(test) <= 5
        assert len(np.unique(test)) == len(test)


def test_normal_only_leaves_named_labels_to_the_inner_splitter(data):
    X, anomaly = data
    y = np.where(anomaly, "bad", "good")
    inner = StratifiedAnomalyKFold(3, anomaly_label="bad")
    splits = folds(NormalOnlySplit(inner, anomaly_label="bad"), X, y)
    for (train, _), (expected, _) in zip(
        splits, folds(NormalOnlySplit(3), X, anomaly), strict=True
    ):
        assert (train == expected).all()


def test_splitters_work_in_scikit_learn(data):
    X, anomaly = data
    y = np.where(np.arange(80) % 7 == 0, np.nan, np.where(anomaly, -1, 1))
    for cv in (StratifiedAnomalyKFold(3), NormalOnlySplit(3)):
        scores = cross_val_score(OneClassSVM(), X, y, cv=cv, scoring=metrics.roc_auc_scorer)
        assert (scores > 0.5).all()
        assert set(cross_val_predict(OneClassSVM(), X, y, cv=cv)) == {-1, 1}
    assert repr(StratifiedAnomalyKFold(3)).startswith("StratifiedAnomalyKFold(")


@pytest.mark.parametrize(
    ("splitter", "y", "groups", "match"),
    [
        (StratifiedAnomalyKFold(3), [0, 0, 0, 1, 1], None, "more than the 2 anomalies"),
        (StratifiedAnomalyKFold(3), [1, 1, 1, 0, 0], None, "more than the 2 normal rows"),
        (StratifiedAnomalyKFold(1), [0, 1], None, "n_splits must be an integer of at least 2"),
        (StratifiedAnomalyKFold(2.5), [0, 1], None, "n_splits must be an integer"),
        (StratifiedAnomalyKFold(2, random_state=0), [0, 0, 1, 1], None, "no effect"),
        (GroupedAnomalyKFold(2, random_state=0), [0, 0, 1, 1], [1, 2, 3, 4], "no effect"),
        (GroupedAnomalyKFold(2), [0, 1, 0, 1], None, "groups must say"),
        (GroupedAnomalyKFold(2), [0, 1, 0, 1], [1, 2, 1, 2], "the 1 groups with an anomaly"),
        (TimeOrderedSplit(2), [0, 0, 0, 1, 0, 0], None, "the 1 episodes"),
        (TimeOrderedSplit(2), [1, 0, 0, 0, 0, 0], None, "the 0 episodes"),
        (TimeOrderedSplit(2, gap=5), [0, 0, 0, 1, 0, 1], None, "nothing is left to train on"),
        (NormalOnlySplit(2), [0, 0, 1], None, "more than the 1 anomalies"),
        (NormalOnlySplit(KFold(2)), [0, 0, 1, 1], None, "no normal row to train on"),
        (NormalOnlySplit("loo"), [0, 1], None, "cv must be a number of folds"),
        (NormalOnlySplit(True), [0, 1], None, "cv must be a number of folds"),
        (NormalOnlySplit(2), [0, 1, np.inf], None, "infinity"),
    ],
)
def test_splitters_refuse(splitter, y, groups, match):
    with pytest.raises(ValueError, match=match):
        folds(splitter, y, y, groups)


def test_splitters_need_one_label_per_row():
    for splitter in (StratifiedAnomalyKFold(2), NormalOnlySplit(2)):
        with pytest.raises(TypeError, match="got None"):
            folds(splitter, [1, 2, 3], None)
    with pytest.raises(ValueError, match="expected 3 labels, got 2"):
        folds(NormalOnlySplit(2), [1, 2, 3], [0, 1])


# ------------------------------------------------------------------------------- comparison


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
    wins = np.mean([ms._corrected_t_test(row, 1 / 9) < 0.05 for row in table])
    assert wins <= 0.05
    assert ms._corrected_t_test(rng.normal(2, 1, size=10), 1 / 9) < 0.05


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
            "mcc": "mcc",
        },
        error_score="raise",
    )
    assert results["metric"].unique().tolist() == ["own", "auto", "mcc"]
    means = results.pivot(index="detector", columns="metric", values="mean")
    assert (means["own"] == means["auto"]).all()


def test_scoring_may_be_any_scorer(data):
    X, anomaly = data
    accuracy = make_scorer(lambda y, y_pred: float(np.mean(y == y_pred)))
    for scoring, names in [
        (metrics.mcc_scorer, ["mcc"]),
        (accuracy, ["score"]),
        (anomaly_scorer(["f1", "mcc"]), ["f1", "mcc"]),
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


# ------------------------------------------------------------------------------------- plot


def test_plot_shows_means_spreads_and_losers(comparison):
    plt = pytest.importorskip("matplotlib.pyplot")
    table = comparison[comparison["metric"] == "roc_auc"].copy()
    table["p_value"] = [np.nan, 0.5, 0.01]
    figure, ax = plt.subplots()
    assert plot_comparison(table, ax=ax) is ax
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == table["detector"].tolist()[::-1]
    dots = [tuple(dot) for drawn in ax.collections[1:] for dot in drawn.get_offsets()]
    assert sorted(dots) == sorted(zip(table["mean"], [2, 1, 0], strict=True))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["worse, p < 0.05"]
    assert "roc_auc" in ax.get_xlabel()
    plt.close(figure)


def test_plot_takes_the_metric_asked_for(comparison):
    plt = pytest.importorskip("matplotlib.pyplot")
    assert "roc_auc" in plot_comparison(comparison).get_xlabel()
    assert "f1" in plot_comparison(comparison, "f1").get_xlabel()
    plt.close("all")


def test_plot_refuses(comparison, data):
    with pytest.raises(ValueError, match="metric must be one of"):
        plot_comparison(comparison, "mcc")
    per_split = compare_detectors([OneClassSVM()], *data, cv=2, scoring="f1", per_split=True)
    with pytest.raises(ValueError, match="per_split=False"):
        plot_comparison(per_split)


def test_plot_names_the_extra_if_matplotlib_is_missing(comparison, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skanomaly\[plot\]"):
        plot_comparison(comparison)


def test_public_names_exist():
    assert sorted(ms.__all__) == ms.__all__
    assert all(hasattr(ms, name) for name in ms.__all__)
