"""ReliabilityDisplay: the numbers in the picture, and the picture."""

import builtins

import matplotlib as mpl
import matplotlib.figure
import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.svm import OneClassSVM

from skanomaly import ThresholdedDetector
from skanomaly.display import ReliabilityDisplay


@pytest.fixture(autouse=True)
def _off_screen():
    import matplotlib.pyplot as plt

    with mpl.rc_context({"backend": "agg"}):
        yield
        plt.close("all")


@pytest.fixture(scope="module")
def predictions():
    """Return labels 1 for anomalies, and probabilities that mean what they say."""
    rng = np.random.default_rng(0)
    probability = rng.beta(0.5, 2, size=3_000)
    return (rng.uniform(size=3_000) < probability).astype(int), probability


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
def test_numbers_are_those_of_scikit_learn(predictions, strategy):
    y, probability = predictions
    shown = ReliabilityDisplay.from_predictions(y, probability, n_bins=6, strategy=strategy)
    true, predicted = calibration_curve(y, probability, n_bins=6, strategy=strategy)
    np.testing.assert_allclose(shown.prob_true, true, atol=0.005)
    np.testing.assert_allclose(shown.prob_pred, predicted, atol=0.005)
    assert shown.counts.sum() == 3_000
    assert shown.brier_score == pytest.approx(brier_score_loss(y, probability))


def test_labels_in_any_coding(predictions):
    y, probability = predictions
    expected = ReliabilityDisplay.from_predictions(y, probability).prob_true
    words = np.where(y == 1, "bad", "good")
    for labels, mark in ((1 - 2 * y, "auto"), (y == 1, "auto"), (words, "bad")):
        shown = ReliabilityDisplay.from_predictions(labels, probability, anomaly_label=mark)
        np.testing.assert_array_equal(shown.prob_true, expected)
    more = np.r_[y, np.full(500, np.nan)], np.r_[probability, np.ones(500)]
    np.testing.assert_array_equal(ReliabilityDisplay.from_predictions(*more).prob_true, expected)


def test_intervals_hold_what_luck_may_do(predictions):
    """Of 95% intervals around calibrated probabilities, about 95% touch the diagonal."""
    rng = np.random.default_rng(1)
    _, probability = predictions
    inside, ax = [], mpl.figure.Figure().subplots()
    for _ in range(40):
        y = (rng.uniform(size=3_000) < probability).astype(int)
        shown = ReliabilityDisplay.from_predictions(y, probability, n_bins=10, ax=ax)
        low, high = shown._intervals()
        inside += [
            *(
                (shown.prob_pred >= shown.prob_true - low)
                & (shown.prob_pred <= shown.prob_true + high)
            )
        ]
    assert 0.93 < np.mean(inside) < 0.995


def test_equal_probabilities_stay_together():
    probability = np.repeat([0.1, 1 / 3 + 1e-9, 0.9], [10, 50, 8])
    y = np.arange(68) % 3 == 0
    shown = ReliabilityDisplay.from_predictions(y, probability, n_bins=8)
    assert shown.counts.tolist() == [10, 50, 8]
    assert len(ReliabilityDisplay.from_predictions(y, np.full(68, 0.5)).counts) == 1


def test_from_estimator(labelled):
    X, y = labelled
    detector = ThresholdedDetector(OneClassSVM(), random_state=0).fit(X, y)
    shown = ReliabilityDisplay.from_estimator(detector, X, y, n_bins=4)
    same = ReliabilityDisplay.from_predictions(y, detector.predict_proba(X)[:, 0], n_bins=4)
    np.testing.assert_array_equal(shown.prob_true, same.prob_true)
    assert shown.estimator_name == "ThresholdedDetector"
    classifier = LogisticRegression(max_iter=1000).fit(X, y)
    shown = ReliabilityDisplay.from_estimator(classifier, X, y, n_bins=4)
    same = ReliabilityDisplay.from_predictions(y, classifier.predict_proba(X)[:, 1], n_bins=4)
    np.testing.assert_array_equal(shown.prob_true, same.prob_true)
    with pytest.raises(TypeError, match="ThresholdedDetector has no calibrated probabilities"):
        ReliabilityDisplay.from_estimator(ThresholdedDetector(OneClassSVM()).fit(X), X, y)
    with pytest.raises(TypeError, match="OneClassSVM has no calibrated probabilities"):
        ReliabilityDisplay.from_estimator(OneClassSVM().fit(X), X, y)


def test_the_picture(predictions):
    shown = ReliabilityDisplay.from_predictions(*predictions, name="mine")
    texts = [text.get_text() for text in shown.ax_.get_legend().get_texts()]
    assert texts == ["perfect", f"mine (Brier score {shown.brier_score:.3g})"]
    assert shown.figure_ is shown.ax_.figure
    assert len(shown.line_.lines[0].get_xdata()) == len(shown.prob_true)
    again = ReliabilityDisplay.from_predictions(*predictions, ax=shown.ax_)
    assert again.ax_ is shown.ax_
    first, second = (container.lines[0].get_color() for container in shown.ax_.containers)
    assert first != second
    assert len(shown.ax_.get_legend().get_texts()) == 3  # one diagonal


@pytest.mark.parametrize(
    ("y", "probability", "options", "match"),
    [
        ([0, 0], [0.1, 0.2], {}, "got 0 anomalies among 2 labels"),
        ([0, 1], [0.1, 1.2], {}, r"in \[0, 1\], got values from 0\.1 to 1\.2"),
        ([0, 1], [0.1, np.nan], {}, r"probabilities in \[0, 1\]"),
        ([0, 1], [0.1], {}, "inconsistent numbers of samples"),
        ([0, 1], [0.1, 0.2], {"n_bins": 0}, "n_bins must be an integer of at least 1, got 0"),
        ([0, 1], [0.1, 0.2], {"strategy": "even"}, "strategy must be 'quantile' or 'uniform'"),
    ],
)
def test_refusals(y, probability, options, match):
    with pytest.raises(ValueError, match=match):
        ReliabilityDisplay.from_predictions(y, probability, **options)


def test_without_matplotlib(predictions, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'skanomaly\[plot\]'"):
        ReliabilityDisplay.from_predictions(*predictions)
