"""Builders of dense networks: autoencoders of one or several members, and classifiers.

Owns builders; knows neither training nor scores. Networks of several members keep
the members on the first axis inside, so that each layer is one batched matrix product.
"""

from skanomaly.backend import keras
from skanomaly.networks._layers import FanAverageUniform
from skanomaly.networks._member_layers import MemberDense, SwapMembers

#: Name of the nested network in which members stand side by side.
MEMBERS = "members"


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
    return repeated(members, "autoencoders")


def resized(network, n_members):
    """Return an untrained network like that of `member_autoencoder`, of fewer or more members."""
    members = network.get_layer(MEMBERS)
    x = inputs = keras.Input((n_members, members.input_shape[-1]), name="member_inputs")
    for layer in members.layers[1:]:
        x = type(layer).from_config(layer.get_config())(x)
    return repeated(keras.Model(inputs, x, name=MEMBERS), network.name)


def repeated(members, name):
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
