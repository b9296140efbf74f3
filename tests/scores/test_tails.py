"""Tails: the definition, with ties."""

import numpy as np

from skanomaly.scores._tails import MarginalTail


def test_tail_matches_its_definition_with_ties():
    rng = np.random.default_rng(5)
    X, new = rng.integers(0, 5, size=(30, 2)) * 1.0, rng.integers(-1, 7, size=(9, 2)) * 1.0
    low = ((X[None] <= new[:, None]).sum(axis=1) + 1) / 31
    high = ((X[None] >= new[:, None]).sum(axis=1) + 1) / 31
    expected = -np.log(np.minimum(1, 2 * np.minimum(low, high)))
    channel = MarginalTail().fit(X)
    np.testing.assert_allclose(channel.depths(new), expected, rtol=1e-12)
    np.testing.assert_allclose(channel.score(new), expected.mean(axis=1), rtol=1e-12)
