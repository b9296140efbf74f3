"""Seeds, builds, compiles and trains networks; the only module that imports SciKeras.

Owns what lies between an estimator's parameters and a trained Keras model. It does not know
scores or thresholds. SciKeras is composed, never inherited: a `Trainer` that trains holds one
`scikeras.wrappers.BaseWrapper`, which turns names into optimizers and losses, compiles,
trains and keeps the history. It is not part of a trainer's state.
"""

import copy
from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
from sklearn import config_context

from skanomaly.backend import _serialization, keras
from skanomaly.backend._choice import keras_without_tensorflow, tensorflow_hidden
from skanomaly.backend._seeding import seeded, seeded_training
from skanomaly.networks._layers import with_keras_initializers
from skanomaly.training._model import FusedModel, from_state, to_state
from skanomaly.training._progress import Progress
from skanomaly.utils._parameters import plain
from skanomaly.utils._splits import split_rows
from skanomaly.utils._state import is_kept, keeping

#: What a trainer's state holds besides the model.
_NUMBERS = ("seed", "fits", "history", "n_last", "used_up")


@dataclass(frozen=True)
class Schedule:
    """How to train: every number a fit depends on besides data and network.

    Attributes
    ----------
    optimizer : str or keras.optimizers.Optimizer
        Name or instance; an instance is copied and keeps its own learning rate.
    learning_rate : float
        Learning rate of a named optimizer.
    loss : str, callable or keras.losses.Loss
        Loss between target and output.
    epochs : int
        Passes over the rows, when `steps` is None.
    steps : int, default=None
        Budget in optimizer steps, whatever the number of rows.
    batch_size : int
        Rows in a batch.
    warmup_steps : int, default=None
        With a number, the rate climbs for that many steps and then falls to zero as a cosine.
    weight_decay : float, default=None
        Decoupled weight decay of a named optimizer.
    early_stopping : bool
        Stop when the loss on held-out rows no longer falls, and keep the best weights.
    validation_fraction : float
        Share of the rows held out for that.
    n_iter_no_change : int
        Epochs without improvement before stopping.
    callbacks : tuple of keras.callbacks.Callback
        Called while training.
    verbose : int
        0 is silent, 1 shows a progress line.
    """

    optimizer: object = "adam"
    learning_rate: float = 1e-3
    loss: object = "mse"
    epochs: int = 100
    steps: int | None = None
    batch_size: int = 32
    warmup_steps: int | None = None
    weight_decay: float | None = None
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    callbacks: tuple = ()
    verbose: int = 0
    label: str = field(default="fit")

    def __post_init__(self):
        for name, value in vars(self).items():
            object.__setattr__(self, name, plain(value))
        for name in ("epochs", "steps", "batch_size", "n_iter_no_change"):
            if getattr(self, name) is not None:  # True is a whole number, too
                object.__setattr__(self, name, int(getattr(self, name)))


class Trainer:
    """A network under training: built once, trained once or (warm) again.

    Parameters
    ----------
    build : callable
        Function without arguments that returns a `FusedModel`; called with all random
        generators seeded.
    schedule : Schedule
        How to train.
    seed : int
        Seed of initial weights, batch order and random layers.

    Attributes
    ----------
    model : FusedModel
        The trained model.
    network : keras.Model
        The network inside it.
    history : dict of str to list of float
        Losses per epoch, over all fits.
    held_rows : ndarray
        Row numbers that early stopping held out of the last training.
    n_last : int
        Epochs of the last training.
    used_up : bool
        Whether it went to the end of its budget.
    """

    def __init__(self, build, schedule, seed):
        self.seed, self.fits, self.history = seed, 0, {}
        with seeded(seed), keras_without_tensorflow():
            self.model = build()
            with_keras_initializers(self.model.network)
        self.wrapper = _wrapper(self, schedule)

    def __getstate__(self):
        """Return texts, numbers and arrays; what a training goes on from where it is asked for."""
        state = {name: vars(self)[name] for name in _NUMBERS if name in vars(self)}
        return state | {"model": to_state(self.model, with_training=is_kept("training"))}

    def __setstate__(self, state):
        vars(self).update(state, model=from_state(state["model"]), wrapper=None)
        self.held_rows = np.empty(0, np.uint32)

    def copy(self):
        """Return a trainer that goes on from here and leaves this one as it is."""
        with keeping("training"):
            return copy.deepcopy(self)

    @property
    def network(self):
        """The Keras network."""
        return self.model.network

    @property
    def n_iter(self):
        """Epochs trained in all fits together."""
        return len(self.history.get("loss", ()))

    def fit(self, values, y=None, *, rows, schedule, strata=None):
        """Train on rows.

        Parameters
        ----------
        values : object
            Rows as the network sees them; indexed by row numbers.
        y : ndarray, default=None
            Targets; None trains on the input itself.
        rows : ndarray of shape (n_slots,)
            Row numbers of one pass, in an order that the rows' content decides.
        schedule : Schedule
            How to train.
        strata : ndarray of shape (n_samples,), default=None
            Class of each row for the held-out split.

        Returns
        -------
        self : Trainer

        Raises
        ------
        ValueError
            If the loss is not finite.
        """
        rng, before = np.random.default_rng([self.seed, self.fits]), self.n_iter
        self.held_rows = np.empty(0, rows.dtype)  # a view would keep all row numbers
        if schedule.early_stopping:
            rows, self.held_rows = split_rows(rows, schedule.validation_fraction, rng, strata)
        progress = [Progress(schedule.label)] if schedule.verbose else []
        callbacks = [*progress, *schedule.callbacks]
        if self.wrapper is None:  # the trainer comes from a file or a copy
            self.wrapper = _wrapper(self, schedule)
        self.wrapper.set_params(callbacks=callbacks, batch_size=schedule.batch_size)
        if self.fits:  # a warm start of SciKeras keeps those of the last fit
            self.wrapper._initialize_callbacks()
        # SciKeras sees one stand-in value a row: the rows themselves need no second validation
        stand_in = np.broadcast_to(np.float32(0), (len(rows), 1))
        if self.fits and schedule.warmup_steps is not None:
            self.model.optimizer.iterations.assign(0)  # a second fit follows the rates anew
        arrays = config_context(transform_output="default")  # SciKeras' steps know no others
        with keras_without_tensorflow(), arrays, seeded_training(self.seed + self.fits):
            self.wrapper.fit(
                stand_in,
                None,
                epochs=schedule.epochs,
                initial_epoch=self.n_iter,
                data=(values, y),
                rows=rows,
                validation_rows=self.held_rows,
                patience=schedule.n_iter_no_change if schedule.early_stopping else None,
                steps=schedule.steps,
                rng=rng,
            )
        self.fits += 1
        losses = self.wrapper.history_.items()
        self.history = {key: [float(v) for v in values] for key, values in losses}
        self.n_last = self.n_iter - before
        self.used_up = schedule.steps is not None or self.n_last >= schedule.epochs
        self.wrapper.set_params(callbacks=None)
        self.wrapper._initialize_callbacks()  # it keeps them for predictions, too
        self._check_finite()
        return self

    def round_weights(self):
        """Round what was trained to half precision: files get half as large.

        That is 2.4e-4 of a weight, far less than one step of the training changes. Weights
        beyond that precision's range stay as they are.
        """
        for weight in self.network.trainable_weights:
            exact = np.asarray(keras.ops.convert_to_numpy(weight), np.float32)
            inside = np.abs(exact) <= np.finfo(np.float16).max
            half = np.where(inside, exact, 0).astype(np.float16).astype(np.float32)
            weight.assign(np.where(inside, half, exact))

    def fit_passes(self, epoch, schedule):
        """Train on rows that come in blocks, epoch after epoch.

        Batches are drawn within a block; optimizer and random numbers go on from one to the next.

        Parameters
        ----------
        epoch : callable
            Returns an iterator over the values and targets (or None) of an epoch's blocks.
        schedule : Schedule
            How to train; its budget is in epochs, without early stopping or callbacks.

        Returns
        -------
        self : Trainer
        """
        once = replace(schedule, epochs=1, warmup_steps=None, verbose=0)
        losses = []
        for _ in range(schedule.epochs):
            total = n_rows = 0
            for values, y in epoch():
                rows = np.arange(len(values), dtype=np.uint32)
                self.fit(values, y, rows=rows, schedule=once)
                total += self.history["loss"][-1] * len(rows)
                n_rows += len(rows)
            losses.append(total / n_rows)
            self.history = {"loss": losses[:]}
            self.wrapper.history_ = defaultdict(list, loss=losses[:])
        self.n_last, self.used_up = len(losses), True
        return self

    def _check_finite(self):
        if not np.all(np.isfinite(self.history["loss"])):
            raise ValueError(
                "Training diverged: the loss became infinite or NaN. Expected a finite loss. "
                "Lower `learning_rate`, scale the data, or clip gradients with an optimizer "
                "such as keras.optimizers.Adam(clipnorm=1.0)."
            )


def _wrapper(trainer, schedule):
    """Return SciKeras' wrapper, set to go on where the trainer stands."""
    with tensorflow_hidden():  # not before somebody trains: scores do without SciKeras
        from scikeras.wrappers import BaseWrapper

    optimizer, routed = _optimizer(schedule, trainer.network)
    loss = _loss(schedule, trainer.network)
    shared = {"model": trainer.model, "verbose": 0, "warm_start": True}
    wrapper = BaseWrapper(**shared, optimizer=optimizer, loss=loss, **routed)
    if trainer.fits:
        wrapper.initialize(np.zeros((1, 1), np.float32))
        wrapper.history_ = defaultdict(list, copy.deepcopy(trainer.history))
    return wrapper


def _optimizer(schedule, network):
    """Return SciKeras' optimizer argument and what is routed to the optimizer's class.

    A network that its author compiled brings its own.
    """
    given = getattr(network, "optimizer", None) or schedule.optimizer
    if isinstance(given, keras.optimizers.Optimizer):
        # a copy: fit never changes its parameters
        return type(given).from_config(given.get_config()), {}
    rate = float(schedule.learning_rate)
    if schedule.warmup_steps is not None and schedule.steps is not None:
        warmup = min(schedule.warmup_steps, schedule.steps // 2)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(schedule.steps - warmup, 1), warmup_target=rate, warmup_steps=max(warmup, 1)
        )
    routed = {"optimizer__learning_rate": rate}
    if schedule.weight_decay:
        routed["optimizer__weight_decay"] = float(schedule.weight_decay)
    return schedule.optimizer, routed


def _loss(schedule, network):
    """Return the loss; that of a compiled network takes the schedule's place.

    A loss that wraps another one goes on doing so.
    """
    own = getattr(network, "loss", None)
    if own is None:
        return schedule.loss
    if isinstance(own, (list, tuple, dict)):
        raise ValueError(
            "The network given as `model` is compiled with several losses. Expected one, got "
            f"{own!r}. Compile it with one loss, or leave it uncompiled."
        )
    wraps = isinstance(schedule.loss, keras.losses.Loss) and hasattr(schedule.loss, "loss")
    if not wraps:
        return own
    config = {
        **schedule.loss.get_config(),
        "loss": _serialization.serialize(keras.losses.get(own)),
    }
    return type(schedule.loss).from_config(config)


def assemble(network, corruption=None, n_members=None):
    """Return the trainable model around a network."""
    return FusedModel(network, corruption, n_members)
