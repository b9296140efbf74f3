"""Score channels: definitions, weights as repetitions, invariances, odd data, quality."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from skanomaly.scores._channels import (
    GLOBAL,
    LOCAL,
    NEW_ROWS,
    RowChannels,
    ScoreChannels,
    ScoreScaler,
    global_score,
    new_row_score,
    training_row_score,
)
from skanomaly.scores._mahalanobis import Mahalanobis

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4))
QUERIES = np.vstack([ROWS[:25], 3 * RNG.normal(size=(25, 4))])
DEGENERATE = {
    "constant column": np.column_stack([ROWS, np.full(60, 2.5)]),
    "fewer rows than columns": RNG.normal(size=(5, 30)),
    "duplicates only": np.full((20, 3), 0.1),
    "one column": ROWS[:, :1],
    "one row": ROWS[:1],
    "two rows": ROWS[:2],
    "two values": np.repeat([[0.0], [1.0]], [19, 1], axis=0),
}


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    rare = np.r_[np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:40]]
    return X[rare], y[rare] == 0


def network(X, members=2):
    """Return residuals and surprises as networks would, the same for the same rows."""
    mixes = np.random.default_rng(1).normal(size=(members, X.shape[1], X.shape[1]))
    mixed = np.einsum("ij,mjk->mik", X, mixes)  # unlike a matrix product, row by row
    return np.tanh(mixed) - X, np.abs(mixed[0])


def scores_of(model, X, *outputs, rule=new_row_score):
    return rule(model.search(X, *outputs)[0])


# Calibration and combination


def test_calibration_takes_no_notice_of_anomalies():
    scores = np.random.default_rng(7).normal(size=1000)
    clean = ScoreScaler().fit(scores)
    dirty = ScoreScaler().fit(np.r_[scores, np.full(80, 50.0)])
    assert clean.scale_ == pytest.approx(1.28, abs=0.1)
    assert dirty.apply(5.0) == pytest.approx(clean.apply(5.0), rel=0.1)


def test_calibration_falls_back_on_the_upper_side_and_on_a_constant():
    assert ScoreScaler().fit(np.r_[np.zeros(60), np.full(40, 6.0)]).scale_ == pytest.approx(2)
    assert ScoreScaler().fit(np.ones(9)).scale_ == pytest.approx(1e-3)


def test_rules_combine_means_of_the_channels_that_are_there():
    channels = {name: np.zeros(3) for name in {*NEW_ROWS, *GLOBAL, *LOCAL}}
    channels |= {"kx1": np.array([4.0, 0.0, -4.0]), "mx": np.array([0.0, 6.0, 6.0])}
    np.testing.assert_allclose(new_row_score(channels), [2 * 4 / 6, 0, -2 * 4 / 6])
    np.testing.assert_allclose(global_score(channels), [0, 2, 2])
    np.testing.assert_allclose(training_row_score(channels), [0.2 * 2**2, 2, 2])
    del channels["surprise"]
    np.testing.assert_allclose(training_row_score(channels), [0.2 * 4**2, 2, 2])


# The whole


def test_tails_are_left_out_where_columns_mean_nothing_alone():
    model = ScoreChannels(columns=False).fit(ROWS)
    assert "tail2" not in model.search(QUERIES)[0]


def test_ranks_are_left_out_where_they_are_not_asked_for():
    channels, _ = RowChannels(ranks=False).fit(ROWS).search(QUERIES)
    whole, _ = RowChannels().fit(ROWS).search(QUERIES)
    assert set(whole) - set(channels) == {"kq5"}
    for name, scores in channels.items():
        np.testing.assert_array_equal(scores, whole[name])


def test_scores_do_not_depend_on_the_batch():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    residual, surprises = network(QUERIES)
    for rule in (new_row_score, training_row_score):
        whole = scores_of(model, QUERIES, residual, surprises, rule=rule)
        for rows in (slice(0, 1), slice(3, 19), slice(19, 37)):
            part = scores_of(model, QUERIES[rows], residual[:, rows], surprises[rows], rule=rule)
            np.testing.assert_allclose(part, whole[rows], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("with_network", [False, True])
def test_odd_data_give_finite_scores_and_odd_rows_stand_out(name, with_network):
    X = DEGENERATE[name]
    outputs = network if with_network else lambda X: (None, None)
    model = ScoreChannels().fit(X, *outputs(X))
    scores, far = (scores_of(model, rows, *outputs(rows)) for rows in (X, X[:1] + 50))
    assert np.isfinite(scores).all()
    assert np.isfinite(far).all()
    if len(X) > 1:
        assert far[0] > scores.max()


def test_training_rows_are_known_and_score_in_fit_as_they_do_later():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    channels, matches = model.search(ROWS, *network(ROWS))
    assert matches.tolist() == list(range(60))
    for name, scores in channels.items():
        assert np.median(scores) == pytest.approx(0, abs=1e-9), name


def test_surprises_may_depend_on_which_training_row_a_row_is():
    residual, surprises = network(ROWS)
    model = ScoreChannels().fit(ROWS, residual, surprises)
    seen = []
    found, matches = model.search(
        ROWS[:5], residual[:, :5], lambda m: seen.append(m) or surprises[m]
    )
    assert np.array_equal(seen[0], matches)
    given, _ = model.search(ROWS[:5], residual[:, :5], surprises[:5])
    np.testing.assert_allclose(found["surprise"], given["surprise"])


def test_members_count_alike():
    residual, surprises = network(ROWS)
    found, _ = ScoreChannels().fit(ROWS, residual, surprises).search(ROWS, residual, surprises)
    known = np.ones(len(ROWS), bool)
    scores = np.mean([Mahalanobis().fit(r).score(r, known) for r in residual], axis=0)
    np.testing.assert_allclose(found["residual"], ScoreScaler().fit(scores).apply(scores))


def test_ranks_see_numbers_alone():
    stretched = np.column_stack([np.exp(ROWS[:, :2] / 2), ROWS[:, 2:]])
    plain, same = (RowChannels(n).fit(ROWS).search(ROWS)[0]["kq5"] for n in (2, 2))
    warped = RowChannels(2).fit(stretched).search(stretched)[0]["kq5"]
    np.testing.assert_allclose(warped, plain, rtol=1e-9)
    assert np.array_equal(plain, same)
    assert not np.allclose(RowChannels().fit(ROWS).search(ROWS)[0]["kq5"], plain)


def test_results_are_float64_from_float32_and_deterministic():
    X, (residual, surprises) = ROWS.astype("f4"), (a.astype("f4") for a in network(ROWS))
    first, second = (ScoreChannels().fit(X, residual, surprises) for _ in range(2))
    scores = scores_of(first, X, residual, surprises)
    assert scores.dtype == np.float64
    assert np.array_equal(scores, scores_of(second, X, residual, surprises))


def test_pickles_hold_arrays_and_numbers_only():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    copy = pickle.loads(pickle.dumps(model))
    pair = [scores_of(m, QUERIES, *network(QUERIES)) for m in (model, copy)]
    assert np.array_equal(*pair)
    assert set(_types(model)) <= {np.ndarray, np.float64, float, int, bool, type(None)}


def _types(value):
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _types(part)
    elif type(value).__module__.startswith("skanomaly."):
        yield from _types(vars(value))
    else:
        yield type(value)


# Quality on real data: floors a little below what was measured


@pytest.mark.parametrize(("clean", "floor"), [(True, 0.93), (False, 0.86)])
def test_every_channel_finds_malignant_tumours(cancer, clean, floor):
    X, anomaly = cancer
    train = X[~anomaly][::2] if clean else X
    model = ScoreChannels().fit(train, train[None])
    channels, _ = model.search(X, X[None])
    auc = {name: roc_auc_score(anomaly, scores) for name, scores in channels.items()}
    assert min(auc.values()) > (0.8 if clean else 0.5), auc
    rule = new_row_score if clean else training_row_score
    assert roc_auc_score(anomaly, rule(channels)) > floor
