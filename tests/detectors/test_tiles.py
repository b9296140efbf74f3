"""Scores of few windows by plain autoencoders."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import AutoencoderDetector
from skanomaly.detectors._tiles import tile_scorer

pytestmark = pytest.mark.core
X = np.random.default_rng(0).normal(size=(60, 5)) * [1, 10, 1, 1, 0.1] + 3


def fitted(*args, **params):
    return AutoencoderDetector(*args, epochs=2, random_state=0, **params).fit(X)


@pytest.fixture(scope="module")
def plain():
    return fitted("plain", hidden_layer_sizes=(7, 4), activation="tanh", dropout=0.1)


def test_scores_are_those_of_the_detector_whatever_the_rows_beside(plain):
    score = tile_scorer(plain)
    rows = np.concatenate([X, X * 1e200, X.astype(np.float32)])
    rows[7, 2] = np.nan
    assert_allclose(score(rows), plain.score_samples(rows), rtol=1e-5)
    together = score(rows)
    for k in (1, 3, 8, 50):
        parts = [score(rows[i : i + k]) for i in range(0, len(rows), k)]
        assert_array_equal(np.concatenate(parts), together)


def test_a_new_fit_gives_new_scores(plain):
    detector = fitted("plain", hidden_layer_sizes=(3,))
    assert tile_scorer(detector) is tile_scorer(detector)
    before = tile_scorer(detector)(X)
    detector.set_params(hidden_layer_sizes=(4,)).fit(X + X**2)
    assert np.abs(tile_scorer(detector)(X) - before).max() > 0
    assert_allclose(tile_scorer(detector)(X), detector.score_samples(X), rtol=1e-5)


def test_other_detectors_are_asked_themselves():
    assert tile_scorer(fitted("plain", standardize=False)) is None
    assert tile_scorer(fitted("plain", anomaly_score="residual")) is None
    assert tile_scorer(fitted("plain", architecture="conv1d", hidden_layer_sizes=(2,))) is None
