"""FusedModel: a network together with the way it is trained, as one Keras model.

Owns the objective of a batch, which all backends share, and persistence. It does not know
detectors, thresholds or scikit-learn. SciKeras sees a Keras model whose `fit` happens to be
fast: the loops are in ``training._loop``.
"""

import numpy as np

from skanomaly.backend import _serialization, keras, ops
from skanomaly.backend._seeding import zeros_by_numpy
from skanomaly.training._loop import Feed, Plan, train


@keras.saving.register_keras_serializable("skanomaly")
class FusedModel(keras.Model):
    """A network together with the way it is trained.

    Parameters
    ----------
    network : keras.Model
        Network from a batch of rows to its output, of shape (batch, ...).
    corruption : keras.Layer, default=None
        Layer called on the input while training; it returns the corrupted input and the
        weights of the rows' losses.
    n_members : int, default=None
        Number of networks that answer side by side along axis 1 of the output: the network
        then holds a nested one called "members" whose input has that axis, too. None stands
        for one network without that axis.
    """

    def __init__(self, network, corruption=None, n_members=None, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.corruption = corruption
        self.n_members = n_members
        self.built = True

    def call(self, x, training=False):
        """Return the network's output, and in training the weights of the rows' losses."""
        if training and self.corruption is not None:
            corrupted, weight = self.corruption(x)
            entry = self.network if self.n_members is None else self.network.get_layer("members")
            return entry(corrupted, training=True), weight
        # a corruption may have its rows carry more than the network sees
        seen = getattr(self.corruption, "seen", None)
        return self.network(x if seen is None else seen(x), training=training)

    def get_config(self):
        """Return the serialised parts."""
        return {
            "network": _serialization.serialize(self.network),
            "corruption": _serialization.serialize(self.corruption),
            "n_members": self.n_members,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuild the model from its serialised parts, to be given weights afterwards."""
        names = ("network", "corruption")
        parts = [_serialization.deserialize(config[name], blank=True) for name in names]
        return cls(*parts, config["n_members"])

    def __reduce__(self):
        """Pickle as `to_state` says."""
        return from_state, (to_state(self, with_training=True),)

    def __deepcopy__(self, memo):
        """Copy as pickling does: Keras' own copy forgets the weights' training."""
        restore, parts = self.__reduce__()
        return restore(*parts)

    def row_losses(self, x, y, output, weight=None):
        """Return each row's loss, shape (batch,) or (batch, n_members).

        Without `y` the target is the input itself. An output with one axis more than its
        target holds the answers of several members. Weights are those of the losses, or of
        their parts where the loss has as many axes as they.
        """
        target, output = ops.cast(x if y is None else y, "float32"), ops.cast(output, "float32")
        if self.n_members is not None and y is None:
            target = ops.broadcast_to(ops.expand_dims(target, 1), ops.shape(output))
        losses = _loss_values(self.loss, target, output)
        in_parts = weight is not None and len(losses.shape) == len(weight.shape)
        losses = losses * weight if in_parts else losses
        kept = 1 if self.n_members is None else 2
        if len(losses.shape) > kept:
            losses = ops.mean(losses, axis=tuple(range(kept, len(losses.shape))))
        return losses if weight is None or in_parts else losses * weight

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the objective of one batch: weighted row losses plus the layers' own."""
        weight = None
        if isinstance(y_pred, (tuple, list)):
            y_pred, weight = y_pred
        losses = self.row_losses(x, None if self.reconstructs else y, y_pred, weight)
        if len(losses.shape) > 1:
            losses = ops.sum(losses, axis=-1)
        if sample_weight is None:
            total = ops.mean(losses)
        else:
            total = ops.sum(losses * ops.reshape(ops.cast(sample_weight, losses.dtype), (-1,)))
        for extra in self.losses:
            total = total + ops.sum(ops.cast(extra, losses.dtype))
        return total

    #: Whether the target is the input itself; set by `fit`.
    reconstructs = True

    def fit(
        self,
        x=None,
        y=None,
        *,
        data=None,
        rows=None,
        batch_size=32,
        epochs=1,
        initial_epoch=0,
        steps=None,
        validation_rows=None,
        patience=None,
        callbacks=None,
        rng=None,
        verbose=0,
        **ignored,
    ):
        """Train on the row indices in `rows`; see `keras.Model.fit` for the rest.

        Parameters
        ----------
        x : object
            Rows, indexed by an integer array and then a float32 array of shape
            (len(index), n_features).
        y : ndarray of shape (n_samples, ...), default=None
            Targets; None trains on the input itself.
        data : tuple of (x, y), default=None
            Takes the place of `x` and `y`, for callers that check those.
        rows : ndarray of shape (n_slots,), default=None
            Row numbers of one pass; None takes all rows.
        batch_size, epochs, initial_epoch : int
            As in Keras.
        steps : int, default=None
            Budget in steps; overrides `epochs`.
        validation_rows : ndarray, default=None
            Row numbers for the validation loss.
        patience : int, default=None
            Epochs without a lower validation loss before training stops; the best weights are
            put back then. None trains to the end.
        callbacks : list of keras.callbacks.Callback, default=None
            Called at epochs' ends; callbacks that want batches switch to Keras' own loop.
        rng : numpy.random.Generator
            Source of the batches' order.
        verbose : int
            Unused: progress is a callback.
        **ignored : dict
            What SciKeras passes besides.

        Returns
        -------
        history : keras.callbacks.History
        """
        x, y = (x, y) if data is None else data
        self.reconstructs = y is None
        rows = np.arange(len(x), dtype=np.uint32) if rows is None else rows
        rng = np.random.default_rng(0) if rng is None else rng
        plan = Plan(rows, batch_size, rng, epochs - initial_epoch, steps)
        feed = Feed(x, y, plan, validation_rows, patience)
        return train(self, feed, list(callbacks or []), initial_epoch)


def _loss_values(loss, target, output):
    """Return a loss without its reduction over the batch."""
    function = keras.losses.get(loss)
    function = getattr(function, "call", function)
    losses = function(target, output)
    if not hasattr(losses, "shape"):
        name = getattr(loss, "__name__", None) or type(loss).__name__
        raise TypeError(
            f"loss must return the losses of a batch's rows, a tensor of shape (batch,), but "
            f"{name} returned {losses!r}. Does it end in a return statement?"
        )
    return losses


def to_state(model, with_training):
    """Return a model as texts, numbers and arrays.

    Parameters
    ----------
    model : FusedModel
        Any.
    with_training : bool
        Whether the loss, the optimizer and its numbers go with it, for a training that goes on.

    Returns
    -------
    state : dict

    Raises
    ------
    ValueError
        If a layer holds code or is not registered.
    """
    parts = {"network": model.network, "corruption": model.corruption}
    texts = {name: part and _serialization.to_text(part) for name, part in parts.items()}
    values = [ops.convert_to_numpy(v) for v in model.variables]
    compiled = _compiled_state(model) if with_training and model.compiled else None
    return {**texts, "n_members": model.n_members, "values": values, "compiled": compiled}


def _compiled_state(model):
    optimizer, loss = model.optimizer, model.loss
    return {
        "optimizer": _serialization.to_text(optimizer),
        "values": [ops.convert_to_numpy(v) for v in optimizer.variables],
        "loss": loss if isinstance(loss, str) else _serialization.to_text(loss),
        "reconstructs": model.reconstructs,
    }


def from_state(state):
    """Rebuild a model from `to_state`.

    Raises
    ------
    ValueError
        If the arrays do not fit the network.
    """
    network = _serialization.from_text(state["network"], blank=True)
    corruption = state["corruption"] and _serialization.from_text(state["corruption"])
    model = FusedModel(network, corruption, state["n_members"])
    _assign(model.variables, state["values"], "network")
    if state["compiled"] is not None:
        _compile(model, state["compiled"])
    return model


def _compile(model, state):
    optimizer, loss = _serialization.from_text(state["optimizer"]), state["loss"]
    loss = _serialization.from_text(loss) if loss.startswith("{") else loss
    model.compile(optimizer=optimizer, loss=loss)
    model.reconstructs = state["reconstructs"]
    with zeros_by_numpy():
        optimizer.build(model.trainable_variables)
    _assign(optimizer.variables, state["values"], "optimizer")


def _assign(variables, values, owner):
    shapes = [tuple(v.shape) for v in variables], [np.shape(value) for value in values]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"The state of a saved {owner} does not fit it: expected arrays of the shapes "
            f"{shapes[0]}, got {shapes[1]}. It is damaged, or was not written by skanomaly."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
