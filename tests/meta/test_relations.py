"""What channels say of each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from skanomaly import WindowedDetector
from skanomaly.meta._relations import ChannelRelations

pytestmark = pytest.mark.core
FOREST = IsolationForest(n_estimators=20, random_state=0)


def coupled(n, seed=0):
    """Return two channels of one source, one of another, and a constant."""
    rng = np.random.default_rng(seed)
    source, other = rng.normal(size=(2, n))
    first = 5 + source + 0.1 * rng.normal(size=n)
    return np.stack([first, -100 * source + 10 * rng.normal(size=n), other, np.full(n, 7.0)], 1)


def test_channels_that_the_others_tell_get_residuals_of_unit_variance():
    X = coupled(500)
    relations = ChannelRelations().fit(X, np.ones(4, dtype=bool))
    assert_array_equal(relations.channels_, [0, 1])
    assert_allclose(relations.residuals(coupled(500, seed=1)).std(axis=0), 1, atol=0.1)
    broken = X.copy()
    broken[:, 1] = np.roll(X[:, 1], 50)
    assert relations.residuals(broken).std(axis=0).min() > 5


def test_channels_that_wander_and_tables_too_small_have_no_relations():
    X = coupled(500)
    alone = ChannelRelations().fit(X, np.array([False, True, True, True]))
    assert alone.residuals(X).shape == (500, 0)
    assert not len(ChannelRelations().fit(X[:8], np.ones(4, dtype=bool)).channels_)


def test_missing_and_huge_values_leave_finite_residuals():
    X = coupled(500)
    relations = ChannelRelations().fit(np.where(X > 6, np.nan, X), np.ones(4, dtype=bool))
    X[3], X[4] = np.nan, 1e308
    assert np.isfinite(relations.residuals(X)).all()


def test_parts_of_residuals_are_their_channels():
    relations = ChannelRelations().fit(coupled(500), np.ones(4, dtype=bool))
    assert relations.by_channel(np.array([1, 2, 3, 4, 10, 20])).tolist() == [11, 22, 3, 4]


def test_a_channel_that_leaves_the_others_is_found_named_and_explained():
    X = coupled(1200)[:, :3]
    X[900:960, 1] = np.roll(X[:, 1], 500)[900:960]
    y = (np.abs(np.arange(1200) - 929.5) < 30).astype(int)
    detector = WindowedDetector(FOREST).fit(X[:600])
    assert roc_auc_score(y, -detector.score_samples(X)) > 0.95
    events = detector.events(X)
    longest = events.loc[events["n_timestamps"].idxmax()]
    assert abs(longest["start"] - 900) <= 5
    assert abs(longest["end"] - 959) <= 5
    assert set(longest["channels"][:2]) == {"x0", "x1"}
    contributions, expected, scores, base = detector._explain_rows(X)
    assert contributions.shape == expected.shape == (1200, 3)
    assert_allclose(contributions.sum(axis=1), scores - base)
