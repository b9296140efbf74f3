"""Scores of few windows at a time, from plain autoencoders: NumPy alone, in tiles of eight rows.

Owns what `aggregation="last"` and streams ask in place of the detector, where a call of the
detector takes longer than its arithmetic.

A row's score does not depend on the rows beside it: every product is one of eight rows.
"""

import weakref

import numpy as np

from skanomaly.training._numpy_forward import dense_layers

_ROWS = 8
_SCORERS = weakref.WeakKeyDictionary()


def tile_scorer(detector):
    """Return the function from rows to scores of a fitted plain autoencoder; None for others.

    Those are `AutoencoderDetector` with the reconstruction error as its score, standardised
    numbers and dense layers in a row. The scores are those of `score_samples` but for rounding.
    """
    learner = vars(detector).get("_learner")
    known = _SCORERS.get(detector)
    if known is None or known[0] is not learner:
        known = _SCORERS[detector] = learner, _scorer_of(detector, learner)
    return known[1]


def _scorer_of(detector, learner):
    plain = learner.scorer is None and learner.compare.layout is None
    if not plain or learner.scaler is None:
        return None
    layers = dense_layers(learner.trainer.network)
    if layers is None:
        return None
    scaler, whole = learner.scaler, weakref.WeakMethod(detector.score_samples)

    def score(rows):
        known = np.isfinite(rows).all(axis=1)
        if known.all():
            return _tiled(layers, scaler, rows)
        scores = np.empty(len(rows))
        scores[~known] = whole()(rows[~known])
        scores[known] = _tiled(layers, scaler, rows[known])
        return scores

    # a graph of layers need not be the row that they are listed in
    row = scaler.mean_[None] + scaler.scale_ * np.linspace(-1, 1, len(scaler.mean_))
    return score if np.allclose(score(row), detector.score_samples(row), rtol=1e-4) else None


def _tiled(layers, scaler, rows):
    n, width = rows.shape
    tiles = np.zeros((-(-n // _ROWS), _ROWS, width), dtype=np.float32)
    Z = scaler.transform(rows)
    tiles.reshape(-1, width)[:n] = Z
    for kernel, bias, activation in layers:
        tiles = activation(tiles @ kernel + bias)
    off = tiles.reshape(-1, width)[:n].astype(np.float64)
    off -= Z
    return -np.add.reduce(np.square(off, out=off), axis=1) / width
