"""Layers of networks whose members stand side by side: a layer is one batched product.

Owns the registered Keras layers of ensembles; knows no builder, loss or training.
"""

import numpy as np

from skanomaly.backend import keras, ops
from skanomaly.networks._layers import FanInNormal, register


@register
class SwapMembers(keras.Layer):
    """Swap the batch and the member axis: (a, b, width) becomes (b, a, width)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True

    def call(self, x):
        """Return the values with their first two axes swapped."""
        return ops.transpose(x, (1, 0, 2))

    def compute_output_shape(self, input_shape):
        """Return the shape with its first two axes swapped."""
        return (input_shape[1], input_shape[0], input_shape[2])


@register
class MemberDense(keras.Layer):
    """One dense layer for each member, computed as a single batched product.

    Parameters
    ----------
    units : int
        Outputs of each member's layer.
    activation : str or callable, default=None
        Activation; None is linear.
    scale : float, default=2.0
        Variance of the initial kernel times its fan-in.
    kernel_regularizer : keras.Regularizer, default=None
        Penalty on the kernels.
    """

    def __init__(self, units, activation=None, scale=2.0, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.units, self.scale = units, scale
        self.activation = keras.activations.get(activation)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        """Create one kernel and one bias for each member."""
        members, fan_in = input_shape[0], input_shape[-1]
        self.kernel = self.add_weight(
            shape=(members, fan_in, self.units),
            initializer=FanInNormal(self.scale),
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(members, 1, self.units), initializer="zeros", name="bias"
        )

    def call(self, x):
        """Return (n_members, batch, units)."""
        return self.activation(ops.matmul(x, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape):
        """Return (n_members, batch, units)."""
        return (*input_shape[:-1], self.units)

    def get_config(self):
        """Return the parameters."""
        own = {
            "units": self.units,
            "scale": self.scale,
            "activation": keras.activations.serialize(self.activation),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
        return {**super().get_config(), **own}


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
