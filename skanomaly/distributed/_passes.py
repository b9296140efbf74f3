"""Passes over rows that are not in memory, in blocks that do not depend on how they are cut.

Owns the order of the blocks and how few partitions are here at once. What is learnt from them is
the detector's business.
"""

import sys
from collections import deque
from itertools import islice

from skanomaly.distributed._collections import dask_module, naming
from skanomaly.distributed._sample import stacked, take

#: Rows, and values, of a block.
BLOCK_ROWS, BLOCK_VALUES = 65_536, 2**24
#: Partitions that workers read while the client trains.
READ_AHEAD = 2


class Passes:
    """Gives the rows of all partitions in their order, block by block, each time it is called.

    Parameters
    ----------
    partitions : skanomaly.distributed._collections.Partitions
        Here there are a partition, the rest of the last one and a block at once; on the workers
        `READ_AHEAD` more.
    """

    def __init__(self, partitions):
        self.blocks = partitions.blocks
        n_features = max(len(partitions.names), 1)
        self.size = max(min(BLOCK_ROWS, BLOCK_VALUES // n_features), 1)

    def __call__(self):
        """Return an iterator over blocks of rows."""
        client = _client()
        read = _read_here(self.blocks) if client is None else _read_ahead(self.blocks, client)
        return blocks_of(read, self.size)


def blocks_of(parts, size):
    """Cut rows that come in parts of any size into blocks of one size; the last is shorter."""
    held = None
    for part in parts:
        held = part if held is None or not len(held) else stacked([held, part])
        while len(held) >= size:
            yield take(held, slice(size))
            held = take(held, slice(size, None))
    if held is not None and len(held):
        yield held


def _client():
    """Return the cluster's client where there is one in use."""
    if "distributed" not in sys.modules or dask_module().config.get("scheduler", None):
        return None
    try:
        return dask_module("distributed").default_client()
    except ValueError:
        return None


def _read_here(blocks):
    for number, block in enumerate(blocks):
        with naming(number):
            (rows,) = dask_module().compute(block)
        yield rows


def _read_ahead(blocks, client):
    """Read on the workers, a few partitions ahead, and hand them on in order."""
    coming = enumerate(blocks)
    waiting = deque((k, client.compute(b)) for k, b in islice(coming, READ_AHEAD))
    while waiting:
        number, future = waiting.popleft()
        waiting.extend((k, client.compute(b)) for k, b in islice(coming, 1))
        with naming(number):
            rows = future.result()
        del future  # frees the worker
        yield rows
