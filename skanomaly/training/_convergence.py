"""Tells whether training ended too early, from the losses of its epochs.

Owns the rule and its warning; NumPy alone otherwise.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

#: Epochs below which a curve says too little.
_LEAST_EPOCHS = 8
#: A loss still falls fast if its last tenth of the epochs brings at least this share of the whole
#: decrease. A straight line has .11 there; an exponential decay stopped after 1.4 time constants
#: has .05.
_FAST = 0.05
#: Standard errors that the last slope must be away from zero.
_CERTAIN = 5.0


def falls_fast(losses):
    """Tell whether a loss still falls fast in the last epochs.

    Parameters
    ----------
    losses : sequence of float
        Loss of each epoch.

    Returns
    -------
    fast : bool
        Whether the last tenth of the epochs has brought at least a twentieth of the whole
        fall, going by a line through the last fifth whose slope is certain.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.training._convergence import falls_fast
    >>> epochs = np.arange(40)
    >>> falls_fast(10.0 - 0.1 * epochs), falls_fast(np.exp(-epochs / 8))
    (True, False)
    """
    losses = np.asarray(losses, dtype=np.float64)
    n_epochs = len(losses)
    fall = losses[0] - losses[-1] if n_epochs else 0.0
    if n_epochs < _LEAST_EPOCHS or fall <= 1e-3 * abs(losses[0]):
        return False
    last = losses[-max(n_epochs // 5, 4) :]
    slope, error = _slope(last)
    return bool(-slope > _CERTAIN * error and -slope * n_epochs / 10 > _FAST * fall)


def _slope(values):
    """Return the slope of a line through values, and its standard error."""
    x = np.arange(len(values)) - (len(values) - 1) / 2
    slope = x @ values / (x @ x)
    left = values - values.mean() - slope * x
    return slope, np.sqrt(left @ left / (len(values) - 2) / (x @ x))


def warn_if_unfinished(trainer, owner):
    """Warn when the last training used up its budget while the loss still fell fast.

    With early stopping that is the loss of the rows held out.

    Parameters
    ----------
    trainer : skanomaly.training._trainer.Trainer
        After its `fit`.
    owner : str
        Name of the estimator.
    """
    history, n_epochs = trainer.history, trainer.n_last
    losses = history.get("val_loss", history["loss"])[-n_epochs:]
    if trainer.used_up and falls_fast(losses):
        warnings.warn(
            f"{owner} stopped at the end of its budget, while the loss still fell fast "
            f"({losses[-2]:.3g} to {losses[-1]:.3g} in the last of {n_epochs} epochs). Raise "
            "epochs or max_steps, or the learning_rate.",
            ConvergenceWarning,
            stacklevel=4,
        )
