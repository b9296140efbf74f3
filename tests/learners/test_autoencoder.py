"""The autoencoder as a learner: scores, codes and reconstructions, member by member."""

import numpy as np
import pytest
from small_rows import CODES, X, schedule, training_rows

from skanomaly.learners._autoencoder import Autoencoder

SETTINGS = {
    "architecture": "dense", "row_shape": None, "hidden_layer_sizes": (8,), "latent_dim": 2,
    "activation": "tanh", "n_estimators": 2, "noise": (0.3, 3.0), "dropout": 0.0, "l2": 0.0,
    "anomaly_score": "ensemble", "standardize": True, "model": None, "masked": False,
    "max_steps": 150, "trim": None,
}  # fmt: skip


def fitted(**own):
    learner = Autoencoder(SETTINGS | own, schedule(steps=150, loss="mse"), seed=0)
    learner.fit(training_rows())
    return learner


@pytest.mark.parametrize("score", ["ensemble", "mahalanobis", "residual", "reconstruction"])
@pytest.mark.parametrize("members", [1, 2])
def test_every_score_is_higher_for_anomalies(score, members):
    learner = fitted(anomaly_score=score, n_estimators=members)
    scores = learner.score(np.vstack([X, np.full((1, 3), 60.0)]))
    assert scores.dtype == np.float64
    assert scores.argmax() == 100
    assert scores[:100][CODES == -1].mean() > scores[:100][CODES == 1].mean()


def test_views_are_scaled_rows_residuals_and_codes_of_each_member():
    learner = fitted()
    Z, residual, codes, missing = learner.views(X)
    assert missing is None
    np.testing.assert_allclose(Z, learner.scaler.transform(X), rtol=1e-6)
    assert residual.shape == (2, 100, 3)
    assert codes.shape == (2, 100, 2)
    np.testing.assert_allclose(np.hstack(codes), learner.encode(X), rtol=1e-6)
    rebuilt = learner.scaler.inverse_transform((residual + Z).mean(axis=0))
    np.testing.assert_allclose(learner.reconstruct(X), rebuilt, rtol=1e-4, atol=1e-5)


def test_each_member_leaves_the_rows_of_its_own_fold_out():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(60, 8))
    learner = Autoencoder(
        SETTINGS
        | {"n_estimators": 4, "hidden_layer_sizes": (64,), "latent_dim": 8, "noise": (0.1, 0.1)},
        schedule(steps=600, loss="mse"),
        seed=0,
    )
    learner.fit(training_rows(X=rows))
    folds = learner._folds(rows)
    error = np.square(learner.views(rows)[1]).mean(axis=2)
    own = folds == np.arange(4)[:, None]
    assert error[own].mean() > 1.2 * error[~own].mean()


def test_parts_of_the_error_add_up_to_the_reconstruction_score():
    learner = fitted(anomaly_score="reconstruction")
    np.testing.assert_allclose(learner.error_parts(X).sum(axis=1), learner.score(X), rtol=1e-9)
