"""Many small classifiers packed into one network: its layers, its loss, its folds.

Owns how members stand side by side, which rows each of them never sees, and what they
minimise. Knows neither features nor thresholds.
"""

import numpy as np

from skanomaly._backend import choose_backend

choose_backend()

import keras  # noqa: E402  (the backend is chosen first)
from keras import ops  # noqa: E402

from skanomaly._networks import FanInNormal, register  # noqa: E402

#: Folds inside one fit; a group has as many members, and member j never sees fold j.
N_FOLDS = 8


@register
class PackedDense(keras.Layer):
    """A dense layer for each member of a group, all reading the same row or each its own.

    Parameters
    ----------
    n_members : int
        Number of members.
    units : int
        Outputs of each member's layer.
    activation : str or callable, default=None
        Activation; None is linear.
    scale : float, default=2.0
        Variance of the initial kernel times its fan-in; 0 starts at zero.
    rate, bias_rate : float, default=1.0
        Factors on the learning rate of kernel and bias. The weights are stored divided by
        them, which is what multiplies the step of an optimizer such as Adam.
    bias_range : float, default=0.0
        Initial biases are uniform between plus and minus this.
    """

    def __init__(
        self, n_members, units, activation=None, scale=2.0, rate=1.0, bias_rate=1.0,
        bias_range=0.0, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.n_members, self.units, self.scale = n_members, units, scale
        self.rate, self.bias_rate, self.bias_range = rate, bias_rate, bias_range
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        """Create the members' kernels and biases."""
        fan_in = input_shape[-1]
        start = FanInNormal(self.scale / self.rate**2) if self.scale else "zeros"
        edge = self.bias_range / self.bias_rate
        bias = keras.initializers.RandomUniform(-edge, edge) if edge else "zeros"
        self.kernel = self.add_weight(
            shape=(self.n_members, fan_in, self.units), initializer=start, name="kernel"
        )
        self.bias = self.add_weight(
            shape=(self.n_members, 1, self.units), initializer=bias, name="bias"
        )

    def call(self, x):
        """Return (n_members, batch, units) for (batch, width) or (n_members, batch, width)."""
        if len(x.shape) == 2:  # one wide product instead of many narrow ones
            kernel = ops.reshape(ops.transpose(self.kernel, (1, 0, 2)), (x.shape[-1], -1))
            x = ops.reshape(ops.matmul(x, kernel), (-1, self.n_members, self.units))
            x = ops.transpose(x, (1, 0, 2))
        else:
            x = ops.matmul(x, self.kernel)
        return self.activation(self.rate * x + self.bias_rate * self.bias)

    def compute_output_shape(self, input_shape):
        """Return (n_members, batch, units)."""
        return (self.n_members, input_shape[-2], self.units)

    def get_config(self):
        """Return the parameters."""
        names = ("n_members", "units", "scale", "rate", "bias_rate", "bias_range")
        own = {name: getattr(self, name) for name in names}
        own["activation"] = keras.activations.serialize(self.activation)
        return {**super().get_config(), **own}


@register
class Columns(keras.Layer):
    """Hand on some columns: one selection for all, or one for each member.

    Parameters
    ----------
    columns : list of int or list of list of int
        Column numbers; of two levels, the result is (n_members, batch, width).
    """

    def __init__(self, columns, **kwargs):
        super().__init__(**kwargs)
        self.columns = np.asarray(columns).tolist()
        self.built = True

    def call(self, x):
        """Return the selected columns."""
        columns = np.asarray(self.columns)
        picked = ops.take(x, columns.reshape(-1), axis=1)
        if columns.ndim == 1:
            return picked
        return ops.transpose(ops.reshape(picked, (-1, *columns.shape)), (1, 0, 2))

    def compute_output_shape(self, input_shape):
        """Return the shape of the selection."""
        shape = np.shape(self.columns)
        return (
            (input_shape[0], *shape) if len(shape) == 1 else (shape[0], input_shape[0], shape[1])
        )

    def get_config(self):
        """Return the parameters."""
        return {**super().get_config(), "columns": self.columns}


@register
class MemberLogits(keras.Layer):
    """Bring (n_members, batch, 1) to (batch, n_members)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True

    def call(self, x):
        """Return the logits, (batch, n_members)."""
        return ops.transpose(ops.squeeze(x, -1))

    def compute_output_shape(self, input_shape):
        """Return (batch, n_members)."""
        return (input_shape[1], input_shape[0])


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


def packed_network(n_inputs, groups):
    """Build one network of several groups of members.

    Parameters
    ----------
    n_inputs : int
        Width of a row.
    groups : list of dict
        Each with ``n_members``; ``hidden_layer_sizes`` (empty for a linear group);
        ``activation``; ``rate`` and ``bias_rate``; ``columns`` (as `Columns` takes them, or
        None for all).

    Returns
    -------
    network : keras.Model
        Its output are the members' logits, (batch, n_members of all groups).
    """
    inputs = keras.Input((n_inputs,), name="input")
    outputs = [_group(inputs, number, **group) for number, group in enumerate(groups, start=1)]
    joined = outputs[0] if len(outputs) == 1 else keras.layers.Concatenate(name="logits")(outputs)
    return keras.Model(inputs, joined, name="ensemble")


def _group(
    x, number, *, n_members, hidden_layer_sizes=(), activation="relu", rate=1.0, bias_rate=None,
    columns=None, bias_range=0.0,
):  # fmt: skip
    bias_rate = rate if bias_rate is None else bias_rate
    rates = {"rate": rate, "bias_rate": bias_rate}
    if columns is not None:
        x = Columns(columns, name=f"group_{number}_columns")(x)
    for depth, width in enumerate(hidden_layer_sizes, start=1):
        x = PackedDense(
            n_members,
            width,
            activation,
            bias_range=bias_range if depth == 1 else 0.0,
            name=f"group_{number}_hidden_{depth}",
            **rates,
        )(x)
    # a quarter of the usual variance starts logits near zero; a linear group starts at zero
    scale = 0.25 if hidden_layer_sizes else 0.0
    x = PackedDense(n_members, 1, scale=scale, name=f"group_{number}_output", **rates)(x)
    return MemberLogits(name=f"group_{number}_logits")(x)


def assign_folds(labels, rng):
    """Return each row's fold, stratified by label.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        1 for an anomaly, 0 for any other row.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    folds : ndarray of shape (n_samples,), float32
        -1 for the only row of its class, which no member may miss.
    """
    folds = np.full(len(labels), -1, np.float32)
    for label in (0, 1):
        rows = np.flatnonzero(labels == label)
        if len(rows) > 1:
            folds[rng.permutation(rows)] = np.arange(len(rows)) * N_FOLDS // len(rows)
    return folds
