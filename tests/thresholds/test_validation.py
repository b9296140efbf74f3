"""Scores and weights that rules take."""

import numpy as np
import pytest

from skanomaly.thresholds._validation import check_scores, check_weight


def test_lists_become_float64():
    assert check_scores([3, 1]).dtype == np.float64
    assert check_weight([2, 0], 2).tolist() == [2.0, 0.0]


@pytest.mark.parametrize("scores", [[], [[1.0, 2.0]], [1.0, np.nan], [np.inf, 1.0], 3.0])
def test_unusable_scores_are_refused(scores):
    with pytest.raises(ValueError, match="scores"):
        check_scores(scores)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0], r"sample_weight must have shape \(2,\) like scores"),
        ([1.0, -1.0], "got values from -1.0 to 1.0"),
        ([0.0, 0.0], "not all 0"),
        ([1.0, np.nan], "must be finite"),
    ],
)
def test_unusable_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        check_weight(weight, 2)
