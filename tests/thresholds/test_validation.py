"""Scores that rules take, and answers that rules of the user's own may give."""

import numpy as np
import pytest

from skanomaly.thresholds._validation import check_scores, check_spread, check_threshold


def test_lists_become_float64():
    assert check_scores([3, 1]).dtype == np.float64
    assert check_spread([3, 1]).tolist() == [3.0, 1.0]


@pytest.mark.parametrize("scores", [[], [[1.0, 2.0]], [1.0, np.nan], [np.inf, 1.0], 3.0])
@pytest.mark.parametrize("check", [check_scores, check_spread])
def test_unusable_scores_are_refused(check, scores):
    with pytest.raises(ValueError, match="scores must"):
        check(scores)


def test_equal_scores_have_no_threshold():
    assert check_scores([2.0, 2.0]).tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match=r"all scores are equal \(2.0, n_samples=2\)"):
        check_spread([2.0, 2.0])


@pytest.mark.parametrize("answer", [1, 1.0, np.float32(1), np.array([1.0]), np.array(1)])
def test_one_finite_number_is_a_threshold(answer):
    threshold = check_threshold(answer, "mine")
    assert type(threshold) is float
    assert threshold == 1.0


@pytest.mark.parametrize("answer", [None, "1", np.nan, -np.inf, 1j, [1.0], np.ones(2)])
def test_any_other_answer_names_the_rule(answer):
    with pytest.raises(ValueError, match="the rule 'max' must answer one finite number"):
        check_threshold(answer, max)
