"""Mahalanobis channels: covariance, definitions, trimming. See also test_channels."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from skanomaly._mahalanobis import TrimmedMahalanobis, ledoit_wolf_axes, plain_mahalanobis

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4))


@pytest.mark.parametrize("shape", [(60, 4), (5, 30), (40, 1)])
def test_covariance_is_scikit_learn_s_ledoit_wolf(shape):
    A = np.random.default_rng(2).normal(size=shape) * np.linspace(1, 3, shape[1])
    mean, values, vectors = ledoit_wolf_axes(A, np.ones(len(A)))
    ridge = 1e-6 * A.var(axis=0).mean() * np.eye(shape[1])
    expected = LedoitWolf().fit(A).covariance_ + ridge
    np.testing.assert_allclose(mean, A.mean(axis=0))
    np.testing.assert_allclose((vectors * values) @ vectors.T, expected, atol=1e-10)


def test_rounding_noise_is_not_variance():
    A = np.tile([0.5, 0.5 + 1e-16], 10)[:, None] + np.zeros(3)
    _, values, _ = ledoit_wolf_axes(A * (1 + 1e-15 * np.arange(20)[:, None]), np.ones(20))
    np.testing.assert_allclose(values, 1)


def test_plain_channel_is_the_log_mahalanobis_distance():
    scaled = ROWS / ROWS.std(axis=0)
    q = LedoitWolf().fit(scaled).mahalanobis(scaled)
    np.testing.assert_allclose(plain_mahalanobis().fit(ROWS).score(ROWS), np.log(q), atol=1e-4)


def test_power_zero_is_the_euclidean_distance_of_scaled_rows():
    spread = ROWS.std(axis=0)
    q = np.sum(((ROWS - ROWS.mean(axis=0)) / spread) ** 2, axis=1)
    scores = TrimmedMahalanobis(power=0, trims=0).fit(ROWS).score(ROWS)
    np.testing.assert_allclose(scores, np.log(q), atol=1e-9)


def test_trimming_forgets_outliers():
    rng = np.random.default_rng(4)
    clean = rng.normal(size=(400, 20))
    X = np.vstack([clean, rng.normal(0, 30, size=(20, 20))])
    plain, trimmed = (TrimmedMahalanobis(1.0, trims).fit(X) for trims in (0, 3))
    bias = [np.abs(c.mean_ * c.spread_ - clean.mean(axis=0)).max() for c in (plain, trimmed)]
    assert bias[0] > 0.3
    assert bias[1] < 0.03
    margins = [c.score(X[400:]).min() - c.score(clean).max() for c in (plain, trimmed)]
    assert margins[1] > margins[0] + 0.3


def test_trimming_keeps_at_least_three_fifths_of_the_rows():
    # The lowest scores tie: no spread below the median, which would leave 55 rows.
    X = np.r_[np.tile([-1.0, 1.0], 28)[1:], np.linspace(2, 3, 46)[1:] * np.tile([1, -1], 23)[1:]]
    channel = TrimmedMahalanobis(1.0, trims=1).fit(X[:, None])
    nearest = np.argsort(np.abs(X - X.mean()))
    spread = X.std()
    variances = [np.var(X[nearest[:kept]] / spread) for kept in (55, 60, 61)]
    assert channel.axes_[0, 0] ** -2 == pytest.approx(variances[1], rel=1e-5)
    assert len(set(np.round(variances, 3))) == 3
