"""Training rows and schedules for tests of learners."""

import numpy as np

from skanomaly.preprocessing._training_rows import TrainingRows
from skanomaly.training._trainer import Schedule

RNG = np.random.default_rng(0)
#: The last ten rows are anomalies.
X = np.vstack([RNG.normal(size=(90, 3)), RNG.normal(4, 1, size=(10, 3))])
CODES = np.repeat([1, -1], [90, 10])
FAR = np.array([[4.0, 4.0, 4.0], [0.0, 0.0, 0.0]])


def training_rows(labels=None, weight=None, X=X):
    rows = TrainingRows(X, labels, weight)
    rows.encode()
    return rows


def schedule(**own):
    return Schedule(**{"epochs": 1, "steps": 40, "batch_size": 32, "learning_rate": 1e-2} | own)
