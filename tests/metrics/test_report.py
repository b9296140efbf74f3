"""The report: its figures are those of the metrics, and the text shows all of them."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from skanomaly import metrics
from skanomaly.metrics import anomaly_report


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    anomaly = np.arange(90) % 9 == 4
    X = rng.normal(size=(90, 3)) + 4 * anomaly[:, None]
    return X, anomaly


@pytest.fixture(scope="module")
def forest(data):
    return IsolationForest(n_estimators=10, random_state=0).fit(data[0])


def test_report_figures(data, forest):
    X, anomaly = data
    y = np.where(np.arange(90) == 0, None, anomaly)
    scores, y_pred = forest.score_samples(X), forest.predict(X)
    report = anomaly_report(y, y_pred, scores, output_dict=True)
    assert report["anomaly"]["precision"] == metrics.precision_score(y, y_pred)
    assert report["anomaly"]["f1-score"] == metrics.f1_score(y, y_pred)
    assert report["normal"]["recall"] == np.mean(y_pred[1:][~anomaly[1:]] == 1)
    assert report["anomaly"]["support"] == 10
    assert report["ROC AUC"] == metrics.roc_auc_score(y, scores)
    assert report["precision at n"] == metrics.precision_at_n_score(y, scores)
    assert report["share of anomalies"] == 10 / 89
    assert report["rows without a label"] == 1
    assert "ROC AUC" not in anomaly_report(y, y_pred, output_dict=True)


def test_report_text_shows_all_figures(data, forest):
    X, anomaly = data
    text = anomaly_report(anomaly, forest.predict(X), forest.score_samples(X), digits=2)
    report = anomaly_report(anomaly, forest.predict(X), forest.score_samples(X), output_dict=True)
    lines = {line[:19].strip(): line[19:].split() for line in text.splitlines()}
    for name, value in report.items():
        if isinstance(value, float):
            assert lines[name] == [f"{value:.2f}"]
    assert "without a label" not in text
    assert len({len(line) for line in text.splitlines()[:3]}) == 1  # aligned columns
