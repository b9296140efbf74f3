"""Samples of parts merge to the sample of all rows, which stands for them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.distributed._content import hashes_of
from skanomaly.distributed._sample import Frequent, Sample, labelled_sample, spread, stacked


def sample(values, size, weight=None):
    values = np.asarray(values, dtype=float).reshape(-1, 1)
    weight = np.ones(len(values)) if weight is None else weight
    return Sample(hashes_of(values), weight, values, size)


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.integers(0, 30), min_size=1, max_size=60),
    size=st.integers(1, 20),
    data=st.data(),
)
def test_cuts_and_order_do_not_matter(values, size, data):
    whole = sample(values, size)
    shuffled = data.draw(st.permutations(values))
    place = data.draw(st.integers(0, len(values)))
    halves = [sample(part, size) for part in (shuffled[:place], shuffled[place:])]
    merged = halves[0].merge(halves[1])
    assert_array_equal(merged.hashes, whole.hashes)
    assert_array_equal(merged.counts, whole.counts)
    assert_array_equal(merged.rows, whole.rows)
    assert merged.complete == whole.complete == (len(set(values)) <= size)


def test_a_weight_is_as_many_copies():
    weight = np.arange(40) % 4
    copies = sample(np.repeat(np.arange(40), weight), 10)
    counted = weight > 0
    weighted = sample(np.arange(40)[counted], 10, weight[counted].astype(float))
    assert_array_equal(weighted.rows, copies.rows)
    assert_array_equal(weighted.counts, copies.counts)


def test_nothing_is_scaled_where_nothing_is_left_out():
    rows, weight = sample([3, 3, 5], 10).final(10)
    assert sorted(zip(rows.ravel(), weight, strict=True)) == [(3, 2), (5, 1)]


def test_a_sample_looks_like_the_rows():
    values = np.random.default_rng(0).normal(size=20_000)
    rows, weight = sample(values, 2000).final(2000)
    assert len(rows) == 2000
    assert np.ptp(weight) == 0
    assert_allclose(
        np.quantile(rows, [0.1, 0.5, 0.9]), np.quantile(values, [0.1, 0.5, 0.9]), atol=0.1
    )


def test_frequent_rows_are_never_lost():
    """Half of the rows are one value, which would be lost with a probability of 90%."""
    lost = 0
    for value in range(-20, 0):
        values = np.concatenate([np.arange(5000), np.full(5000, value)])
        parts = [sample(part, 500) for part in np.split(values, 4)]
        merged = parts[0].merge(parts[1]).merge(parts[2]).merge(parts[3])
        candidates = merged.candidates()
        places = np.isin(hashes_of(values[:, None].astype(float)), candidates)
        counted = sample(values[places], max(len(candidates), 1)) if len(candidates) else None
        rows, weight = merged.final(500, counted)
        lost += len(candidates) > 0
        assert_allclose(weight[rows.ravel() == value] / weight.sum(), 0.5)
        assert len(rows) <= 500
    assert lost > 10  # without counting them these would not be there


@given(values=st.lists(st.integers(0, 12), min_size=1, max_size=80), cut=st.integers(0, 80))
@settings(max_examples=50, deadline=None)
def test_counters_lack_no_more_than_they_say(values, cut):
    parts = [np.unique(part, return_counts=True) for part in (values[:cut], values[cut:])]
    parts = [Frequent(v.astype(np.uint64), c.astype(float), 3) for v, c in parts]
    merged = parts[0].merge(parts[1])
    known = dict(zip(merged.hashes.tolist(), merged.counts, strict=True))
    assert len(known) <= 3
    assert merged.lacking <= len(values) / 4
    for value in values:
        assert values.count(value) - merged.lacking <= known.get(value, 0) <= values.count(value)


def test_rare_labels_are_kept():
    values = np.arange(10_000.0)[:, None]
    labels = np.full(10_000, None, dtype=object)
    labels[:30], labels[30:3000] = 1, 0
    parts = hashes_of(values), np.ones(10_000), values
    rows, found, weight = labelled_sample(*parts, labels, 1000).final(1000, None)
    assert len(rows) == len(found) == len(weight) == 1000
    assert set(rows[found == 1].ravel()) == set(range(30))
    assert 280 < np.sum(found == 0) < 310
    assert np.sum([label is None for label in found]) > 650


def test_labels_without_gaps_keep_their_type():
    labels = np.array([1, -1, 1], dtype=object)
    parts = np.arange(3).astype(np.uint64), np.ones(3), np.zeros((3, 1))
    assert labelled_sample(*parts, labels, 9).final(9, None)[1].dtype.kind == "i"


def test_categories_of_parts_are_joined_by_value():
    parts = [pd.DataFrame({"k": pd.Categorical(list(text))}) for text in ("ba", "ca")]
    joined = stacked(parts)["k"]
    assert joined.tolist() == list("baca")
    assert joined.cat.categories.tolist() == list("abc")


@pytest.mark.parametrize("weight", [[1.0, 1.0, 1.0], [5.0, 0.5, 0.5], [1e-3, 1e3]])
def test_places_are_in_proportion(weight):
    places = spread(np.array(weight))
    shares = np.bincount(places, minlength=len(weight)) / len(weight)
    assert_allclose(shares, np.array(weight) / np.sum(weight), atol=1 / len(weight))
