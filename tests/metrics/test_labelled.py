"""Metrics with labels: those of scikit-learn on the anomaly class, codings, weights, errors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.ensemble import IsolationForest

from skanomaly import metrics

OF_SCORES = ["roc_auc_score", "average_precision_score", "precision_at_n_score"]
OF_PREDICTIONS = [
    "f1_score",
    "precision_score",
    "recall_score",
    "balanced_accuracy_score",
    "matthews_corrcoef",
]
LABELLED = OF_SCORES + OF_PREDICTIONS
CODINGS = [
    lambda anomaly: np.where(anomaly, -1, 1),
    lambda anomaly: anomaly.astype(int),
    lambda anomaly: anomaly,
    lambda anomaly: pd.Series(anomaly).astype("boolean"),
    lambda anomaly: list(np.where(anomaly, 1.0, 0.0)),
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    anomaly = np.arange(90) % 9 == 4
    X = rng.normal(size=(90, 3)) + 4 * anomaly[:, None]
    return X, anomaly


@pytest.fixture(scope="module")
def forest(data):
    return IsolationForest(n_estimators=10, random_state=0).fit(data[0])


binary = st.lists(
    st.tuples(st.booleans(), st.integers(-4, 4), st.sampled_from([-1, 1])), min_size=2, max_size=25
).filter(lambda rows: len({row[0] for row in rows}) == 2)


@settings(max_examples=80, deadline=None)
@given(binary)
def test_metrics_equal_scikit_learns_on_the_anomaly_class(rows):
    anomaly, scores, y_pred = (np.array(column) for column in zip(*rows, strict=True))
    found = y_pred == -1
    expected = {
        "roc_auc_score": sk.roc_auc_score(anomaly, -scores),
        "average_precision_score": sk.average_precision_score(anomaly, -scores),
        "f1_score": sk.f1_score(anomaly, found, zero_division=0),
        "precision_score": sk.precision_score(anomaly, found, zero_division=0),
        "recall_score": sk.recall_score(anomaly, found, zero_division=0),
        "balanced_accuracy_score": sk.balanced_accuracy_score(anomaly, found),
        "matthews_corrcoef": sk.matthews_corrcoef(anomaly, found),
    }
    for name, value in expected.items():
        answer = scores if name in OF_SCORES else y_pred
        got = getattr(metrics, name)(anomaly, answer)
        assert type(got) is float
        assert got == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("name", LABELLED)
def test_any_coding_and_unlabelled_rows(data, forest, coding, name):
    X, anomaly = data
    answer = forest.score_samples(X) if name in OF_SCORES else forest.predict(X)
    metric = getattr(metrics, name)
    expected = metric(np.where(anomaly, -1, 1), answer)
    assert metric(coding(anomaly), answer) == expected
    names = np.where(anomaly, "bad", "good").astype(object)
    assert metric(names, answer, anomaly_label="bad") == expected
    unknown = np.arange(len(X)) % 4 == 0
    holes = np.where(unknown, None, coding(anomaly))
    kept = metric(anomaly[~unknown], answer[~unknown])
    assert metric(holes, answer) == kept
    assert metric(holes, np.where(unknown, -answer, answer)) == kept


@pytest.mark.parametrize("name", [n for n in LABELLED if n != "precision_at_n_score"])
def test_integer_weights_are_repetitions(data, forest, name):
    X, anomaly = data
    answer = forest.score_samples(X) if name in OF_SCORES else forest.predict(X)
    weight = np.arange(len(X)) % 3
    metric = getattr(metrics, name)
    y = np.where(np.arange(len(X)) == 7, None, np.where(anomaly, -1, 1))
    assert metric(y, answer, sample_weight=weight) == pytest.approx(
        metric(np.repeat(y, weight), np.repeat(answer, weight))
    )


def test_precision_at_n_counts_from_the_most_anomalous():
    y, scores = [1, 0, 1, 0, 0], [0.1, 0.2, 0.3, 0.8, 0.9]
    values = [metrics.precision_at_n_score(y, scores, n=n) for n in (1, 2, 3, 5)]
    assert values == [1, 0.5, 2 / 3, 0.4]
    assert metrics.precision_at_n_score(y, scores) == 0.5  # two anomalies


@settings(max_examples=60, deadline=None)
@given(binary, st.integers(1, 25), st.randoms(use_true_random=False))
def test_precision_at_n_ignores_the_order_of_rows(rows, n, random):
    n = min(n, len(rows))
    shuffled = random.sample(rows, len(rows))
    values = []
    for some in (rows, shuffled):
        anomaly, scores, _ = (np.array(column) for column in zip(*some, strict=True))
        values.append(metrics.precision_at_n_score(anomaly, scores, n=n))
        # With ties broken at random, the mean over both extremes bounds the value.
        best = np.lexsort((~anomaly, scores))[:n]
        worst = np.lexsort((anomaly, scores))[:n]
        assert np.mean(anomaly[worst]) - 1e-12 <= values[-1] <= np.mean(anomaly[best]) + 1e-12
    assert values[0] == pytest.approx(values[1])


def test_no_alarm_gives_zero_without_a_warning():
    for name in ("f1_score", "precision_score", "recall_score", "matthews_corrcoef"):
        assert getattr(metrics, name)([0, 1], [1, 1]) == 0


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize(
    ("y", "answer", "error", "match"),
    [
        ([0, 0], [1, -1], ValueError, "0 anomalies and 2 normal rows"),
        ([-1, None], [1, -1], ValueError, "1 anomalies and 0 normal rows"),
        ([0, 1, 1], [1, -1], ValueError, "same length, got 3 labels and 2"),
        ([0, 1], [np.nan, -1], ValueError, "must be finite"),
        ([0, 1], [[1], [-1]], ValueError, "numbers of shape"),
        (None, [1, -1], TypeError, "got None"),
    ],
)
def test_bad_input(name, y, answer, error, match):
    with pytest.raises(error, match=match):
        getattr(metrics, name)(y, answer)


@pytest.mark.parametrize("name", OF_PREDICTIONS)
def test_predictions_must_be_signs(name):
    with pytest.raises(ValueError, match="y_pred must hold -1"):
        getattr(metrics, name)([0, 1], [0, 1])


@pytest.mark.parametrize("n", [0, 4, 1.5, -1])
def test_bad_n(n):
    with pytest.raises(ValueError, match="integer from 1 to 3"):
        metrics.precision_at_n_score([0, 1, 1, None], [1, 2, 3, 4], n=n)


def test_weights_must_fit():
    with pytest.raises(ValueError, match="one weight for each of the 2 rows"):
        metrics.roc_auc_score([0, 1], [1, 2], sample_weight=[1, 1, 1])


@pytest.mark.parametrize("y_pred", [[True] * 4, np.array([True, False, True, True])])
def test_booleans_are_no_predictions(y_pred):
    for metric in (metrics.f1_score, metrics.event_report):
        with pytest.raises(ValueError, match=r"y_pred must hold -1 .* got booleans"):
            metric([0, 1, 1, 0], y_pred)
