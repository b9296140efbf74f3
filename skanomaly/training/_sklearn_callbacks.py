"""Tells scikit-learn's experimental callbacks (1.9 and newer) of the epochs of a training.

Owns: the task of training and its subtasks. That of the whole `fit` is in ``utils._callbacks``.
Keras' callbacks do not pass through here.
"""

from skanomaly.backend import keras
from skanomaly.utils._callbacks import CALLBACK_CONTEXT


def epoch_tasks(estimator):
    """Return the Keras callbacks that tell scikit-learn's ones about epochs, none or one."""
    context = vars(estimator).get(CALLBACK_CONTEXT)
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
