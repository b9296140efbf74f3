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


def test_rows_of_the_fit_are_compared_with_the_others_alone():
    X = np.random.default_rng(5).integers(0, 5, size=(30, 2)) * 1.0
    without = [MarginalTail().fit(np.delete(X, i, axis=0)).depths(X[[i]])[0] for i in range(30)]
    known = np.ones(30, bool)
    np.testing.assert_allclose(MarginalTail().fit(X).depths(X, known=known), without, rtol=1e-12)
