"""A detector that trains nothing, in one file: the distance from the mean."""

import numpy as np

from skanomaly.detectors._base import BaseDetector
from skanomaly.preprocessing._scaling import RowScaler


class MeanDistance(BaseDetector):
    """How many standard deviations a row is away from the mean of the training rows."""

    def __init__(
        self, *, categorical_features="from_dtype", contamination="auto", random_state=None
    ):
        self.categorical_features = categorical_features
        self.contamination = contamination
        self.random_state = random_state

    def _fit_rows(self, rows, seed, warm_start):
        self._scaler = RowScaler(rows.X, rows.weight)

    def _score_rows(self, X):
        return -np.linalg.norm(self._scaler.transform(X[:], np.float64), axis=1)
