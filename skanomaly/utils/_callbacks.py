"""scikit-learn's experimental callbacks (1.9 and newer), such as its progress bars.

Owns: what an estimator's `fit` tells them, its own beginning and end. With an older scikit-learn,
and for estimators without such callbacks, nothing happens. What networks tell them of their epochs
is said in ``training._sklearn_callbacks``.
"""

import contextlib

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:
        """Stands in where scikit-learn knows no callbacks."""


CALLBACK_CONTEXT = "_callback_fit_ctx"


@contextlib.contextmanager
def fit_task(estimator, X, y, sample_weight):
    """Tell scikit-learn's callbacks of an estimator that its fit begins and ends.

    Setting up comes first in `fit`, and scikit-learn's ``_fit_context`` tears down again.

    Parameters
    ----------
    estimator : estimator
        With or without callbacks.
    X, y, sample_weight : object
        What `fit` was given.
    """
    if not vars(estimator).get("_skl_callbacks"):
        yield
        return
    given = {"estimator": estimator, "X": X, "y": y}
    if sample_weight is not None:
        given["metadata"] = {"sample_weight": sample_weight}
    context = estimator._init_callback_context(max_subtasks=1)
    context.call_on_fit_task_begin(**given)
    yield
    context.call_on_fit_task_end(**given, reconstruction_attributes={})
