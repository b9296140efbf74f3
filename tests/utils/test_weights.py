"""Weighted statistics: weights as repetitions, one reading of weights, sizes and rounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skanomaly.utils._weights import (
    WeightedSample,
    column_moments,
    column_quantiles,
    frequencies,
    repeat_rows,
    weighted_quantile,
)

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4))
COUNTS = RNG.integers(0, 4, size=60)


@given(
    values=arrays(float, 7, elements=st.floats(-100, 100)),
    weight=arrays(int, 7, elements=st.integers(0, 4)).filter(lambda w: w.sum() > 0),
    q=st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_quantile_with_counts_is_that_of_repeated_values(values, weight, q):
    expected = np.quantile(np.repeat(values, weight), q)
    np.testing.assert_allclose(weighted_quantile(values, q, weight), expected, atol=1e-9)


def test_quantile_without_weights_is_numpy_s():
    assert weighted_quantile(ROWS[:, 0], 0.3) == np.quantile(ROWS[:, 0], 0.3)


def test_fractional_weights_count_by_their_ratio_alone():
    weight = np.random.default_rng(3).uniform(0.1, 1, size=60)
    for scale in (1e-6, 1e6):
        np.testing.assert_allclose(frequencies(weight * scale, 60), frequencies(weight, 60))
    assert frequencies(weight, 60).mean() == pytest.approx(1)
    assert np.array_equal(frequencies(COUNTS, 60), COUNTS)
    assert np.array_equal(frequencies(None, 3), np.ones(3))


weights = st.one_of(
    arrays(int, 6, elements=st.integers(0, 4)),
    arrays(int, 6, elements=st.integers(0, 400)),
    arrays(float, 6, elements=st.floats(0.01, 9)),
).filter(lambda w: w.sum() > 0)


@given(values=arrays(float, 6, elements=st.floats(-9, 9)), weight=weights)
@settings(max_examples=100, deadline=None)
def test_weights_are_read_as_the_training_passes_read_them(values, weight):
    slots = repeat_rows(np.argsort(values), weight)
    assert frequencies(weight, 6).sum() == pytest.approx(len(slots))
    found = weighted_quantile(values, [0, 0.2, 0.5, 1], weight)
    expected = np.quantile(values[slots], [0, 0.2, 0.5, 1])
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_part_of_a_sample_keeps_its_frequencies():
    values, weight = np.arange(4.0), np.array([1, 1, 0, 150])
    part = WeightedSample(values, weight).at_or_above(1.0)
    assert part.values.tolist() == [1, 3]
    assert part.frequency.tolist() == [1, 150]
    assert part.quantile(0.0) == 1


@given(
    X=arrays(float, (6, 2), elements=st.floats(-9, 9)),
    weight=arrays(int, 6, elements=st.integers(0, 3)).filter(lambda w: w.sum() > 0),
)
@settings(max_examples=50, deadline=None)
def test_column_quantiles_with_counts_are_those_of_repeated_rows(X, weight):
    expected = np.quantile(np.repeat(X, weight, axis=0), [0, 0.3, 1], axis=0)
    np.testing.assert_allclose(column_quantiles(X, [0, 0.3, 1], weight), expected, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e300])
def test_moments_of_any_size(scale):
    X = np.column_stack([ROWS[:, 0], np.full(60, 0.1), np.zeros(60)]) * scale
    mean, deviation = column_moments(X, COUNTS)
    repeated = np.repeat(X[:, 0] / scale, COUNTS)
    np.testing.assert_allclose(mean[0] / scale, repeated.mean())
    np.testing.assert_allclose(deviation[0] / scale, repeated.std())
    assert deviation[1:].tolist() == [1.0, 1.0]


def test_constant_columns_are_seen_through_rounding_of_weights():
    weight = np.random.default_rng(8).uniform(size=300_000)
    mean, deviation = column_moments(np.full((300_000, 1), 0.1), weight)
    assert deviation[0] == 1.0
    assert mean[0] == pytest.approx(0.1, rel=1e-15)
