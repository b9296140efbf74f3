"""Labels in the coding that their reader understands."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

from skanomaly import NeuralAnomalyClassifier
from skanomaly.model_selection import StratifiedAnomalyKFold
from skanomaly.utils._labels import labels_for, n_rows, recode

WORDS, CODES = ["bad", "ok", "ok"], np.array([-1, 1, 1])


@pytest.mark.parametrize(
    "consumer",
    [
        NeuralAnomalyClassifier(anomaly_label="bad"),
        make_pipeline(NeuralAnomalyClassifier(anomaly_label="bad")),
        StratifiedAnomalyKFold(2, anomaly_label="bad"),
        NeuralAnomalyClassifier(anomaly_label=0),
    ],
)
def test_who_names_the_anomaly_gets_labels_as_they_came(consumer):
    assert labels_for(consumer, WORDS, CODES) is WORDS


@pytest.mark.parametrize(
    "consumer", [NeuralAnomalyClassifier(), StratifiedAnomalyKFold(2), IsolationForest(), KFold(2)]
)
def test_everybody_else_gets_codes(consumer):
    assert labels_for(consumer, WORDS, CODES) is CODES


def test_rows_without_a_label_stay_so():
    np.testing.assert_array_equal(recode(np.array([-1, 0, 1])), [-1, np.nan, 1])
    assert recode(CODES) is CODES


@pytest.mark.parametrize("X", [np.zeros((3, 2)), pd.DataFrame({"a": [1, 2, 3]}), [[1], [2], [3]]])
def test_number_of_rows(X):
    assert n_rows(X) == 3
