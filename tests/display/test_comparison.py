"""DetectorComparisonDisplay of what `compare_detectors` returns; the rest is in test_display."""

import sys

import numpy as np
import pandas as pd
import pytest

from skanomaly.display import DetectorComparisonDisplay

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
