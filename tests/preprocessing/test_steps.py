"""What every step that is fitted on rows promises: weights, order, batches, odd data."""

import pickle

import numpy as np
import pytest

from skanomaly.preprocessing._binning import PiecewiseLinearEncoding
from skanomaly.preprocessing._scaling import RobustScaling, StandardClip
from skanomaly.scores._unsupervised import UnsupervisedScores

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4)) + 3
COUNTS = RNG.integers(0, 4, size=60)
QUERIES = np.vstack([ROWS[:20], 5 * RNG.normal(size=(20, 4))])
#: Steps that take weights; scores are fitted on rows in order, already repeated.
WEIGHTED = [StandardClip, RobustScaling, PiecewiseLinearEncoding]
STEPS = [*WEIGHTED, UnsupervisedScores]
DEGENERATE = {
    "constant column": np.column_stack([ROWS, np.full(60, 0.1)]),
    "fewer rows than columns": RNG.normal(size=(5, 30)),
    "duplicates only": np.full((20, 3), 0.1),
    "one column": ROWS[:, :1],
    "one row": ROWS[:1],
    "two rows": ROWS[:2],
    "two values": np.repeat([[0.0], [1.0]], [19, 1], axis=0),
    "rank one": ROWS[:, :1] * np.ones(12),
}


@pytest.mark.parametrize("step", WEIGHTED)
def test_counts_equal_repetitions_and_matter(step):
    weighted = step().fit(ROWS, sample_weight=COUNTS).transform(QUERIES)
    repeated = step().fit(np.repeat(ROWS, COUNTS, axis=0)).transform(QUERIES)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-9)
    assert not np.allclose(step().fit(ROWS).transform(QUERIES), repeated, rtol=1e-4)


@pytest.mark.parametrize("step", WEIGHTED)
def test_scale_of_fractional_weights_does_not_matter(step):
    weight = np.random.default_rng(1).uniform(0.1, 1, size=60)
    first, second = (
        step().fit(ROWS, sample_weight=scale * weight).transform(QUERIES) for scale in (1, 1e-3)
    )
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("step", WEIGHTED)
def test_order_of_training_rows_does_not_matter(step):
    shuffled = ROWS[np.random.default_rng(1).permutation(60)]
    first, second = (step().fit(X).transform(QUERIES) for X in (ROWS, shuffled))
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("step", STEPS)
def test_a_row_does_not_depend_on_its_batch(step):
    fitted = step().fit(ROWS)
    whole = fitted.transform(QUERIES)
    for rows in (slice(0, 1), slice(3, 18), slice(18, 40)):
        np.testing.assert_allclose(fitted.transform(QUERIES[rows]), whole[rows], rtol=1e-10)


@pytest.mark.parametrize("step", WEIGHTED)
def test_blocks_and_type_change_nothing_but_memory(step, monkeypatch):
    fitted = step().fit(ROWS, COUNTS)
    expected = fitted.transform(QUERIES)
    single = fitted.transform(QUERIES, dtype=np.float32)
    assert single.dtype == np.float32
    assert np.array_equal(single, expected.astype(np.float32))
    monkeypatch.setattr("skanomaly.preprocessing._scaling.BLOCK_ROWS", 7)
    monkeypatch.setattr("skanomaly.utils._weights._BLOCK_ROWS", 7)
    again = step().fit(ROWS, COUNTS).transform(QUERIES)
    np.testing.assert_allclose(again, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("step", STEPS)
def test_odd_data_stay_finite(step, name):
    X = DEGENERATE[name]
    fitted = step().fit(X)
    for rows in (X, X[:1] + 1e3, X[:1] - 1e3):
        result = fitted.transform(rows)
        assert result.dtype == np.float64
        assert np.isfinite(result).all()


@pytest.mark.parametrize("step", STEPS)
def test_pickled_copy_gives_the_same(step):
    fitted = step().fit(ROWS)
    copy = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(copy.transform(QUERIES), fitted.transform(QUERIES))
