"""Networks trained on all rows, of which few are in memory at once."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.distributed import DaskDetector, _passes
from skanomaly.distributed._collections import PartitionError, Partitions
from skanomaly.distributed._passes import Passes, blocks_of

X = np.random.default_rng(0).normal(size=(700, 3))
PLAIN = AutoencoderDetector("plain", epochs=3, hidden_layer_sizes=4, random_state=0)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(_passes, "BLOCK_ROWS", 256)


def fitted(chunks, estimator=PLAIN, rows=X):
    rows = da.from_array(rows, chunks=(chunks, rows.shape[1]))
    return DaskDetector(estimator, max_rows=100, train_on="all").fit(rows).estimator_


@pytest.mark.parametrize("sizes", [[10], [3, 0, 4, 3], [1] * 10, [0, 0], []])
def test_blocks_do_not_depend_on_parts(sizes):
    rows = np.arange(sum(sizes))
    parts = np.split(rows, np.cumsum(sizes)[:-1]) if sizes else []
    found = list(blocks_of(iter(parts), 4))
    assert [len(block) for block in found] == [
        len(rows[k : k + 4]) for k in range(0, len(rows), 4)
    ]
    assert_array_equal(np.concatenate([*found, []]), rows)


def test_every_row_trains_in_every_epoch(small_blocks):
    detector = fitted(200)
    steps = 3 * sum(-(-n // 32) for n in (256, 256, 188))
    assert int(detector._learner.trainer.model.optimizer.iterations) == steps
    assert detector.n_iter_ == len(detector.history_["loss"]) == 3
    assert detector.history_["loss"][-1] < detector.history_["loss"][0]


def test_partitions_do_not_matter(small_blocks):
    assert_array_equal(fitted(100).score_samples(X), fitted(333).score_samples(X))


def test_networks_learn_what_the_sample_lacks(small_blocks):
    """More epochs over all rows rebuild new rows better than the same over a few."""
    rows = np.random.default_rng(1).normal(size=(3000, 2)) @ np.ones((2, 6))
    lone = DaskDetector(PLAIN, max_rows=100).fit(da.from_array(rows, chunks=(999, 6))).estimator_
    every = fitted(999, rows=rows)
    assert every.score_samples(rows).mean() > lone.score_samples(rows).mean()


def test_tables_with_categories_and_gaps_train_too(small_blocks):
    frame = pd.DataFrame(X, columns=list("abc")).assign(k=np.where(X[:, 0] > 0, "x", "y"))
    frame.loc[::5, "b"] = np.nan
    table = dd.from_pandas(frame, npartitions=4)
    detector = DaskDetector(PLAIN, max_rows=100, train_on="all").fit(table)
    assert np.isfinite(detector.score_samples(table).compute()).all()
    assert "_passes" not in vars(detector.estimator_)


def test_few_rows_are_trained_in_memory():
    expected = AutoencoderDetector(**PLAIN.get_params()).fit(X)
    detector = DaskDetector(PLAIN, train_on="all").fit(da.from_array(X, chunks=(100, 3)))
    assert_array_equal(detector.estimator_.score_samples(X), expected.score_samples(X))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (AutoencoderDetector(), "a budget of steps draws from all rows"),
        (AutoencoderDetector("plain", early_stopping=True), "early_stopping holds rows out"),
        (NeuralAnomalyClassifier(), "is for an AutoencoderDetector"),
    ],
)
def test_what_needs_all_rows_at_once_is_refused_before_reading(estimator, message):
    def read(block):
        raise AssertionError("read")

    rows = da.from_array(X, chunks=(100, 3)).map_blocks(read, dtype=float, meta=np.empty((0, 0)))
    with pytest.raises(ValueError, match=message):
        DaskDetector(estimator, train_on="all").fit(rows)


def test_labels_and_weights_are_refused():
    rows = da.from_array(X, chunks=(100, 3))
    with pytest.raises(ValueError, match="without labels and weights"):
        DaskDetector(PLAIN, train_on="all").fit(rows, np.ones(700))


def test_a_partition_that_cannot_be_read_is_named():
    def read(number):
        raise OSError("gone")

    parts = [da.from_delayed(dask.delayed(read)(0), (2, 3), float)]
    with pytest.raises(PartitionError, match="partition 0 of X: gone"):
        list(Passes(Partitions(da.concatenate(parts)))())
