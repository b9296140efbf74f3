"""Many small classifiers in one network, and the folds they do not see."""

import numpy as np
import pytest
from keras import ops

from skanomaly.networks._ensembles import N_FOLDS, assign_folds, packed_network

X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
LINEAR = {"n_members": 2}
DEEP = {"n_members": 3, "hidden_layer_sizes": (4, 4), "activation": "tanh"}


def test_outputs_are_the_logits_of_all_members_group_by_group():
    network = packed_network(5, [LINEAR, DEEP])
    logits = ops.convert_to_numpy(network(X))
    assert logits.shape == (6, 5)
    np.testing.assert_array_equal(logits[:, :2], 0)  # linear members start undecided
    assert np.ptp(logits[:, 2:], axis=1).min() > 0


def test_members_see_their_columns_alone():
    columns = np.array([[0, 1], [3, 4]])
    network = packed_network(5, [{**DEEP, "n_members": 2, "columns": columns}])
    before = ops.convert_to_numpy(network(X))
    changed = X.copy()
    changed[:, 3] += 1
    after = ops.convert_to_numpy(network(changed))
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert np.abs(after[:, 1] - before[:, 1]).min() > 0


@pytest.mark.parametrize("n_anomalies", [0, 1, 2, 40])
def test_folds_are_stratified_and_nobody_misses_the_only_row_of_a_class(n_anomalies):
    labels = np.repeat([1.0, 0.0], [n_anomalies, 200])
    folds = assign_folds(labels, np.random.default_rng(0))
    normal = np.bincount(folds[labels == 0].astype(int), minlength=N_FOLDS)
    assert normal.tolist() == [200 // N_FOLDS] * N_FOLDS
    anomalous = folds[labels == 1]
    if n_anomalies == 1:
        assert anomalous.tolist() == [-1]
    else:
        counts = np.bincount(anomalous.astype(int), minlength=N_FOLDS)
        assert np.ptp(counts) <= 1
