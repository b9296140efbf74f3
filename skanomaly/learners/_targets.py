"""Labels as targets of a loss, and how much those of either class weigh.

Owns that translation alone; what a label means is said in ``utils._labels``.
"""

from numbers import Real

import numpy as np


def is_anomaly(codes):
    """Return 1.0 for label codes of anomalies and 0.0 for all others."""
    return (codes == -1).astype(np.float64)


def class_weights(class_weight, labels, imbalance):
    """Return the weights of the losses of normal rows and anomalies.

    "auto" is a power of the weights that make both classes weigh the same: `imbalance`.
    """
    if class_weight is None:
        return 1.0, 1.0
    if isinstance(class_weight, str):
        power = 1.0 if class_weight == "balanced" else imbalance
        anomalies = max(np.count_nonzero(labels), 1)  # weights may leave none to be drawn
        return 1.0, ((len(labels) - anomalies) / anomalies) ** power
    unknown = set(class_weight) - {-1, 1}
    values = [class_weight.get(1, 1.0), class_weight.get(-1, 1.0)]
    if unknown or not all(isinstance(v, Real) and v > 0 for v in values):
        raise ValueError(
            "The 'class_weight' parameter of NeuralAnomalyClassifier must be 'balanced', "
            "None or a dict of positive numbers such as {-1: 10.0, 1: 1.0}, where -1 "
            f"stands for anomalies and 1 for normal rows. Got {class_weight!r} instead."
        )
    return float(values[0]), float(values[1])
