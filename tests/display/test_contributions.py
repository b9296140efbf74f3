"""Contributions of features to a score."""

import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly import AutoencoderDetector
from skanomaly.display import ContributionsDisplay


def test_bars_are_contributions_that_add_up(explanation):
    shown = ContributionsDisplay.from_explanation(explanation, row=1, k=2)
    widths = [bar.get_width() for bar in shown.bars_]
    assert len(widths) == 3
    assert sum(widths) + shown.base == pytest.approx(explanation.score.iloc[1])
    names = [label.get_text() for label in shown.ax_.get_yticklabels()]
    assert names[0].startswith(explanation.top(1)["feature"][1] + " = ")
    assert names[-1] == "2 other features"
    every = ContributionsDisplay.from_explanation(explanation, row=-1, k=9)
    assert len(every.bars_) == 4


def test_contributions_of_one_row_of_a_table(autoencoder, blob):
    frame = pd.DataFrame(blob, columns=list("abcd"))
    detector = AutoencoderDetector("plain", epochs=1, random_state=0).fit(frame)
    shown = ContributionsDisplay.from_estimator(detector, frame, row=5, n_references=2)
    assert_array_equal(shown.seen, blob[5])
    for row in (120, -121, 1.0):
        with pytest.raises(ValueError, match="row must be a whole number from 0 to 119"):
            ContributionsDisplay.from_estimator(autoencoder, blob, row=row)
    with pytest.raises(ValueError, match="k must be a whole number of at least 1"):
        ContributionsDisplay.from_estimator(autoencoder, blob, k=0)
