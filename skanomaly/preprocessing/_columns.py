"""What a column of a pandas table holds that is neither number nor category: times, odd text.

Owns the answer. Does not own which columns are categories (``utils._categories``), the numbers of
a column (``utils._numbers``), or what becomes of categories (``preprocessing._categories``).
"""

import datetime
import warnings

import numpy as np
import pandas as pd

#: Distinct values of a column that are looked at to tell numbers written as text.
_LOOKED_AT = 1000
#: Numbers as text are taken for codes, such as those of postal districts, up to so many.
_FEW = 64


def is_time(column):
    """Tell whether a column holds dates, times or durations."""
    kind = column.dtype.categories.dtype if hasattr(column.dtype, "categories") else column.dtype
    if getattr(kind, "kind", "O") in "mM" or isinstance(kind, pd.PeriodDtype):
        return True
    times = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
    first = column.dropna().iloc[:1] if getattr(kind, "kind", "") == "O" else ()
    return any(isinstance(value, times) for value in first)


def warn_of_numbers_as_text(column, what):
    """Warn when a column that is read as a category looks like numbers with text among them."""
    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(column.dtype):
        return
    values = column.dropna().unique()[:_LOOKED_AT]
    if not len(values) or any(isinstance(value, pd.Interval) for value in values[:1]):
        return
    as_numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce")
    text = np.asarray(values, dtype=object)[as_numbers.isna().to_numpy()]
    n_numbers = len(values) - len(text)
    if n_numbers < len(values) / 2 or (not len(text) and n_numbers <= _FEW):
        return
    found = f"numbers and the text {str(text[0])!r}" if len(text) else "numbers written as text"
    warnings.warn(
        f"{what} holds {found}, and is read as a category: one number is then as far from "
        "another as any. Make it numbers by pandas.to_numeric(column, errors='coerce'), or say "
        "by column.astype('category') that it is a category.",
        UserWarning,
        stacklevel=2,
    )
