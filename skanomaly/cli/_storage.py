"""Models of the command line as files of `skanomaly.io`."""

import contextlib

from skanomaly.cli._words import CommandError, reason


def save_model(pipeline, path):
    """Save a fitted pipeline; a file that is there is replaced once the new one is complete."""
    from skanomaly import io

    reader, monitor = pipeline[0], pipeline[-1]
    kinds = {name: plan["kind"] for name, plan in reader.plans_.items()}
    try:
        io.save(
            pipeline,
            path,
            notes={
                "about": reader.about_,
                "kinds": kinds,
                "threshold": float(monitor.offset_),
                "alpha": float(monitor.alpha),
            },
        )
    except (ImportError, ValueError, TypeError) as error:
        raise CommandError(f"cannot save the model: {error}") from error
    except OSError as error:
        raise CommandError(f"cannot write {path}: {reason(error)}") from error


def load_model(path):
    """Return the pipeline in a file that `fit` has written."""
    from skanomaly import io

    with _refusing(path):
        pipeline = io.load(path)
    steps = [type(step).__name__ for _, step in getattr(pipeline, "steps", ())]
    if steps != ["TableReader", "DriftMonitor"]:
        raise _other(path, type(pipeline).__name__)
    return pipeline


def read_notes(path):
    """Return what `save_model` has noted of a model, without loading it."""
    from skanomaly import io

    with _refusing(path):
        said = io.info(path)
    notes = said.get("notes")
    if not isinstance(notes, dict) or "kinds" not in notes:
        raise _other(path, said.get("estimator"))
    return notes


@contextlib.contextmanager
def _refusing(path):
    try:
        yield
    except FileNotFoundError:
        raise CommandError(f"no such file: {path}") from None
    except (ImportError, ValueError, TypeError) as error:
        raise CommandError(f"cannot load {path}: {error}") from error
    except OSError as error:
        raise CommandError(f"cannot read {path}: {reason(error)}") from error


def _other(path, name):
    return CommandError(
        f"{path} holds a {name}; expected a model of 'skanomaly fit'. Load others in Python with "
        "skanomaly.io.load"
    )
