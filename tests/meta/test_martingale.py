"""The test that may be looked at for ever: how often it is wrong, and how soon it is right."""

import numpy as np
import pytest

from skanomaly.meta._martingale import ConformalMartingale, _payments


def ever_over(changed, repetitions, alpha, n_rows=600):
    """Return the share of repetitions in which the wealth ever reaches 1 / alpha."""
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 20, size=(200, repetitions))
    counts = np.stack([np.bincount(codes, minlength=20) for codes in reference.T])
    codes = changed(rng.integers(0, 20, size=(n_rows, repetitions)), rng)
    wealth = ConformalMartingale(counts, seed=1).update(codes)
    return np.mean(wealth.max(axis=0) >= -np.log(alpha))


def test_false_alarms_stay_below_alpha():
    # 200 repetitions; three standard errors of a share of 0.1 are 0.064
    assert ever_over(lambda codes, rng: codes, 200, alpha=0.1) <= 0.1 + 0.064


@pytest.mark.parametrize(
    "changed",
    [
        lambda codes, rng: np.maximum(codes - 6, 0),
        lambda codes, rng: np.minimum(codes + 6, 19),
        lambda codes, rng: np.where(codes < 10, 0, 19),
        lambda codes, rng: 5 + codes // 2,
        lambda codes, rng: np.where(np.arange(len(codes))[:, None] < 300, codes, codes // 3),
    ],
    ids=["lower", "higher", "wider", "narrower", "lower later"],
)
def test_changes_are_found(changed):
    assert ever_over(changed, 20, alpha=0.01) == 1


def test_batches_do_not_matter():
    codes = np.random.default_rng(0).integers(0, 8, (700, 2))
    counts = np.full((2, 8), 5)
    whole, parts = ConformalMartingale(counts, 0), ConformalMartingale(counts, 0)
    wealth = whole.update(codes)
    cuts = np.split(codes, [7, 8, 8, 600])
    np.testing.assert_allclose(np.concatenate([parts.update(c) for c in cuts]), wealth)
    np.testing.assert_array_equal(whole.counts, parts.counts)
    assert whole.n_rows == parts.n_rows == 700


def test_bets_are_fair():
    u = (np.arange(1_000_000) + 0.5) / 1_000_000
    np.testing.assert_allclose(_payments(u[:, None]).mean(axis=1), 1, atol=2e-3)
