"""The masked-bin network: hiding, folds, and surprises that agree with plain passes."""

import numpy as np
import pytest
from keras import ops

from skanomaly.backend._serialization import deserialize, serialize
from skanomaly.networks._losses import BinLoss
from skanomaly.networks._masked_bins import (
    BinEncoding,
    ColumnSurprises,
    HiddenColumns,
    masked_bin_network,
    surprises,
)
from skanomaly.training._predict import forward

N_BINS, N_COLUMNS = 5, 3
ROWS = np.random.default_rng(0).integers(0, N_BINS, size=(40, N_COLUMNS)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    shares = np.random.default_rng(1).dirichlet(np.ones(N_BINS), N_COLUMNS)
    return masked_bin_network(shares, 2, (6, 4))


def test_encoding_is_a_thermometer_and_zero_where_hidden():
    coded = ops.convert_to_numpy(BinEncoding(4)(np.array([[2.0, -1.0, 0.0]])))
    assert coded.tolist() == [[1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0]]


def test_members_hide_different_columns_and_skip_their_fold():
    layer = HiddenColumns(2, n_parts=2, seed=0)
    rows = np.column_stack([ROWS, np.arange(40) % 2]).astype(np.float32)
    rows[0, 0] = -1
    hidden, learnt = (ops.convert_to_numpy(part) for part in layer(rows))
    assert hidden.shape == learnt.shape == (40, 2, N_COLUMNS)
    assert ((hidden == -1).any(axis=2)).all()
    assert not np.array_equal(hidden[:, 0], hidden[:, 1])
    assert not learnt[::2, 0].any()
    assert not learnt[1::2, 1].any()
    assert learnt[0, 1, 0] == 0  # nothing to learn from what is missing
    assert ((hidden == -1) | (learnt == 0)).all()
    again = layer.resized(1)
    assert (again.n_members, again.n_parts) == (1, 1)


def test_an_untrained_network_tells_the_shares(network):
    everything_hidden = np.full((1, N_COLUMNS), -1, np.float32)
    logits = ops.convert_to_numpy(network(everything_hidden))
    assert logits.shape == (1, 2, N_COLUMNS * N_BINS)
    np.testing.assert_allclose(logits[0, 0], logits[0, 1], atol=1e-6)


@pytest.mark.parametrize("groups", [[0, 1, 2], [0, 1, 0]])
def test_surprises_are_those_of_plain_passes(network, groups):
    found = forward(ColumnSurprises(network, groups), ROWS)
    for column in range(N_COLUMNS):
        hidden = np.where(np.asarray(groups) == groups[column], -1, ROWS).astype(np.float32)
        logits = forward(network, hidden).reshape(40, 2, N_COLUMNS, N_BINS)[:, :, column]
        p = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        own = p[np.arange(40), :, ROWS[:, column].astype(int)]
        expected = -np.log(0.98 * own + 0.02 / N_BINS)
        np.testing.assert_allclose(found[:, :, column], expected, rtol=1e-4)


def test_missing_values_do_not_surprise(network):
    rows = ROWS.copy()
    rows[:, 1] = -1
    assert (forward(surprises(network, [0, 1, 2]), rows)[:, :, 1] == 0).all()


def test_one_model_scores_and_both_survive_serialisation(network):
    assert surprises(network, [0, 1, 2]) is surprises(network, [0, 1, 2])
    copy = deserialize(serialize(ColumnSurprises(network, [0, 1, 2])))
    assert copy.groups == [0, 1, 2]
    assert type(deserialize(serialize(BinLoss()))) is BinLoss


def test_loss_is_the_cross_entropy_of_each_column():
    logits = np.random.default_rng(2).normal(size=(40, 2, N_COLUMNS * N_BINS)).astype(np.float32)
    found = ops.convert_to_numpy(BinLoss().call(ROWS, logits))
    parts = logits.reshape(40, 2, N_COLUMNS, N_BINS)
    log_share = parts - np.log(np.exp(parts).sum(axis=3, keepdims=True))
    index = np.broadcast_to(ROWS.astype(int)[:, None, :, None], (40, 2, N_COLUMNS, 1))
    expected = -np.take_along_axis(log_share, index, axis=3)[..., 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
