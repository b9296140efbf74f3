"""WindowedDetector: time stamps of series judged by detectors of rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import (
    AutoencoderDetector,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
    WindowedDetector,
)
from skanomaly.meta._inner import detector_or_default
from skanomaly.thresholds import contamination_threshold

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=10, random_state=0)


@pytest.fixture(scope="module")
def wave():
    """Return two channels of 500 time stamps, and labels: the rhythm halts at 400 for 30."""
    rng = np.random.default_rng(0)
    phase = np.arange(500) / 3
    phase[400:430] = phase[400]
    X = np.stack([np.sin(phase), np.cos(phase)], axis=1) + 0.05 * rng.normal(size=(500, 2))
    return X, (np.abs(np.arange(500) - 414.5) < 15).astype(int)


@pytest.fixture(scope="module")
def forest(wave):
    """Return a fitted detector; tests must not change it."""
    inner = IsolationForest(n_estimators=20, random_state=0)
    return WindowedDetector(inner, window_size=20).fit(wave[0][:300])


def test_a_halt_of_the_rhythm_is_found_where_it_is(wave, forest):
    X, y = wave
    assert roc_auc_score(y, -forest.score_samples(X)) > 0.95
    alone = IsolationForest(n_estimators=20, random_state=0).fit(X[:300])
    assert roc_auc_score(y, -alone.score_samples(X)) < 0.8


@pytest.mark.parametrize("aggregation", ["mean", "max", "last"])
def test_every_time_stamp_gets_an_answer_and_the_threshold_is_of_time_stamps(wave, aggregation):
    X = wave[0][:200]
    inner = IsolationForest(n_estimators=5, random_state=0)
    detector = WindowedDetector(inner, 12, 5, aggregation=aggregation, contamination=0.1)
    labels = detector.fit_predict(X)
    assert labels.shape == (200,)
    assert_array_equal(labels == -1, detector.decision_function(X) < 0)
    # windows lend time stamps equal scores: the share is as near to the one asked as they allow
    scores = np.sort(detector.score_samples(X))
    shares = np.searchsorted(scores, np.unique(scores)) / len(X)
    assert abs(np.mean(labels == -1) - 0.1) == np.abs(shares - 0.1).min()
    assert_allclose(detector.offset_, contamination_threshold(scores, 0.1))


def test_last_depends_on_the_past_alone(wave):
    X = wave[0]
    detector = WindowedDetector(FOREST, 15, aggregation="last")
    detector.fit(X[:200])
    assert_allclose(detector.score_samples(X[:100]), detector.score_samples(X)[:100])


def test_series_in_groups_are_scored_as_if_alone(wave, forest):
    X = wave[0]
    groups = np.repeat(["left", "right"], [180, 320])
    apart = np.concatenate([forest.score_samples(X[:180]), forest.score_samples(X[180:])])
    assert_array_equal(forest.score_samples(X, groups), apart)
    shuffled = np.argsort(np.random.default_rng(0).random(500).cumsum() % 7, kind="stable")
    mixed = np.sort(shuffled[:180]), np.sort(shuffled[180:])
    order = np.empty(500, dtype=int)
    order[mixed[0]], order[mixed[1]] = np.arange(180), np.arange(180, 500)
    assert_array_equal(forest.score_samples(X[order], groups[order]), apart[order])
    assert_array_equal(forest.predict(X, groups), np.where(apart < forest.offset_, -1, 1))


def test_groups_keep_training_windows_apart(wave):
    X = wave[0][:120]
    groups = np.repeat([0, 1], 60)

    class Recorder(IsolationForest):
        def fit(self, X, y=None):
            self.rows_ = np.array(X)
            return super().fit(X)

    inner = Recorder(n_estimators=5, random_state=0)
    detector = WindowedDetector(inner, 10).fit(X, groups=groups)
    assert len(detector.estimator_.rows_) == 2 * 51
    assert not hasattr(inner, "rows_")


def test_groups_travel_through_a_pipeline(wave):
    X = wave[0][:120]
    groups = np.repeat([0, 1], 60)
    with config_context(enable_metadata_routing=True):
        inner = IsolationForest(n_estimators=5, random_state=0)
        detector = WindowedDetector(inner, 10, contamination=0.1)
        detector.set_fit_request(groups=True).set_predict_request(groups=True)
        pipeline = make_pipeline(StandardScaler(), detector).fit(X, groups=groups)
        labels = pipeline.predict(X, groups=groups)
    alone = clone(detector).fit(StandardScaler().fit_transform(X), groups=groups)
    assert_array_equal(labels, alone.predict(StandardScaler().fit_transform(X), groups))


def test_labels_of_time_stamps_become_labels_of_windows(wave):
    X, y = wave
    inner = NeuralAnomalyClassifier(
        "plain", epochs=3, early_stopping=False, anomaly_label="halt", unlabeled_label="?"
    )
    words = np.where(y == 1, "halt", "fine").astype(object)
    words[:20] = "?"
    detector = WindowedDetector(inner, 8, random_state=0).fit(X, words)
    scores = detector.score_samples(X)
    assert roc_auc_score(y, -scores) > 0.9
    row = detector.estimator_.score_samples(X[:8].reshape(1, -1))
    gap = row - detector.estimator_.decision_function(X[:8].reshape(1, -1))
    assert detector.offset_ == pytest.approx(gap[0])


def test_detectors_without_labels_never_see_y(wave):
    inner = IsolationForest(n_estimators=5, random_state=0)
    X = wave[0][:100]
    odd = np.linspace(0, 1, 100)
    scores = [WindowedDetector(inner, 5).fit(X, y).score_samples(X) for y in (None, odd)]
    assert_array_equal(*scores)


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: make_pipeline(StandardScaler(), d)])
def test_sequential_networks_learn_the_shape_of_a_window(wave, wrap):
    inner = AutoencoderDetector(
        architecture="conv1d", hidden_layer_sizes=(4,), latent_dim=2, max_steps=2
    )
    detector = WindowedDetector(wrap(inner), 9, random_state=0).fit(wave[0][:60])
    fitted = getattr(detector.estimator_, "steps", [(None, detector.estimator_)])[-1][1]
    assert fitted.input_shape == (9, 2)
    assert inner.input_shape is None
    assert fitted.random_state == 0
    assert np.isfinite(detector.score_samples(wave[0])).all()


def test_the_seed_decides_and_the_default_detector_is_an_autoencoder(wave):
    X = wave[0][:60]
    inner = AutoencoderDetector("plain", epochs=2)
    first, second = (WindowedDetector(inner, 4, random_state=1).fit(X) for _ in range(2))
    assert_array_equal(first.score_samples(X), second.score_samples(X))
    copy = pickle.loads(pickle.dumps(first))
    assert_array_equal(copy.score_samples(X), first.score_samples(X))
    assert type(detector_or_default(None)) is AutoencoderDetector


def test_errors_name_the_series_the_window_and_the_way_out(wave, forest):
    X = wave[0]
    with pytest.raises(ValueError, match=r"The series has 19 time stamps, but a window has 20"):
        forest.predict(X[:19])
    groups = np.repeat(["pump 1", "pump 2"], [490, 10])
    for act in (forest.score_samples, clone(forest).fit):
        with pytest.raises(ValueError, match=r"'pump 2' has 10 time stamps.*smaller window_size"):
            act(X, groups=groups)
    with pytest.raises(ValueError, match="'stride' parameter of WindowedDetector must be at most"):
        WindowedDetector(IsolationForest(), 4, stride=5).fit(X)
    with pytest.raises(ValueError, match="'window_size' parameter of WindowedDetector"):
        WindowedDetector(window_size=0).fit(X)
    with pytest.raises(ValueError, match="'estimator' parameter of WindowedDetector"):
        WindowedDetector(LocalOutlierFactor()).fit(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        forest.predict(X, groups=groups[1:])


def test_windows_of_one_time_stamp_are_the_detector_itself(wave):
    X = wave[0][:100]
    one = WindowedDetector(FOREST, 1).fit(X)
    assert_array_equal(one.score_samples(X), clone(FOREST).fit(X).score_samples(X))


def test_frames_keep_their_names_and_groups_may_be_a_column(wave):
    frame = pd.DataFrame(wave[0][:100], columns=["sine", "cosine"]).set_index(np.arange(100) + 7)
    machine = pd.Series(np.repeat(["a", "b"], 50), index=np.arange(100)[::-1])
    detector = WindowedDetector(FOREST, 5).fit(frame, groups=machine)
    assert list(detector.feature_names_in_) == ["sine", "cosine"]
    values = clone(detector).fit(frame.to_numpy(), groups=machine.to_numpy())
    assert_array_equal(
        detector.score_samples(frame, machine), values.score_samples(frame.to_numpy(), machine)
    )
    with pytest.raises(ValueError, match="should be a 1d array"):
        detector.score_samples(frame, frame)


def test_missing_values_are_the_business_of_the_detector_inside(wave):
    X = wave[0][:200].copy()
    X[50:55, 0] = np.nan
    detector = WindowedDetector(FOREST).fit(X)
    assert detector.window_size_ == 66
    assert np.isfinite(detector.score_samples(X)).all()
    inner = AutoencoderDetector(
        architecture="conv1d", hidden_layer_sizes=(4,), latent_dim=2, max_steps=2
    )
    scores = WindowedDetector(inner, 9, random_state=0).fit(X[40:100]).score_samples(X)
    assert np.isfinite(scores).all()
    with pytest.raises(ValueError, match="contains NaN"):
        WindowedDetector(OneClassSVM(), 10).fit(X)


def test_a_failed_fit_leaves_everything_as_it_was(wave):
    X = wave[0]
    detector = WindowedDetector(IsolationForest(n_estimators=5, random_state=0), 10).fit(X)
    before = detector.score_samples(X)
    with pytest.raises(ValueError, match="has 9 time stamps"):
        detector.fit(X[:9])
    assert_array_equal(detector.score_samples(X), before)


def test_missing_values_are_the_business_of_a_pipeline_inside(wave):
    X = wave[0][:200].copy()
    X[50:55, 0] = np.nan
    for inner in (
        make_pipeline(SimpleImputer(), OneClassSVM()),
        ThresholdedDetector(make_pipeline(SimpleImputer(), FOREST), cv=2),
    ):
        assert np.isfinite(WindowedDetector(inner, 10).fit(X).score_samples(X)).all()
    with pytest.raises(ValueError, match="contains NaN"):
        WindowedDetector(make_pipeline(StandardScaler(), OneClassSVM()), 10).fit(X)


def test_a_single_window_is_too_few(wave):
    with pytest.raises(ValueError, match="only one window of 500 time stamps to learn from"):
        WindowedDetector(window_size=500).fit(wave[0])
