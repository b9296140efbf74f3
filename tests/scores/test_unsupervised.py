"""Three unsupervised scores: those of scikit-learn's estimators, for new rows too."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from skanomaly.preprocessing._scaling import StandardClip
from skanomaly.scores._unsupervised import UnsupervisedScores, principal_axes

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4)) + 3
COUNTS = RNG.integers(0, 4, size=60)
QUERIES = np.vstack([ROWS[:20], 5 * RNG.normal(size=(20, 4))])


def test_unsupervised_scores_are_the_three_they_name():
    X = ROWS - ROWS.mean(axis=0)
    result = UnsupervisedScores(seed=3).fit(X).transform(X)
    forest = -IsolationForest(random_state=3).fit(X).score_samples(X)
    near = NearestNeighbors(n_neighbors=10).fit(X).kneighbors()[0]
    pca = PCA(n_components=2).fit(X)
    error = np.mean((X - pca.inverse_transform(pca.transform(X))) ** 2, axis=1)
    expected = [forest, near.mean(axis=1) + 0.05 * near.mean(), error + 0.05 * error.mean()]
    np.testing.assert_allclose(result, np.log(np.transpose(expected)), rtol=1e-9, atol=1e-9)


def test_new_rows_see_all_training_rows():
    fitted = UnsupervisedScores().fit(ROWS)
    new = QUERIES[20:]
    near = NearestNeighbors(n_neighbors=10).fit(ROWS).kneighbors(new)[0].mean(axis=1)
    measured = np.exp(fitted.transform(new)[:, 1]) - fitted.near_.floor_.mean()
    np.testing.assert_allclose(measured, near, rtol=1e-9)


def test_principal_axes_never_span_all_training_rows():
    mean, axes = principal_axes(RNG.normal(size=(5, 30)), 15)
    assert axes.shape == (30, 2)
    assert principal_axes(np.ones((9, 4)), 2)[1].shape == (4, 0)
    line = np.outer(np.arange(9.0), np.ones(4))
    mean, axes = principal_axes(line, 2)
    np.testing.assert_allclose(mean, 4)
    np.testing.assert_allclose(np.abs(axes), 0.5)


@pytest.mark.parametrize("seed", [0, 1])
def test_each_score_finds_malignant_tumours(cancer, seed):
    X, anomaly = cancer[0], cancer[1] == 1
    X = StandardClip().fit(X[~anomaly]).transform(X)
    scores = UnsupervisedScores(seed=seed).fit(X[~anomaly][::2]).transform(X)
    auc = [roc_auc_score(anomaly, column) for column in scores.T]
    assert min(auc) > 0.9, auc
