"""What all detectors promise: conventions of scores, order, weights, seeds, refusals."""

import random

import keras
import numpy as np
import pandas as pd
import pytest
from quick_detectors import Plain, Small

from skanomaly import AutoencoderDetector

FAR = np.full((3, 4), 1e3)


def stateless_snapshot():
    return random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002


@pytest.mark.parametrize("contamination", [0.025, 0.1, 0.5])
def test_contamination_is_the_share_of_training_outliers(blob, contamination):
    detector = Plain(contamination=contamination).fit(blob)
    assert (detector.predict(blob) == -1).mean() == contamination


def test_conventions_of_scores(autoencoder, blob):
    rows = np.vstack([blob, FAR])
    scores, decision = autoencoder.score_samples(rows), autoencoder.decision_function(rows)
    np.testing.assert_array_equal(decision, scores - autoencoder.offset_)
    np.testing.assert_array_equal(autoencoder.predict(rows), np.where(decision < 0, -1, 1))
    assert scores.dtype == decision.dtype == np.float64
    assert isinstance(autoencoder.offset_, float)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_a_single_row_is_checked_like_many(autoencoder, blob, value):
    bad = blob[:1].copy()
    bad[0, 2] = value
    for rows in (bad, np.repeat(bad, 2, axis=0)):
        with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
            autoencoder.score_samples(rows)
    with pytest.raises(ValueError, match="expecting 4 features"):
        autoencoder.score_samples(blob[:1, :3])


def test_a_single_row_without_names_warns_like_many(blob):
    named = pd.DataFrame(blob, columns=list("abcd"))
    detector = AutoencoderDetector("plain", epochs=1, random_state=0).fit(named)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        detector.score_samples(blob[:1])


def test_fit_predict_is_fit_then_predict(blob):
    np.testing.assert_array_equal(Plain().fit_predict(blob), Plain().fit(blob).predict(blob))


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_every_number_of_rows_around_the_batch_size(Detector):
    rng = np.random.default_rng(0)
    for n in range(2, 71):
        X = rng.normal(size=(n, 2))
        detector = Detector(**({"max_steps": 3} if Detector is Small else {})).fit(X)
        scores = detector.score_samples(X)
        assert scores.shape == (n,), n
        assert np.isfinite(scores).all(), n
        alone = detector.score_samples(X[-1:])
        np.testing.assert_allclose(alone, scores[-1:], rtol=1e-7, atol=1e-9)


ODD = {
    "one feature": np.linspace(0, 1, 40)[:, None],
    "constant features": np.column_stack([np.full(40, 3.3), np.linspace(0, 1, 40)]),
    "all rows equal": np.full((40, 2), 0.1),
    "duplicate rows": np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 10, axis=0),
    "more columns than rows": np.random.default_rng(0).normal(size=(5, 30)),
    "huge values": np.random.default_rng(0).normal(size=(40, 2)) * 1e30,
    "tiny values": np.random.default_rng(0).normal(size=(40, 2)) * 1e-30,
    "one absurd entry": np.vstack([np.random.default_rng(0).normal(size=(39, 2)), [[1e25, 0]]]),
    "whole numbers": np.arange(40).reshape(20, 2),
    "booleans": np.tile(np.eye(2, dtype=bool), (10, 1)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("Detector", [Plain, Small])
def test_odd_data_have_finite_scores(Detector, name):
    X = ODD[name]
    detector = Detector().fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert np.isfinite(detector.offset_)
    assert np.isfinite(detector.reconstruct(X)).all()


def test_rows_all_equal_are_normal_and_others_are_not():
    detector = Small().fit(ODD["all rows equal"])
    assert (detector.predict(ODD["all rows equal"]) == 1).all()
    assert detector.predict([[5.0, 5.0]]) == [-1]


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_order_of_the_rows_does_not_matter(blob, Detector):
    shuffled = blob[np.random.default_rng(3).permutation(len(blob))]
    one, other = Detector().fit(blob), Detector().fit(shuffled)
    np.testing.assert_allclose(one.score_samples(blob), other.score_samples(blob), rtol=1e-6)
    assert other.offset_ == pytest.approx(one.offset_, rel=1e-6)


@pytest.mark.parametrize("Detector", [Plain, Small])
@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_weights_are_repetitions(blob, Detector, contamination):
    weight = np.random.default_rng(4).integers(0, 4, len(blob))
    weighted = Detector(contamination=contamination).fit(blob, sample_weight=weight)
    repeated = Detector(contamination=contamination).fit(np.repeat(blob, weight, axis=0))
    np.testing.assert_allclose(
        weighted.score_samples(blob), repeated.score_samples(blob), rtol=1e-6
    )
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-6)


def test_scale_of_fractional_weights_does_not_matter(blob):
    weight = np.random.default_rng(5).uniform(0.1, 2, len(blob))
    one, other = (Plain().fit(blob, sample_weight=c * weight) for c in (1, 1000))
    np.testing.assert_allclose(one.score_samples(blob), other.score_samples(blob), rtol=1e-6)
    assert not np.allclose(one.score_samples(blob), Plain().fit(blob).score_samples(blob))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(120), "at least one non-zero number|fewer than 2 rows"),
        (np.eye(120)[0], r"fewer than 2 rows.*got 1 of 120"),
        (-np.ones(120), "Negative values"),
        (np.ones(119), r"sample_weight.*119"),
        (np.full(120, np.nan), "NaN"),
    ],
)
def test_unusable_weights_are_refused(blob, weight, message):
    with pytest.raises(ValueError, match=message):
        Plain().fit(blob, sample_weight=weight)


def test_random_state(blob):
    scores = [
        AutoencoderDetector("plain", epochs=2, random_state=state).fit(blob).score_samples(blob)
        for state in (0, 0, 1, np.random.RandomState(0), np.random.RandomState(0), None, None)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
    np.testing.assert_array_equal(scores[3], scores[4])
    assert not np.array_equal(scores[5], scores[6])


def test_second_fit_of_one_generator_differs(blob):
    detector = AutoencoderDetector("plain", epochs=2, random_state=np.random.RandomState(0))
    first = detector.fit(blob).score_samples(blob)
    assert not np.array_equal(detector.fit(blob).score_samples(blob), first)


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_global_random_state_is_untouched(blob, Detector):
    keras.utils.set_random_seed(7)
    before = stateless_snapshot()
    drawn = keras.ops.convert_to_numpy(keras.random.normal((3,)))
    keras.utils.set_random_seed(7)
    Detector(dropout=0.1).fit(blob).predict(blob)
    assert stateless_snapshot() == before
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.random.normal((3,))), drawn)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[np.nan, 1], [np.nan, 1]], ValueError, "missing values only"),
        ([[np.inf, 1], [0, 1]], ValueError, "infinity"),
        ([[1.0, 2.0]], ValueError, "minimum of 2 is required"),
        ([1.0, 2.0], ValueError, "Expected 2D array"),
        (np.empty((5, 0)), ValueError, "0 feature"),
        ([["a", "b"], ["c", "d"]], ValueError, "could not convert string"),
        (None, ValueError, "Expected 2D array|array-like"),
    ],
)
def test_unusable_rows_are_refused(X, error, message):
    with pytest.raises(error, match=message):
        Plain().fit(X)
