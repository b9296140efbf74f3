"""Recipes: what every parameter that is left at "auto" stands for.

Owns the tables of settings, and how a user's own values take their place. Does not own: what the
settings do.
"""

from numbers import Integral, Real

import numpy as np

_MULTISCALE = {
    "hidden_layer_sizes": (128, 64),
    "latent_dim": 32,
    "activation": "silu",
    "n_estimators": 4,
    "noise": (0.3, 3.0),
    "learning_rate": 3e-3,
    "max_steps": 600,
    "warmup_steps": 30,
    "batch_size": 64,
    "anomaly_score": "ensemble",
}
#: Those of `AutoencoderDetector`.
AUTOENCODER = {
    "multiscale": _MULTISCALE,
    "fast": _MULTISCALE | {"n_estimators": 1, "max_steps": 200, "anomaly_score": "channels"},
    "plain": {
        "hidden_layer_sizes": (64, 64),
        "latent_dim": None,
        "activation": "relu",
        "n_estimators": 1,
        "noise": 0.0,
        "learning_rate": 1e-3,
        "epochs": 100,
        "max_steps": None,
        "warmup_steps": None,
        "batch_size": 32,
        "anomaly_score": "reconstruction",
    },
}
#: Those of `NeuralAnomalyClassifier`.
CLASSIFIER = {
    "ensemble": {
        "hidden_layer_sizes": (32, 32),
        "activation": "relu",
        "weight_decay": 0.02,
        "learning_rate": "auto",
        "max_steps": "auto",
        "warmup_steps": None,
        "batch_size": 128,
    },
    "plain": {
        "hidden_layer_sizes": (32, 16),
        "activation": "relu",
        "dropout": 0.1,
        "weight_decay": 1e-4,
        "learning_rate": 1e-3,
        "epochs": 100,
        "max_steps": None,
        "warmup_steps": None,
        "batch_size": 32,
        "early_stopping": True,
    },
}


def resolve(value, default):
    """Return the default in place of 'auto'."""
    return default if isinstance(value, str) and value == "auto" else value


def settings_of(detector, recipe):
    """Return a recipe with the detector's own values in place of those left at "auto"."""
    settings = {"dropout": 0.0, "epochs": None, "early_stopping": False, **recipe}
    for name in settings.keys() - {"warmup_steps"}:
        settings[name] = resolve(getattr(detector, name), settings[name])
    if resolve(detector.epochs, None) is not None:
        settings["max_steps"] = None
    elif resolve(detector.max_steps, None) is not None:
        settings["epochs"] = None
    if settings["epochs"] is None and settings["max_steps"] is None:
        raise ValueError(
            f"The parameters 'epochs' and 'max_steps' of {type(detector).__name__} must not "
            "both be None. Set one of them, for example epochs=100."
        )
    widths = settings["hidden_layer_sizes"]
    settings["hidden_layer_sizes"] = checked_widths(widths, type(detector).__name__)
    return settings


def checked_widths(widths, owner):
    """Return layer widths as a tuple of positive int."""
    array = np.atleast_1d(np.asarray(widths, dtype=object))
    if not all(isinstance(w, Integral) and not isinstance(w, bool) and w > 0 for w in array):
        raise ValueError(
            f"The 'hidden_layer_sizes' parameter of {owner} must hold positive whole numbers, "
            f"for example (64, 32). Got {widths!r} instead."
        )
    return tuple(int(w) for w in array)


def noise_bounds(noise):
    """Return the lowest and highest standard deviation of the noise."""
    if isinstance(noise, Real):
        return float(noise), float(noise)
    bounds = np.asarray(noise, dtype=np.float64)
    if bounds.shape != (2,) or not 0 < bounds[0] <= bounds[1] < np.inf:
        raise ValueError(
            "The 'noise' parameter of AutoencoderDetector must be a number of at least 0 or a "
            f"pair (low, high) with 0 < low <= high. Got {noise!r} instead."
        )
    return float(bounds[0]), float(bounds[1])


def trim_share(novelty, contamination):
    """Return the share of the training rows, the most unusual, that scores are learnt without.

    None of those known to be clean; where the contamination is given, twice that, so that few
    anomalies stay; None, a look at the rows, where nothing is said.
    """
    if novelty:
        return 0.0
    return None if isinstance(contamination, str) else min(2 * contamination, 0.5)
