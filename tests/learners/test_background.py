"""Uniform noise in the box of the training rows."""

import numpy as np

from skanomaly.learners import _background
from skanomaly.learners._background import uniform_background

X = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
ROWS = np.arange(400)


def test_noise_fills_the_box_of_the_rows_and_a_tenth_more():
    noise = uniform_background(X, np.repeat(ROWS, 10), seed=0)
    assert noise.shape == (4000, 2)
    assert noise.dtype == np.float32
    low, high = X[ROWS].min(axis=0), X[ROWS].max(axis=0)
    margin = 0.1 * (high - low)
    assert (noise >= low - margin).all()
    assert (noise <= high + margin).all()
    np.testing.assert_allclose(noise.min(axis=0), low - margin, atol=0.02)
    np.testing.assert_allclose(noise.max(axis=0), high + margin, atol=0.02)


def test_constant_columns_get_a_width():
    noise = uniform_background(np.full((9, 1), 3.0, np.float32), np.arange(9), seed=0)
    assert np.ptp(noise) > 0
    assert 2 <= noise.min() < noise.max() <= 4


def test_the_seed_decides_and_blocks_do_not(monkeypatch):
    whole = uniform_background(X, ROWS, seed=1)
    assert (uniform_background(X, ROWS, seed=2) != whole).any()
    monkeypatch.setattr(_background, "MAX_BACKGROUND", 400)
    np.testing.assert_array_equal(uniform_background(X, ROWS, seed=1), whole)
    monkeypatch.setattr(_background, "MAX_BACKGROUND", 7)
    assert uniform_background(X, ROWS, seed=1).shape == (7, 2)
