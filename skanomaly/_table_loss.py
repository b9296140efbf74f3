"""The loss of rows with holes and categories: a mean over the features that are there.

Owns the registered Keras loss alone; what the units mean is said in `_reconstruction`.
"""

from skanomaly import _programs
from skanomaly._backend import choose_backend
from skanomaly._networks import register

choose_backend()

import keras  # noqa: E402  (the backend is chosen first)
from keras import ops  # noqa: E402


def table_loss(X, loss):
    """Return the `TableLoss` for rows as the engine sees them."""
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
        holes = ops.isnan(y_true)
        # the answer itself is the target of what is missing: no loss and no gradient
        target = ops.where(holes, ops.stop_gradient(y_pred), y_true)
        there = ops.cast(ops.logical_not(holes), y_pred.dtype)
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
        return {"loss": _programs.serialize(self.loss), **own}

    @classmethod
    def from_config(cls, config):
        """Rebuild the loss."""
        return cls(**{**config, "loss": _programs.deserialize(config["loss"])})
