"""Registered Keras layers and initialisers that more than one builder uses.

Owns weights and outputs of single layers; those of members side by side are in
``networks._member_layers``.
"""

import itertools
import math
import random

import numpy as np

from skanomaly.backend import keras, ops

#: Width of the convolutions, by the number of axes they run along.
_KERNEL_SIZES = {1: 7, 2: 3}


@keras.saving.register_keras_serializable("skanomaly")
class Convolution(keras.Layer):
    """A convolution that keeps the size, computed as one matrix product.

    XLA compiles Keras' own for CPUs into naive loops where it stands inside a compiled loop, as
    it does in training: a step of a small network then takes 790 ms instead of 20.

    Parameters
    ----------
    filters : int
        Channels of the output.
    rank : {1, 2}
        Axes to run along.
    activation : str or callable, default=None
        Activation; None is linear.
    kernel_initializer : keras.initializers.Initializer, default=None
        None is `FanAverageUniform`.
    kernel_regularizer : keras.Regularizer, default=None
        Penalty on the kernel.
    """

    def __init__(
        self,
        filters,
        rank,
        activation=None,
        kernel_initializer=None,
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.rank = filters, rank
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer or FanAverageUniform())
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        """Create the kernel and the bias."""
        self.kernel = self.add_weight(
            shape=(*[_KERNEL_SIZES[self.rank]] * self.rank, input_shape[-1], self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x):
        """Return (batch, *size, filters)."""
        width, size = _KERNEL_SIZES[self.rank], x.shape[1:-1]
        half = (width // 2, width // 2)
        padded = ops.pad(x, [(0, 0), *[half] * self.rank, (0, 0)])
        parts = []
        for start in itertools.product(range(width), repeat=self.rank):
            cut = [slice(i, i + n) for i, n in zip(start, size, strict=True)]
            parts.append(padded[(slice(None), *cut)])
        kernel = ops.reshape(self.kernel, (-1, self.filters))
        return self.activation(ops.matmul(ops.concatenate(parts, axis=-1), kernel) + self.bias)

    def compute_output_shape(self, input_shape):
        """Return (batch, *size, filters)."""
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        """Return the parameters."""
        own = {
            "filters": self.filters,
            "rank": self.rank,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
        return {**super().get_config(), **own}


register = keras.saving.register_keras_serializable("skanomaly")


def as_tensor(values, dtype=None):
    """Return NumPy's values as a tensor; single precision is NumPy's work, too.

    JAX would compile the conversion of each shape.
    """
    dtype = keras.backend.standardize_dtype(dtype or keras.config.floatx())
    values = values.astype(np.float32) if dtype == "float32" else values
    return ops.convert_to_tensor(values, dtype=dtype)


@register
class FanInNormal(keras.initializers.Initializer):
    """Normal initial weights of variance ``scale / fan_in``, drawn with NumPy.

    NumPy's generator gives the same start on every backend and needs no compilation.

    Parameters
    ----------
    scale : float, default=2.0
        2 suits rectifiers (He et al., 2015), 1 linear layers.
    seed : int, default=None
        None draws one from Python's global generator, as Keras' own initialisers do.
    """

    def __init__(self, scale=2.0, seed=None):
        self.scale, self.seed = scale, seed

    def __call__(self, shape, dtype=None):
        """Return the initial values."""
        rng = np.random.default_rng(random.randrange(2**31) if self.seed is None else self.seed)
        values = rng.normal(0.0, np.sqrt(self.scale / shape[-2]), shape)
        return as_tensor(values, dtype)

    def get_config(self):
        """Return the parameters."""
        return {"scale": self.scale, "seed": self.seed}


@register
class FanAverageUniform(keras.initializers.Initializer):
    """Uniform initial weights of variance ``2 / (fan_in + fan_out)``, drawn with NumPy.

    Keras' own default (Glorot and Bengio, 2010), without its compilation for every shape,
    which takes a third of the first fit in a process.

    Parameters
    ----------
    seed : int, default=None
        None draws one from Python's global generator, as Keras' own initialisers do.
    """

    def __init__(self, seed=None):
        self.seed = seed

    def __call__(self, shape, dtype=None):
        """Return the initial values."""
        rng = np.random.default_rng(random.randrange(2**31) if self.seed is None else self.seed)
        field = math.prod(shape[:-2])  # of a convolution
        limit = np.sqrt(6.0 / (field * (shape[-2] + shape[-1])))
        values = rng.uniform(-limit, limit, shape)
        return as_tensor(values, dtype)

    def get_config(self):
        """Return the parameters."""
        return {"seed": self.seed}


def member_folds(layer, n_members):
    """Return the folds that members leave out, as a variable of a layer: theirs can be cut."""
    folds = layer.add_weight(
        shape=(n_members,), initializer="zeros", trainable=False, name="folds"
    )
    folds.assign(np.arange(n_members, dtype=np.float32))
    return folds


def row_folds(X, n_folds, xp=np):
    """Return the folds of rows, which their content decides: equal rows are in the same one.

    Parameters
    ----------
    X : ndarray or tensor of shape (n_samples, n_columns)
        Rows.
    n_folds : int
        Number of folds, all about as large.
    xp : module, default=numpy
        Where `abs`, `floor` and `sum` come from.

    Returns
    -------
    folds : ndarray or tensor of shape (n_samples,)
        Whole numbers from 0, as floats.
    """
    n_columns = X.shape[1]
    weights = np.random.default_rng(n_columns).normal(scale=100, size=n_columns)
    weights = weights.astype(np.float32) if xp is np else as_tensor(weights)
    mixed = xp.sum(X / (1 + xp.abs(X)) * weights, axis=1)
    return xp.floor(n_folds * (mixed - xp.floor(mixed)))


@register
class MultiscaleNoise(keras.Layer):
    """Gaussian corruption with a noise level of its own for every row and member.

    Levels are log-uniform between `low` and `high`. A row's loss is weighted by
    ``1 / (low**2 + level**2)``, so that loud rows do not drown the quiet ones.

    Parameters
    ----------
    low, high : float
        Bounds of the noise's standard deviation; equal bounds give plain Gaussian noise of
        that size, all rows weighing the same.
    n_members : int, default=None
        Number of differently corrupted copies along a new axis 1; None adds no axis.
    seed : int, default=None
        Seed of the noise; None draws one.
    shares : list of float, default=None
        Factor on the noise of each column; None is 1 for all.
    n_parts : int, default=1
        Number of random generators, each for as many members as any other: members whose
        noise does not come from one generator can be trained apart.
    n_folds : int, default=None
        Number of folds of the rows, of which member j learns nothing from fold j (`row_folds`);
        None lets all members learn from all rows.
    """

    def __init__(
        self, low, high, n_members=None, seed=None, shares=None, n_parts=1, n_folds=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.low, self.high, self.n_members, self.seed = low, high, n_members, seed
        self.n_folds = n_folds
        self.folds = None if n_folds is None else member_folds(self, n_members or 1)
        self.shares = None if shares is None else [float(share) for share in shares]
        self.n_parts = n_parts
        seeds = [seed if seed is None else seed + part for part in range(n_parts)]
        self.seed_generators = [keras.random.SeedGenerator(seed) for seed in seeds]
        self.built = True

    def resized(self, n_members):
        """Return a layer like this one for another number of members, with one generator."""
        return type(self)(**{**self.get_config(), "n_members": n_members, "n_parts": 1})

    def call(self, x):
        """Return the corrupted rows and the weights of their losses."""
        corrupted, weight = self._in_parts(x)
        if self.n_folds is not None:
            own = row_folds(x, self.n_folds, ops)
            own = own if self.n_members is None else ops.expand_dims(own, -1)
            weight = weight * ops.cast(ops.not_equal(own, self.folds), weight.dtype)
        return corrupted, weight

    def _in_parts(self, x):
        if self.n_parts == 1:
            return self._corrupted(x, self.n_members, self.seed_generators[0])
        size = self.n_members // self.n_parts
        parts = [self._corrupted(x, size, generator) for generator in self.seed_generators]
        return tuple(ops.concatenate(values, axis=1) for values in zip(*parts, strict=True))

    def _corrupted(self, x, n_members, generator):
        if n_members is not None:
            x = ops.repeat(ops.expand_dims(x, 1), n_members, axis=1)
        lead = ops.shape(x)[: 1 if n_members is None else 2]
        spread = np.log(self.high / self.low) if self.high > self.low else 0.0
        uniform = keras.random.uniform(lead, seed=generator)
        level = self.low * ops.exp(spread * uniform)
        noise = keras.random.normal(ops.shape(x), seed=generator)
        if self.shares is not None:
            noise = noise * as_tensor(np.asarray(self.shares, np.float32))
        shape = (*lead, *([1] * (len(x.shape) - len(lead))))
        weight = 1 / (self.low**2 + level**2) if spread else ops.ones(lead)
        return x + ops.cast(ops.reshape(level, shape) * noise, x.dtype), weight

    def get_config(self):
        """Return the parameters."""
        names = ("low", "high", "n_members", "seed", "shares", "n_parts", "n_folds")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def with_keras_initializers(network):
    """Return the network, built, with Keras' own initialisers in its configuration.

    Their weights are distributed alike, and a network of Keras' layers can then be saved and
    loaded without this package.
    """
    for layer in network._flatten_layers():
        for name, value in list(vars(layer).items()):
            if isinstance(value, FanAverageUniform):
                setattr(layer, name, keras.initializers.GlorotUniform())
    return network
