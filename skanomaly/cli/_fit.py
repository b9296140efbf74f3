"""``skanomaly fit``: learn from a table once, and save what scores others for ever."""

import datetime
import platform

from skanomaly.cli._detect import prepare
from skanomaly.cli._model import TableReader
from skanomaly.cli._outputs import check_out
from skanomaly.cli._report import print_flagged, print_held_out
from skanomaly.cli._saying import sayer
from skanomaly.cli._storage import save_model
from skanomaly.cli._training import check_choices, for_fit, measure, new_detector
from skanomaly.cli._words import CommandError

#: Rows that are held out to tell drift by: a quarter, or this many.
REFERENCE, MOST_REFERENCE = 0.25, 20_000
MODEL_SUFFIXES = {".skops": None}


def fit(arguments):
    """Run the command."""
    say = sayer(arguments)
    check_choices(arguments)
    check_out(arguments.model, arguments.file, option="--model", suffixes=MODEL_SUFFIXES)
    if (arguments.alerts is None) != (arguments.per is None):
        raise CommandError("--alerts and --per belong together: --alerts 20 --per 50000")
    table, features, labels = prepare(arguments, say)
    held_out = None
    try:
        if labels is not None:
            held_out = measure(features.frame, labels, arguments, say)
            say("2 of 2: training the model that is saved")
        pipeline = fit_pipeline(table, features, labels, arguments)
    except (ValueError, ImportError) as error:
        raise CommandError(f"training failed: {error}") from error
    save_model(pipeline, arguments.model)
    if held_out is not None:
        print_held_out(*held_out)
    monitor = pipeline[-1]
    reference = monitor.scores_
    print_flagged(int((reference < monitor.offset_).sum()), len(reference))
    print("These rows were held out of the training; new ones are compared with them.")
    say(f"wrote the model to {arguments.model}")


def fit_pipeline(table, features, labels, arguments):
    """Return a fitted pipeline of a reader of tables and a detector that watches drift."""
    from sklearn.pipeline import Pipeline

    from skanomaly import DriftMonitor
    from skanomaly.thresholds import alert_budget_threshold

    rows = len(features.frame)
    monitor = DriftMonitor(
        new_detector(labels is not None, arguments),
        cv=min(REFERENCE, MOST_REFERENCE / rows),
        random_state=arguments.random_state,
    )
    monitor.fit(features.frame, for_fit(labels))
    if labels is not None and arguments.contamination != "auto":
        monitor.set_threshold("contamination", level=arguments.contamination)
    if arguments.alerts is not None:
        budget = alert_budget_threshold(monitor.scores_, arguments.alerts, arguments.per)
        monitor.set_threshold(budget)
    about = _about(table, features, labels, monitor, arguments)
    usual = features.frame if labels is None else features.frame[labels >= 0]
    reader = TableReader().fit(
        usual,
        plans=features.plans,
        about=about,
        keep=arguments.keep_rows,
        missing=arguments.missing,
    )
    return Pipeline([("reader", reader), ("monitor", monitor)])


def _about(table, features, labels, monitor, arguments):
    import sklearn

    import skanomaly

    kinds = [plan["kind"] for plan in features.plans.values()]
    about = {
        "trained": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "file": table.name,
        "rows": len(table.frame),
        "reference_rows": len(monitor.scores_),
        "detector": type(monitor.estimator_).__name__,
        "threshold": float(monitor.offset_),
        "columns": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        "left_out": [name for name in table.frame.columns if name not in features.plans],
        "versions": {
            "skanomaly": skanomaly.__version__,
            "scikit-learn": sklearn.__version__,
            "python": platform.python_version(),
        },
    }
    if labels is not None:
        counts = {name: int((labels == code).sum()) for name, code in _CODES.items()}
        told = [f"{number} {name}" for name, number in counts.items()]
        about["labels"] = f"{arguments.label}: {', '.join(told)}"
    return about


_CODES = {"anomalies": -1, "normal": 1, "unlabelled": 0}
