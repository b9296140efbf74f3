"""Splitters: balance, codings, groups, time, normal rows only, errors."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.svm import OneClassSVM

from skanomaly import metrics
from skanomaly.model_selection import (
    GroupedAnomalyKFold,
    NormalOnlySplit,
    StratifiedAnomalyKFold,
    TimeOrderedSplit,
)

CODINGS = [
    lambda anomaly: np.where(anomaly, -1, 1),
    lambda anomaly: anomaly.astype(int).tolist(),
    lambda anomaly: pd.Series(anomaly, index=range(5, 5 + len(anomaly))),
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    anomaly = np.arange(80) % 8 == 4
    X = rng.normal(size=(80, 2)) + 2 * anomaly[:, None]
    return X, anomaly


def folds(splitter, X, y, groups=None):
    return [(train, test) for train, test in splitter.split(X, y, groups)]


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


def test_more_folds_than_rows_are_refused_at_once():
    y = np.repeat([0, 1], [8, 2])
    with pytest.raises(ValueError, match="more folds than the 10 rows"):
        list(NormalOnlySplit(2**70, all_anomalies=True).split(y, y))


@pytest.mark.parametrize(
    ("splitter", "name"),
    [
        (TimeOrderedSplit(2, gap="mse"), "gap"),
        (TimeOrderedSplit(2, gap=-1), "gap"),
        (TimeOrderedSplit(2, max_train_size=0), "max_train_size"),
        (TimeOrderedSplit(2, max_train_size=2.5), "max_train_size"),
        (TimeOrderedSplit(True), "n_splits"),
        (GroupedAnomalyKFold(2, shuffle=pd.Series([1, 2])), "shuffle"),
        (StratifiedAnomalyKFold(2, shuffle="yes"), "shuffle"),
        (NormalOnlySplit(2, all_anomalies=pd.Series([True, False])), "all_anomalies"),
    ],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_parameters_of_other_kinds_are_named(splitter, name, labelled):
    y = np.tile([0, 0, 0, 1], 10)
    X = np.zeros((40, 1))
    if not labelled and not isinstance(splitter, TimeOrderedSplit):
        labelled = True  # the others need labels
    with pytest.raises(ValueError, match=rf"^{name} must be .*, got "):
        list(splitter.split(X, y if labelled else None, np.arange(40) // 4))


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_fold_of_groups_holds_an_anomaly_where_there_are_groups_for_it(shuffle):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y, groups = (rng.random(60) < 0.15).astype(int), rng.integers(0, 8, 60)
        folds = GroupedAnomalyKFold(
            max(2, min(4, len(np.unique(groups[y == 1])))),
            shuffle=shuffle, random_state=0 if shuffle else None,
        )  # fmt: skip
        tests = [test for _, test in folds.split(y, y, groups)]
        assert all(y[test].any() for test in tests)
        assert sorted(np.concatenate(tests)) == list(range(60))
        assert all(
            len({k for k, t in enumerate(tests) if g in groups[t]}) == 1 for g in set(groups)
        )


def test_groups_may_be_texts_and_none():
    y, groups = np.array([0, 1, 1, 1, 0, 0, 0]), ["a", "b", "c", None, None, "d", "e"]
    tests = [test for _, test in GroupedAnomalyKFold(3).split(y, y, groups)]
    assert [y[test].sum() for test in tests] == [1, 1, 1]
