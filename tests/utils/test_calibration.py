"""Maps from scores to probabilities."""

import numpy as np
import pytest
from scipy.special import expit

from skanomaly.utils._calibration import MAPS, SigmoidMap, platt


def drawn(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n)
    return scores, rng.uniform(size=n) < expit(-3 * scores - 2)


def test_platt_finds_the_curve():
    scores, is_anomaly = drawn()
    slope, intercept = platt(-scores, is_anomaly)
    assert slope == pytest.approx(3, abs=0.15)
    assert intercept == pytest.approx(-2, abs=0.15)


def test_scores_that_say_nothing_get_the_share_of_anomalies():
    is_anomaly = np.arange(100) < 20
    scores = np.where(is_anomaly, 1.0, 0.0)  # upside down
    np.testing.assert_allclose(SigmoidMap(scores, is_anomaly)(scores), 0.2)
    np.testing.assert_allclose(SigmoidMap(np.ones(100), is_anomaly)(np.ones(3)), 0.2, atol=0.01)


@pytest.mark.parametrize("name", MAPS)
def test_probabilities_fall_with_the_score(name):
    scores, is_anomaly = drawn(500)
    grid = np.linspace(-50, 50, 300)
    probability = MAPS[name](scores, is_anomaly)(grid)
    assert (np.diff(probability) <= 1e-12).all()
    assert 0 <= probability.min() <= probability.max() <= 1
    assert probability[0] > 0.8 > 0.2 > probability[-1]


def test_a_large_common_part_of_the_scores_changes_nothing():
    scores, is_anomaly = drawn(500)
    moved = SigmoidMap(scores + 1e6, is_anomaly)(scores + 1e6)
    np.testing.assert_allclose(moved, SigmoidMap(scores, is_anomaly)(scores), atol=1e-3)


def test_separable_classes_keep_finite_odds():
    scores = np.r_[np.full(10, -5.0), np.full(90, 5.0)]
    probability = SigmoidMap(scores, scores < 0)(scores)
    assert 0 < probability.min() < 0.1 < 0.8 < probability.max() < 1
