"""What tells rows apart, wherever they lie: the numbers in them, and a hash of those.

Owns that a row's hash depends on its values alone, not on the container, the partition, the
process or what the codes of its categories are. NumPy and pandas only; it does not know Dask.
"""

import numpy as np
import pandas as pd

from skanomaly.preprocessing._categories import category_ids
from skanomaly.utils._numbers import numbers

_BLOCK_ROWS = 8192
#: Constants that mix the bits of a hash (splitmix64).
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)


def numbers_of(rows):
    """Return the numbers of rows, and which columns hold something else.

    Parameters
    ----------
    rows : ndarray or DataFrame of shape (n_samples, n_features)

    Returns
    -------
    values : ndarray of shape (n_samples, n_features), float64
        NaN for what is missing; values that are no numbers stand as identifiers.
    is_categorical : ndarray of shape (n_features,), bool
    """
    if not isinstance(rows, pd.DataFrame) and rows.dtype.kind in "biuf":
        return np.asarray(rows, np.float64), np.zeros(rows.shape[1], dtype=bool)
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    values = np.empty(frame.shape)
    mask = np.array([not _is_number(dtype) for dtype in frame.dtypes], dtype=bool)
    for place, label in enumerate(frame.columns):
        values[:, place] = _column(frame.iloc[:, place], label, mask[place])
    return values, mask


def _is_number(dtype):
    bool_or_number = pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
    return bool_or_number and not isinstance(dtype, pd.CategoricalDtype)


def _column(column, label, is_categorical):
    if column.dtype.kind in "mM":
        times = column.to_numpy("datetime64[ns]" if column.dtype.kind == "M" else None)
        return np.where(pd.isna(column), np.nan, times.astype(np.int64))
    if is_categorical:
        return category_ids(column)
    return numbers(column, f"the column {label!r} of X")


def hashes_of(values):
    """Return a hash of each row's numbers, (n_samples,), uint64.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features), float64
        As `numbers_of` returns them; 0 and -0, and all kinds of NaN, are one value.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.distributed._content import hashes_of
    >>> len(set(hashes_of(np.array([[0.0, np.nan], [-0.0, np.nan], [1.0, np.nan]]))))
    2
    """
    hashes = np.empty(len(values), np.uint64)
    for start in range(0, len(values), _BLOCK_ROWS):  # few enough to stay in the processor
        rows = slice(start, start + _BLOCK_ROWS)
        block = np.add(values[rows].T, 0.0, order="C")
        block[np.isnan(block)] = np.nan
        hashes[rows] = _hashed(block.view(np.uint64))
    return hashes


def _hashed(columns):
    """Return the hash of each row's bits, given by columns."""
    hashes = np.zeros(columns.shape[1], np.uint64)
    for bits in columns:
        hashes = mixed((hashes + _STEP) ^ bits)
    return hashes


def mixed(bits):
    """Return 64-bit numbers with their bits mixed (splitmix64), lest order shows through."""
    bits = (bits ^ (bits >> _SHIFTS[0])) * _FACTORS[0]
    bits = (bits ^ (bits >> _SHIFTS[1])) * _FACTORS[1]
    return bits ^ (bits >> _SHIFTS[2])
