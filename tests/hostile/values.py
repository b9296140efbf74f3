"""Values as users bring them by mistake or by right: tables, scores, labels, weights, scalars.

Every function takes a generator of random numbers and returns one value.
"""

import datetime
import decimal
import fractions
import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp

#: Values that entries of otherwise good columns are replaced by.
_SPOILERS = (
    np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -5e-324, 1e-300, 1e39, -1e39, 1e154, 1e300,
    -1.7e308, 3.4e38, 2.0**53,
)  # fmt: skip


def pick(rng, options):
    """Return one of the options, called if it is a function; the first where it cannot be made."""
    option = options[int(rng.integers(len(options)))]
    if not callable(option):
        return option
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return option()
    except Exception:  # no dates from text, no first row of none
        return options[0]() if callable(options[0]) else options[0]


def numbers(rng, n):
    """Return a float64 column: usual, constant, tied, skewed, or as large as floats go."""
    kind = int(rng.integers(9))
    x = rng.normal(size=n)
    if kind == 0:
        return np.full(n, float(rng.choice([0.0, 1.0, 1e300, -1e-300])))
    if kind == 1:
        return np.round(x)
    if kind == 2:
        return np.exp(20 * x)
    if kind == 3:
        return x * 10.0 ** rng.integers(-320, 308)
    if kind == 4:
        return x + 10.0 ** rng.integers(0, 16)
    if kind == 5 and n:
        x[rng.integers(n, size=rng.integers(1, 3))] = rng.choice(_SPOILERS)
    return x


def scalar(rng):
    """Return a value for any parameter that is a number, a name or a switch."""
    options = (
        None, True, False, 0, 1, 2, 3, -1, 5, 10, 0.1, 0.05, 0.5, 0.999, 1.0, 1.5, -0.1, 1e-12,
        1e308, 5e-324, np.nan, np.inf, -np.inf, 2**31, 2**70, np.int64(3), np.int8(2),
        np.uint64(1), np.float32(0.1), np.float64(0.3), np.float16(0.2), np.bool_(True),
        np.longdouble(0.1), 1 + 2j, np.complex64(1j), "auto", "", "nonsense", "f1", "mse", b"auto",
        np.str_("auto"), [], [1], (2, 3), [1, "a"], {}, {"a": 1}, set, object, len, np.array(2),
        np.array([2]), np.array([0.1, 0.2]), np.array("auto"), pd.NA, pd.NaT,
        decimal.Decimal("0.1"), fractions.Fraction(1, 10), datetime.date(2024, 1, 1),
        pd.Timedelta("1D"), pd.Series([1, 2]), range(2), slice(2),
    )  # fmt: skip
    return options[int(rng.integers(len(options)))]


def number(rng):
    """Return a value for a parameter that is a number, mostly one."""
    return scalar(rng) if rng.random() < 0.5 else float(rng.choice([0.01, 0.05, 0.1, 0.3, 0.5]))


def container(rng, column):
    """Return a column in one of the forms that columns come in."""
    n = len(column)
    order = rng.permutation(n)
    return pick(rng, (
        column, column, column, column.tolist, lambda: tuple(column.tolist()),
        lambda: pd.Series(column), lambda: pd.Series(column, index=order),
        lambda: pd.Series(column, index=pd.date_range("2024", periods=n)),
        lambda: column.astype(object), lambda: column[:, None], lambda: column[None],
        lambda: np.ma.MaskedArray(column, rng.random(n) < 0.2),
        lambda: pd.array(column, dtype="Float64") if column.dtype.kind == "f" else column,
        lambda: pd.Series(column).astype("category"),
        lambda: column.astype(str), lambda: column.astype(complex) + 1j * (rng.random() < 0.7),
        lambda: _read_only(column), lambda: column[::-1], lambda: column[:-1],
        lambda: np.append(column, column[:1]), lambda: column[:0], lambda: column[:1],
        lambda: list(map(str, column)), lambda: pd.DataFrame({"a": column}),
        lambda: pd.Index(column), lambda: sp.csr_matrix(_finite(column)),
        lambda: [None, *column.tolist()[1:]], lambda: _arrow(column), lambda: _polars(column),
        lambda: pd.Series(pd.date_range("2024", periods=n)), lambda: [decimal.Decimal(1)] * n,
        lambda: iter(column), lambda: dict(enumerate(column)), None, "scores", 0.5,
    ))  # fmt: skip


def scores(rng, n):
    """Return scores, higher for normal rows, in any form."""
    column = numbers(rng, n)
    narrow = rng.choice(["f2", "f4", "i8", "u1", "?"])
    column = pick(rng, (column, column, column, column, lambda: column.astype(narrow)))
    return container(rng, column)


def labels(rng, n):
    """Return labels in any coding and form."""
    anomaly = rng.random(n) < rng.choice([0.0, 0.1, 0.5, 1.0], p=[0.1, 0.5, 0.3, 0.1])
    column = pick(rng, (
        lambda: anomaly.astype(int), lambda: np.where(anomaly, -1, 1), lambda: anomaly,
        lambda: np.where(anomaly, "bad", "ok"), lambda: np.where(anomaly, 1.0, np.nan),
        lambda: np.where(anomaly, 0, 7), lambda: rng.normal(size=n),
        lambda: np.where(anomaly, None, 0), lambda: np.where(anomaly, np.inf, 0.0),
        lambda: np.where(anomaly, 2, rng.integers(0, 2, n)),
    ))  # fmt: skip
    if rng.random() < 0.6:
        return column
    return container(rng, column if column.dtype.kind != "U" else column.astype(object))


def predictions(rng, n):
    """Return what `predict` answers, in any form."""
    column = np.where(rng.random(n) < rng.choice([0.0, 0.2, 1.0]), -1, 1)
    if rng.random() < 0.2:
        column = column.astype(float) * rng.choice([1, 2, np.nan])
    return column if rng.random() < 0.5 else container(rng, column)


def weights(rng, n):
    """Return weights, usable or not, or None."""
    column = pick(rng, (
        lambda: np.ones(n), lambda: rng.random(n), lambda: rng.integers(0, 5, n),
        lambda: np.zeros(n), lambda: -rng.random(n), lambda: np.full(n, 1e308),
        lambda: np.full(n, 5e-324), lambda: 10.0 ** rng.uniform(-323, 308, n),
        lambda: numbers(rng, n), lambda: rng.random(n) < 0.5, lambda: rng.normal(size=n),
    ))  # fmt: skip
    if rng.random() < 0.3:
        return None
    return column if rng.random() < 0.7 else container(rng, np.asarray(column))


def table(rng, n, width):
    """Return a table of `n` rows, good or spoilt, in any form."""
    X = np.stack([numbers(rng, n) for _ in range(width)], axis=1)
    plain = rng.normal(size=(n, width))
    return pick(rng, (
        X, X, X, lambda: _frame(X), lambda: _mixed(rng, plain), lambda: _mixed(rng, X),
        X.tolist, lambda: _finite(X).astype("f4"), lambda: plain.astype("f2"),
        lambda: np.asfortranarray(X), lambda: _read_only(X), lambda: X[:, ::-1][::-1],
        lambda: (10 * plain).astype(rng.choice(["i1", "u2", "i8"])), lambda: plain > 0,
        lambda: X.astype(object), lambda: plain.astype(str), lambda: plain.astype("g"),
        lambda: plain.astype(complex), lambda: X[:, :0], lambda: X[:0], lambda: X[0],
        lambda: X[None], lambda: X[:, :1], lambda: np.hstack([X, X]),
        lambda: sp.csr_matrix(_finite(X)), lambda: sp.csc_array(_finite(X)),
        lambda: sp.coo_matrix(_finite(X)), lambda: sp.csr_matrix(np.where(plain > 0, plain, 0)),
        lambda: np.ma.MaskedArray(X, rng.random(X.shape) < 0.2),
        lambda: _frame(X).astype("Float64"), lambda: _frame(plain).astype("float32[pyarrow]"),
        lambda: _mixed(rng, plain).convert_dtypes(dtype_backend="pyarrow"),
        lambda: _polars_table(rng, plain), lambda: _polars_table(rng, plain).lazy(),
        lambda: pd.DataFrame(X, columns=["a"] * width), lambda: pd.DataFrame(X),
        lambda: pd.DataFrame(X, columns=pd.MultiIndex.from_product([["a"], range(width)])),
        lambda: pd.DataFrame(X, columns=["a", *range(1, width)]), lambda: _frame(X).iloc[::-1],
        lambda: _mixed(rng, plain).to_numpy(), lambda: _mixed(rng, plain).to_numpy().tolist(),
        lambda: list(map(tuple, _mixed(rng, plain).to_numpy())),
        lambda: [row.tolist()[: 1 + k % width] for k, row in enumerate(X)],
        lambda: _frame(X).to_records(), lambda: _frame(X).to_dict("list"),
        lambda: _frame(X)["c0"], lambda: pd.DataFrame({}), lambda: iter(X.tolist()),
        lambda: np.full((n, width), np.datetime64("2024-01-01")),
        lambda: np.full((n, width), None), lambda: np.full((n, width), np.nan), None, "table",
        3.0, lambda: {1, 2},
    ))  # fmt: skip


def _frame(X):
    return pd.DataFrame(X, columns=[f"c{k}" for k in range(X.shape[1])])


def _mixed(rng, X):
    """Return a table whose last column is of a kind other than floats."""
    n, frame = len(X), _frame(X)
    text = rng.choice(["x", "y", "z"], size=n)
    holes = np.where(rng.random(n) < 0.2, None, text.astype(object))
    frame[frame.columns[-1]] = pick(rng, (
        text, lambda: pd.Categorical(text), lambda: pd.Series(text, dtype="string"),
        lambda: holes, lambda: pd.cut(pd.Series(np.arange(n)), 3) if n else text,
        lambda: [[1]] * n, lambda: [{"a": 1}] * n, lambda: text == "x",
        lambda: pd.array(text == "x", dtype="boolean"), lambda: pd.date_range("2024", periods=n),
        lambda: pd.to_timedelta(np.arange(n), "D"), lambda: pd.period_range("2024", periods=n),
        lambda: pd.arrays.SparseArray(np.arange(n) % 2), lambda: np.arange(n) + 1j,
        lambda: [decimal.Decimal(k) for k in range(n)], lambda: [b"x"] * n,
        lambda: np.where(np.arange(n) % 5 == 0, "n/a", rng.normal(size=n).astype(object)),
        lambda: [datetime.date(2024, 1, 1)] * n, lambda: [("a", 1)] * n, lambda: [object()] * n,
        lambda: pd.array(np.arange(n), dtype="Int64"), lambda: [None] * n, lambda: [""] * n,
        lambda: [f"user{k}" for k in range(n)], lambda: ["\ud800"] * n,
    ))  # fmt: skip
    return frame


def _arrow(column):
    return pd.Series(column.tolist(), dtype="float64[pyarrow]")


def _polars(column):
    import polars

    return polars.Series("a", column.tolist())


def _polars_table(rng, X):
    import polars

    columns = {f"c{k}": values.tolist() for k, values in enumerate(X.T)}
    n = len(X)
    last = pick(rng, (
        lambda: ["x", "y"] * n, lambda: [[1, 2]] * n, lambda: [{"a": 1}] * n, lambda: [None] * n,
        lambda: [datetime.date(2024, 1, 1)] * n, lambda: [True, False] * n, lambda: [b"x"] * n,
        lambda: [1.0, None] * n,
    ))  # fmt: skip
    return polars.DataFrame({**columns, f"c{X.shape[1] - 1}": last[:n]}, strict=False)


def _finite(values):
    if values.dtype.kind != "f":
        return values
    return np.where(np.isfinite(values), values, 0.0)


def _read_only(values):
    values = values.copy()
    values.setflags(write=False)
    return values
