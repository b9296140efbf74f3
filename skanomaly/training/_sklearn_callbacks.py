"""scikit-learn's experimental callbacks (1.9 and newer), such as its progress bars.

Owns: what a detector's `fit` tells them, which is its own beginning and end and those of each
epoch. With an older scikit-learn, and for detectors without such callbacks, nothing happens.
Keras' callbacks do not pass through here.
"""

import contextlib

from skanomaly.backend import keras

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:
        """Stands in where scikit-learn knows no callbacks."""


_CONTEXT = "_callback_fit_ctx"


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


def epoch_tasks(estimator):
    """Return the Keras callbacks that tell scikit-learn's ones about epochs, none or one."""
    context = vars(estimator).get(_CONTEXT)
    return () if context is None else (_EpochTasks(estimator, context),)


class _EpochTasks(keras.callbacks.Callback):
    """Makes training a task of its own, with a subtask for each epoch."""

    #: Tells the training loop that the model need not be up to date.
    reads_logs_alone = True

    def __init__(self, estimator, context):
        super().__init__()
        self.estimator, self.context = estimator, context

    def on_train_begin(self, logs=None):
        """Forget an earlier training."""
        self.training = None

    def on_epoch_begin(self, epoch, logs=None):
        """Begin the task of an epoch, and before the first one that of training."""
        if self.training is None:  # a warm start goes on counting epochs
            n_epochs = self.params["epochs"] - epoch
            self.training = self._begin(self.context, "train", max_subtasks=n_epochs)
        self.epoch = self._begin(self.training, "epoch")

    def on_epoch_end(self, epoch, logs=None):
        """End the task of an epoch; a callback may ask to stop."""
        if self.epoch.call_on_fit_task_end(estimator=self.estimator):
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """End the task of training."""
        if self.training is not None:
            self.training.call_on_fit_task_end(estimator=self.estimator)

    def _begin(self, parent, name, **options):
        context = parent.subcontext(task_name=name, **options)
        return context.call_on_fit_task_begin(estimator=self.estimator)
