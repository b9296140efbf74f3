"""Criteria without labels: closed forms, units, invariances, errors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from skanomaly import metrics
from skanomaly.metrics import excess_mass_score, mass_volume_loss, reconstruction_score


def test_criteria_have_their_closed_form():
    # Scores that rank a box of length 1 from its centre: a set of mass m has volume m.
    box = -np.abs(np.linspace(0, 1, 20_001) - 0.5)
    assert excess_mass_score(box, box) == pytest.approx(0.1 - 0.1**2 / 2, rel=1e-3)
    assert mass_volume_loss(box, box) == pytest.approx((0.999**2 - 0.9**2) / 2, rel=1e-3)
    # Data in the inner half of the box: a set of mass m has volume m / 2.
    inner = -np.abs(np.linspace(0.25, 0.75, 20_001) - 0.5)
    assert excess_mass_score(inner, box) == pytest.approx(0.2 - 0.2**2 / 4, rel=1e-3)
    assert mass_volume_loss(inner, box) == pytest.approx((0.999**2 - 0.9**2) / 4, rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=30),
    st.lists(st.integers(-20, 20), min_size=1, max_size=30),
)
def test_criteria_depend_on_the_order_of_scores_only(scores, uniform):
    scores, uniform = np.array(scores, float), np.array(uniform, float)
    for criterion in (excess_mass_score, mass_volume_loss):
        value = criterion(scores, uniform)
        assert value > 0
        assert criterion(np.exp(scores / 4), np.exp(uniform / 4)) == pytest.approx(value)
        assert criterion(scores[::-1], uniform[::-1]) == value
    # Scoring empty space lower can only help.
    assert excess_mass_score(scores, uniform - 5) >= excess_mass_score(scores, uniform) - 1e-9
    assert mass_volume_loss(scores, uniform - 5) <= mass_volume_loss(scores, uniform) + 1e-9


@pytest.mark.parametrize("criterion", [excess_mass_score, mass_volume_loss])
@pytest.mark.parametrize(
    ("scores", "uniform", "match"),
    [
        ([], [1.0], "must not be empty"),
        ([1.0], [np.inf], "uniform_scores must be finite"),
        ([[1.0]], [1.0], "scores must be numbers of shape"),
    ],
)
def test_criteria_refuse(criterion, scores, uniform, match):
    with pytest.raises(ValueError, match=match):
        criterion(scores, uniform)


def test_criteria_refuse_their_ranges():
    with pytest.raises(ValueError, match="min_mass must be"):
        excess_mass_score([1.0], [1.0], min_mass=1)
    with pytest.raises(ValueError, match="two rising numbers"):
        mass_volume_loss([1.0], [1.0], mass_range=(0.9, 0.5))


def test_reconstruction_is_the_mean_r2():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) * [1, 10, 100, 0]
    back = X + rng.normal(size=X.shape) * [0.1, 5, 20, 1]
    expected = sk.r2_score(X[:, :3], back[:, :3], multioutput="uniform_average")
    assert metrics.reconstruction_score(X, back) == pytest.approx(expected)
    mean = np.tile(X.mean(axis=0), (50, 1))
    assert metrics.reconstruction_score(X, mean) == pytest.approx(0, abs=1e-12)


def test_reconstruction_leaves_missing_entries_out():
    X = np.array([[1.0, 1.0], [2.0, 5.0], [np.nan, 3.0], [4.0, np.nan]])
    back = np.array([[1.5, 1.0], [2.0, 4.0], [9.0, 3.0], [4.0, 9.0]])
    columns = [metrics.reconstruction_score(X[:3, 1:], back[:3, 1:])]
    columns.append(metrics.reconstruction_score(X[[0, 1, 3], :1], back[[0, 1, 3], :1]))
    assert metrics.reconstruction_score(X, back) == pytest.approx(np.mean(columns))


def test_reconstruction_refuses():
    with pytest.raises(ValueError, match="same shape"):
        metrics.reconstruction_score([[1.0]], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="only constant features"):
        metrics.reconstruction_score([[1.0], [1.0]], [[1.0], [1.0]])


def test_text_beside_a_reconstruction_is_refused_in_its_own_words():
    frame = pd.DataFrame({"a": [1.0, 2.0], "y": ["u", "v"]})
    for X in (frame, frame.to_numpy()):
        with pytest.raises(ValueError, match=r"text in the column .*reconstruction_scorer"):
            reconstruction_score(X, np.ones((2, 2)))
