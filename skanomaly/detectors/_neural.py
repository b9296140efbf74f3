"""BaseNeuralDetector: what detectors with a trained network share.

Owns how parameters become a schedule of training, and what is read off the trained network. A
detector brings `_new_learner`.
"""

from abc import abstractmethod
from numbers import Integral, Real

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skanomaly.detectors._base import BaseDetector
from skanomaly.preprocessing._validation import read_rows
from skanomaly.training._convergence import warn_if_unfinished
from skanomaly.training._names import check_names
from skanomaly.training._predict import CALLED_FROM_THREADS
from skanomaly.training._sklearn_callbacks import epoch_tasks
from skanomaly.training._trainer import Schedule


class BaseNeuralDetector(BaseDetector):
    """Base class of the detectors that train networks; not for direct use."""

    _parameter_constraints: dict = {
        **BaseDetector._parameter_constraints,
        "activation": [str, callable],
        "optimizer": [str, HasMethods(["apply_gradients", "get_config"])],
        "learning_rate": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "epochs": [StrOptions({"auto"}), None, Interval(Integral, 1, None, closed="left")],
        "max_steps": [StrOptions({"auto"}), None, Interval(Integral, 1, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "callbacks": [None, list, tuple, HasMethods(["on_epoch_end", "set_model"])],
        "model": [None, callable, HasMethods(["get_config", "get_weights"])],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    _scores_in_threads = CALLED_FROM_THREADS

    @abstractmethod
    def _new_learner(self, rows, seed, before):
        """Return an unfitted learner for training rows.

        Parameters
        ----------
        rows : skanomaly.preprocessing._training_rows.TrainingRows
        seed : int
            Seed of everything random.
        before : skanomaly.learners._base.Learner or None
            The learner of the last fit, with a warm start.
        """

    def _goes_on(self):
        return self.warm_start and hasattr(self, "_learner")

    def _fit_rows(self, rows, seed, warm_start):
        given, names = self.get_params(deep=False), ("optimizer", "loss", "activation")
        check_names(type(self).__name__, **{n: given[n] for n in names if n in given})
        before = self._learner if warm_start else None
        learner = self._new_learner(rows, seed, before)
        rows.passes = self._encoded_passes()
        if type(before) is not type(learner):
            before = None  # other labels than last time: nothing to go on from
        out_of_fold = learner.fit(rows, before)
        self._learner = learner
        warn_if_unfinished(learner.trainer, type(self).__name__)
        return out_of_fold

    def _encoded_passes(self):
        """Return what gives an epoch's blocks as learners see them, or None."""
        passes = vars(self).get("_passes")
        if passes is None:
            return None
        return lambda: (self._encoder.view(read_rows(self, X, reset=False)) for X in passes())

    def _score_rows(self, X):
        return -self._learner.score(X)

    @property
    def network_(self):
        """The trained Keras network."""
        return self._fitted_trainer("network_").network

    @property
    def history_(self):
        """Loss per epoch, and validation loss where there is one: dict of str to list."""
        return self._fitted_trainer("history_").history

    @property
    def n_iter_(self):
        """Number of epochs trained."""
        return self._fitted_trainer("n_iter_").n_iter

    def _fitted_trainer(self, name):
        if "_learner" not in vars(self):
            raise AttributeError(
                f"'{type(self).__name__}' has no attribute '{name}' before `fit` is called."
            )
        return self._learner.trainer

    def _schedule(self, settings, **own):
        """Return how to train, from parameters with "auto" resolved."""
        return Schedule(
            optimizer=self.optimizer,
            learning_rate=settings["learning_rate"],
            epochs=settings["epochs"] or 1,
            steps=settings["max_steps"],
            batch_size=settings["batch_size"],
            warmup_steps=settings["warmup_steps"],
            early_stopping=settings["early_stopping"],
            validation_fraction=self.validation_fraction,
            n_iter_no_change=self.n_iter_no_change,
            callbacks=self._callbacks(),
            verbose=self.verbose,
            label=type(self).__name__,
            **own,
        )

    def _callbacks(self):
        """Return the user's callbacks, and what tells scikit-learn's own about epochs."""
        given = () if self.callbacks is None else self.callbacks
        given = given if isinstance(given, (list, tuple)) else (given,)
        other = next((c for c in given if not hasattr(c, "set_model")), None)
        if other is not None:
            raise ValueError(
                f"The 'callbacks' parameter of {type(self).__name__} must hold Keras callbacks, "
                f"got {other!r} among them. Pass objects of keras.callbacks.Callback classes."
            )
        return (*given, *epoch_tasks(self))
