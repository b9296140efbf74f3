"""What a file says of the estimator in it.

Owns that alone: nothing is built for it, and neither scikit-learn nor Keras is loaded.
"""

from skanomaly.io import _container


def info(path):
    """Tell what a file of `save` holds, without loading it.

    Parameters
    ----------
    path : str or path-like
        File of `save`.

    Returns
    -------
    info : dict
        ``estimator`` (class), ``saved`` (time, UTC), ``n_features_in``, ``feature_names_in``,
        ``n_samples_seen``, ``offset`` (threshold), ``parameters`` (as text), ``keeps_rows``,
        ``skanomaly`` and ``versions`` (of what it was saved with), and the ``notes`` given to
        `save`. None where the estimator has no such thing.

    Raises
    ------
    ValueError
        If the file is damaged, cut off, or was not written by `save`.
    """
    return _container.read(path)[1]
