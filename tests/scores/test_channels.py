"""Score channels: definitions, weights as repetitions, invariances, odd data, quality."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from skanomaly.scores._channels import Calibration, MarginalTail, ScoreChannels, combine_channels
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
    """Return residuals and latents as a network would, the same for the same rows."""
    mixes = np.random.default_rng(1).normal(size=(members, X.shape[1], X.shape[1]))
    mixed = np.einsum("ij,mjk->mik", X, mixes)  # unlike a matrix product, row by row
    return np.tanh(mixed) - X, mixed[:, :, :2]


# Tails


def test_tail_matches_its_definition_with_ties():
    rng = np.random.default_rng(5)
    X, new = rng.integers(0, 5, size=(30, 2)) * 1.0, rng.integers(-1, 7, size=(9, 2)) * 1.0
    low = ((X[None] <= new[:, None]).sum(axis=1) + 1) / 31
    high = ((X[None] >= new[:, None]).sum(axis=1) + 1) / 31
    expected = -np.log(np.minimum(1, 2 * np.minimum(low, high))).mean(axis=1)
    np.testing.assert_allclose(MarginalTail().fit(X).score(new), expected, rtol=1e-12)


# Calibration and combination


def test_calibration_takes_no_notice_of_anomalies():
    scores = np.random.default_rng(7).normal(size=1000)
    clean = Calibration().fit(scores)
    dirty = Calibration().fit(np.r_[scores, np.full(80, 50.0)])
    assert clean.scale_ == pytest.approx(1.28, abs=0.1)
    assert dirty.apply(5.0) == pytest.approx(clean.apply(5.0), rel=0.1)


def test_calibration_falls_back_on_the_upper_side_and_on_a_constant():
    assert Calibration().fit(np.r_[np.zeros(60), np.full(40, 6.0)]).scale_ == pytest.approx(2)
    assert Calibration().fit(np.ones(9)).scale_ == pytest.approx(1e-3)


def test_combination_takes_the_larger_view():
    names = ("mR", "tail", "kx20", "kx50", "kx1", "kz1")
    values = np.array([[1, 5, 0, 0, 0, 0], [0, 0, 0, 0, 2, 4]]).T
    channels = dict(zip(names, values, strict=True))
    np.testing.assert_allclose(combine_channels(channels), [6 / 4, 0.9 * 3])


# The whole


@pytest.mark.parametrize("with_network", [False, True])
def test_of_many_rows_some_are_compared_with(with_network, monkeypatch):
    outputs = network if with_network else lambda X: (None, None)
    whole = ScoreChannels().fit(ROWS, *outputs(ROWS)).score(QUERIES, *outputs(QUERIES))
    monkeypatch.setattr("skanomaly.scores._channels.MAX_REFERENCE", 20)
    model = ScoreChannels().fit(ROWS, *outputs(ROWS))
    assert len(model.near_.reference_) == model.tail_.sorted_.shape[1] == 20
    assert np.corrcoef(model.score(QUERIES, *outputs(QUERIES)), whole)[0, 1] > 0.8


def test_scores_do_not_depend_on_the_batch():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    residual, latent = network(QUERIES)
    whole = model.score(QUERIES, residual, latent)
    for rows in (slice(0, 1), slice(3, 19), slice(19, 37)):
        part = model.score(QUERIES[rows], residual[:, rows], latent[:, rows])
        np.testing.assert_allclose(part, whole[rows], rtol=1e-10, atol=1e-10)
    again = model.score(QUERIES[::-1], residual[:, ::-1], latent[:, ::-1])
    np.testing.assert_allclose(again[::-1], whole, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("with_network", [False, True])
def test_odd_data_give_finite_scores_and_odd_rows_stand_out(name, with_network):
    X = DEGENERATE[name]
    outputs = network if with_network else lambda X: (None, None)
    model = ScoreChannels().fit(X, *outputs(X))
    scores, far = model.score(X, *outputs(X)), model.score(X[:1] + 50, *outputs(X[:1] + 50))
    assert np.isfinite(scores).all()
    assert np.isfinite(far).all()
    if len(X) > 1:
        assert far[0] > scores.max()
    alone = model.score(X[:1], *outputs(X[:1]))
    np.testing.assert_allclose(alone, scores[:1], rtol=1e-8, atol=1e-8)


def test_training_rows_score_in_fit_as_they_do_later():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    for name, scores in model.channels(ROWS, *network(ROWS)).items():
        assert np.median(scores) == pytest.approx(0, abs=1e-9), name


def test_members_count_alike():
    residual, latent = network(ROWS)
    found = ScoreChannels().fit(ROWS, residual, latent).channels(ROWS, residual, latent)
    scores = np.mean([Mahalanobis().fit(r).score(r) for r in residual], axis=0)
    np.testing.assert_allclose(found["mR"], Calibration().fit(scores).apply(scores))


def test_training_rows_are_known_by_their_input_when_network_outputs_wobble():
    residual, latent = network(ROWS)
    model = ScoreChannels().fit(ROWS, residual, latent)
    steady = model.channels(ROWS, residual, latent)["kz1"]
    wobbling = model.channels(ROWS, residual + 1e-4, latent)["kz1"]
    np.testing.assert_allclose(wobbling, steady, atol=0.01)


def test_results_are_float64_from_float32_and_deterministic():
    X, (residual, latent) = ROWS.astype("f4"), (a.astype("f4") for a in network(ROWS))
    first, second = (ScoreChannels().fit(X, residual, latent) for _ in range(2))
    scores = first.score(X, residual, latent)
    assert scores.dtype == np.float64
    assert np.array_equal(scores, second.score(X, residual, latent))


def test_pickles_hold_arrays_and_numbers_only():
    model = ScoreChannels().fit(ROWS, *network(ROWS))
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(
        copy.score(QUERIES, *network(QUERIES)), model.score(QUERIES, *network(QUERIES))
    )
    assert set(_types(model)) <= {np.ndarray, np.float64, float, int}


def _types(value):
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _types(part)
    elif type(value).__module__.startswith("skanomaly."):
        yield from _types(vars(value))
    else:
        yield type(value)


# Quality on real data: floors a little below what was measured

CLEAN = {"mR": 0.95, "tail": 0.94, "kx1": 0.92, "kx20": 0.90, "kx50": 0.90}
DIRTY = {"mR": 0.87, "tail": 0.87, "kx1": 0.85, "kx20": 0.88, "kx50": 0.89}


@pytest.mark.parametrize(
    ("floors", "kz1", "combined", "clean"),
    [(CLEAN, 0.94, 0.93, True), (DIRTY, 0.87, 0.89, False)],
)
def test_every_channel_finds_malignant_tumours(cancer, floors, kz1, combined, clean):
    X, anomaly = cancer
    train = X[~anomaly][::2] if clean else X
    model = ScoreChannels().fit(train, train[None], train[None, :, :0])
    channels = model.channels(X, X[None], X[None, :, :0])
    auc = {name: roc_auc_score(anomaly, scores) for name, scores in channels.items()}
    assert all(auc[name] > floor for name, floor in (floors | {"kz1": kz1}).items()), auc
    assert roc_auc_score(anomaly, combine_channels(channels)) > combined
