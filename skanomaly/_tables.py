"""Tables as users have them, turned into the float rows that networks see.

Owns the checks of input rows and the view between them and the engine, which is a plain array
where nothing has to be done: sparse rows become dense, categories one-hot columns, and holes
are filled, all of it for the rows that are asked for and no others. How categories are coded
and holes are filled is the business of `_categories` and `_missing`.
"""

import numbers

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import validate_data

from skanomaly._categories import OneHot, category_ids, is_category, is_time
from skanomaly._missing import MAX_COLUMNS, MAX_ROWS, ConditionalMean
from skanomaly._sampling import canonical_order, repeat_rows
from skanomaly._scaling import ScaledRows

_FLOATS = [np.float64, np.float32]
#: Values of a table that are made dense at once, or that column statistics are learnt from.
_BLOCK_VALUES, _SAMPLE_VALUES = 2**20, 2**23
#: Sparse rows with more columns are told apart by their entries other than zero alone.
_NARROW = 256
#: Odd constants that mix the bits of a hash (splitmix64).
_MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


def read_rows(estimator, X, *, reset, min_samples=1):
    """Check rows against a detector; return them as floats, with NaN for missing values.

    Parameters
    ----------
    estimator : BaseEstimator
        Has `categorical_features`; with `reset` it gets ``is_categorical_``,
        ``n_features_in_`` and ``feature_names_in_``, without it `X` must fit them.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        Rows.
    reset : bool
        Whether this is the input of `fit`.
    min_samples : int, default=1
        Rows needed.

    Returns
    -------
    rows : ndarray or scipy.sparse CSR matrix of shape (n_samples, n_features)
        float64 or float32; categories stand as the numbers of
        `skanomaly._categories.category_ids`.
    """
    frame = _as_pandas(X)
    _refuse_times(X, frame, estimator)
    if frame is None and not sp.issparse(X) and _names_categories(estimator):
        X = _checked_array(X, estimator, min_samples)
    mask = _categorical_mask(estimator, X, frame) if reset else estimator.is_categorical_
    if mask is None or sp.issparse(X) or (frame is None and X.dtype.kind in "biuf"):
        rows = validate_data(
            estimator, X, accept_sparse="csr", dtype=_FLOATS, ensure_all_finite="allow-nan",
            ensure_min_samples=min_samples, reset=reset,
        )  # fmt: skip
    else:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        frame = pd.DataFrame(X) if frame is None else frame
        rows = _mixed_rows(frame, mask, estimator, min_samples)
    if reset:
        estimator.is_categorical_ = mask
    return rows


def _names_categories(estimator):
    wanted = estimator.categorical_features
    return wanted is not None and not isinstance(wanted, str)


def _checked_array(X, estimator, min_samples):
    """Return anything that is no table as an array of numbers or objects."""
    X = np.asarray(X, dtype=object) if isinstance(X, (list, tuple)) else X
    return check_array(
        X, dtype=None, ensure_all_finite=False, ensure_min_samples=min_samples,
        estimator=type(estimator).__name__, input_name="X",
    )  # fmt: skip


def _mixed_rows(frame, mask, estimator, min_samples):
    """Return the numbers and the identifiers of the categories of a mixed table."""
    name = type(estimator).__name__
    rows = np.empty(frame.shape)
    if not mask.all():
        rows[:, ~mask] = check_array(
            frame.loc[:, ~mask], dtype=np.float64, ensure_all_finite="allow-nan",
            ensure_min_samples=min_samples, estimator=name, input_name="X",
        )  # fmt: skip
    elif len(frame) < min_samples:
        raise ValueError(
            f"Found array with {len(frame)} sample(s) (shape={frame.shape}) while a minimum of "
            f"{min_samples} is required by {name}."
        )
    for place in np.flatnonzero(mask):
        rows[:, place] = category_ids(frame.iloc[:, place])
    assert_all_finite(rows, allow_nan=True, estimator_name=name, input_name="X")
    return rows


def _as_pandas(X):
    """Return a table as a pandas one, or None for anything that is not a table."""
    if isinstance(X, pd.DataFrame):
        return X
    if type(X).__module__.split(".")[0] != "polars" or not hasattr(X, "columns"):
        return None
    columns = {}
    for name in X.columns:
        column = X[name]
        number = column.dtype.is_numeric()
        columns[name] = column.to_numpy() if number else pd.Series(column.to_list(), dtype=object)
    return pd.DataFrame(columns)


def _refuse_times(X, frame, estimator):
    if frame is None:
        if getattr(getattr(X, "dtype", None), "kind", "f") in "mM":
            raise ValueError(_time_message("X", X.dtype, estimator))
        return
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if is_time(column):
            raise ValueError(_time_message(f"The column {name!r} of X", column.dtype, estimator))


def _time_message(what, dtype, estimator):
    return (
        f"{what} holds dates, times or durations ({dtype}). {type(estimator).__name__} expects "
        "numbers, booleans, strings or categories. Turn it into numbers that mean something "
        "here, for example column.dt.hour, column.dt.dayofweek or "
        "(column - column.min()).dt.total_seconds(), or drop it."
    )


def _categorical_mask(estimator, X, frame):
    """Return which features are categories, or None when none is."""
    wanted = estimator.categorical_features
    if wanted is None:
        return None
    if isinstance(wanted, str):  # "from_dtype"
        n_columns = 0 if frame is None else frame.shape[1]
        mask = np.array([is_category(frame.iloc[:, j]) for j in range(n_columns)], dtype=bool)
        return mask if mask.any() else None
    n_features = (X if frame is None else frame).shape[1]
    mask = np.zeros(n_features, dtype=bool)
    mask[_places(wanted, frame, n_features, type(estimator).__name__)] = True
    return mask if mask.any() else None


def _places(wanted, frame, n_features, owner):
    """Return the places that a mask, places or names stand for."""
    given = list(np.asarray(wanted, dtype=object).reshape(-1))
    start = f"The 'categorical_features' parameter of {owner} "
    if given and all(isinstance(value, (bool, np.bool_)) for value in given):
        if len(given) != n_features:
            raise ValueError(
                f"{start}is a mask of {len(given)} values, but X has {n_features} features. "
                "Give one value for each feature, or the names or places of the categories."
            )
        return np.flatnonzero(given)
    if all(isinstance(value, str) for value in given):
        names = [] if frame is None else [str(name) for name in frame.columns]
        unknown = [value for value in given if value not in names]
        if unknown:
            has = "has no column names" if frame is None else f"has the columns {names}"
            raise ValueError(
                f"{start}names {unknown[0]!r}, but X {has}. Name columns of X, or give a mask "
                "or places."
            )
        return [names.index(value) for value in given]
    if not all(isinstance(value, numbers.Integral) for value in given):
        raise ValueError(
            f"{start}must be 'from_dtype', None, a mask, or names or places of features, all of "
            f"one kind. Got {wanted!r} instead."
        )
    outside = [value for value in given if not 0 <= value < n_features]
    if outside:
        raise ValueError(
            f"{start}holds the place {outside[0]}, but X has {n_features} features. Expected "
            f"places from 0 to {n_features - 1}."
        )
    return [int(value) for value in given]


class Table:
    """A view of checked rows as the engine sees them: dense, encoded, complete.

    Parameters
    ----------
    source : ndarray or CSR matrix of shape (n_samples, n_features)
        What `read_rows` returns.
    one_hot : skanomaly._categories.OneHot or None
        None leaves columns as they are.
    filler : skanomaly._missing.ConditionalMean
        Fills holes.
    """

    def __init__(self, source, one_hot, filler):
        self.source, self.one_hot, self.filler = source, one_hot, filler
        width = source.shape[1] if one_hot is None else one_hot.layout_.width
        self.shape, self.dtype = (source.shape[0], width), np.dtype(np.float64)
        self.layout = None if one_hot is None else one_hot.layout_

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return self.filler.transform(self.with_holes(rows))

    def with_holes(self, rows):
        """Return encoded rows with NaN for what is missing, float64."""
        part = self.source_rows(rows)
        if self.one_hot is not None:
            return self.one_hot.transform(part)
        return np.asarray(part, dtype=np.float64)

    def source_rows(self, rows):
        """Return rows before encoding, dense, with NaN for what is missing."""
        part = self.source[rows]
        return part.toarray() if sp.issparse(part) else part

    def content(self, rows):
        """Return numbers that tell rows apart, the same wherever a row stands."""
        if sp.issparse(self.source) and self.source.shape[1] > _NARROW:
            return _sparse_digest(self.source[rows])
        return self.source_rows(rows)

    def part(self, rows):
        """Return a view of some rows."""
        return Table(self.source[rows], self.one_hot, self.filler)

    @property
    def block_rows(self):
        """How many rows may be dense at once."""
        return max(_BLOCK_VALUES // max(self.shape[1], 1), 256)


class Targets:
    """Scaled rows of a `Table` as targets: NaN where there is nothing to rebuild.

    Parameters
    ----------
    table : Table
    scaler : skanomaly._scaling.RowScaler or None
        None leaves them unscaled.
    """

    def __init__(self, table, scaler):
        self.table, self.scaler, self.shape = table, scaler, table.shape

    def __len__(self):
        return len(self.table)

    def __getitem__(self, rows):
        part = self.table.with_holes(rows)
        return part.astype(np.float32) if self.scaler is None else self.scaler.transform(part)


class TableEncoder:
    """What is learnt from training rows to turn any rows into what the engine sees.

    Attributes
    ----------
    one_hot_ : skanomaly._categories.OneHot or None
    filler_ : skanomaly._missing.ConditionalMean
        Of the columns' means alone where the training rows are dense numbers without holes.
    """

    def fit(self, source, is_categorical=None, weight=None):
        """Learn from the rows that `read_rows` returns and their frequencies."""
        self.one_hot_ = None
        if is_categorical is not None:
            columns = (_column(source, j) for j in np.flatnonzero(is_categorical))
            self.one_hot_ = OneHot(is_categorical).fit(columns, weight)
        if self.one_hot_ is None and not has_holes(source):
            self.filler_ = ConditionalMean.of_means(source)
            return self
        table = Table(source, self.one_hot_, None)
        slots = repeat_rows(canonical_order(table), weight)
        most = min(MAX_ROWS, max(_SAMPLE_VALUES // table.shape[1], 64))
        # in canonical order, which is that of hashes, every k-th row is as good as a draw
        sample = table.with_holes(slots[:: -(-len(slots) // most)])
        n_factors = 0 if table.shape[1] > MAX_COLUMNS else None
        self.filler_ = ConditionalMean(n_factors).fit(sample)
        return self

    def view(self, source):
        """Return the rows as the engine sees them: themselves, or a `Table`."""
        if self.one_hot_ is None and _is_plain(source):
            return source
        return Table(source, self.one_hot_, self.filler_)


def check_columns(source, weight, estimator):
    """Refuse rows with a column that holds no value at all."""
    if not has_holes(source):
        return
    if weight is not None and not np.all(weight > 0):
        source = source[np.flatnonzero(weight)]
    empty = np.flatnonzero(_holes(source) == source.shape[0])
    if len(empty):
        names = getattr(estimator, "feature_names_in_", np.arange(source.shape[1]))
        raise ValueError(
            f"The column {names[empty[0]]!r} of X holds missing values only, as do "
            f"{len(empty) - 1} others. {type(estimator).__name__} expects at least one value in "
            "each column. Drop the column, or fill it."
        )


def has_holes(source):
    """Tell whether anything is missing in an array or a CSR matrix."""
    if sp.issparse(source):
        return bool(np.isnan(source.data).any())
    return any(np.isnan(source[rows]).any() for rows in _blocks(source))


def nothing_seen(X):
    """Return which rows of a `Table` hold no value, (n_samples,) bool, or None when none does."""
    if isinstance(X, np.ndarray) or sp.issparse(X.source) or not has_holes(X.source):
        return None
    empty = np.concatenate([np.isnan(X.source[rows]).all(axis=1) for rows in _blocks(X.source)])
    return empty if empty.any() else None


def dense_sample(X, slots):
    """Return an array to learn column statistics from, and its rows' frequencies.

    An array is its own sample; of a `Table` so many rows are taken as fit in bounded memory.

    Parameters
    ----------
    X : ndarray or Table
    slots : ndarray of shape (n_slots,)
        Row numbers in canonical order, repeated by weight.
    """
    if isinstance(X, np.ndarray):
        return X, np.bincount(slots, minlength=len(X)).astype(np.float64)
    step = -(-len(slots) * X.shape[1] // _SAMPLE_VALUES)
    return X[slots[::step]], None


def needs_targets(X):
    """Tell whether a reconstruction of rows needs targets besides the rows themselves."""
    return not isinstance(X, np.ndarray) and (X.layout is not None or has_holes(X.source))


def targets(X, scaler):
    """Return the targets of a reconstruction: scaled rows, NaN where nothing is to be rebuilt."""
    rows = ScaledRows(X, scaler) if isinstance(X, np.ndarray) else Targets(X, scaler)
    few = len(rows) * rows.shape[1] <= _SAMPLE_VALUES
    return rows[np.arange(len(rows))] if few else rows


def missing_features(X):
    """Return what is missing in the features of a `Table`'s rows, or None when nothing is."""
    if isinstance(X, np.ndarray) or not has_holes(X.source):
        return None
    return np.isnan(X.source_rows(slice(None)))[:, _feature_order(X)]


def missing_columns(X):
    """Return what is missing in the encoded columns of a `Table`'s rows."""
    return np.isnan(X.with_holes(slice(None)))


def _feature_order(X):
    return slice(None) if X.layout is None else X.layout.order


def _is_plain(source):
    return not sp.issparse(source) and not has_holes(source)


def _holes(source):
    if sp.issparse(source):
        places = source.indices[np.isnan(source.data)]
        return np.bincount(places, minlength=source.shape[1])
    return sum(np.isnan(source[rows]).sum(axis=0) for rows in _blocks(source))


def _sparse_digest(rows):
    """Return three numbers of 24 bits a row, from a hash of its entries other than zero."""
    hashes = pd.util.hash_array(rows.data.astype(np.float32))
    hashes = (hashes ^ ((rows.indices.astype(np.uint64) + np.uint64(1)) * _MIX[0])) * _MIX[1]
    hashes = np.where(rows.data == 0, np.uint64(0), hashes ^ (hashes >> np.uint64(31)))
    ends = np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashes, dtype=np.uint64)])
    sums = ends[rows.indptr[1:]] - ends[rows.indptr[:-1]]  # modulo 2**64
    shifts = np.array([0, 21, 42], np.uint64)
    return ((sums[:, None] >> shifts) & np.uint64(2**22 - 1)).astype(np.float32)


def _column(source, place):
    if sp.issparse(source):
        return source[:, [place]].toarray().ravel()
    return np.asarray(source[:, place], dtype=np.float64)


def _blocks(source):
    step = max(_BLOCK_VALUES // max(source.shape[1], 1), 1)
    return [slice(start, start + step) for start in range(0, source.shape[0], step)]
