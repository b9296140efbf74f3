"""``skanomaly explain``: why one row of a file is as strange as it is."""

from skanomaly.cli._files import read_chunks
from skanomaly.cli._reasons import expected_value, explain_rows, seen_value, sources_of
from skanomaly.cli._saying import sayer
from skanomaly.cli._storage import load_model
from skanomaly.cli._words import CommandError, count, shortened


def explain(arguments):
    """Run the command."""
    pipeline = load_model(arguments.model)
    reader, monitor = pipeline[0], pipeline[-1]
    arguments.missing = [*arguments.missing, *reader.missing_]
    table, row = _find_row(reader, arguments)
    features = reader.transform(table.frame, table.decimal)
    explanation = explain_rows(monitor, features, [row], reader.background())
    decision = float(monitor.decision_function(features.iloc[[row]])[0])
    answer = "an anomaly" if decision < 0 else "normal"
    print(f"Row {arguments.row} of {table.name}: score {decision:.4g}, {answer}\n")
    sources = sources_of(reader.plans_)
    lines = [("column", "value", "expected", "share of the score")]
    for _, part in explanation.top(arguments.top).iterrows():
        feature = part["feature"]
        lines.append(
            (
                shortened(feature),
                seen_value(table.frame, sources[feature], feature, explanation, 0, row),
                expected_value(part["expected"], sources[feature]),
                f"{part['contribution']:+.4g}",
            )
        )
    widths = [max(len(line[place]) for line in lines) for place in range(4)]
    for line in lines:
        cells = [f"{cell:<{width}}" for cell, width in zip(line[:3], widths[:3], strict=True)]
        print("  ".join(["", *cells, f"{line[3]:>{widths[3]}}"]))
    print("\nA positive share makes the row stranger, a negative one more normal.")


def _find_row(reader, arguments):
    """Return the part of the file that holds the row, and where in it that is."""
    before = 0
    for path in arguments.file:
        for table, _ in read_chunks(path, arguments, reader, sayer(arguments)):
            if arguments.row <= before + len(table.frame):
                return table, arguments.row - before - 1
            before += len(table.frame)
    raise CommandError(f"there is no row {arguments.row}: the file has {count(before, 'row')}")
