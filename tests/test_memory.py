"""What a fit needs in memory beside its table."""

import tracemalloc

import keras
import numpy as np
import pytest

from skanomaly import AutoencoderDetector
from skanomaly.learners._autoencoder import SCORE_SAMPLE
from skanomaly.preprocessing._scaling import ScaledRows
from skanomaly.training import _loop

SMALL = {"hidden_layer_sizes": (4,), "max_steps": 10, "random_state": 0}


@pytest.fixture(scope="module")
def table():
    return np.random.default_rng(0).normal(size=(600_000, 20)).astype(np.float32)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="other backends keep more rows")
@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_a_fit_needs_half_the_data_at_most(table, contamination):
    detector = AutoencoderDetector("plain", **SMALL, contamination=contamination)
    detector.fit(table[:50_000])
    tracemalloc.start()
    try:
        detector.fit(table)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * table.nbytes


@pytest.fixture
def reads(monkeypatch):
    """Return a list of what is read: (the table, the number of rows at once)."""
    seen, read = [], ScaledRows.__getitem__

    def counted(self, rows):
        part = read(self, rows)
        seen.append((self.X, len(part)))
        return part

    monkeypatch.setattr(ScaledRows, "__getitem__", counted)
    return seen


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mapped_file_is_read_in_parts_and_gives_the_same(tmp_path, table, reads, dtype):
    n = _loop.HELD_VALUES // 20 + 1
    mapped = np.memmap(tmp_path / "table", dtype, "w+", shape=(n, 20))
    mapped[:] = table[:n]
    mapped.flush()
    mapped = np.memmap(tmp_path / "table", dtype, "r", shape=(n, 20))
    scores = AutoencoderDetector("plain", **SMALL).fit(mapped).score_samples(mapped)
    # scoring hands on parts of the table, training picks from the whole of it
    assert all(np.shares_memory(X, mapped) for X, _ in reads)
    assert 0 < max(count for _, count in reads) <= SCORE_SAMPLE
    held = np.array(mapped)
    found = AutoencoderDetector("plain", **SMALL).fit(held).score_samples(held)
    np.testing.assert_array_equal(found, scores)


def test_a_small_mapped_file_is_held(tmp_path, table, reads):
    mapped = np.memmap(tmp_path / "table", np.float32, "w+", shape=(100, 20))
    mapped[:] = table[:100]
    AutoencoderDetector("plain", **SMALL).fit(mapped)
    training = [count for X, count in reads if len(X) == 100]
    assert len(training) <= 3  # held for training, once for the score's sample, scored
