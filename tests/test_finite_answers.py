"""No answer is NaN or infinite; what cannot be judged is abnormal or refused."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, OutlierMixin, clone

from skanomaly import (
    AutoencoderDetector,
    ConformalDetector,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
    metrics,
    thresholds,
)

pytestmark = pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning")
FAR = np.array([[1e39] * 4, [-1e300] * 4, [1e39, 0, 0, 0], [1.7e308] * 4])
DETECTORS = {
    "plain": AutoencoderDetector("plain", hidden_layer_sizes=(4,), epochs=1),
    "ensemble": AutoencoderDetector(hidden_layer_sizes=(4,), latent_dim=2, max_steps=2),
    "classifier": NeuralAnomalyClassifier("plain", epochs=1),
}


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("name", DETECTORS)
def test_far_rows_have_finite_scores(name, standardize, labelled):
    X, y = labelled
    detector = clone(DETECTORS[name]).set_params(standardize=standardize, random_state=0)
    kept = slice(None) if name == "classifier" else y == 0  # hardly trained: on clean rows
    detector.fit((X - X.mean(axis=0))[kept], y[kept])
    assert np.isfinite(detector.score_samples(FAR)).all()
    assert np.isfinite(detector.decision_function(FAR)).all()
    if name != "classifier":  # a row far off may lie on the classifier's normal side
        assert (detector.predict(FAR) == -1).all()
        assert np.isfinite(detector.reconstruct(FAR)).all()
        assert np.isfinite(detector.encode(FAR)).all()


def test_one_far_row_takes_the_short_way_and_is_abnormal(blob):
    detector = clone(DETECTORS["plain"]).set_params(standardize=False, random_state=0)
    detector.fit(blob - blob.mean(axis=0))
    assert detector.predict(np.full((1, 4), 1e39)) == [-1]


def test_a_network_that_answers_nan_flags(blob):
    import keras

    def broken(n_features):
        return keras.Sequential([keras.Input((n_features,)), keras.layers.Dense(n_features)])

    detector = AutoencoderDetector(model=broken, epochs=1, random_state=0).fit(blob)
    weights = [np.full_like(w, np.nan) for w in detector.network_.get_weights()]
    detector.network_.set_weights(weights)
    assert (detector.predict(blob) == -1).all()


@pytest.mark.parametrize("answer", [np.nan, np.inf, None, "low", 1 + 2j, [0.1, 0.2]])
def test_a_rule_must_answer_a_finite_number(distance, blob, answer):
    def rule(scores, labels):
        return answer

    detector = ThresholdedDetector(distance, rule=rule)
    with pytest.raises(ValueError, match="rule 'rule' must answer one finite number, got"):
        detector.fit(blob)
    assert not hasattr(detector, "offset_")


@pytest.mark.parametrize("scale", [1e150, 1e300, 1.7e308])
def test_rules_of_huge_scores_are_those_of_small_ones(scale):
    scores = np.random.default_rng(0).uniform(-1, 1, 200)
    for rule in (
        thresholds.robust_threshold,
        lambda s: thresholds.contamination_threshold(s, 0.1),
        lambda s: thresholds.pot_threshold(s, 0.01),
        lambda s: thresholds.fpr_threshold(s, 0.1),
    ):
        largest = np.finfo(float).max
        expected = np.clip(np.longdouble(rule(scores)) * scale, -largest, largest)
        assert rule(scores * scale) == pytest.approx(float(expected), rel=1e-6)


Y = [0, 0, 0, 1, 1]
SCORES = [5.0, 4.0, 1.0, 2.0, 0.0]


@pytest.mark.parametrize(
    "weight", [[-1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [np.nan] * 5, [1j] * 5, [1]]
)
@pytest.mark.parametrize("name", ["roc_auc_score", "average_precision_score", "f1_score"])
def test_weights_of_metrics_are_checked(name, weight):
    answers = np.where(np.array(SCORES) < 2, -1, 1) if name == "f1_score" else SCORES
    with pytest.raises(ValueError, match=r"sample_weight|at least one anomaly"):
        getattr(metrics, name)(Y, answers, sample_weight=weight)


def test_huge_weights_of_metrics_count_by_their_ratios():
    weight = np.array([1e308, 5e307, 1e308, 1e308, 1e307])
    expected = metrics.roc_auc_score(Y, SCORES, sample_weight=weight / 1e307)
    assert metrics.roc_auc_score(Y, SCORES, sample_weight=weight) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("scores", "kind"),
    [(np.array(SCORES) + 1j, "complex"), (["5", "4", "1", "2", "0"], "strings"),
     ([5, None, 1, 2, 0], "missing"), (np.ma.MaskedArray(SCORES, [0, 1, 0, 0, 0]), "missing"),
     ([[s] for s in SCORES], "shape"), ([1, [2], 3, 4, 5], "real numbers")],
)  # fmt: skip
def test_scores_that_are_no_column_of_numbers(scores, kind):
    with pytest.raises(ValueError, match=kind):
        metrics.roc_auc_score(Y, scores)
    with pytest.raises(ValueError, match=kind):
        thresholds.robust_threshold(scores)


class Answering(OutlierMixin, BaseEstimator):
    """Answers as scores what it is told to."""

    def __init__(self, answer=np.nan):
        self.answer = answer

    def fit(self, X, y=None):
        return self

    def score_samples(self, X):
        return np.asarray(X)[:, 0] * self.answer


@pytest.mark.parametrize("answer", [np.nan, np.inf, 1j])
@pytest.mark.parametrize("meta", [ThresholdedDetector, ConformalDetector])
def test_scores_of_other_detectors_are_checked(meta, answer, blob):
    with pytest.raises(ValueError, match="Answering"):
        meta(Answering(answer)).fit(blob)


def test_overflow_is_no_warning_of_ours(blob):
    from sklearn.ensemble import IsolationForest

    detector = ThresholdedDetector(IsolationForest(n_estimators=5, random_state=0)).fit(blob)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(detector.decision_function(FAR[:1])).all()


def test_reconstruction_of_huge_rows():
    X = np.array([[1e300], [-1e300], [5e299]])
    assert metrics.reconstruction_score(X, X) == 1.0
    assert np.isfinite(metrics.reconstruction_score(X / 1e300, X))
