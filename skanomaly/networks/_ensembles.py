"""Many small classifiers packed into one network: its layers, its loss, its folds.

Owns how members stand side by side, which rows each of them never sees, and what they
minimise. Knows neither features nor thresholds.
"""

import numpy as np

from skanomaly.backend import keras
from skanomaly.networks._member_layers import Columns, MemberLogits, PackedDense

#: Folds inside one fit; a group has as many members, and member j never sees fold j.
N_FOLDS = 8


def packed_network(n_inputs, groups):
    """Build one network of several groups of members.

    Parameters
    ----------
    n_inputs : int
        Width of a row.
    groups : list of dict
        Each with ``n_members``; ``hidden_layer_sizes`` (empty for a linear group);
        ``activation``; ``dropout`` behind hidden layers; ``rate`` and ``bias_rate``;
        ``columns`` (as `Columns` takes them, or None for all).

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
    columns=None, bias_range=0.0, dropout=0.0,
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
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"group_{number}_dropout_{depth}")(x)
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
