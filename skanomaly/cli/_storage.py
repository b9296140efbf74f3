"""Models of the command line as files of `skanomaly.io`."""

from skanomaly.cli._words import CommandError, reason

#: What a model file may use besides the estimators that `skanomaly.io` knows.
TRUSTED = ("skanomaly.cli._model.TableReader",)


def save_model(pipeline, path):
    """Save a fitted pipeline; a file that is there is replaced once the new one is complete."""
    from skanomaly import io

    try:
        io.save(pipeline, path)
    except (ImportError, ValueError, TypeError) as error:
        raise CommandError(f"cannot save the model: {error}") from error
    except OSError as error:
        raise CommandError(f"cannot write {path}: {reason(error)}") from error


def load_model(path):
    """Return the pipeline in a file that `fit` has written."""
    from skanomaly import io

    try:
        pipeline = io.load(path, trusted=TRUSTED)
    except FileNotFoundError:
        raise CommandError(f"no such file: {path}") from None
    except (ImportError, ValueError, TypeError) as error:
        raise CommandError(f"cannot load {path}: {error}") from error
    except OSError as error:
        raise CommandError(f"cannot read {path}: {reason(error)}") from error
    steps = [type(step).__name__ for _, step in getattr(pipeline, "steps", ())]
    if steps != ["TableReader", "DriftMonitor"]:
        raise CommandError(
            f"{path} holds a {type(pipeline).__name__}; expected a model of 'skanomaly fit'. Load "
            "others in Python with skanomaly.io.load"
        )
    return pipeline
