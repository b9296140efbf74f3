"""Scores of rows that a detector was not fitted to."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import ConformalDetector, DriftMonitor, ThresholdedDetector, WindowedDetector
from skanomaly.meta._cross_fitting import (
    Rows,
    checked_scores,
    fit_and_score,
    fit_folds,
    fit_on,
    make_splits,
)

X = np.random.default_rng(0).normal(size=(40, 3))
CODES = np.repeat([-1, 1], [10, 30])


def rows(codes=None, **params):
    return Rows(X, codes, codes, params)


def test_parts_are_cut_with_their_weights(distance):
    weight = np.arange(40.0)
    part = np.arange(5, 30)
    fitted = fit_on(distance, rows(sample_weight=weight), part)
    expected = type(distance)().fit(X[part], sample_weight=weight[part])
    np.testing.assert_array_equal(fitted.centre_, expected.centre_)
    assert not hasattr(distance, "centre_")


def test_a_frozen_detector_is_left_as_it_is(distance):
    frozen = FrozenEstimator(type(distance)().fit(X[:20]))
    assert fit_on(frozen, rows(), np.arange(20, 40)) is frozen


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_folds_are_scored_by_a_detector_that_did_not_see_them(distance, n_jobs):
    splits = make_splits(KFold(4), rows(), None)
    fitted, scores, tests = fit_folds(distance, rows(), splits, n_jobs)
    assert np.concatenate(tests).tolist() == list(range(40))
    for detector, found, (train, test) in zip(fitted, scores, splits, strict=True):
        expected = type(distance)().fit(X[train])
        np.testing.assert_array_equal(detector.centre_, expected.centre_)
        np.testing.assert_array_equal(found, expected.score_samples(X[test]))


def test_a_share_is_held_out_of_every_class():
    [(train, test)] = make_splits(0.3, rows(CODES), 0)
    assert sorted([*train, *test]) == list(range(40))
    assert np.unique(CODES[test], return_counts=True)[1].tolist() == [3, 9]


def test_folds_hold_every_class_and_the_seed_decides():
    first, again, other = (make_splits(5, rows(CODES), seed) for seed in (0, 0, 1))
    for _, test in first:
        assert np.unique(CODES[test], return_counts=True)[1].tolist() == [2, 6]
    assert all((a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    assert any((a[1] != b[1]).any() for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("cv", "message"), [(0.001, "leaves none to hold out"), (41, "at least as many rows")]
)
def test_splits_that_cannot_be(cv, message):
    with pytest.raises(ValueError, match=message):
        make_splits(cv, rows(), 0)


def test_scores_must_be_finite():
    class Broken(IsolationForest):
        def score_samples(self, X):
            return np.full(len(X), np.nan)

    with pytest.raises(ValueError, match="Broken gave 40 scores that are NaN"):
        checked_scores(Broken(), X)
    forest, scores = fit_and_score(
        IsolationForest(random_state=0), rows(), np.arange(30), np.arange(30, 40)
    )
    np.testing.assert_array_equal(scores, forest.score_samples(X[30:]))


def test_series_are_not_torn_apart_at_random():
    series = np.sin(np.arange(600) / 4)[:, None]
    inner = WindowedDetector(IsolationForest(n_estimators=5, random_state=0), 20)
    piped = make_pipeline(StandardScaler(), inner)
    for around in (
        ThresholdedDetector(inner),
        ThresholdedDetector(piped, cv=0.3),
        ConformalDetector(piped),
        ConformalDetector(inner, "jackknife+"),
    ):
        with pytest.raises(ValueError, match=r"tears apart.*FrozenEstimator.*TimeSeriesSplit"):
            around.fit(series)
    frozen = FrozenEstimator(clone(inner).fit(series[:300]))
    in_order = TimeSeriesSplit(3)
    for around in (
        ThresholdedDetector(frozen),
        ThresholdedDetector(piped, cv=None),
        ThresholdedDetector(inner, cv=in_order),
        ConformalDetector(frozen),
        ConformalDetector(inner, "cv+", cv=in_order),
    ):
        assert np.isfinite(around.fit(series[300:]).score_samples(series)).all()


def test_an_error_on_a_part_of_the_rows_says_that_it_is_one():
    class Refusing(IsolationForest):
        def fit(self, X, y=None):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        fit_on(Refusing(), rows(), np.arange(30))
    assert "30 of 40 rows" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="no") as caught:
        fit_on(Refusing(), rows())
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("detector", [ConformalDetector, DriftMonitor, ThresholdedDetector])
def test_a_text_is_no_splitter_although_it_can_split(detector):
    with pytest.raises(ValueError, match="The 'cv' parameter of"):
        detector(IsolationForest(), cv="x").fit(X)
