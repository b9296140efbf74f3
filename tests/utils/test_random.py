"""Randomness without a seed: new each time, and nothing of the caller's is used up."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

import skanomaly
from skanomaly.model_selection import StratifiedAnomalyKFold
from skanomaly.utils._random import random_generator

X = np.random.default_rng(0).normal(size=(60, 3))
FOREST = IsolationForest(n_estimators=3, random_state=0)


def fit(estimator):
    return estimator.fit(X)


@pytest.mark.parametrize(
    "use",
    [
        lambda: fit(skanomaly.AutoencoderDetector("plain", epochs=1)),
        lambda: fit(skanomaly.AutoencoderDetector("plain", epochs=1)).partial_fit(X),
        lambda: fit(skanomaly.NeuralAnomalyClassifier("plain", epochs=1)),
        lambda: fit(skanomaly.ThresholdedDetector(FOREST)),
        lambda: fit(skanomaly.ConformalDetector(FOREST, alpha=0.2, smoothed=True)).predict(X),
        lambda: fit(skanomaly.DriftMonitor(FOREST)),
        lambda: skanomaly.explain(fit(FOREST), X[:3], background=X),
        lambda: list(StratifiedAnomalyKFold(2, shuffle=True).split(X, np.arange(60) % 2)),
    ],
)
def test_without_a_seed_the_global_generator_is_left_alone(use):
    before = np.random.get_state()  # noqa: NPY002
    use()
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]


def test_none_is_new_each_time_and_seeds_are_seeds():
    assert random_generator(None).randint(2**31) != random_generator(None).randint(2**31)
    assert random_generator(3).randint(2**31) == np.random.RandomState(3).randint(2**31)
    given = np.random.RandomState(0)
    assert random_generator(given) is given
