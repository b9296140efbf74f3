"""Masked bins out of fold, and the ensemble of two stages."""

import numpy as np
import pytest

from skanomaly.learners._ensemble import EnsembleScore
from skanomaly.learners._masked_bins import MaskedBins
from skanomaly.networks._layers import row_folds

RNG = np.random.default_rng(0)
FIRST = RNG.normal(size=(200, 1))
#: The second column follows the first; the third is alone.
ROWS = np.hstack([FIRST, FIRST + 0.1 * RNG.normal(size=(200, 1)), RNG.normal(size=(200, 1))])
ODD = ROWS[:20] * [1, -1, 1] + [1.5, -1.5, 0]
FOLDS = np.arange(200) % 4


@pytest.fixture(scope="module", autouse=True)
def short_training():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skanomaly.learners._masked_bins._STEPS", 150)
        patch.setattr("skanomaly.learners._masked_bins._HIDDEN", (16, 16))
        yield


@pytest.fixture(scope="module")
def masked():
    learner = MaskedBins(seed=0)
    return learner, learner.fit_surprises(ROWS, FOLDS)


def test_values_that_contradict_the_others_surprise(masked):
    learner, usual = masked
    found = learner.surprises(ODD)
    assert found[:, 1].mean() > usual[:, 1].mean() + 1
    assert usual[:, 1].mean() < usual[:, 2].mean()  # only the first two know of each other


def test_known_rows_are_told_by_the_member_that_missed_them(masked):
    learner, usual = masked
    np.testing.assert_allclose(learner.surprises(ROWS, folds=FOLDS), usual, rtol=1e-5)
    as_new = learner.surprises(ROWS, folds=np.full(200, -1))
    assert not np.allclose(as_new, usual)
    assert as_new.mean() < usual.mean()


def test_missing_values_do_not_surprise(masked):
    missing = np.zeros((20, 3), bool)
    missing[:, 1] = True
    assert (masked[0].surprises(ODD, missing)[:, 1] == 0).all()


def test_wide_tables_have_one_network_that_leaves_a_fold_out(monkeypatch):
    monkeypatch.setattr("skanomaly.learners._masked_bins._WIDE", 2)
    learner = MaskedBins(seed=0)
    usual = learner.fit_surprises(ROWS, FOLDS)
    assert learner.n_members == 1
    np.testing.assert_allclose(learner.surprises(ROWS), usual, rtol=1e-5)


def residual_of(Z):
    return Z[None] * 0.1


def folds_of(Z):
    return row_folds(Z, 4).astype(int)


@pytest.fixture(scope="module")
def contaminated():
    rows = np.vstack([ROWS, ODD[:10]])
    return rows, EnsembleScore(seed=0).fit(rows, residual_of(rows), None, None, folds_of(rows))


def test_rows_far_from_the_others_are_left_out_and_no_more_than_a_tenth(contaminated):
    rows, ensemble = contaminated
    left = ensemble.left_.reference_
    assert sum((left == row).all(axis=1).any() for row in rows[200:]) >= 4
    assert len(left) < 10
    crowded = np.vstack([ROWS[:100], ODD * 3])
    _, left = EnsembleScore(seed=0)._split(crowded)
    assert len(left) <= 0.1 * len(crowded)


def test_a_share_that_is_told_is_left_out():
    rows = np.vstack([ROWS, ODD[:10]])
    for trim, n_left in ((0.1, 21), (0.0, 0)):
        assert len(EnsembleScore(seed=0, trim=trim)._split(rows)[1]) == n_left


def test_training_rows_have_scores_of_the_scale_of_new_rows(contaminated):
    rows, ensemble = contaminated
    scores = ensemble.score(rows, residual_of(rows), None)
    shares = [0.0, 0.5, 0.9, 1.0]
    by_new_rule = ensemble.levels_[1][[0, 10, 18, -1]]
    np.testing.assert_allclose(np.quantile(scores, shares), by_new_rule, atol=0.05)
    assert (scores[200:] > np.quantile(scores[:200], 0.9)).mean() >= 0.9


def test_nothing_is_left_out_of_clean_rows_and_of_few():
    for rows, trim in ((ROWS, 0.0), (ROWS[:19], 0.1)):
        ensemble = EnsembleScore(0, trim, networks=False).fit(
            rows, residual_of(rows), None, None, folds_of(rows)
        )
        assert ensemble.left_ is None
        assert np.isfinite(ensemble.score(rows, residual_of(rows), None)).all()


def test_scores_do_not_depend_on_the_batch(contaminated):
    rows, ensemble = contaminated
    whole = ensemble.score(rows, residual_of(rows), None)
    part = ensemble.score(rows[195:205], residual_of(rows[195:205]), None)
    np.testing.assert_allclose(part, whole[195:205], rtol=1e-7)
