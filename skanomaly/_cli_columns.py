"""Columns of the command line: which are labels and features, and why the others are not."""

import difflib
import shlex
import warnings

from skanomaly._cli_files import (
    CommandError,
    count,
    earlier_results,
    joined,
    kind_of,
    listed,
    shown,
    without_marks,
    written_as_numbers,
)

MOST_LABELS = 20  # more different values than this are a measurement, not a label
LARGEST = 1e100  # squares of larger values overflow in the scaler


def position_of(table, name):
    """Return where the column of this name is."""
    names = list(table.frame.columns)
    if name in names:
        return names.index(name)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise CommandError(f"no column {name!r} in {table.name}; {hint}it has {listed(names)}")


def labels_of(table, label, arguments, say):
    """Return -1 for an anomaly, +1 for a normal row, 0 for an unlabelled one."""
    from skanomaly._labels import read_labels

    column = table.frame.iloc[:, label]
    where = f"column {arguments.label!r} of {table.name}"
    try:
        chosen = _chosen_label(column.dropna().unique(), arguments.anomaly_label, where)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            labels = read_labels(column, anomaly_label=chosen)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{where}: {error}") from error
    counts = {meaning: int((labels == meaning).sum()) for meaning in (-1, 1, 0)}
    _check_labels(counts, where)
    named = listed(column[labels == -1].unique())
    say(
        f"labels in {arguments.label!r}: {count(counts[-1], 'anomaly', 'anomalies')} ({named}), "
        f"{counts[1]} normal, {counts[0]} unlabelled"
    )
    if caught:
        say(f"note: {named} is the rarest label; --anomaly-label names another anomaly")
    return labels


def _chosen_label(values, wanted, where):
    """Return the value of the column that --anomaly-label, which is text, means."""
    if wanted is None:
        if len(values) > MOST_LABELS:
            raise CommandError(
                f"{where} holds {len(values)} different values ({listed(values, 3)}): not a "
                "label; name another column, or the anomalies with --anomaly-label"
            )
        return "auto"
    for value in values:
        if str(value) in (wanted, f"{wanted}.0"):
            return value
    raise CommandError(f"{where} has no value {wanted!r}; it holds {listed(values)}")


def _check_labels(counts, where):
    for meaning, name in ((-1, "anomalies"), (1, "normal rows")):
        if counts[meaning] < 2:
            raise CommandError(
                f"{where} must label at least 2 {name}, since one is held out, but it labels "
                f"{counts[meaning]}; label more rows, check --anomaly-label, or leave out --label"
            )


def features_of(table, label, drop, say):
    """Return the columns to learn from, as floats, and the names of the text columns."""
    import pandas as pd

    reasons = _reasons_given(table, label, drop)
    columns, left_out, texts = {}, [], []
    for position, name in enumerate(table.frame.columns):
        column = table.frame.iloc[:, position]
        reason = reasons.get(position) or _why_unusable(column, table)
        if reason == "text" and column.nunique() > 1:
            texts.append(name)
        if not reason:
            columns[name] = _as_floats(column, table)
        elif position != label:
            left_out.append(f"{name!r} ({reason})")
    _leave_out_row_numbers(columns, left_out, table)
    if left_out:
        say(f"left out {count(len(left_out), 'column')}: {joined(left_out)}")
    if not columns:
        raise CommandError(_nothing_to_learn_from(table, left_out))
    for name, values in columns.items():
        _check_size(values, name, table)
        _hint_identifier(values, name, say)
    if table.sep is not None:
        for name in texts:
            _hint_marker(table.frame[name], name, say)
    return pd.DataFrame(columns, index=table.frame.index), texts


def _reasons_given(table, label, drop):
    """Return the positions of columns that are not to be learnt from, whatever they hold."""
    reasons = {}
    for name in earlier_results(table.frame):
        reasons[position_of(table, name)] = "an earlier result"
    for name in drop:
        reasons[position_of(table, name)] = "--drop"
    if label is not None:
        reasons[label] = "the label"
    return reasons


def _why_unusable(column, table):
    """Return why nothing can be learnt from this column, or an empty string."""
    kind = kind_of(column)
    if kind == "empty":
        return "no values"
    if kind not in ("number", "text"):
        return kind
    if kind == "text" and not written_as_numbers(column, table):
        return "text"
    if column.nunique() == 1:
        return f"nothing but {shown(column.dropna().iloc[0])}"
    return ""


def _as_floats(column, table):
    if kind_of(column) == "text":
        column = without_marks(column, table.decimal)
    return column.astype("Float64").to_numpy("float64", na_value=float("nan"))


def _leave_out_row_numbers(columns, left_out, table):
    """Leave out a first column that only counts the rows, as a saved index does."""
    first = table.frame.columns[0]
    values = columns.get(first, [])
    if len(columns) > 1 and len(values) >= 10 and (values[1:] - values[:-1] == 1).all():
        del columns[first]
        left_out.append(f"{first!r} (numbers the rows)")


def _nothing_to_learn_from(table, left_out):
    parts = [f"no numeric column to learn from in {table.name}"]
    if left_out:
        parts.append(f"left out: {joined(left_out)}")
    if table.sep is not None:
        parts.append(f"columns are separated at {table.sep!r}, which --sep can change")
    return "; ".join(parts)


def _check_size(values, name, table):
    for row in (abs(values) > LARGEST).nonzero()[0][:1]:
        raise CommandError(
            f"column {name!r} of {table.name} holds {values[row]:g} in row {row + 1}; expected "
            f"numbers up to {LARGEST:g}: mend the file, or leave the column out with --drop"
        )


def _hint_identifier(values, name, say):
    whole = len(values) >= 10 and (values % 1 == 0).all()
    if whole and name.lower().endswith("id") and len(set(values)) == len(values):
        say(f"note: {name!r} looks like an identifier; --drop {shlex.quote(name)} leaves it out")


def _hint_marker(column, name, say):
    """Point at a column that would be numeric but for one text, such as '?'."""
    import pandas as pd

    texts = column.dropna().astype(str)
    others = texts[pd.to_numeric(texts, errors="coerce").isna()].unique()
    if len(others) == 1 and (texts != others[0]).any():
        marker = shlex.quote(others[0])
        say(f"note: {name!r} holds numbers and {marker}; --missing={marker} reads that as missing")
