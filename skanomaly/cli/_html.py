"""The report of ``detect --report``."""

from skanomaly.cli._outputs import replacing
from skanomaly.cli._training import for_fit
from skanomaly.cli._words import CommandError


def require_report():
    """Refuse a report that lacks its libraries, before the time for training is spent."""
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise CommandError(
            f"--report needs {error.name}: pip install 'skanomaly[report]'"
        ) from error


def write_report(detector, table, features, labels, scores, held_out, arguments):
    """Write the report of a detector and the rows that it was fitted to."""
    from skanomaly import display

    facts = {"file": table.name, "label": arguments.label}
    page = display.report(
        detector,
        features.frame,
        for_fit(labels),
        title=f"Anomalies in {table.name}",
        facts=facts,
        left_out=features.left_out,
        identifiers=table.frame[features.tells[:2]],
        scores=scores,
        held_out=held_out,
    )
    with replacing(arguments.report) as file:
        file.write(str(page).encode())
