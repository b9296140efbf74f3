"""Convolutional and recurrent networks for rows that are sequences or images.

Owns how a flat row becomes a sequence or an image, and the builders of such networks; knows
neither training nor scores. All networks take flat rows and (autoencoders) give flat rows back,
so that everything around them goes on as with dense ones.
"""

import math
from numbers import Integral

from skanomaly.backend import keras
from skanomaly.networks._autoencoders import dense_autoencoder, dense_classifier
from skanomaly.networks._layers import Convolution, FanAverageUniform

layers = keras.layers
#: What "auto" stands for with these networks, in place of the recipe's own entries.
DEFAULTS = {
    "conv1d": {"hidden_layer_sizes": (16, 32), "latent_dim": 32},
    "lstm": {"hidden_layer_sizes": (32,), "latent_dim": 16},
    "gru": {"hidden_layer_sizes": (32,), "latent_dim": 16},
    "conv2d": {"hidden_layer_sizes": (16, 32), "latent_dim": 32},
}
ARCHITECTURES = ("dense", *DEFAULTS)
#: What each axis of `input_shape` is called, by the number of axes that the layers run along.
_AXES = {1: ("n_steps", "n_channels"), 2: ("height", "width", "n_channels")}


def row_shape(architecture, input_shape, n_features, owner):
    """Return the shape (steps, channels) or (height, width, channels) of a row.

    Parameters
    ----------
    architecture : str
        One of `ARCHITECTURES`.
    input_shape : tuple of int or None
        What the user says; the channels may be left out.
    n_features : int
        Columns of the training rows.
    owner : str
        Name of the estimator, for messages.

    Returns
    -------
    shape : tuple of int or None
        None for dense networks.

    Raises
    ------
    ValueError
        If the shape does not hold as many values as a row has.
    """
    if architecture == "dense":
        return None
    rank = 2 if architecture == "conv2d" else 1
    if input_shape is None:
        return _default_shape(rank, n_features, owner)
    shape = tuple(input_shape) if hasattr(input_shape, "__iter__") else (input_shape,)
    shape = shape if len(shape) == rank + 1 else (*shape, 1)
    whole = all(isinstance(v, Integral) and not isinstance(v, bool) and v > 0 for v in shape)
    if not whole or len(shape) != rank + 1 or math.prod(shape) != n_features:
        names = ", ".join(_AXES[rank])
        raise ValueError(
            f"The 'input_shape' parameter of {owner} must be ({names}) with a product of "
            f"{n_features}, the number of columns it sees, for architecture={architecture!r}. Got "
            f"{input_shape!r} instead."
        )
    return tuple(int(v) for v in shape)


def _default_shape(rank, n_features, owner):
    """Return one channel along all columns, or a square image."""
    if rank == 1:
        return (n_features, 1)
    side = math.isqrt(n_features)
    if side * side != n_features:
        raise ValueError(
            f"{owner} takes rows for square images of one channel with architecture='conv2d', "
            f"but {n_features} columns are no square. Pass input_shape=(height, width) or "
            "(height, width, n_channels)."
        )
    return (side, side, 1)


def autoencoder(
    n_features,
    architecture="dense",
    row_shape=None,
    *,
    hidden_layer_sizes,
    latent_dim,
    activation,
    l2,
    dropout,
):
    """Build an autoencoder from flat rows to flat rows."""
    if row_shape is None:
        return dense_autoencoder(
            n_features,
            hidden_layer_sizes=hidden_layer_sizes,
            latent_dim=latent_dim,
            activation=activation,
            l2=l2,
            dropout=dropout,
        )
    kind = _Recurrent if architecture in _CELLS else _Convolutional
    blocks = kind(architecture, row_shape, activation, l2, dropout)
    inputs = keras.Input((n_features,), name="input")
    x, sizes = blocks.encode(inputs, hidden_layer_sizes)
    if latent_dim is not None:
        x = blocks.dense(latent_dim, "latent")(x)
    x = blocks.decode(x, hidden_layer_sizes, sizes)
    return keras.Model(inputs, layers.Flatten(name="output")(x), name="autoencoder")


def classifier(
    n_features, architecture="dense", row_shape=None, *, hidden_layer_sizes, activation, dropout
):
    """Build a network with one sigmoid output for flat rows."""
    if row_shape is None:
        return dense_classifier(
            n_features,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            dropout=dropout,
        )
    kind = _Recurrent if architecture in _CELLS else _Convolutional
    blocks = kind(architecture, row_shape, activation, 0.0, dropout)
    inputs = keras.Input((n_features,), name="input")
    x, _ = blocks.encode(inputs, hidden_layer_sizes)
    return keras.Model(inputs, blocks.dense(1, "output", "sigmoid")(x), name="classifier")


class _Blocks:
    """Layers that the builders share."""

    def __init__(self, architecture, shape, activation, l2, dropout):
        self.architecture, self.shape, self.activation = architecture, shape, activation
        self.dropout = dropout
        self.settings = {
            "kernel_initializer": FanAverageUniform(),
            "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None,
        }

    def dense(self, units, name, activation=None):
        """Return a dense layer."""
        return layers.Dense(units, activation=activation, name=name, **self.settings)

    def dropped(self, x, name):
        """Return values behind the dropout, where there is one."""
        return layers.Dropout(self.dropout, name=f"{name}_dropout")(x) if self.dropout else x


class _Convolutional(_Blocks):
    """Convolution and pooling down, up-sampling and convolution back; any size, even or not."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.rank = len(self.shape) - 1

    def _layer(self, kind, *arguments, **settings):
        return getattr(layers, f"{kind}{self.rank}D")(*arguments, **settings)

    def _convolution(self, filters, name, activation=None):
        return Convolution(filters, self.rank, activation, name=name, **self.settings)

    def encode(self, inputs, filters):
        """Return flat codes, and the sizes in front of every pooling and behind the last."""
        x, sizes = layers.Reshape(self.shape, name="unfold")(inputs), [self.shape[:-1]]
        for number, count in enumerate(filters, start=1):
            name = f"hidden_{number}"
            x = self._convolution(count, name, self.activation)(x)
            x = self._layer("MaxPooling", 2, padding="same", name=f"{name}_pool")(x)
            x = self.dropped(x, name)
            sizes.append(tuple(x.shape[1:-1]))
        return layers.Flatten(name="codes")(x), sizes

    def decode(self, x, filters, sizes):
        """Return rows in their shape, from flat codes."""
        start = (*sizes[-1], filters[-1])
        x = self.dense(math.prod(start), "expand", self.activation)(x)
        x = layers.Reshape(start, name="unfold_codes")(x)
        widths = reversed([filters[0], *filters[:-1]])
        steps = zip(widths, reversed(sizes[:-1]), strict=True)
        for number, (count, size) in enumerate(steps, start=len(filters) + 1):
            name = f"hidden_{number}"
            x = self._cropped(self._layer("UpSampling", 2, name=f"{name}_double")(x), size)
            x = self.dropped(self._convolution(count, name, self.activation)(x), name)
        return self._convolution(self.shape[-1], "rows")(x)

    def _cropped(self, x, size):
        """Cut off what doubling has added to a size that pooling rounded up."""
        surplus = [(0, have - want) for have, want in zip(x.shape[1:-1], size, strict=True)]
        if not any(after for _, after in surplus):
            return x
        return self._layer("Cropping", surplus[0] if self.rank == 1 else tuple(surplus))(x)


_CELLS = {"lstm": "LSTM", "gru": "GRU"}


class _Recurrent(_Blocks):
    """Recurrent layers that read a sequence, and others that write it from its code."""

    def _layer(self, units, name, whole):
        # unrolled loops take minutes to compile; a scan runs as fast
        settings = {"return_sequences": whole, "unroll": False, "name": name, **self.settings}
        return getattr(layers, _CELLS[self.architecture])(units, **settings)

    def encode(self, inputs, widths):
        """Return the last state of the last layer."""
        x = layers.Reshape(self.shape, name="unfold")(inputs)
        for number, units in enumerate(widths, start=1):
            name = f"hidden_{number}"
            x = self.dropped(self._layer(units, name, number < len(widths))(x), name)
        return x, None

    def decode(self, x, widths, sizes):
        """Return sequences, from codes repeated at every step."""
        x = layers.RepeatVector(self.shape[0], name="repeat")(x)
        for number, units in enumerate(reversed(widths), start=len(widths) + 1):
            name = f"hidden_{number}"
            x = self.dropped(self._layer(units, name, True)(x), name)
        return self.dense(self.shape[-1], "rows")(x)  # the same layer at every step
