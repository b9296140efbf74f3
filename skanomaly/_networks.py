"""Network blocks shared by the detectors, and the registered Keras layers they need.

Owns layers and builders; knows neither training nor scores. Networks of several members keep
the members on the first axis inside, so that each layer is one batched matrix product.
"""

import math
import random
import weakref

import numpy as np

from skanomaly._backend import choose_backend

choose_backend()

import keras  # noqa: E402  (the backend is chosen first)
from keras import ops  # noqa: E402

#: What `with_codes` has built, as long as the networks live.
_with_codes = weakref.WeakKeyDictionary()
#: Name of the nested network in which members stand side by side.
MEMBERS = "members"

register = keras.saving.register_keras_serializable("skanomaly")


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
        return ops.convert_to_tensor(values, dtype=dtype or keras.config.floatx())

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
        return ops.convert_to_tensor(values, dtype=dtype or keras.config.floatx())

    def get_config(self):
        """Return the parameters."""
        return {"seed": self.seed}


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
    """

    def __init__(self, low, high, n_members=None, seed=None, shares=None, n_parts=1, **kwargs):
        super().__init__(**kwargs)
        self.low, self.high, self.n_members, self.seed = low, high, n_members, seed
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
            noise = noise * np.asarray(self.shares, np.float32)
        shape = (*lead, *([1] * (len(x.shape) - len(lead))))
        weight = 1 / (self.low**2 + level**2) if spread else ops.ones(lead)
        return x + ops.cast(ops.reshape(level, shape) * noise, x.dtype), weight

    def get_config(self):
        """Return the parameters."""
        names = ("low", "high", "n_members", "seed", "shares", "n_parts")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


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


def layer_widths(hidden_layer_sizes, latent_dim):
    """Return (name, width, is_latent) of an autoencoder's inner layers.

    With a latent width the hidden layers are mirrored behind it; without one they stand as
    they are.
    """
    hidden = list(hidden_layer_sizes)
    inner = [(width, False) for width in hidden]
    if latent_dim is not None:
        inner += [(latent_dim, True), *((width, False) for width in reversed(hidden))]
    number, named = 0, []
    for width, is_latent in inner:
        number += not is_latent
        named.append(("latent" if is_latent else f"hidden_{number}", width, is_latent))
    return named


def dense_autoencoder(n_features, *, hidden_layer_sizes, latent_dim, activation, l2, dropout):
    """Build a dense autoencoder with linear latent and output layers."""
    penalty = keras.regularizers.L2(l2) if l2 else None
    layers = [keras.Input((n_features,), name="input")]
    for name, width, is_latent in layer_widths(hidden_layer_sizes, latent_dim):
        layers.append(
            keras.layers.Dense(
                width,
                activation=None if is_latent else activation,
                kernel_initializer=FanAverageUniform(),
                kernel_regularizer=penalty,
                name=name,
            )
        )
        if dropout and not is_latent:
            layers.append(keras.layers.Dropout(dropout, name=f"{name}_dropout"))
    layers.append(
        keras.layers.Dense(
            n_features,
            kernel_initializer=FanAverageUniform(),
            kernel_regularizer=penalty,
            name="output",
        )
    )
    return keras.Sequential(layers, name="autoencoder")


def member_autoencoder(
    n_features, n_members, *, hidden_layer_sizes, latent_dim, activation, l2, dropout
):
    """Build several dense autoencoders that stand side by side in one network.

    Its output has shape (batch, n_members, n_features). The nested network called "members"
    takes rows of (n_members, n_features): each member its own corruption of the row.
    """
    penalty = keras.regularizers.L2(l2) if l2 else None
    inputs = keras.Input((n_members, n_features), name="member_inputs")
    x = SwapMembers(name="members_first")(inputs)
    for name, width, is_latent in layer_widths(hidden_layer_sizes, latent_dim):
        x = MemberDense(
            width,
            activation=None if is_latent else activation,
            scale=1.0 if is_latent else 2.0,
            kernel_regularizer=penalty,
            name=name,
        )(x)
        if dropout and not is_latent:
            x = keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)
    x = MemberDense(n_features, scale=1.0, kernel_regularizer=penalty, name="output")(x)
    members = keras.Model(inputs, SwapMembers(name="batch_first")(x), name=MEMBERS)
    return _repeated(members, "autoencoders")


def resized(network, n_members):
    """Return an untrained network like that of `member_autoencoder`, of fewer or more members."""
    members = network.get_layer(MEMBERS)
    x = inputs = keras.Input((n_members, members.input_shape[-1]), name="member_inputs")
    for layer in members.layers[1:]:
        x = type(layer).from_config(layer.get_config())(x)
    return _repeated(keras.Model(inputs, x, name=MEMBERS), network.name)


def _repeated(members, name):
    """Return a network that hands every member the same row."""
    _, n_members, n_features = members.input_shape
    inputs = keras.Input((n_features,), name="input")
    x = keras.layers.RepeatVector(n_members, name="repeat")(inputs)
    return keras.Model(inputs, members(x), name=name)


def dense_classifier(n_features, *, hidden_layer_sizes, activation, dropout):
    """Build a dense network with one sigmoid output."""
    layers = [keras.Input((n_features,), name="input")]
    for number, width in enumerate(hidden_layer_sizes, start=1):
        layers.append(
            keras.layers.Dense(
                width,
                activation=activation,
                kernel_initializer=FanAverageUniform(),
                name=f"hidden_{number}",
            )
        )
        if dropout:
            layers.append(keras.layers.Dropout(dropout, name=f"hidden_{number}_dropout"))
    head = keras.layers.Dense(
        1, activation="sigmoid", kernel_initializer=FanAverageUniform(), name="output"
    )
    layers.append(head)
    return keras.Sequential(layers, name="classifier")


def with_codes(network):
    """Return the network with two outputs: its own, and its narrowest inner layer's.

    The inner layer is the one called "latent" where there is one, else the narrowest layer
    with an output of shape (batch, width), the last of several.

    Raises
    ------
    ValueError
        If the network has no such layer.
    """
    if network not in _with_codes:
        _with_codes[network] = _build_with_codes(network)
    return _with_codes[network]


def _build_with_codes(network):
    inner = network.get_layer(MEMBERS) if has_members(network) else network
    code = _code_layer(inner).output
    if inner is network:
        return keras.Model(network.inputs[0], [network.outputs[0], code], name="with_codes")
    code = SwapMembers(name="codes")(code)
    return _repeated(keras.Model(inner.inputs[0], [inner.outputs[0], code]), "with_codes")


def has_members(network):
    """Tell whether the network holds several members side by side."""
    return any(layer.name == MEMBERS for layer in network.layers)


def _code_layer(network):
    """Return the layer called "latent", else the narrowest inner one, the last of several."""
    rank = 3 if network.name == MEMBERS else 2
    # a subclassed model keeps what lies between its layers to itself
    layers = network.layers if getattr(network, "inputs", None) else []
    inner = [layer for layer in layers if len(layer.output.shape) == rank]
    inner = [la for la in inner[:-1] if not isinstance(la, (keras.layers.InputLayer, SwapMembers))]
    named = [layer for layer in inner if layer.name == "latent"]
    if not inner:
        raise ValueError(
            "The network has no inner layer to read an encoding from. Expected a layer called "
            "'latent' or a hidden layer with an output of shape (batch, width); "
            f"got the layers {[layer.name for layer in network.layers]}."
        )
    return (named or sorted(inner, key=lambda layer: -layer.output.shape[-1]))[-1]
