"""The detector inside a WindowedDetector: its seed, the shape of its rows, and its labels.

Owns what its parameters are changed to before it is fitted. Loads Keras only where no detector was
given.
"""

import contextlib

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skanomaly.meta._windows import window_labels
from skanomaly.utils._labels_handed_on import labels_as_read_by, tell_codes

#: Architectures that need to know how many steps and channels a row has.
_SEQUENTIAL = ("conv1d", "lstm", "gru")
#: An autoencoder's recipe for windows where it is left at "auto". Neighbouring windows say nearly
#: the same: NAB's VUS-PR is .758 with it and with "multiscale", which takes ten times as long.
_RECIPE = "fast"
#: Parameters that ask for networks of one's own: they are to count, and "fast" scores without.
_OWN_NETWORKS = (
    "architecture", "hidden_layer_sizes", "latent_dim", "activation", "n_estimators", "noise",
    "dropout", "l2", "anomaly_score", "loss", "model",
)  # fmt: skip


def detector_or_default(detector):
    """Return the detector given, else an AutoencoderDetector."""
    if detector is not None:
        return detector
    from skanomaly import AutoencoderDetector  # loads Keras: only where nothing else was given

    return AutoencoderDetector()


def new_detector(detector, size, n_channels, random_state):
    """Return an unfitted detector that knows the seed and the shape of a window."""
    detector = with_seed(detector_or_default(detector), random_state)
    given, changes = detector.get_params(deep=True), {}
    for name, value in given.items():
        shape = name.removesuffix("architecture") + "input_shape"
        sequential = _last(name) == "architecture" and value in _SEQUENTIAL
        if sequential and given.get(shape, 0) is None:
            changes[shape] = (size, n_channels)
        own = name.removesuffix("recipe")
        autoencoder = _last(name) == "recipe" and own + "anomaly_score" in given
        if autoencoder and value == "auto" and size > 1 and not _names_networks(given, own):
            changes[name] = _RECIPE
    return detector.set_params(**changes)


def _names_networks(given, own):
    """Tell whether an autoencoder's parameters differ from the default in what networks are."""
    from skanomaly import AutoencoderDetector  # it is there: one of them was given

    usual = AutoencoderDetector().get_params()
    return any(given[own + name] is not usual[name] and given[own + name] != usual[name]
               for name in _OWN_NETWORKS)  # fmt: skip


def with_seed(detector, random_state):
    """Return an unfitted copy with a seed in place of each `random_state` that is None."""
    detector = clone(detector)
    if random_state is None:
        return detector
    given = detector.get_params(deep=True)
    own = [name for name in given if _last(name) == "random_state" and given[name] is None]
    return detector.set_params(**dict.fromkeys(own, random_state))


def learns_labels(detector):
    """Tell whether a detector has the parameter `anomaly_label`."""
    return any(_last(name) == "anomaly_label" for name in detector.get_params(deep=True))


def read_codes(detector, y, n):
    """Return the label codes of rows, and set the detector up for those of windows.

    None where there are no labels, or the detector does not learn from them. A detector around
    another may name the labels as well; the first that does so says what they mean.
    """
    if y is None or not learns_labels(detector):
        return None
    codes = labels_as_read_by(detector, y, n)
    tell_codes(detector, (codes != 0).any())  # those of windows
    return codes


def takes_missing(detector):
    """Tell whether a detector gets missing values: the tags of a pipeline say nothing of them."""
    inside = [detector, *detector.get_params(deep=True).values()]
    piped = any(isinstance(one, Pipeline) for one in inside)
    return piped or get_tags(detector).input_tags.allow_nan


def fit_windows(detector, windows, codes, starts, size):
    """Fit a detector on windows, with their labels where there are any."""
    if codes is None:
        return detector.fit(windows)
    return detector.fit(windows, window_labels(codes, starts, size))


@contextlib.contextmanager
def naming_empty_channels(detector, X):
    """Add to a refusal which channels hold no value: the detector inside knows windows alone."""
    try:
        yield
    except ValueError as error:
        names = getattr(detector, "feature_names_in_", np.arange(X.shape[1]))
        empty = np.asarray(names)[np.isnan(X).all(axis=0)].tolist()
        if empty:
            error.add_note(
                "X stands for windows here, whose columns are time steps of channels. Channels "
                f"without any value: {', '.join(map(repr, empty))}. Drop them."
            )
        raise


def own_threshold(detector, window):
    """Return the threshold that a detector has found for windows."""
    return float(np.ravel(detector.score_samples(window) - detector.decision_function(window))[0])


def _last(name):
    """Return the last part of a nested parameter's name."""
    return name.rpartition("__")[2]
