"""Mahalanobis channels: covariance and definitions. See also test_channels."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from skanomaly.scores._mahalanobis import Mahalanobis, ledoit_wolf_axes

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4))


@pytest.mark.parametrize("shape", [(60, 4), (5, 30), (40, 1)])
def test_covariance_is_scikit_learn_s_ledoit_wolf(shape):
    A = np.random.default_rng(2).normal(size=shape) * np.linspace(1, 3, shape[1])
    mean, values, vectors, shrinkage = ledoit_wolf_axes(A)
    ridge = 1e-6 * A.var(axis=0).mean() * np.eye(shape[1])
    expected = LedoitWolf().fit(A).covariance_ + ridge
    assert shrinkage == pytest.approx(LedoitWolf().fit(A).shrinkage_)
    np.testing.assert_allclose(mean, A.mean(axis=0))
    np.testing.assert_allclose((vectors * values) @ vectors.T, expected, atol=1e-10)


def test_rounding_noise_is_not_variance():
    A = np.tile([0.5, 0.5 + 1e-16], 10)[:, None] + np.zeros(3)
    _, values, *_ = ledoit_wolf_axes(A * (1 + 1e-15 * np.arange(20)[:, None]))
    np.testing.assert_allclose(values, 1)


def test_plain_channel_is_the_log_mahalanobis_distance():
    scaled = ROWS / ROWS.std(axis=0)
    q = LedoitWolf().fit(scaled).mahalanobis(scaled)
    np.testing.assert_allclose(Mahalanobis().fit(ROWS).score(ROWS), np.log(q), atol=1e-4)


def test_power_zero_is_the_euclidean_distance_of_scaled_rows():
    spread = ROWS.std(axis=0)
    q = np.sum(((ROWS - ROWS.mean(axis=0)) / spread) ** 2, axis=1)
    scores = Mahalanobis(power=0).fit(ROWS).score(ROWS)
    np.testing.assert_allclose(scores, np.log(q), atol=1e-9)


def test_rows_of_the_fit_are_compared_with_the_others_alone():
    many = np.random.default_rng(6).normal(size=(400, 4)) @ RNG.normal(size=(4, 4))
    model, known = Mahalanobis().fit(many), np.ones(400, bool)
    without = [
        Mahalanobis().fit(np.delete(many, i, axis=0)).score(many[[i]])[0] for i in range(50)
    ]
    np.testing.assert_allclose(model.score(many, known)[:50], without, atol=0.02)
    assert np.all(model.score(many, known) > model.score(many))
    np.testing.assert_array_equal(model.score(many, ~known), model.score(many))


def test_a_row_that_makes_its_own_direction_stays_finite():
    X = np.vstack([np.zeros((19, 3)), [[1e6, 0, 0]]]) + 1e-3 * RNG.normal(size=(20, 3))
    scores = Mahalanobis().fit(X).score(X, np.ones(20, bool))
    assert np.isfinite(scores).all()
    assert scores.argmax() == 19
