"""Metrics of events: what was found, how much of it, and when."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skanomaly.metrics import (
    event_report,
    onset_delay,
    range_f1_score,
    range_precision_score,
    range_recall_score,
    vus_pr_score,
    vus_roc_score,
)

pytestmark = pytest.mark.core
flags = st.lists(st.booleans(), min_size=1, max_size=40).map(np.array)


def test_a_report_says_what_was_found_and_when():
    y = np.zeros(40, dtype=int)
    y[10:15] = y[30:32] = 1
    found = np.where(np.isin(np.arange(40), [8, 9, 10, 13, 20]), -1, 1)
    report = event_report(y, found)
    assert report["start"].tolist() == [10, 30]
    assert report["end"].tolist() == [14, 31]
    assert report["found"].tolist() == [True, False]
    assert report["covered"].tolist() == [0.4, 0]
    assert report["onset_error"][0] == -2
    assert onset_delay(y, found) == 0
    assert np.isnan(onset_delay(y, np.ones(40)))


def test_pieces_count_less_than_one_stretch_as_in_the_paper():
    y = [0, 1, 1, 1, 1, 0]
    assert range_recall_score(y, [1, -1, -1, 1, 1, 1]) == 0.5
    assert range_recall_score(y, [1, -1, 1, -1, 1, 1]) == 0.25
    assert range_precision_score(y, [-1, -1, 1, -1, 1, 1]) == 0.75  # one of half, one of all of it
    assert range_precision_score(y, np.ones(6)) == 0


@settings(max_examples=40, deadline=None)
@given(flags)
def test_the_truth_is_perfect_and_swapping_swaps_precision_and_recall(flag):
    other = np.roll(flag, 1)
    truth, guess = np.where(flag, -1, 1), np.where(other, -1, 1)
    if flag.any():
        assert range_f1_score(truth, truth, anomaly_label=-1) == 1
        assert range_recall_score(truth, guess, anomaly_label=-1) == pytest.approx(
            range_precision_score(guess, truth, anomaly_label=-1)
        )


def test_volumes_forgive_small_shifts():
    pytest.importorskip("dtaianomaly", reason="an extra that brings PyTorch")
    y = np.zeros(300, dtype=int)
    y[100:120] = 1
    near, far = (-(np.roll(y, shift) + 0.0) for shift in (5, 150))
    assert vus_pr_score(y, near, max_buffer=20) > vus_pr_score(y, far, max_buffer=20) + 0.3
    assert vus_roc_score(y, near, max_buffer=20) > vus_roc_score(y, far, max_buffer=20) + 0.3


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "dtaianomaly", None)
    with pytest.raises(ImportError, match=r"skanomaly\[series\]"):
        vus_pr_score([0, 1], [1.0, 0.0])


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="y_pred must hold -1"):
        range_recall_score([0, 1], [0, 1])
    with pytest.raises(ValueError, match="no anomaly"):
        range_recall_score([0, 0], [1, 1])
    for merge in (-1, 1.5, True, "auto"):
        with pytest.raises(ValueError, match="merge must be an integer of at least 0"):
            event_report([0, 1, 1], [1, -1, -1], merge=merge)
