"""Weights of groups of classifiers: what was right out of fold is trusted, evenly in doubt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skanomaly.learners._stacking import stacking_weights

#: Everything for the first of three groups.
FIRST = (1.0, 0.0, 0.0)


def _task(seed, n=400, n_anomalies=80):
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) < n_anomalies).astype(float)
    return labels, rng.normal(size=(n, 3))


def test_a_group_that_knows_outweighs_one_that_guesses():
    labels, noise = _task(0)
    logits = noise + np.stack([6 * labels - 3, np.zeros(400), 2 * labels - 1], axis=1)
    first, second, third = stacking_weights(logits, labels, FIRST)
    assert first > third > second


def test_a_better_group_takes_over_from_the_first():
    labels, noise = _task(4)
    logits = noise + np.stack([np.zeros(400), 4 * labels - 2, np.zeros(400)], axis=1)
    assert stacking_weights(logits, labels, FIRST)[1] > 0.6


def test_groups_of_equal_merit_share_in_time():
    labels, noise = _task(1, n=20_000, n_anomalies=4_000)
    weights = stacking_weights(noise + (4 * labels - 2)[:, None], labels, FIRST)
    assert weights == pytest.approx(np.full(3, 1 / 3), abs=0.06)


def test_few_rows_leave_the_weight_where_it_was():
    labels, noise = _task(2, n=8, n_anomalies=2)
    logits = noise + np.stack([np.zeros(8), 4 * labels - 2, np.zeros(8)], axis=1)
    assert stacking_weights(logits, labels, FIRST)[0] > 0.6


def test_groups_that_are_always_wrong_leave_the_prior():
    labels, _ = _task(3)
    wrong = np.repeat((9 - 18 * labels)[:, None], 2, axis=1)
    assert stacking_weights(wrong, labels, [0.7, 0.3]).tolist() == [0.7, 0.3]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.floats(0.0, 15.0))
def test_weights_are_shares_and_the_rows_order_does_not_matter(seed, n_groups, strength):
    rng = np.random.default_rng(seed)
    labels = (rng.random(60) < 0.2).astype(float)
    logits = rng.normal(size=(60, n_groups)) + strength * (2 * labels - 1)[:, None]
    prior = rng.dirichlet(np.ones(n_groups))
    weights = stacking_weights(logits, labels, prior)
    assert np.all(weights >= 0)
    assert weights.sum() == pytest.approx(1.0)
    order = rng.permutation(60)
    assert stacking_weights(logits[order], labels[order], prior) == pytest.approx(
        weights, abs=1e-3
    )
