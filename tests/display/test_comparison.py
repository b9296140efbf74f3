"""Ranks and means of detectors over data sets."""

import sys

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


draw = DetectorComparisonDisplay.from_results


@pytest.fixture
def results():
    """Return the summary of three detectors by two metrics."""
    columns = {"mean": [0.9, 0.8, 0.6], "std": [0.02, 0.03, 0.1], "rank": [1.2, 1.8, 3.0]}
    one = pd.DataFrame(
        {"detector": ["best", "second", "last"], **columns, "p_value": [np.nan, 0.5, 0.01]}
    )
    return pd.concat([one.assign(metric=name, n_splits=5) for name in ("roc_auc", "f1")])


def test_means_show_spreads_and_losers(results):
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, ax = plt.subplots()
    assert draw(results, kind="means", ax=ax).ax_ is ax
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["last", "second", "best"]
    dots = [tuple(dot) for drawn in ax.collections[1:] for dot in drawn.get_offsets()]
    assert sorted(dots) == [(0.6, 0), (0.8, 1), (0.9, 2)]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["worse, p < 0.05"]
    plt.close(figure)


def test_the_metric_asked_for_is_drawn(results):
    plt = pytest.importorskip("matplotlib.pyplot")
    assert "roc_auc" in draw(results, kind="means").ax_.get_xlabel()
    assert "f1" in draw(results, "f1", kind="means").ax_.get_xlabel()
    plt.close("all")


def test_other_tables_and_metrics_are_refused(results):
    with pytest.raises(ValueError, match="metric must be one of"):
        draw(results, "recall", kind="means")
    with pytest.raises(ValueError, match="per_split=False"):
        draw(results.drop(columns="mean"), kind="means")


def test_the_extra_is_named_where_matplotlib_is_missing(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skanomaly\[plot\]"):
        draw(results, kind="means")
