"""Registered Keras losses: weighted rows, folds of an ensemble, mixed tables with gaps.

Owns the losses alone; what the units of a mixed table mean is said in ``learners._residuals``.
"""

import numpy as np

from skanomaly.backend import _serialization, keras, ops
from skanomaly.networks._ensembles import N_FOLDS
from skanomaly.networks._layers import register


@keras.saving.register_keras_serializable("skanomaly")
class RowWeighted(keras.losses.Loss):
    """A loss whose targets bring each row's weight along: columns (target, weight).

    Parameters
    ----------
    loss : str, callable or keras.losses.Loss, default="binary_crossentropy"
        Loss between target and output.
    """

    def __init__(self, loss="binary_crossentropy", name="row_weighted"):
        super().__init__(name=name)
        self.loss = keras.losses.get(loss)

    def call(self, y_true, y_pred):
        """Return the weighted loss of each row, shape (batch,)."""
        function = getattr(self.loss, "call", self.loss)
        return function(y_true[:, :1], y_pred) * y_true[:, 1]

    def get_config(self):
        """Return the parameters."""
        return {"loss": _serialization.serialize(self.loss), "name": self.name}

    @classmethod
    def from_config(cls, config):
        """Rebuild the loss."""
        return cls(_serialization.deserialize(config["loss"]), config["name"])


@register
class FoldedLoss(keras.losses.Loss):
    """The members' losses of each row; a member does not see the rows of its own fold.

    Targets have the columns (label, weight, fold); outputs are the members' logits.

    Parameters
    ----------
    kinds : list of str
        Each group's loss: "cross_entropy", or "sigmoid" for ``4 sigmoid(-(2 y - 1) s)``, which
        caps what a wrong label can do. A group has `N_FOLDS` members, or all of them when
        there is one kind and `folds` is off.
    folds : bool, default=True
        Whether members skip their folds.
    """

    def __init__(self, kinds, folds=True, name="folded_loss"):
        super().__init__(name=name)
        self.kinds, self.folds = list(kinds), folds

    def call(self, y_true, y_pred):
        """Return the members' weighted losses, (batch, n_members)."""
        label, weight, fold = (y_true[:, k : k + 1] for k in range(3))
        width = y_pred.shape[-1] // len(self.kinds)
        parts = []
        for group, kind in enumerate(self.kinds):
            logit = y_pred[:, group * width : (group + 1) * width]
            if kind == "sigmoid":
                parts.append(4 * ops.sigmoid((1 - 2 * label) * logit))
            else:
                parts.append(ops.softplus(logit) - label * logit)
        losses = ops.concatenate(parts, axis=1) * weight
        if not self.folds:
            return losses
        member = np.arange(y_pred.shape[-1], dtype=np.float32)[None] % N_FOLDS
        seen = ops.cast(ops.not_equal(fold, member), losses.dtype)
        return losses * seen * (N_FOLDS / (N_FOLDS - 1))

    def get_config(self):
        """Return the parameters."""
        return {"kinds": self.kinds, "folds": self.folds, "name": self.name}


def table_loss(X, loss):
    """Return the `TableLoss` for rows as learners see them."""
    layout = getattr(X, "layout", None)
    if layout is None:
        return TableLoss(loss, X.shape[1])
    return TableLoss(loss, layout.n_numbers, layout.blocks, layout.entropies)


@register
class TableLoss(keras.losses.Loss):
    """Loss between scaled rows, NaN where something is missing, and answers to them.

    Each feature counts the same. A category's part is the cross-entropy in units of the
    column's entropy, that of all numbers together is `loss` times their number.

    Parameters
    ----------
    loss : str, callable or keras.losses.Loss, default="mse"
        Loss between numbers, a mean over the last axis.
    n_numbers : int, default=0
        Columns of numbers, which come first.
    blocks : list of (start, stop), default=()
        Columns of each category; the answers there are logits.
    entropies : list of float, default=()
        Entropy of each category.
    """

    def __init__(self, loss="mse", n_numbers=0, blocks=(), entropies=(), name="table_loss"):
        super().__init__(name=name)
        self.loss = keras.losses.get(loss)
        self.n_numbers = n_numbers
        self.blocks = [tuple(block) for block in blocks]
        self.entropies = list(entropies)

    def call(self, y_true, y_pred):
        """Return the loss of each row, (batch,) or (batch, n_members)."""
        if len(y_pred.shape) > len(y_true.shape):
            y_true = ops.broadcast_to(ops.expand_dims(y_true, 1), ops.shape(y_pred))
        missing = ops.isnan(y_true)
        # the answer itself is the target of what is missing: no loss and no gradient
        target = ops.where(missing, ops.stop_gradient(y_pred), y_true)
        there = ops.cast(ops.logical_not(missing), y_pred.dtype)
        total, count = self._numbers(target, y_pred, there)
        for (start, stop), entropy in zip(self.blocks, self.entropies, strict=True):
            log_share = ops.log_softmax(y_pred[..., start:stop], axis=-1)
            hot = ops.one_hot(ops.argmax(target[..., start:stop], axis=-1), stop - start)
            known = there[..., start]
            surprise = -ops.sum(ops.cast(hot, log_share.dtype) * log_share, axis=-1)
            total = total + surprise * known / entropy
            count = count + known
        return total / ops.maximum(count, 1.0)

    def _numbers(self, target, y_pred, there):
        """Return the sum of the losses of numbers, and how many are there."""
        n = self.n_numbers
        if n == 0:
            zero = 0.0 * ops.sum(y_pred, axis=-1)
            return zero, zero
        function = getattr(self.loss, "call", self.loss)
        losses = function(target[..., :n], y_pred[..., :n])
        return n * losses, ops.sum(there[..., :n], axis=-1)

    def get_config(self):
        """Return the parameters."""
        names = ("n_numbers", "blocks", "entropies", "name")
        own = {name: getattr(self, name) for name in names}
        return {"loss": _serialization.serialize(self.loss), **own}

    @classmethod
    def from_config(cls, config):
        """Rebuild the loss."""
        return cls(**{**config, "loss": _serialization.deserialize(config["loss"])})


@register
class BinLoss(keras.losses.Loss):
    """Cross-entropy of each column's bin, (batch, n_members, n_columns).

    Targets are bin numbers (batch, n_columns); outputs are logits (batch, n_members, n_columns *
    n_bins). A missing value, a negative number, counts as bin 0: its weight has to be 0.
    """

    def __init__(self, name="bin_loss"):
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        """Return the loss of each column."""
        shape = (-1, y_pred.shape[1], y_true.shape[-1], y_pred.shape[-1] // y_true.shape[-1])
        log_share = ops.log_softmax(ops.reshape(y_pred, shape), axis=-1)
        hot = ops.equal(y_true[:, None, :, None], np.arange(shape[-1], dtype=np.float32))
        return -ops.sum(ops.cast(hot, log_share.dtype) * log_share, axis=-1)

    def get_config(self):
        """Return the parameters."""
        return {"name": self.name}
