"""Labelled ensembles: out-of-fold scores, groups, and thresholds for all labels or few."""

import numpy as np
import pytest
from small_rows import CODES, FAR, schedule, training_rows

from skanomaly.learners._labelled import FewLabels, FullLabels, _own_fold
from skanomaly.networks._ensembles import N_FOLDS

FEW = np.where(np.arange(100) >= 95, -1, 0)
SETTINGS = {
    "hidden_layer_sizes": (8,),
    "activation": "relu",
    "dropout": 0.0,
    "class_weight": "auto",
}


@pytest.fixture(scope="module")
def fits():
    """Return {class: (fitted learner, what it says out of fold)}."""

    def fit(kind, labels):
        learner = kind(SETTINGS, schedule(steps=60, loss=kind.new_loss()), seed=0)
        return learner, learner.fit(training_rows(labels))

    return {FullLabels: fit(FullLabels, CODES), FewLabels: fit(FewLabels, FEW)}


@pytest.mark.parametrize("kind", [FullLabels, FewLabels])
def test_anomalies_have_higher_log_odds(kind, fits):
    learner, (scores, labels) = fits[kind]
    assert len(scores) == len(labels) == 100
    assert set(labels) == {0.0, 1.0}
    assert np.ptp(scores) > 0
    far, near = learner.score(FAR)
    assert far > near


def test_groups_are_weighed_by_shares(fits):
    weights = fits[FullLabels][0].group_weights
    assert weights.shape == (5,)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)


def test_thresholds_lie_among_the_scores(fits):
    learner, (scores, labels) = fits[FullLabels]
    offset = learner.offset(-scores, labels, lambda s: 1 / (1 + np.exp(s)))
    assert -scores.max() <= offset <= -scores.min()
    few, (scores, labels) = fits[FewLabels]
    assert few.offset(np.zeros(9), np.r_[1, np.zeros(8)]) == 0.0
    assert np.isfinite(few.offset(-scores, labels))


def test_a_row_s_own_fold_is_the_one_that_did_not_see_it():
    logits = np.arange(2 * 2 * N_FOLDS, dtype=float).reshape(2, -1)
    own = _own_fold(logits, np.array([3.0, -1.0]), n_groups=2)
    assert own[0, :, 0].tolist() == [3.0, N_FOLDS + 3.0]
    whole = logits[1].reshape(2, N_FOLDS).mean(axis=1)
    np.testing.assert_array_equal(own[1], np.repeat(whole[:, None], own.shape[2], axis=1))
