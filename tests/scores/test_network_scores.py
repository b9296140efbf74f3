"""Residuals and surprises as scores, those of training rows out of fold."""

import numpy as np

from skanomaly.scores._mahalanobis import Mahalanobis
from skanomaly.scores._network_scores import ResidualScore, SurpriseScore, out_of_fold

ROWS = np.random.default_rng(0).normal(size=(60, 4))


def test_each_row_is_told_by_the_member_that_left_it_out():
    values = np.arange(8.0).reshape(2, 4)
    folds = np.array([0, 1, -1, 3])  # new, and of a fold that both members learnt from
    np.testing.assert_array_equal(out_of_fold(values, folds), [0, 5, 4, 7])
    deep = np.stack([values, -values], axis=-1)
    np.testing.assert_array_equal(out_of_fold(deep, folds)[:, 1], [0, -5, -4, -7])


def test_surprises_count_beyond_what_is_usual_for_their_column():
    usual = np.random.default_rng(0).normal([1.0, 5.0], [0.1, 2.0], size=(1000, 2))
    channel = SurpriseScore().fit(usual)
    loud, quiet = channel.parts(np.array([[1.5, 5.0], [1.0, 5.5]]))
    assert loud[0] > 4 > quiet[1]
    both = np.array([[1.5, 9.0]])
    np.testing.assert_allclose(channel.score(both), np.sqrt(channel.parts(both).mean(axis=1)))
    assert channel.score(np.full((1, 2), 0.1)) == 0


def test_a_missing_value_adds_what_a_value_of_its_column_adds_on_average():
    usual = np.random.default_rng(0).normal([1.0, 5.0], [0.1, 2.0], size=(1000, 2)).clip(0.01)
    channel = SurpriseScore().fit(usual)
    average = channel.parts(usual).mean(axis=0)
    assert (average > 0).all()
    np.testing.assert_allclose(channel.parts(np.zeros((1, 2)))[0], average)
    known = np.vstack([usual, np.zeros((500, 2))])  # missing in training rows, too: no change
    np.testing.assert_allclose(SurpriseScore().fit(known).parts(usual), channel.parts(usual))


def test_residuals_of_training_rows_come_from_the_member_that_did_not_learn_from_them():
    residual = ROWS @ np.random.default_rng(1).normal(size=(2, 4, 4))
    folds = np.arange(len(ROWS)) % len(residual)
    learnt = folds != np.arange(len(residual))[:, None]
    better = np.where(learnt[..., None], 0.1 * residual, residual)
    known = np.ones(len(ROWS), bool)
    score = ResidualScore().fit(better, folds)
    plain = Mahalanobis().fit(residual[folds, np.arange(len(ROWS))])
    own = plain.score(residual[folds, np.arange(len(ROWS))], known)
    np.testing.assert_allclose(score.score(better, folds, known), own)
    new = score.score(better, np.full(len(ROWS), -1), ~known)
    np.testing.assert_allclose(new, np.mean([plain.score(r) for r in better], axis=0))


def test_rows_that_all_networks_learnt_from_score_like_the_others():
    rng = np.random.default_rng(2)
    residual = rng.normal(size=(1, 400, 4))
    folds = np.arange(400) % 4
    better = np.where(folds[:, None] > 0, 0.2 * residual, residual)
    known = np.ones(400, bool)
    scores = ResidualScore().fit(better, folds).score(better, folds, known)
    shares = [0.1, 0.5, 0.9]
    left_out = np.quantile(scores[folds == 0], shares)
    np.testing.assert_allclose(np.quantile(scores[folds > 0], shares), left_out, atol=0.1)
    surprises = np.abs(np.where(folds[:, None] > 0, 0.7, 1) * residual[0])
    scores = SurpriseScore().fit(surprises, folds).score(surprises, folds)
    left_out = np.quantile(scores[folds == 0], shares)
    np.testing.assert_allclose(np.quantile(scores[folds > 0], shares), left_out, atol=0.1)
