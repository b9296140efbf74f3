"""Piecewise-linear encoding: its definition, its budget, what it is for."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from skanomaly.preprocessing._binning import PiecewiseLinearEncoding

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4)) + 3


@pytest.mark.parametrize(
    ("n_features", "n_bins"), [(1, 16), (16, 16), (20, 12), (128, 2), (500, 2)]
)
def test_number_of_bins_follows_the_budget(n_features, n_bins):
    X = RNG.normal(size=(40, n_features))
    encoding = PiecewiseLinearEncoding(max_bins=16, budget=256).fit(X)
    assert encoding.n_bins_ == n_bins
    assert encoding.transform(X).shape == (40, encoding.n_outputs_) == (40, n_bins * n_features)


def test_encoding_matches_its_definition():
    X = np.arange(9.0)[:, None] ** 2
    encoding = PiecewiseLinearEncoding(max_bins=4).fit(X)
    new = np.array([-2.0, 0.0, 5.0, 16.0, 30.0, 64.0, 78.0, 1e9])
    raw = encoding.transform(new[:, None]) + encoding.centre_
    edges = [0.0, 4.0, 16.0, 36.0, 64.0]
    expected = [np.clip((new - a) / (b - a), 0, 1) for a, b in pairwise(edges)]
    expected[0][0] = -0.5  # half a bin below the lowest value
    expected[3][-2:] = 1.5, 2.0  # half a bin above the highest, and as far as it goes
    np.testing.assert_allclose(raw, np.transpose(expected), atol=1e-12)


def test_encoding_is_centred_and_tied_edges_leave_zeros():
    tied = np.r_[np.zeros(50), np.arange(1.0, 11.0)]
    X = np.column_stack([tied, ROWS[:, 0], np.full(60, 2.0)])
    encoding = PiecewiseLinearEncoding(max_bins=4, budget=12).fit(X)
    coded = encoding.transform(X)
    np.testing.assert_allclose(coded.mean(axis=0), 0, atol=1e-12)
    assert (np.ptp(coded, axis=0) > 0).tolist() == [False] * 3 + [True] * 5 + [False] * 4
    # The only bin with width is the first and the last one at once.
    below, above = encoding.transform(np.array([[-99.0, 0, 0], [99.0, 0, 0]]))[:, 3]
    assert (below, above) == pytest.approx((-1 - encoding.centre_[3], 2 - encoding.centre_[3]))


def test_encoding_adds_up_to_a_monotone_function():
    encoding = PiecewiseLinearEncoding(max_bins=8).fit(ROWS[:, :1])
    coded = encoding.transform(np.linspace(-9, 9, 200)[:, None])
    assert (np.diff(coded, axis=0) >= 0).all()


def test_encoding_lets_a_linear_model_bend():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(600, 2))
    y = (np.abs(X) > 1).any(axis=1)
    auc = []
    for inputs in (X, PiecewiseLinearEncoding().fit(X).transform(X)):
        model = LogisticRegression().fit(inputs[:300], y[:300])
        auc.append(roc_auc_score(y[300:], model.decision_function(inputs[300:])))
    assert auc[0] < 0.7
    assert auc[1] > 0.97
