"""Keeps trackers of experiments out of the small models inside a fit. No tracker is imported."""

import contextlib
import sys


@contextlib.contextmanager
def untracked():
    """Keep MLflow's autologging from taking the small models inside a fit for the user's own.

    It replaces the `fit` of all classes of scikit-learn; ours would show as the last of those
    that they fit inside. Without MLflow nothing happens.
    """
    tracking = sys.modules.get("mlflow.utils.autologging_utils")
    with contextlib.nullcontext() if tracking is None else tracking.disable_autologging():
        yield
