"""Distributions of scores."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skanomaly.display import ScoreDistributionDisplay


def test_distribution_counts_rows_or_shares_of_groups(forest, labelled):
    X, y = labelled
    heights = [
        p.get_height() for p in ScoreDistributionDisplay.from_estimator(forest, X).ax_.patches
    ]
    assert sum(heights) == len(X)
    some = np.where(np.arange(len(y)) % 5 == 0, np.nan, y)
    shown = ScoreDistributionDisplay.from_estimator(forest, X, some)
    legend = [text.get_text() for text in shown.ax_.get_legend().get_texts()]
    assert legend == ["normal (96 rows)", "no label (28 rows)", "anomaly (16 rows)"]
    bars = [p.get_height() for p in shown.ax_.patches if hasattr(p, "get_height")]
    assert sum(bars) == pytest.approx(3)
    assert shown.threshold == forest.offset_


def test_extreme_scores_stay_on_their_side_of_the_threshold():
    values = np.r_[np.linspace(0, 1, 500), -1e9]
    shown = ScoreDistributionDisplay.from_predictions(values, threshold=-0.5)
    low, high = shown.ax_.get_xlim()
    assert -5 < low < -0.5
    first = min(shown.ax_.patches, key=lambda bar: bar.get_x())
    assert (first.get_height(), first.get_x() < -0.5) == (1, True)
    assert high < 5


def test_distribution_refuses():
    with pytest.raises(ValueError, match="all 9 scores are equal"):
        ScoreDistributionDisplay.from_predictions(np.ones(9))
    with pytest.raises(ValueError, match="scores must be finite"):
        ScoreDistributionDisplay.from_predictions([1.0, np.nan])
    with pytest.raises(ValueError, match="one label per row"):
        ScoreDistributionDisplay.from_predictions([1.0, 2.0], [0, 1, 1])


@pytest.mark.parametrize(
    ("options", "told"),
    [({"bins": 0}, "bins must"), ({"clip": 0.6}, "clip must"), ({"threshold": np.nan}, "finite")],
)
def test_bars_that_cannot_be_drawn_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        ScoreDistributionDisplay.from_predictions(np.arange(20.0), **options)


def test_lines_have_the_colour_of_the_style():
    with plt.style.context("dark_background"):
        display = ScoreDistributionDisplay.from_predictions(np.arange(20.0), threshold=3.0)
        assert {line.get_color() for line in display.ax_.lines} == {"white"}
