"""Ranks of detectors over data sets."""

import numpy as np
import pandas as pd
import pytest

from skanomaly.display import DetectorComparisonDisplay


def test_ranks_groups_and_tests_of_a_comparison(scores):
    shown = DetectorComparisonDisplay.from_scores(scores)
    ranks = scores.rank(axis=1, ascending=False).mean()
    assert shown.ranks.to_dict() == ranks.to_dict()
    # Demsar (2006), table 5: 2.569 for four detectors
    assert shown.critical_difference_ == pytest.approx(2.569 * np.sqrt(20 / 72), abs=1e-3)
    assert shown.groups_ == [[*shown.ranks.index[:3]]]
    from scipy.stats import friedmanchisquare

    assert shown.p_value_ == pytest.approx(friedmanchisquare(*scores.T.to_numpy()).pvalue)


def test_results_by_split_and_in_summary_give_the_same_ranks(scores):
    tidy = scores.rename_axis("split").reset_index().melt("split", var_name="detector",
                                                          value_name="score")  # fmt: skip
    tidy["metric"] = "f1"
    by_split = DetectorComparisonDisplay.from_results(tidy)
    summary = pd.DataFrame({"metric": "f1", "detector": [*scores], "mean": 1.0, "std": 1.0,
                            "p_value": 1.0, "n_splits": 12})  # fmt: skip
    summary["rank"] = by_split.ranks[summary["detector"]].to_numpy()
    from_summary = DetectorComparisonDisplay.from_results(summary, "f1")
    assert from_summary.ranks.to_dict() == by_split.ranks.to_dict()
    assert from_summary.critical_difference_ == by_split.critical_difference_
    with pytest.raises(ValueError, match="metric must be one of"):
        DetectorComparisonDisplay.from_results(summary, "mcc")
    with pytest.raises(ValueError, match="summary that compare_detectors returns"):
        DetectorComparisonDisplay.from_results(scores)
    with pytest.raises(ValueError, match="summary that compare_detectors returns"):
        DetectorComparisonDisplay.from_results(tidy, kind="means")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: {"scores": s[["A"]]}, "at least two detectors"),
        (lambda s: {"scores": s[:1]}, "at least two detectors on two data sets"),
        (lambda s: {"scores": s, "alpha": 1.0}, r"alpha must be in \(0, 1\)"),
    ],
)
def test_comparison_refuses(scores, change, match):
    with pytest.raises(ValueError, match=match):
        DetectorComparisonDisplay.from_scores(**change(scores))
