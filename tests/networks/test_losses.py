"""Losses with weights, folds, categories and gaps, by hand; and their configurations."""

import keras
import numpy as np
import pytest
from keras import ops

from skanomaly.backend._serialization import deserialize, serialize
from skanomaly.networks._ensembles import N_FOLDS
from skanomaly.networks._losses import FoldedLoss, RowWeighted, TableLoss, table_loss

RNG = np.random.default_rng(0)


def called(loss, y_true, y_pred):
    y_true, y_pred = (np.asarray(values, np.float32) for values in (y_true, y_pred))
    return ops.convert_to_numpy(loss.call(ops.convert_to_tensor(y_true), y_pred))


def test_a_row_s_weight_multiplies_its_loss():
    losses = called(RowWeighted("mse"), [[1, 1], [1, 3], [0, 0]], [[0.5], [0.5], [9]])
    np.testing.assert_allclose(losses, [0.25, 0.75, 0])


def test_members_do_not_see_their_own_fold():
    label, fold = np.array([1.0, 0.0]), np.array([2.0, -1.0])
    logits = RNG.normal(size=(2, N_FOLDS))
    targets = np.column_stack([label, [2.0, 1.0], fold])
    losses = called(FoldedLoss(["cross_entropy"]), targets, logits)
    expected = np.log1p(np.exp(logits)) - label[:, None] * logits
    expected *= np.array([[2.0], [1.0]]) * N_FOLDS / (N_FOLDS - 1)
    expected[0, 2] = 0
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_the_sigmoid_caps_what_a_wrong_label_can_do():
    targets = [[0, 1, -1], [1, 1, -1]]
    losses = called(FoldedLoss(["sigmoid"], folds=False), targets, [[80.0], [80.0]])
    np.testing.assert_allclose(losses, [[4.0], [0.0]], atol=1e-6)


def test_numbers_alone_have_the_mean_of_their_losses():
    rows, answers = RNG.normal(size=(2, 4, 3))
    losses = called(table_loss(rows, "mse"), rows, answers)
    np.testing.assert_allclose(losses, np.mean((rows - answers) ** 2, axis=1), rtol=1e-5)


def test_a_category_counts_by_its_cross_entropy_in_units_of_the_column_s():
    loss = TableLoss("mse", n_numbers=1, blocks=[(1, 3)], entropies=[0.5])
    logits = np.array([0.3, -0.2])
    losses = called(loss, [[1.0, 0.0, 1.0]], [[3.0, *logits]])
    surprise = np.log(np.exp(logits).sum()) - logits[1]
    np.testing.assert_allclose(losses, [(4 + surprise / 0.5) / 2], rtol=1e-5)


def test_what_is_missing_has_no_loss_and_does_not_count():
    loss = TableLoss("mse", n_numbers=2, blocks=[(2, 4)], entropies=[0.5])
    nothing = np.nan
    rows = [[nothing, 1.0, nothing, nothing], [nothing] * 4]
    losses = called(loss, rows, [[9.0, 3.0, 5.0, -5.0], [9.0, 3.0, 5.0, -5.0]])
    np.testing.assert_allclose(losses, [4.0, 0.0], rtol=1e-5)


def test_members_are_judged_one_by_one():
    rows, answers = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 2, 3))
    losses = called(table_loss(rows, "mse"), rows, answers)
    np.testing.assert_allclose(losses, np.mean((rows[:, None] - answers) ** 2, axis=2), rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        RowWeighted("mse"),
        FoldedLoss(["sigmoid", "cross_entropy"], folds=False),
        TableLoss(keras.losses.Huber(0.5), 2, [(2, 4)], [0.5]),
    ],
)
def test_losses_come_back_from_their_configuration(loss):
    config = serialize(loss)
    assert serialize(deserialize(config)) == config
