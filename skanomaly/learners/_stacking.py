"""How far to trust each of several groups of classifiers, judged out of fold.

Owns the weights alone; where out-of-fold logits come from is the ensembles' business.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

#: Pull towards the prior weights: a handful of anomalies cannot choose between groups.
_RIDGE = 10.0


def stacking_weights(logits, labels, prior):
    """Return weights of groups whose weighted logits predict labels best.

    Non-negative weights with the least cross-entropy of the labels (Breiman 1996, "Stacked
    regressions"), scaled to the sum 1. They stay near the prior ones until others prove
    better.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_groups)
        Out-of-fold log odds.
    labels : ndarray of shape (n_samples,)
        1 for an anomaly, 0 for any other row.
    prior : sequence of float
        Weights of the groups when nothing is known.

    Returns
    -------
    weights : ndarray of shape (n_groups,)

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.learners._stacking import stacking_weights
    >>> labels = np.tile([0.0, 1.0], 200)
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> logits = np.stack([4 * labels - 2 + noise, noise], axis=1)
    >>> stacking_weights(logits, labels, [0.5, 0.5]).round(1)
    array([1., 0.])
    """
    start = np.append(prior, 0.0)  # the weights, and a bias

    def objective(parameters):
        weights, pull = parameters[:-1], _RIDGE * (parameters - start)[:-1]
        margin = logits @ weights + parameters[-1]
        excess = expit(margin) - labels
        loss = np.logaddexp(0, margin) - labels * margin
        value = loss.sum() + pull @ pull / _RIDGE
        return value, np.append(excess @ logits + 2 * pull, excess.sum())

    bounds = [(0, None)] * logits.shape[1] + [(None, None)]
    found = minimize(objective, start, jac=True, bounds=bounds, method="L-BFGS-B").x[:-1]
    return found / found.sum() if found.sum() > 0 else start[:-1]
