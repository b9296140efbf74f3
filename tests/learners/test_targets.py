"""Targets and class weights of the losses."""

import numpy as np
import pytest

from skanomaly.learners._targets import class_weights, is_anomaly


def test_anomalies_are_one_and_all_others_zero():
    np.testing.assert_array_equal(is_anomaly(np.array([-1, 0, 1])), [1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("given", "weights"),
    [
        (None, (1, 1)),
        ("balanced", (1, 9)),
        ("auto", (1, 3)),
        ({-1: 4}, (1, 4)),
        ({-1: 4, 1: 2.5}, (2.5, 4)),
    ],
)
def test_class_weights_of_normal_rows_and_anomalies(given, weights):
    labels = [0.0] * 9 + [1.0]
    assert class_weights(given, labels, imbalance=0.5) == weights
