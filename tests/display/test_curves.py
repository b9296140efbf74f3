"""ROC and precision-recall curves."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from skanomaly import AutoencoderDetector
from skanomaly.display import PrecisionRecallDisplay, RocCurveDisplay


@pytest.mark.parametrize(
    ("curve", "metric"),
    [(RocCurveDisplay, roc_auc_score), (PrecisionRecallDisplay, average_precision_score)],
)
def test_curves_read_any_coding_and_any_detector(curve, metric, forest, labelled):
    X, y = labelled
    value = metric(y, -forest.score_samples(X))
    words = pd.Series(y).map({0: "fine", 1: "worn"}).astype(object)
    coded = {"0/1": y, "-1/1": 1 - 2 * y, "words": words}
    for labels in coded.values():
        label = "worn" if labels is words else "auto"
        shown = curve.from_estimator(forest, X, labels, anomaly_label=label)
        assert shown.value == pytest.approx(value)
    some = words.copy()
    some[:50] = None
    assert curve.from_estimator(forest, X, some, anomaly_label="worn").value == pytest.approx(
        metric(y[50:], -forest.score_samples(X[50:]))
    )


def test_the_dot_is_where_predict_draws_the_line(forest, labelled):
    X, y = labelled
    called = forest.predict(X) == -1
    shown = RocCurveDisplay.from_estimator(forest, X, y)
    assert_allclose(shown.point, (called[y == 0].mean(), called[y == 1].mean()))
    shown = PrecisionRecallDisplay.from_estimator(forest, X, y)
    assert_allclose(shown.point, (called[y == 1].mean(), y[called].mean()))
    x, height = shown.line_.get_data()
    assert np.min(np.hypot(x - shown.point[0], height - shown.point[1])) < 1e-9


def test_curves_share_axes_and_one_line_of_chance(forest, autoencoder, labelled):
    first = RocCurveDisplay.from_estimator(forest, *labelled)
    second = RocCurveDisplay.from_estimator(autoencoder, *labelled, name="mine", ax=first.ax_)
    names = [text.get_text().split(" (")[0] for text in first.ax_.get_legend().get_texts()]
    assert names == ["IsolationForest", "mine", "chance"]
    assert first.line_.get_color() != second.line_.get_color()
    assert first.line_.get_linestyle() != second.line_.get_linestyle()


@pytest.mark.parametrize("curve", [RocCurveDisplay, PrecisionRecallDisplay])
def test_curves_refuse(curve, forest, labelled):
    X, _ = labelled
    with pytest.raises(ValueError, match="at least one anomaly and one normal row"):
        curve.from_estimator(forest, X, np.ones(len(X)))
    with pytest.raises(TypeError, match="is a classifier"):
        curve.from_estimator(LogisticRegression().fit(X, labelled[1]), X, labelled[1])
    with pytest.raises(ValueError, match="same length"):
        curve.from_predictions([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(NotFittedError):
        curve.from_estimator(AutoencoderDetector(), X, labelled[1])
