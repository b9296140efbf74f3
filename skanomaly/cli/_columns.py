"""Columns of the command line: which are labels and features, and why the others are not."""

import dataclasses
import difflib
import re
import warnings
from typing import Any

from skanomaly.cli._files import earlier_results
from skanomaly.cli._kinds import Reading, is_identifier, numbers_the_rows, read_column
from skanomaly.cli._plans import LARGEST
from skanomaly.cli._words import CommandError, count, joined, listed, percent

FEW_ROWS = 30  # with fewer there is little to learn
_LABEL_NAME = re.compile(
    r"(is|has)_.*|(.*_)?(class|label|target|y|fraud|fraudulent|anomaly|anomalous|outlier|attack|"
    r"churn|default|defect|defective|diagnosis|ground_truth)(_.*)?",
    re.IGNORECASE,
)
MOST_LABELS = 20  # more different values than this are a measurement, not a label


@dataclasses.dataclass
class Features:
    """What to learn from: floats and categories, with NaN for what is missing.

    `sources` has the column of the table that each feature comes from, `tells` the columns
    left out that tell rows apart, `plans` how the columns are read, by their names, and
    `left_out` why others are not.
    """

    frame: Any
    sources: list
    tells: list
    plans: dict
    left_out: dict


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
    from skanomaly.utils import read_labels

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


def features_of(table, label, arguments, say):
    """Return the features of a table; say what has become of each of its columns."""
    import pandas as pd

    ids = [*arguments.id, *table.index]
    readings = _readings(table, label, arguments)
    _leave_out_identifiers(readings)
    reasons = {
        name: reading.reason
        for position, (name, reading) in enumerate(readings.items())
        if reading.reason and position != label
    }
    left_out = [f"{name!r} ({reason})" for name, reason in reasons.items()]
    columns, sources, plans = {}, [], {}
    for name, reading in readings.items():
        for part, values in reading.parts.items():
            feature = _free_name(name + part, part, readings)
            columns[feature] = values
            sources.append(name)
            plans.setdefault(name, {**reading.plan, "features": {}})["features"][part] = feature
    if not columns:
        raise CommandError(_nothing_to_learn_from(table, left_out))
    for feature, values in columns.items():
        _check_size(values, feature, table)
    frame = pd.DataFrame(columns)
    rows, width = frame.shape
    say(f"{table.name}: {count(rows, 'row')}, learning from {count(width, 'column')}")
    _tell_readings(readings, frame, left_out, say)
    _tell_doubts(table, readings, label, say)
    tells = [name for name, read in readings.items() if read.tells]
    return Features(
        frame, sources, sorted(tells, key=lambda name: name not in ids), plans, reasons
    )


def _readings(table, label, arguments):
    """Return what becomes of each column, by its name."""
    reasons = _reasons_given(table, label, arguments.drop)
    forced = {position_of(table, name): "category" for name in arguments.category}
    for name in arguments.number:
        if forced.setdefault(position_of(table, name), "number") != "number":
            raise CommandError(f"--number and --category both name the column {name!r}")
    reasons |= {position_of(table, name): "--id" for name in arguments.id}
    reasons |= {position_of(table, name): "the index" for name in table.index}
    if "file" in table.index:
        reasons[position_of(table, "file")] = "names the file"
    identifies = {position_of(table, name) for name in [*arguments.id, *table.index]}
    readings = {}
    for position, name in enumerate(table.frame.columns):
        if position in reasons:
            told = position in identifies or (name == table.truth and position != label)
            readings[name] = Reading(reason=reasons[position], tells=told)
        else:
            column = table.frame.iloc[:, position]
            readings[name] = read_column(column, table, forced.get(position, ""))
    return readings


def _reasons_given(table, label, drop):
    """Return the positions of columns that are not to be learnt from, whatever they hold."""
    reasons = {}
    for name in earlier_results(table.frame):
        reasons[position_of(table, name)] = "an earlier result"
    if table.truth is not None:
        reasons[position_of(table, table.truth)] = "the truth, to measure by"
    for name in drop:
        reasons[position_of(table, name)] = "--drop"
    if label is not None:
        reasons[label] = "the label"
    return reasons


def _leave_out_identifiers(readings):
    """Leave out numbers that only name or count the rows, where there is more to learn from."""
    first = next(iter(readings))
    used = sum(bool(reading.parts) for reading in readings.values())
    for name, reading in readings.items():
        if reading.kind != "numbers" or used < 2:
            continue
        values = reading.parts[""]
        if name == first and numbers_the_rows(values):
            readings[name] = Reading(reason="numbers the rows")
            used -= 1
        elif is_identifier(name, values):
            readings[name] = Reading(reason="an identifier, different in each row", tells=True)
            used -= 1


def _free_name(name, part, readings):
    """Return a name that no column of the table has, for a part of one."""
    while part and name in readings:
        name += "'"
    return name


def _nothing_to_learn_from(table, left_out):
    parts = [f"no column to learn from in {table.name}"]
    if left_out:
        parts.append(f"left out: {joined(left_out)}")
    if table.sep is not None:
        parts.append(f"columns are separated at {table.sep!r}, which --sep can change")
    return "; ".join(parts)


def _check_size(values, name, table):
    if values.dtype.kind != "f":
        return
    for row in (abs(values) > LARGEST).nonzero()[0][:1]:
        text = f"{values[row]:g}"
        csv_infinity = "inf" in text and table.sep is not None
        missing = f"read it as missing with --missing={text}, " if csv_infinity else ""
        raise CommandError(
            f"column {name!r} of {table.name} holds {text} in row {row + 1}; expected numbers "
            f"up to {LARGEST:g}: mend the file, {missing}or leave the column out with --drop"
        )


def _tell_readings(readings, frame, left_out, say):
    """Say what has become of the columns; of a table of numbers alone there is little to say."""
    for name, reading in readings.items():
        if reading.note:
            say(f"note: {name!r} {reading.note}")
    kinds = {reading.kind for reading in readings.values() if reading.parts}
    for kind in ("numbers", "categories", "dates"):
        told = [_with_remark(name, read) for name, read in readings.items() if read.kind == kind]
        plain = kinds == {"numbers"} and not any("(in " in text for text in told)
        if kind in kinds and not plain:
            say(f"{kind}: {joined(told)}")
    missing = frame.isna()
    shares = missing.mean()
    told = [f"{name!r} {percent(share)}" for name, share in shares.items() if share > 0]
    if told:
        say(f"missing values, left as they are: {joined(told)}")
    nothing = int(missing.all(axis=1).sum())
    if nothing:
        say(f"note: {count(nothing, 'row')} without any value, scored like the median row")
    if left_out:
        say(f"left out {count(len(left_out), 'column')}: {joined(left_out)}")


def _tell_doubts(table, readings, label, say):
    """Point at what looks like a label that was not named, and at too few rows."""
    for position, name in enumerate(table.frame.columns):
        if not readings[name].parts or position == label or not _LABEL_NAME.fullmatch(name):
            continue
        values = table.frame[name].dropna().unique()
        if len(values) == 2 and {str(value) for value in values} & {"0", "1", "1.0", "True"}:
            say(
                f"note: {name!r} holds {listed(sorted(values))} and is named like a label, but is "
                f"learnt from like any other column; --label {name} learns to tell them apart, "
                f"--drop {name} leaves it out"
            )
    rows = len(table.frame)
    if rows < FEW_ROWS:
        say(f"warning: {count(rows, 'row')} are few to learn from; expect rough results")


def _with_remark(name, reading):
    return f"{name!r} ({reading.remark})" if reading.remark else repr(name)
