"""What the texts of a column stand for: numbers as people write them, dates, times of day.

Owns which texts are read as which, whatever the column is then used for. A text that is not of
its column's kind, such as "?" among numbers, comes out as NaN or NaT.
"""

import re

ENOUGH = 0.9  # so many texts of one kind make a column of that kind, and the others errors
SAMPLE = 50  # different texts that tell which formats are worth trying on the whole column
_UNIT = r"[$€£¥%]?"
_GAP = "\\s\u00a0\u202f'’"  # not every engine takes the spaces that do not break for \\s
_PLAIN = {  # by decimal mark
    ".": r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?",
    ",": r"(?:\d+,?\d*|,\d+)(?:[eE][-+]?\d+)?",
}
_GROUPED = {  # with marks between the thousands
    ".": rf"[1-9]\d{{0,2}}(?:[,{_GAP}]\d{{3}})+(?:\.\d+)?",
    ",": rf"[1-9]\d{{0,2}}(?:[.{_GAP}]\d{{3}})+(?:,\d+)?",
}
_BYTE = r"(?:1?\d?\d|2[0-4]\d|25[0-5])"
_ADDRESS = rf"{_BYTE}(?:\.{_BYTE}){{3}}"  # of a computer, and no number in groups of digits
FIRST = 200, 10_000  # different texts of a column that tell its decimal mark
# How clearly a column tells it: 3,66 is a number with one mark alone, 1.234.567 may be a code,
# and where semicolons separate columns, 4,460 is rather 4.46 than 4460.
_DECIMALS, _GROUPS, _RATHER = 1, 0.1, 0.01
_WITH_UNIT = (  # behind the number, or three letters of a currency before it
    rf"^[-+(]?[\d.,{_GAP}]*\d[.,]?[{_GAP}]*([^\W\d_][^\d()]{{0,14}}?|[°µΩ]\S{{0,6}})\)?-?$"
    rf"|^[-+(]?[{_GAP}]?([A-Z]{{3}})[{_GAP}]?[-+(]?[\d.,{_GAP}]+\)?-?$"
)
# texts that say "missing" in a column of numbers: "?", "n/a", "#DIV/0!", "unknown"
_MISSING = re.compile(
    r"[\W_]*|#.*[!?]|#n/?a.*|<?-?n[./]?a\.?n?>?|-?1\.#(ind|qnan)|k\.? ?a\.?|none|nil|null|unknown|"
    r"missing",
    re.I,
)
_DAY = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T ].*)?|(19|20)\d\d-\d\d")
_DAYS = (
    "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y",
    "%d.%m.%y", "%m/%d/%y", "%d/%m/%y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_ZONE = re.compile(r"(:\d\d(?:\.\d+)?) ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$")
_CLOCK = r"\d{1,3}:[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"


def kind_of(column):
    """Tell what a column holds: "empty", "number", "boolean", "text", "dates" or another kind."""
    import pandas as pd

    if column.count() == 0:
        return "empty"
    if column.dtype.kind in "iuf":
        return "number"
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "dates" if column.cat.categories.dtype.kind == "M" else "category"
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("integer", "floating", "decimal", "mixed-integer-float"):
        return "number"
    return {
        "string": "text",
        "datetime64": "dates",
        "datetime": "dates",
        "date": "dates",
        "mixed-integer": "mixed",
    }.get(kind, kind)


def texts_of(column):
    """Return values as texts without blanks around them; missing or blank is missing.

    A whole number has no decimals, although a missing one beside it may make it a float.
    """
    if column.dtype.kind == "f":
        whole = column.astype("Float64")
        if ((whole % 1 == 0) & (abs(whole) < 2**53)).fillna(True).all():
            column = whole.astype("Int64")
    texts = column.astype("string").str.strip()
    return texts.mask(texts == "")


def as_text(value):
    """Return a value as a text: a whole number without a decimal."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def without(column, missing):
    """Return a column without the values that stand for a missing one, given as texts."""
    if not missing:
        return column
    if column.dtype.kind in "iuf":  # -999.0 where it was -999
        held = column.isin(numbers_in(missing))
        if column.dtype.kind != "f" and held.any():
            column = column.convert_dtypes()  # whole numbers stay whole beside missing ones
        return column.mask(held)
    if column.dtype == object:
        texts = texts_of(column.map(as_text, na_action="ignore"))
    else:
        texts = texts_of(column)
    return column.mask(texts.isin(missing).fillna(False))


def numbers_in(missing):
    """Return the numbers among texts that the user typed for missing values."""
    import pandas as pd

    return pd.to_numeric(pd.Series(missing, dtype="string"), errors="coerce").dropna().tolist()


def numbers_of(column, decimal, unit=""):
    """Return what a column of texts holds as numbers, NaN where a text is none.

    Parameters
    ----------
    column : pandas.Series
        Texts.
    decimal : "." or ","
        The decimal mark.
    unit : str, default=""
        What may stand behind (or before) a number, such as "kg".

    Returns
    -------
    numbers : ndarray of shape (n_rows,), float64
        Those in brackets or with a minus behind them are negative, as accountants write.
    """
    import numpy as np
    import pandas as pd

    codes, texts = pd.factorize(texts_of(column))
    texts = pd.Series(texts, dtype="string")
    if unit:
        texts = _without_unit(texts, unit)
    numbers = np.append(_parsed(texts, decimal), np.nan)  # missing values have code -1
    return numbers[codes]


def decimal_in(columns, sep=None, forced=()):
    """Return the decimal mark that columns say their numbers have, or None where nothing tells.

    Parameters
    ----------
    columns : dict of str to pandas.Series
        Texts, by name. Those have a say of which nearly all are numbers with one of the marks.
    sep : str, default=None
        What separates columns.
    forced : collection of str, default=()
        Columns that have a say although other texts are among their numbers.

    Returns
    -------
    mark : ".", "," or None
    """
    votes = {".": 0, ",": 0}
    for name, column in columns.items():
        mark, weight = _vote(texts_of(column), sep, name in forced)
        votes[mark] += weight
    if not any(votes.values()):
        return None
    # where no comma separates columns, those of numbers with commas are hardly anything else
    commas = votes[","] >= _DECIMALS and sep not in (None, ",")
    return "," if commas or votes[","] > votes["."] else "."


def _vote(texts, sep, forced):
    """Return the decimal mark that texts say they have, and how clearly."""
    counts = texts.value_counts()
    plain = counts.index[: FIRST[0]].tolist()
    for mark, other in (".,", ",."):  # most files are that simple
        if all(re.fullmatch(f"[-+]?{_PLAIN[mark]}", text) for text in plain) and any(
            mark in text and not re.fullmatch(f"[-+]?{_GROUPED[other]}", text) for text in plain
        ):
            return mark, _DECIMALS
    for first in FIRST:
        vote = _vote_of(counts.iloc[:first], sep, forced)
        if vote[1] == _DECIMALS or len(counts) <= first:
            break
    return vote


def _vote_of(counts, sep, forced):
    import numpy as np

    texts = counts.index.to_series().reset_index(drop=True)
    has = {mark: texts.str.contains(mark, regex=False).to_numpy(bool) for mark in ".,"}
    if not (has["."] | has[","]).any():
        return ".", 0
    rows = counts.to_numpy(float) * [not says_missing(text) for text in texts]
    read = {mark: ~np.isnan(numbers_of(texts, mark, unit_of(texts, mark))) for mark in ".,"}
    enough = {m: forced or rows[read[m]].sum() >= ENOUGH * rows.sum() for m in ".,"}
    told = {m: read[m] & ~read[other] for m, other in (".,", ",.")}
    mark = max(".,", key=lambda one: told[one].sum())
    if told[mark].any() and enough[mark]:
        return mark, _DECIMALS if (told[mark] & has[mark]).any() else _GROUPS
    return ",", _RATHER if sep == ";" and enough[","] and (read[","] & has[","]).any() else 0


def in_thousands(column):
    """Tell whether points stand between the thousands of all texts that have some: 85.076."""
    texts = texts_of(column).dropna()
    pointed = texts[texts.str.contains(".", regex=False)]
    return len(pointed) > 0 and bool(_written(pointed, _GROUPED[","]).all())


def unit_of(column, decimal):
    """Return the unit that stands behind or before nearly all numbers of a column, or ""."""
    import numpy as np

    texts = _with_plain_minus(texts_of(column).drop_duplicates().dropna())
    around = texts.str.extract(_WITH_UNIT)
    units = around[0].fillna(around[1]).dropna()
    if len(units) == 0:
        return ""
    unit = units.mode().iloc[0]
    if (units == unit).sum() < ENOUGH * len(texts):
        return ""
    return "" if np.isnan(numbers_of(texts, decimal, unit)).mean() > 1 - ENOUGH else unit


def _without_unit(texts, unit):
    unit = re.escape(unit)
    texts = _with_plain_minus(texts)
    before = rf"^([-+(]?)[{_GAP}]*{unit}[{_GAP}]*(?=[-+(]?[\d.,])"
    texts = texts.str.replace(before, r"\1", regex=True)
    return texts.str.replace(rf"(?<=[\d.,])[{_GAP}]*{unit}(\)?-?)$", r"\1", regex=True)


def _with_plain_minus(texts):
    return texts.str.replace("\u2212", "-", regex=False)


def _parsed(texts, decimal):
    import numpy as np
    import pandas as pd

    texts = _signed(texts)
    plain = _written(texts, _PLAIN[decimal])
    known = plain | _written(texts, _GROUPED[decimal])
    # digits in groups alone may be a telephone number
    known = known if texts[known].str.contains("[.,]").any() else plain
    addresses = texts.str.fullmatch(_ADDRESS)
    known = known & ~addresses if addresses.sum() > len(texts) / 2 else known
    marks = f"[$€£¥%{_GAP}{'.' if decimal == ',' else ','}]"
    bare = texts[known].str.replace(marks, "", regex=True).str.replace(decimal, ".", regex=False)
    numbers = np.full(len(texts), np.nan)
    numbers[known.to_numpy(bool)] = pd.to_numeric(bare, errors="coerce").to_numpy(
        "float64", na_value=np.nan
    )
    return numbers


def _signed(texts):
    """Put a plain minus before numbers that are negative in another way."""
    texts = _with_plain_minus(texts)
    texts = texts.str.replace(rf"^([$€£¥])[{_GAP}]?([-+])", r"\2\1", regex=True)
    texts = texts.str.replace(r"^\(\s*([^-+()]*\d[^-+()]*)\)$", r"-\1", regex=True)
    return texts.str.replace(r"^([^-+()]*\d[^-+()]*?)\s*-$", r"-\1", regex=True)


def _written(texts, pattern):
    return texts.str.fullmatch(rf"[-+]?[{_GAP}]?{_UNIT}[{_GAP}]?{pattern}[{_GAP}]?{_UNIT}")


def says_missing(text):
    """Tell whether a text among numbers says that there is none, as "?" and "unknown" do."""
    return _MISSING.fullmatch(text) is not None


def dates_of(column):
    """Return the dates that a column of texts holds, or None where it holds other texts.

    Returns
    -------
    dates : pandas.Series of datetimes, or None
        As the clock showed it, whatever time zone the texts name. Day and month are told apart
        by the column as a whole; where both orders fit, a slash or dash means that the month
        comes first.
    """
    form = date_format_of(column)
    return None if form is None else dates_in(column, form)


def date_format_of(column, enough=ENOUGH):
    """Return the format that nearly all texts of a column are dates in, or None."""
    import pandas as pd

    texts = _clock_alone(pd.Series(texts_of(column).dropna().unique(), dtype="string"))
    sample = texts[:SAMPLE]
    if sum(_DAY.fullmatch(text) is not None for text in sample) < enough * len(sample):
        return None
    best = max(_formats_for(sample), key=lambda form: _as_dates(texts, form).notna().sum())
    read = _as_dates(texts, best).notna().sum()
    return best if len(texts) and read >= enough * len(texts) else None


def dates_in(column, form):
    """Return the dates that texts of one format hold, NaT for other texts."""
    import pandas as pd

    codes, texts = pd.factorize(texts_of(column))
    texts = pd.Series(texts, dtype="string")
    texts = texts.where(texts.str.fullmatch(_DAY.pattern))  # 1200 is no year, for it may be a time
    dates = _as_dates(_clock_alone(texts), form)
    return pd.Series(dates.array.take(codes, allow_fill=True), index=column.index)


def _clock_alone(texts):
    return texts.str.replace(_ZONE, lambda match: match[1], regex=True)


def _formats_for(sample):
    forms = ["ISO8601", *(day + time for day in _DAYS for time in _TIMES)]
    read = {form: _as_dates(sample, form).notna().sum() for form in forms}
    return [form for form in forms if read[form] == max(read.values())]


def _as_dates(texts, form):
    import pandas as pd

    return pd.to_datetime(texts, format=form, errors="coerce")


def hours_of(column):
    """Return the hours that texts such as 13:45 or 0:45:10 stand for, or None for other texts."""
    hours, texts = hours_in(column), texts_of(column)
    return None if (hours == hours).sum() < ENOUGH * texts.notna().sum() else hours


def hours_in(column):
    """Return the hours that texts such as 13:45 stand for, NaN for other texts."""
    import numpy as np
    import pandas as pd

    texts = texts_of(column)
    clock = texts.str.fullmatch(_CLOCK).fillna(False).to_numpy(bool)
    if not clock.any():
        return np.full(len(texts), np.nan)
    parts = texts[clock].str.split(":", expand=True).apply(pd.to_numeric, errors="coerce")
    parts = parts.astype("Float64").to_numpy("float64", na_value=0)  # some lack the seconds
    hours = np.full(len(texts), np.nan)
    hours[clock] = parts @ 60.0 ** -np.arange(parts.shape[1])
    return hours
