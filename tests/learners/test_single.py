"""One network with a sigmoid, learnt from labels or against noise."""

import numpy as np
import pytest
from small_rows import CODES, FAR, schedule, training_rows

from skanomaly.learners._single import SingleNetwork, f1_offset
from skanomaly.networks._losses import RowWeighted

SETTINGS = {
    "architecture": "dense", "input_shape": None, "hidden_layer_sizes": (8,),
    "activation": "relu", "dropout": 0.0, "model": None, "standardize": True,
    "class_weight": "auto",
}  # fmt: skip


def fitted(labels, **own):
    settings = {**SETTINGS, **own}
    learner = SingleNetwork(settings, schedule(steps=150, loss=RowWeighted()), seed=0)
    return learner, training_rows(labels)


def test_targets_are_labels_with_weights_whose_mean_is_one():
    learner, rows = fitted(CODES, class_weight={-1: 9.0, 1: 1.0})
    values, y, row_indices, strata = learner.targets(rows, learner.prepare(rows))
    assert len(values) == 100
    np.testing.assert_array_equal(y[:, 0], CODES == -1)
    np.testing.assert_array_equal(strata, CODES == -1)
    assert y[row_indices, 1].mean() == pytest.approx(1, rel=1e-6)
    assert y[-1, 1] == pytest.approx(9 * y[0, 1], rel=1e-6)


def test_without_labels_noise_takes_the_place_of_anomalies():
    learner, rows = fitted(None)
    values, y, row_indices, _ = learner.targets(rows, learner.prepare(rows))
    assert len(values) == len(y) == len(row_indices) == 200
    assert y[:, 0].tolist() == [0.0] * 100 + [1.0] * 100


@pytest.mark.parametrize("labels", [CODES, None])
def test_scores_are_log_odds(labels):
    learner, rows = fitted(labels)
    out_of_fold = learner.fit(rows)
    far, near = learner.score(2 * FAR)
    assert far > near
    p = learner.forward(learner.scaler.transform(FAR))[:, 0]
    np.testing.assert_allclose(learner.score(FAR), np.log(p / (1 - p)), rtol=1e-3, atol=1e-4)
    assert (out_of_fold is None) == (labels is None)


def test_equal_scores_flag_no_row():
    assert f1_offset(np.full(4, 2.0), np.array([1, 0, 0, 0])) == 2.0
    assert f1_offset(np.array([-1.0, 1.0, 2.0]), np.array([1, 0, 0])) == 0.0
