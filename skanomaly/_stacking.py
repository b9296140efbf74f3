"""How far to trust each of several groups of classifiers, judged out of fold.

Owns the weights alone; where honest logits come from is the ensembles' business.
"""

import numpy as np
from scipy.optimize import minimize

#: Pull towards equal weights, in rows: a handful of anomalies cannot choose between groups.
_RIDGE = 10.0


def stacking_weights(logits, labels):
    """Return weights of groups whose weighted logits predict labels best.

    Non-negative weights with the least cross-entropy of the labels (Breiman 1996, "Stacked
    regressions"), pulled towards equal ones, and scaled to the sum 1.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_groups)
        Out-of-fold log odds.
    labels : ndarray of shape (n_samples,)
        1 for an anomaly, 0 for any other row.

    Returns
    -------
    weights : ndarray of shape (n_groups,)

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._stacking import stacking_weights
    >>> labels = np.tile([0.0, 1.0], 200)
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> weights = stacking_weights(np.stack([4 * labels - 2 + noise, noise], axis=1), labels)
    >>> bool(weights[0] > 0.9)
    True
    """
    n_groups = logits.shape[1]
    equal = np.full(n_groups, 1 / n_groups)

    def objective(parameters):
        weights, bias = parameters[:n_groups], parameters[n_groups]
        margin = logits @ weights + bias
        probability = np.exp(-np.logaddexp(0, -margin))
        loss = np.logaddexp(0, margin) - labels * margin
        pull = _RIDGE * n_groups * (weights - equal)
        slope = (probability - labels) @ logits + 2 * pull
        value = loss.sum() + (pull * (weights - equal)).sum()
        return value, np.r_[slope, (probability - labels).sum()]

    bounds = [(0, None)] * n_groups + [(None, None)]
    found = minimize(objective, np.r_[equal, 0.0], jac=True, bounds=bounds, method="L-BFGS-B").x[
        :n_groups
    ]
    return found / found.sum() if found.sum() > 0 else equal
