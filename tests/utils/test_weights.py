"""Order by content, frequencies, quantiles and moments: weights are repetitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skanomaly.utils import _weights
from skanomaly.utils._weights import (
    WeightedSample,
    canonical_order,
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


bounded = settings(max_examples=30, deadline=None)
tables = st.integers(1, 12).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.sampled_from([-1.0, -0.0, 0.0, 1.5, 1e30]))
)
seeds = st.integers(0, 2**32 - 1)


@bounded
@given(tables, seeds)
def test_order_does_not_depend_on_how_rows_came(X, seed):
    shuffled = X[np.random.default_rng(seed).permutation(len(X))]
    np.testing.assert_array_equal(X[canonical_order(X)], shuffled[canonical_order(shuffled)])


@bounded
@given(tables)
def test_order_is_a_permutation(X):
    assert sorted(canonical_order(X)) == list(range(len(X)))


def test_order_knows_labels_and_not_signs_of_zero():
    X = np.array([[0.0], [-0.0], [0.0], [-0.0]])
    assert canonical_order(X).tolist() == [0, 1, 2, 3]
    y = np.array([1, 0, 1, 0])
    assert (np.diff(y[canonical_order(X, y)]) != 0).sum() == 1


def test_order_by_blocks_is_the_order(monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 3))
    whole = canonical_order(X)
    monkeypatch.setattr(_weights, "_HASH_BLOCK", 7)
    np.testing.assert_array_equal(canonical_order(X), whole)


def test_order_takes_four_bytes_a_row():
    assert canonical_order(np.zeros((3, 1))).dtype == np.uint32


@bounded
@given(st.lists(st.integers(0, 5), min_size=2, max_size=9).filter(lambda w: sum(w) > 0))
def test_whole_weights_are_copies(weights):
    weights = np.array(weights)
    order = np.random.default_rng(0).permutation(len(weights))
    expected = np.repeat(order, weights[order])
    np.testing.assert_array_equal(repeat_rows(order, weights), expected)


@bounded
@given(st.lists(st.floats(0, 3), min_size=2, max_size=9).filter(lambda w: sum(w) > 0.1))
def test_fractions_are_proportions(weights):
    weights = np.array(weights) + [0.25] * len(weights)
    rows = repeat_rows(np.arange(len(weights)), weights)
    assert len(rows) == len(weights)
    share = np.bincount(rows, minlength=len(weights)) / len(rows)
    assert np.abs(share - weights / weights.sum()).max() <= 1 / len(rows) + 1e-9


def test_weights_none_zero_and_large():
    order = np.array([2, 0, 1])
    assert repeat_rows(order) is order
    assert repeat_rows(order, [1, 0, 1]).tolist() == [2, 0]
    huge = repeat_rows(order, np.array([1, 1, 2]) * 10**9)
    assert len(huge) == 3


def test_rows_that_single_precision_cannot_tell_apart_have_an_order_too():
    rows = np.c_[1.7e12 + RNG.integers(0, 60_000, 300), RNG.random(300) < 0.5]
    labels = np.arange(300) % 2
    shuffled = RNG.permutation(300)
    for y in (None, labels):
        order = canonical_order(rows, y)
        other = canonical_order(rows[shuffled], None if y is None else y[shuffled])
        np.testing.assert_array_equal(rows[shuffled][other], rows[order])
        assert sorted(order) == list(range(300))
    np.testing.assert_array_equal(canonical_order(np.ones((5, 2))), range(5))


@pytest.mark.parametrize("heavy", [0, 1])
def test_no_label_drops_out_for_its_weight(heavy):
    labels = np.repeat([0, 1], [40, 3])
    weight = np.where(labels == heavy, 1e6, 1.0) * np.linspace(0.5, 1, 43)
    drawn = repeat_rows(np.arange(43), weight, labels)
    light = np.flatnonzero(labels != heavy)
    assert drawn[labels[drawn] != heavy].tolist() == [light[-1]]  # the heaviest of them
    assert (np.diff(drawn) >= 0).all()
