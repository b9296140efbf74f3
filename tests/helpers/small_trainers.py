"""A trainer of a tiny network, for tests of all that surrounds it."""

import numpy as np

from skanomaly.networks._autoencoders import dense_autoencoder
from skanomaly.training._trainer import Schedule, Trainer, assemble

D = 4
X = np.random.default_rng(0).normal(size=(40, D)).astype(np.float32)
ROWS = np.arange(40)


def build(dropout=0.2):
    shape = {"hidden_layer_sizes": (5,), "latent_dim": None, "activation": "tanh", "l2": 0.0}
    return assemble(dense_autoencoder(D, **shape, dropout=dropout))


def trained(seed=0, build=build, y=None, **kwargs):
    schedule = Schedule(**{"epochs": 2, "batch_size": 16} | kwargs)
    return Trainer(build, schedule, seed).fit(X, y, rows=ROWS, schedule=schedule)


def flat(trainer):
    return np.concatenate([w.reshape(-1) for w in trainer.network.get_weights()])
