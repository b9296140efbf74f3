"""Random generators that leave the global one alone."""

import numpy as np
from sklearn.utils import check_random_state


def random_generator(random_state):
    """Return the generator of a `random_state` as scikit-learn does, for None a new one.

    scikit-learn's own answer to None is NumPy's global generator, which every use changes.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Seed.

    Returns
    -------
    rng : numpy.random.RandomState

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.utils._random import random_generator
    >>> rng = random_generator(None)
    >>> rng is np.random.mtrand._rand
    False
    """
    if random_state is None:
        return np.random.RandomState()
    return check_random_state(random_state)


def random_seed(random_state):
    """Return a number for generators that begin with one, drawn by `random_generator`."""
    return int(random_generator(random_state).randint(np.iinfo(np.int32).max))
