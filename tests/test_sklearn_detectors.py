"""What scikit-learn demands of its own outlier detectors, demanded of ours.

The cases follow scikit-learn's tests of IsolationForest, LocalOutlierFactor, OneClassSVM and
EllipticEnvelope, in words of our own. What is about trees, neighbours or kernels alone is left
out; where ours differ, a test says how, and the page "With scikit-learn's tools" says why.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

SMALL = {"hidden_layer_sizes": (16,), "random_state": 0}
DETECTORS = {
    "default": AutoencoderDetector(max_steps=100, latent_dim=4, **SMALL),
    "plain": AutoencoderDetector("plain", max_steps=100, **SMALL),
    "classifier": NeuralAnomalyClassifier(max_steps=100, **SMALL),
}
each = pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
TOY = [[-2, -1], [-1, -1], [-1, -2], [1, 1], [1, 2], [2, 1], [7, 4], [-5, 9]]


@pytest.fixture(scope="module")
def clusters():
    """Return rows of two clusters, new ones of both, and rows that lie anywhere else."""
    rng = np.random.default_rng(2)
    centres = np.array([[2, 2], [-2, -2]])
    train, new = (np.repeat(centres, n, axis=0) + rng.normal(0, 0.3, (2 * n, 2)) for n in (60, 20))
    far = rng.uniform(-4, 4, size=(60, 2))
    far = far[np.abs(far[:, None] - centres).max(axis=2).min(axis=1) > 1]
    return train, new, far


@pytest.fixture(scope="module")
def fitted(clusters):
    return {name: clone(detector).fit(clusters[0]) for name, detector in DETECTORS.items()}


@pytest.mark.parametrize("name", DETECTORS)
def test_before_a_fit_there_are_no_answers(name, clusters):
    detector = clone(DETECTORS[name])
    for method in ("predict", "decision_function", "score_samples"):
        with pytest.raises(NotFittedError):
            getattr(detector, method)(clusters[0])
    assert not hasattr(detector, "offset_")


@pytest.mark.parametrize("name", DETECTORS)
def test_new_rows_are_told_from_those_that_lie_elsewhere(name, fitted, clusters):
    _, new, far = clusters
    scores = fitted[name].decision_function(np.r_[new, far])
    least = 0.8 if name == "plain" else 0.95  # without a bottleneck it rebuilds much elsewhere
    assert roc_auc_score(np.repeat([1, 0], [len(new), len(far)]), scores) > least
    assert np.mean(fitted[name].predict(new) == 1) > 0.8


@pytest.mark.parametrize("name", DETECTORS)
def test_answers_agree_with_each_other(name, fitted, clusters):
    detector, rows = fitted[name], np.vstack(clusters)
    scores, decisions = detector.score_samples(rows), detector.decision_function(rows)
    np.testing.assert_allclose(scores, decisions + detector.offset_, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(detector.predict(rows) == -1, decisions < 0)
    assert detector.predict(rows).dtype.kind == "i"
    assert decisions.shape == (len(rows),)


@pytest.mark.parametrize("name", DETECTORS)
def test_rows_of_another_width_are_refused(name, fitted, clusters):
    with pytest.raises(ValueError, match="is expecting 2 features"):
        fitted[name].predict(clusters[0][:, 1:])


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix])
def test_sparse_rows_are_dense_rows(name, fitted, clusters, container):
    detector, rows = fitted[name], clusters[1]
    sparse_scores = detector.score_samples(container(rows))
    np.testing.assert_allclose(sparse_scores, detector.score_samples(rows), rtol=1e-5)
    np.testing.assert_array_equal(detector.predict(container(rows)), detector.predict(rows))


@pytest.mark.parametrize("name", DETECTORS)
def test_single_precision_gives_the_same_labels(name, fitted, clusters):
    rows = clusters[1].astype(np.float32)
    scores = fitted[name].score_samples(rows)
    np.testing.assert_array_equal(scores, fitted[name].score_samples(rows.astype(float)))
    assert scores.dtype == np.float64  # scikit-learn's keep single precision


@pytest.mark.parametrize("name", DETECTORS)
def test_a_row_has_its_score_whatever_comes_with_it(name, fitted, clusters):
    rows = np.vstack(clusters)
    whole, detector = fitted[name].score_samples(rows), fitted[name]
    parts = [detector.score_samples(part) for part in np.array_split(rows, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@each
def test_the_two_odd_rows_of_a_toy_sample(detector):
    detector = clone(detector).set_params(contamination=0.25).fit(TOY)
    scores = detector.decision_function(TOY)
    assert scores[-2:].max() < scores[:-2].min()
    assert detector.predict(TOY).tolist() == [1] * 6 + [-1] * 2
    assert detector.fit_predict(TOY).tolist() == [1] * 6 + [-1] * 2


@each
def test_contamination_is_the_share_of_training_rows_called_anomalies(detector, clusters):
    detector = clone(detector).set_params(contamination=0.1).fit(clusters[0])
    assert np.sum(detector.predict(clusters[0]) == -1) == 12


@pytest.mark.parametrize("name", ["plain", "classifier"])
def test_contamination_moves_the_threshold_alone(name, fitted, clusters):
    """The default recipe leaves likely anomalies out of training, twice as many as it says."""
    other = clone(DETECTORS[name]).set_params(contamination=0.1).fit(clusters[0])
    np.testing.assert_array_equal(
        fitted[name].score_samples(clusters[1]), other.score_samples(clusters[1])
    )
    assert fitted[name].offset_ != other.offset_


@each
def test_names_of_columns_are_kept_without_a_warning(detector, clusters):
    frame = pd.DataFrame(clusters[0], columns=["a", "b"])
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*feature names")
        detector = clone(detector).set_params(contamination=0.05).fit(frame)
        detector.predict(frame)
    assert detector.feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize("name", ["default", "plain"])
def test_a_continuous_y_plays_no_part_without_labels(name, clusters):
    y = np.linspace(0, 1, len(clusters[0]))
    one, other = (clone(DETECTORS[name]).fit(clusters[0], target) for target in (None, y))
    np.testing.assert_array_equal(one.score_samples(TOY), other.score_samples(TOY))


@each
def test_duplicates_are_no_anomalies(detector):
    rows = np.repeat(np.random.default_rng(0).normal(size=(15, 2)), 8, axis=0)
    detector = clone(detector).fit(rows)
    assert np.isfinite(detector.score_samples(rows)).all()
    assert np.mean(detector.predict(rows) == -1) < 0.2


@each
def test_a_seed_decides_everything(detector, clusters):
    one, other = (clone(detector).fit(clusters[0]) for _ in range(2))
    np.testing.assert_array_equal(one.score_samples(TOY), other.score_samples(TOY))
    assert one.offset_ == other.offset_


# Where ours differ, by intent


@each
def test_a_single_training_row_is_refused(detector):
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        clone(detector).fit([[1.0, 2.0]])


@each
def test_equal_training_rows_are_normal_and_others_are_not(detector):
    """IsolationForest calls everything normal after such a fit."""
    rows = np.ones((20, 3))
    with pytest.warns(UserWarning, match=r"All 20 rows of X are the same: .* will call every row"):
        detector = clone(detector).fit(rows)
    assert (detector.predict(rows) == 1).all()
    assert (detector.predict(rows + 5) == -1).all()


@each
def test_there_is_no_score(detector):
    """EllipticEnvelope has the accuracy: a search would take it for the thing to optimise."""
    assert not hasattr(detector, "score")
