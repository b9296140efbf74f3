"""``skanomaly info``: what a saved model is."""

from skanomaly.cli._storage import read_notes
from skanomaly.cli._words import count, joined


def info(arguments):
    """Run the command."""
    notes = read_notes(arguments.model)
    about = notes["about"]
    print(f"{arguments.model}: {about['detector']}, made by skanomaly fit")
    rows = f"{count(about['rows'], 'row')} of {about['file']}"
    lines = {
        "trained": f"{about['trained']} on {rows}",
        "labels": about.get("labels"),
        "reference": f"{count(about['reference_rows'], 'row')} held out, to tell drift by",
        "kept rows": f"{count(about.get('kept_rows', 0), 'row')}, to explain others with",
        "threshold": f"{notes['threshold']:.6g} (a score_samples below it is an anomaly)",
        "drift alarm": f"false in at most {notes['alpha']:.0%} of the cases, however long it runs",
    }
    for kind in about["columns"]:
        names = [name for name, found in notes["kinds"].items() if found == kind]
        lines[kind] = joined([repr(name) for name in names], 20)
    lines["left out"] = joined([repr(name) for name in about["left_out"]], 20)
    lines["versions"] = ", ".join(f"{name} {text}" for name, text in about["versions"].items())
    for name, text in lines.items():
        if text:
            print(f"  {name:<12} {text}")
