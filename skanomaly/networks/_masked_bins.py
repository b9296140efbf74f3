"""The masked-bin network: what a column's value should be, told from the other columns.

Owns its layers, its builder and the model that scores rows with it; knows neither how columns are
cut into bins nor training. Rows are bin numbers, one a column; a negative number is hidden.
"""

import weakref

import numpy as np

from skanomaly.backend import _serialization, keras, ops
from skanomaly.networks._autoencoders import MEMBERS, repeated
from skanomaly.networks._layers import member_folds, register
from skanomaly.networks._member_layers import MemberDense, SwapMembers

#: Part of every answer that is spread evenly over the bins: no value is impossible.
SPREAD = 0.02
#: What `surprises` has built, as long as the networks live.
_surprises = weakref.WeakKeyDictionary()


@register
class BinEncoding(keras.Layer):
    """Bin numbers as a thermometer: one step for each bin from 1 on, and one for "visible".

    Parameters
    ----------
    n_bins : int
        Bins of a column. A hidden column is all zeros.
    """

    def __init__(self, n_bins, **kwargs):
        super().__init__(**kwargs)
        self.n_bins = n_bins
        self.built = True

    def call(self, x):
        """Return (..., n_columns * n_bins) for (..., n_columns)."""
        first = np.arange(self.n_bins, dtype=np.float32)
        steps = ops.greater_equal(ops.expand_dims(x, -1), first)
        return ops.reshape(ops.cast(steps, "float32"), (-1, *x.shape[1:-1], self._width(x.shape)))

    def compute_output_shape(self, input_shape):
        """Return (..., n_columns * n_bins)."""
        return (*input_shape[:-1], self._width(input_shape))

    def _width(self, shape):
        return shape[-1] * self.n_bins

    def get_config(self):
        """Return the parameters."""
        return {**super().get_config(), "n_bins": self.n_bins}


@register
class HiddenColumns(keras.Layer):
    """Hide columns at random, a share of its own for every row and member.

    Rows come as their columns' bins, negative where a value is missing, and their fold. The
    share is uniform in (0, 1), and one column is hidden at least.

    Parameters
    ----------
    n_members : int
        Number of differently hidden copies along a new axis 1.
    n_parts : int, default=1
        Number of random generators, each for as many members as any other.
    seed : int, default=None
        Seed; None draws one.

    Notes
    -----
    Member j does not learn from the rows of fold j. Its number is a variable, so that parts of
    the members can be trained by one program.
    """

    def __init__(self, n_members, n_parts=1, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.n_members, self.n_parts, self.seed = n_members, n_parts, seed
        seeds = [seed if seed is None else seed + part for part in range(n_parts)]
        self.seed_generators = [keras.random.SeedGenerator(seed) for seed in seeds]
        self.folds = member_folds(self, n_members)
        self.built = True

    def resized(self, n_members):
        """Return a layer like this one for another number of members, with one generator."""
        return type(self)(n_members, 1, self.seed)

    def seen(self, x):
        """Return what a network sees of rows: all but their folds."""
        return x[:, :-1]

    def call(self, x):
        """Return the rows with hidden columns, and which of them a member learns from."""
        row_folds, x = x[:, -1:], ops.expand_dims(self.seen(x), 1)
        size = self.n_members // self.n_parts
        hidden = [self._hidden(x, size, generator) for generator in self.seed_generators]
        hidden = hidden[0] if self.n_parts == 1 else ops.concatenate(hidden, axis=1)
        own = ops.expand_dims(ops.not_equal(row_folds, self.folds), -1)
        learnt = ops.logical_and(ops.logical_and(hidden, ops.greater_equal(x, 0)), own)
        return ops.where(hidden, -1.0, x), ops.cast(learnt, "float32")

    def _hidden(self, x, n_members, generator):
        lead = (ops.shape(x)[0], n_members)
        draw = keras.random.uniform((*lead, x.shape[-1] + 1), seed=generator)
        share, draw = draw[..., :1], draw[..., 1:]
        return draw <= ops.maximum(share, ops.min(draw, axis=-1, keepdims=True))

    def get_config(self):
        """Return the parameters."""
        own = {"n_members": self.n_members, "n_parts": self.n_parts, "seed": self.seed}
        return {**super().get_config(), **own}


def masked_bin_network(shares, n_members, hidden_layer_sizes=(128, 128), activation="silu"):
    """Build several networks side by side that tell hidden columns from the visible ones.

    Parameters
    ----------
    shares : ndarray of shape (n_columns, n_bins)
        How often each bin is met: what the networks answer at first.
    n_members : int
        Number of networks.
    hidden_layer_sizes : tuple of int
        Widths.
    activation : str
        Of the hidden layers.

    Returns
    -------
    network : keras.Model
        Rows (batch, n_columns) to logits (batch, n_members, n_columns * n_bins). The nested
        network called "members" takes rows of (n_members, n_columns).
    """
    n_columns, n_bins = shares.shape
    inputs = keras.Input((n_members, n_columns), name="member_inputs")
    x = SwapMembers(name="members_first")(BinEncoding(n_bins, name="bins")(inputs))
    for number, width in enumerate(hidden_layer_sizes, start=1):
        x = MemberDense(width, activation=activation, name=f"hidden_{number}")(x)
    output = MemberDense(n_columns * n_bins, scale=0.5, name="output")
    x = SwapMembers(name="batch_first")(output(x))
    start = np.log(shares).reshape(-1).astype(np.float32)
    output.bias.assign(np.broadcast_to(start, output.bias.shape))
    return repeated(keras.Model(inputs, x, name=MEMBERS), "masked_bins")


@register
class ColumnSurprises(keras.Model):
    """How little each column's value was to be expected, given the other columns.

    ``-log(0.98 p + 0.02 / n_bins)`` with p the network's probability of the value's bin while
    its column is hidden; 0 where the value is missing.

    Parameters
    ----------
    network : keras.Model
        As `masked_bin_network` builds it.
    groups : array-like of shape (n_columns,), int
        Columns of one group are hidden together.

    Notes
    -----
    Hiding a group takes its part out of the first layer's sums, and only its own answers are
    computed: the cost of a row is that of one pass, and a hidden layer for every group.
    """

    #: Rows in one block of a forward pass on JAX: a row stands for as many as there are groups.
    block_rows = 16

    def __init__(self, network, groups, **kwargs):
        super().__init__(**kwargs)
        self.network, self.groups = network, np.asarray(groups).tolist()
        self.built = True

    def call(self, x, training=False):
        """Return surprises (batch, n_members, n_columns) of rows (batch, n_columns)."""
        encode, first, *inner, last = layers_of(self.network)
        n_columns, n_bins = x.shape[-1], encode.n_bins
        # columns come first, then rows: every product is one of plain matrices
        bins = ops.transpose(ops.reshape(encode(x), (-1, n_columns, n_bins)), (1, 0, 2))
        h = first.activation(
            self._without_groups(bins, first.kernel) + ops.expand_dims(first.bias, 2)
        )
        n_groups, n_members = h.shape[1], h.shape[0]
        h = ops.reshape(h, (n_members, -1, h.shape[3]))
        for layer in inner:
            h = layer.activation(ops.matmul(h, layer.kernel) + layer.bias)
        h = ops.reshape(h, (n_members, n_groups, -1, h.shape[2]))
        kernel = ops.reshape(last.kernel, (n_members, -1, n_columns, n_bins))
        bias = ops.reshape(last.bias, (n_members, n_columns, 1, n_bins))
        h = ops.take(h, np.asarray(self.groups), axis=1)
        return self._surprise(x, ops.matmul(h, ops.transpose(kernel, (0, 2, 1, 3))) + bias)

    def _without_groups(self, bins, kernel):
        """Return the first layer's sums, (n_members, n_groups, batch, width)."""
        n_columns, _, n_bins = bins.shape
        kernel = ops.reshape(kernel, (kernel.shape[0], n_columns, n_bins, -1))
        parts = ops.matmul(bins, kernel)  # (n_members, n_columns, batch, width)
        kept = 1 - group_members(self.groups)
        flat = ops.reshape(parts, (parts.shape[0], n_columns, -1))
        return ops.reshape(ops.matmul(kept, flat), (parts.shape[0], len(kept), -1, parts.shape[3]))

    def _surprise(self, x, logits):
        """Return surprises of rows by logits (n_members, n_columns, batch, n_bins)."""
        n_bins, x = logits.shape[-1], ops.transpose(x)
        hot = ops.cast(ops.equal(ops.expand_dims(x, -1), np.arange(n_bins)), "float32")
        p = ops.sum(ops.softmax(logits, axis=-1) * hot, axis=-1)
        surprise = -ops.log((1 - SPREAD) * p + SPREAD / n_bins)
        return ops.transpose(ops.where(x >= 0, surprise, 0.0), (2, 0, 1))

    def get_config(self):
        """Return the serialised parts."""
        return {"network": _serialization.serialize(self.network), "groups": self.groups}

    @classmethod
    def from_config(cls, config):
        """Rebuild the model from its serialised parts."""
        return cls(_serialization.deserialize(config["network"]), config["groups"])


def layers_of(network):
    """Return the layers of a masked-bin network that compute: encoding, hidden ones, output."""
    layers = network.get_layer(MEMBERS).layers
    return [layer for layer in layers if isinstance(layer, (BinEncoding, MemberDense))]


def group_members(groups):
    """Return which columns each group holds, (n_groups, n_columns), ones and zeros."""
    numbers = np.arange(np.max(groups) + 1)
    return (numbers[:, None] == np.asarray(groups)).astype(np.float32)


def surprises(network, groups):
    """Return the `ColumnSurprises` of a network, always the same one."""
    if network not in _surprises:
        _surprises[network] = ColumnSurprises(network, groups)
    return _surprises[network]
