"""Dask collections as the partitions they are made of, with labels and weights beside them.

Owns what is known about Dask: which tables are its own, how partitions belong together, and how
a function is applied to each, so that a failure says which partition it met. Dask is imported
where it is used.
"""

import contextlib
import importlib
import itertools
import pickle

import numpy as np
import pandas as pd
from scipy import sparse

from skanomaly.distributed._malloc import keep_pages
from skanomaly.distributed._sample import stacked
from skanomaly.utils._labels import label_objects
from skanomaly.utils._state import keeping
from skanomaly.utils._threads import alone

#: Partial results that are merged at once.
_MERGED_AT_ONCE = 8


def is_distributed(rows):
    """Tell whether rows are a Dask collection, without importing Dask."""
    return type(rows).__module__.split(".")[0] in ("dask", "dask_expr")


def dask_module(name="dask"):
    """Return a module of Dask, or say how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            "DaskDetector needs Dask for distributed rows. Install it with: "
            "pip install 'skanomaly[dask]'"
        ) from error


class PartitionError(ValueError):
    """A partition that cannot be used; its message says which."""


@contextlib.contextmanager
def naming(number):
    """Say which partition an error comes from."""
    try:
        yield
    except PartitionError:
        raise
    except Exception as error:
        raise PartitionError(f"partition {number} of X: {error}") from error


class Partitions:
    """The partitions of rows, and of the labels and weights that belong to them.

    Parameters
    ----------
    X : dask.dataframe.DataFrame or dask.array.Array of shape (n_samples, n_features)
        Rows; chunk sizes may be unknown.
    y, sample_weight : dask Series or Array, array-like of shape (n_samples,), or None
        Cut like the rows, or to be cut.

    Attributes
    ----------
    names : list
        What the columns are called.
    is_frame : bool
        Whether partitions are pandas tables.
    """

    def __init__(self, X, y=None, sample_weight=None):
        dask_module()
        self.X, self.is_frame = in_rows(X), hasattr(X, "divisions")
        self.names = list(X.columns) if self.is_frame else list(range(X.shape[1]))
        self.blocks = _delayed(self.X)
        self.y = self._beside(y, "y")
        self.weight = self._beside(sample_weight, "sample_weight")

    def __len__(self):
        return len(self.blocks)

    def _beside(self, values, name):
        """Return one delayed part of `values` for each partition."""
        if values is None:
            return [None] * len(self.blocks)
        if not is_distributed(values):
            return self._cut(values, name)
        if hasattr(values, "divisions"):
            known = hasattr(self.X, "divisions") and self.X.known_divisions
            if known and values.known_divisions and values.divisions != self.X.divisions:
                if _ends(values) != _ends(self.X):
                    raise ValueError(
                        f"{name} has the divisions {_ends(values)}, X has {_ends(self.X)}. Cut "
                        "both at the same rows, for example as columns of one table."
                    )
                values = values.repartition(divisions=self.X.divisions)
        elif hasattr(self.X, "chunks") and not np.isnan([*self.X.chunks[0]]).any():
            values = values.reshape(-1) if values.ndim == 2 else values
            if sum(values.chunks[0]) == self.X.shape[0]:
                values = values.rechunk((self.X.chunks[0],))
        parts = _delayed(values)
        if len(parts) != len(self.blocks):
            raise ValueError(
                f"{name} has {len(parts)} partitions, but X has {len(self.blocks)}. Cut both at "
                "the same rows, for example as columns of one table."
            )
        return parts

    def _cut(self, values, name):
        """Cut values in memory at the borders of the partitions, whose lengths are counted."""
        delayed = dask_module().delayed
        if name == "y":
            values = label_objects(values).infer_objects()  # missing ones are no texts
        elif isinstance(values, np.ma.MaskedArray):
            values = values.filled(np.nan)
        values = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
        ends = np.cumsum([0, *self.lengths()])
        if len(values) != ends[-1]:
            raise ValueError(
                f"{name} must have one value for each row of X: expected {ends[-1]} values, got "
                f"{len(values)}."
            )
        spans = itertools.pairwise(ends)
        return [delayed(values[start:stop], traverse=False) for start, stop in spans]

    def lengths(self):
        """Return the number of rows of each partition, counted if it is not known."""
        chunks = () if self.is_frame else self.X.chunks[0]
        if chunks and not np.isnan([*chunks]).any():
            return list(chunks)
        count = dask_module().delayed(len)
        return list(self._run(*map(count, self.blocks)))

    def reduce(self, function, merge, *arguments):
        """Apply a function to each partition and merge the results, eight at a time.

        Parameters
        ----------
        function : callable
            ``function(rows, labels, weight, *arguments)`` of one partition.
        merge : callable
            Makes one result of a list of them.
        *arguments : object
            Sent along once for each worker.
        """
        delayed = dask_module().delayed
        sent = [delayed(argument, traverse=False) for argument in arguments]
        one, some = delayed(_one_partition), delayed(merge)
        beside = zip(self.blocks, self.y, self.weight, strict=True)
        parts = [one(function, k, *three, *sent) for k, three in enumerate(beside)]
        while len(parts) > 1:
            starts = range(0, len(parts), _MERGED_AT_ONCE)
            parts = [some(parts[start : start + _MERGED_AT_ONCE]) for start in starts]
        return self._run(*parts)[0]

    def collect(self):
        """Return all rows, labels and weights, in their order, in memory."""
        parts, n = self._run(*self.blocks, *self.y, *self.weight), len(self.blocks)
        X = stacked(parts[:n])
        if self.is_frame:
            X = X.set_axis(pd.concat([part.index.to_series() for part in parts[:n]]).index)
        return X, _joined(parts[n : 2 * n]), _joined(parts[2 * n :])

    def _run(self, *tasks):
        """Compute, and find the partition that failed to be read."""
        dask = dask_module()
        try:
            return dask.compute(*tasks)
        except PartitionError:
            raise
        except Exception as error:
            if not type(error).__module__.startswith("distributed"):  # cancelled, workers lost
                self._find_unreadable()
            raise

    def _find_unreadable(self):
        count = dask_module().delayed(len)
        for number, block in enumerate(self.blocks):
            with naming(number):
                dask_module().compute(count(block))


def _ends(table):
    """Return the first and the last of the divisions of a table, as text."""
    return f"{table.divisions[0]!r} to {table.divisions[-1]!r}"


def _delayed(collection):
    parts = collection.to_delayed()
    return list(parts.ravel() if hasattr(parts, "ravel") else parts)


def _joined(parts):
    """Return the parts below each other, None where there are none."""
    if all(part is None for part in parts):
        return None
    if all(isinstance(part, pd.Series) for part in parts):
        return pd.concat(parts)
    return np.concatenate([np.asarray(part) for part in parts])


def _one_partition(function, number, rows, labels, weight, *arguments):
    """Apply a function to one partition, and name it if that fails."""
    keep_pages()
    with naming(number):
        if sparse.issparse(rows):
            raise ValueError(
                "it is a sparse matrix. Expected dense rows: X.map_blocks(lambda block: "
                "block.toarray()) makes them, a partition at a time."
            )
        for name, values in (("y", labels), ("sample_weight", weight)):
            if values is not None and len(values) != len(rows):
                raise ValueError(
                    f"{name} has {len(values)} values where X has {len(rows)} rows. Cut both at "
                    "the same rows, for example as columns of one table."
                )
        return function(rows, labels, weight, *arguments)


def in_rows(X):
    """Return a collection whose partitions hold whole rows."""
    n_dimensions = getattr(X, "ndim", None)  # of a Delayed, a Delayed
    if not isinstance(n_dimensions, int) or n_dimensions != 2:
        many = f" of {n_dimensions} dimensions" if isinstance(n_dimensions, int) else ""
        raise ValueError(
            "X must be a Dask DataFrame or Array of shape (n_samples, n_features), got a Dask "
            f"{type(X).__name__}{many}. Make it one flat row for each sample: a Series by "
            "to_frame(), an Array by reshape, anything else by dask.dataframe.from_delayed or "
            "dask.array.from_delayed."
        )
    if hasattr(X, "divisions"):
        return X
    return X if len(X.chunks[1]) == 1 else X.rechunk({1: -1})


class WithRows:
    """A detector that takes training rows along wherever it is sent, for explanations."""

    def __init__(self, detector):
        self.detector = detector

    def __reduce__(self):
        with keeping("rows"):
            return _with_rows, (pickle.dumps(self.detector),)


def _with_rows(text):
    return WithRows(pickle.loads(text))


def map_rows(function, X, detector, empty):
    """Apply a function of a detector and rows to each partition when it is asked for.

    Parameters
    ----------
    function : callable
        ``function(detector, rows)`` returns an array with a line for each row.
    X : dask.dataframe.DataFrame or dask.array.Array
        Rows, whole ones in each partition (`in_rows`).
    detector : object
        Sent once for each worker.
    empty : ndarray of shape (0,) or (0, n_outputs), or Series or DataFrame without rows
        What the result for no rows is.

    Returns
    -------
    results : dask Series, DataFrame or Array
        With the index and divisions, or the chunks, of `X`.
    """
    sent = dask_module().delayed(detector, traverse=False)
    if hasattr(X, "divisions"):
        return X.map_partitions(_one_table, function, sent, empty, meta=empty)
    flat = empty.ndim == 1
    shape = {"drop_axis": 1} if flat else {"chunks": (X.chunks[0], (empty.shape[1],))}
    return X.map_blocks(_one_block, function, sent, empty, dtype=empty.dtype, meta=empty, **shape)


def _one_table(rows, function, detector, empty, partition_info=None):
    if not len(rows):
        return empty.set_axis(rows.index)
    keep_pages()
    with naming("?" if partition_info is None else partition_info["number"]), alone():
        values = function(detector, rows)
    if isinstance(empty, pd.DataFrame):
        return pd.DataFrame(np.asarray(values), rows.index, empty.columns)
    return pd.Series(values, rows.index, empty.dtype, empty.name)


def _one_block(rows, function, detector, empty, block_id=None):
    if not len(rows):
        return empty
    keep_pages()
    with naming(block_id[0]), alone():
        return np.asarray(function(detector, np.asarray(rows)), dtype=empty.dtype)
