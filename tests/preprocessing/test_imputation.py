"""Missing values: the conditional mean, and both detectors on rows with missing values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.preprocessing._imputation import ConditionalMean

# hardly trained networks call many rows anomalies that carry no label
pytestmark = pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning")

QUICK = [
    AutoencoderDetector(hidden_layer_sizes=(8,), latent_dim=2, max_steps=5, random_state=0),
    AutoencoderDetector("plain", epochs=2, random_state=0),
    NeuralAnomalyClassifier(max_steps=2, random_state=0),
    NeuralAnomalyClassifier("plain", epochs=2, random_state=0),
]
each_detector = pytest.mark.parametrize("detector", QUICK, ids=str)


def punched(X, share, seed=0):
    """Return a copy with a share of its entries missing, but one left in each row."""
    rng = np.random.default_rng(seed)
    holes = rng.random(X.shape) < share
    holes[np.arange(len(X)), rng.integers(X.shape[1], size=len(X))] = False
    return np.where(holes, np.nan, X)


# The conditional mean


def factor_rows(n, p, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 2)) @ rng.normal(size=(2, p)) + 0.1 * rng.normal(size=(n, p))
    return rows * rng.uniform(1, 1000, p) + rng.normal(size=p) * 100


def test_conditional_mean_recovers_what_other_columns_tell():
    X = factor_rows(600, 10)
    G = punched(X, 0.3)
    holes = np.isnan(G)
    filled = ConditionalMean().fit(G[:400]).transform(G[400:])
    np.testing.assert_array_equal(filled[~holes[400:]], X[400:][~holes[400:]])
    error = ((filled - X[400:]) / X.std(axis=0))[holes[400:]]
    assert np.mean(error**2) < 0.1  # the columns' means leave 1


def test_rows_without_any_value_become_the_mean():
    X = punched(factor_rows(100, 6), 0.2)
    filled = ConditionalMean().fit(X).transform(np.full((1, 6), np.nan))
    np.testing.assert_allclose(filled[0], np.nanmean(X, axis=0), rtol=1e-9)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 12), st.integers(1, 9), st.sampled_from([1e-300, 1e-8, 1.0, 1e8, 1e300]),
    st.floats(0, 0.9), st.integers(0, 99),
)  # fmt: skip
def test_filling_is_finite_and_row_by_row(n, p, size, share, seed):
    X = punched(np.random.default_rng(seed).normal(size=(n, p)) * size, share, seed)
    fill = ConditionalMean().fit(X)
    filled = fill.transform(X)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    alone = np.vstack([fill.transform(X[i : i + 1]) for i in range(n)])
    np.testing.assert_allclose(alone, filled, rtol=1e-7, atol=1e-9 * size)


# The detectors


def halves(cancer, n_malignant, seed=0):
    """Return training and test rows of the breast cancer data."""
    X, y = cancer
    rng = np.random.default_rng(seed)
    benign, malignant = (rng.permutation(np.flatnonzero(y == kind)) for kind in (0, 1))
    train = np.r_[benign[:180], malignant[:n_malignant]]
    test = np.r_[benign[180:], malignant[n_malignant:]]
    return X[train], y[train], X[test], y[test]


@pytest.mark.parametrize(
    ("detector", "n_malignant"),
    [
        (AutoencoderDetector(random_state=0), 0),
        (AutoencoderDetector("plain", random_state=0), 0),
        (NeuralAnomalyClassifier(random_state=0), 20),
    ],
    ids=["multiscale", "plain", "classifier"],
)
def test_a_fifth_of_the_entries_may_be_missing(cancer, detector, n_malignant):
    """As good as complete rows (within 0.02), and no worse than filling with means first.

    The textbook recipe is the exception: there mean values act as noise that regularises.
    """
    gaps = []
    for seed in range(3):  # one drawing of rows and holes moves each by some .005
        X, y, X_test, y_test = halves(cancer, n_malignant, seed)
        holed, holed_test = punched(X, 0.2, seed), punched(X_test, 0.2, seed + 1)

        def auc(model, train, test, y=y, y_test=y_test):
            return roc_auc_score(y_test, -clone(model).fit(train, y).score_samples(test))

        complete, ours = auc(detector, X, X_test), auc(detector, holed, holed_test)
        assert ours > complete - 0.02
        if detector.recipe == "plain":
            return
        gaps.append(ours - auc(make_pipeline(SimpleImputer(), detector), holed, holed_test))
    assert np.mean(gaps) > -0.003


def test_rows_with_few_values_are_scored_fairly(cancer):
    """How many values a normal row has says little about its score, and anomalies stand out."""
    X, _, X_test, y_test = halves(cancer, 0)
    rng = np.random.default_rng(0)
    holed = punched(X_test, rng.uniform(0, 0.9, (len(X_test), 1)))
    there = np.count_nonzero(~np.isnan(holed), axis=1)
    detector = AutoencoderDetector(random_state=0).fit(punched(X, 0.3))
    scores = detector.score_samples(holed)
    normal = y_test == 0
    few, many = normal & (there < 12), normal & (there > 20)
    gap = abs(np.median(scores[few]) - np.median(scores[many]))
    assert gap < scores[normal].std()
    assert roc_auc_score(y_test, -scores) > 0.85


@each_detector
def test_a_row_with_nothing_observed_has_the_typical_score(labelled, detector):
    X, y = labelled
    X = punched(X, 0.3)
    X[5] = np.nan
    fitted = clone(detector).fit(X, y)
    scores = fitted.score_samples(np.vstack([np.full((2, 4), np.nan), X]))
    assert np.isfinite(scores).all()
    assert scores[0] == scores[1] == scores[7]
    assert np.quantile(scores, 0.3) < scores[0] < np.quantile(scores, 0.7)


@each_detector
def test_holes_may_come_after_training_on_complete_rows(labelled, detector):
    X, y = labelled
    fitted = clone(detector).fit(X, y)
    scores = fitted.score_samples(punched(X, 0.2))
    assert np.isfinite(scores).all()
    assert np.corrcoef(scores, fitted.score_samples(X))[0, 1] > 0.3


@each_detector
def test_missing_values_in_any_spelling(labelled, detector):
    X, y = labelled
    X = punched(X, 0.2)
    scores = clone(detector).fit(X, y).score_samples(X)
    frame = pd.DataFrame(X, columns=list("abcd"))
    for table in (frame, frame.astype("Float64"), frame.astype(object).where(frame.notna(), None)):
        fitted = clone(detector).fit(table, y)
        np.testing.assert_array_equal(fitted.score_samples(table), scores)


@each_detector
def test_infinity_is_still_refused(labelled, detector):
    X, y = labelled
    bad = punched(X, 0.2)
    bad[3, 1] = -np.inf
    with pytest.raises(ValueError, match="infinity"):
        clone(detector).fit(bad, y)
    with pytest.raises(ValueError, match="infinity"):
        clone(detector).fit(X, y).predict(bad)


@each_detector
def test_a_column_without_values_is_refused_by_name(labelled, detector):
    frame = pd.DataFrame(labelled[0], columns=list("abcd")).assign(b=np.nan)
    fresh = clone(detector)
    with pytest.raises(ValueError, match=r"column 'b' of X holds missing values only"):
        fresh.fit(frame, labelled[1])
    assert vars(fresh) == vars(clone(detector))
    weight = np.ones(140)
    frame.loc[:5, "b"], weight[:6] = 1.0, 0
    with pytest.raises(ValueError, match=r"column 'b' of X holds missing values only"):
        fresh.fit(frame, labelled[1], sample_weight=weight)


@each_detector
def test_order_and_weights_mean_the_same_with_holes(labelled, detector):
    X, y = labelled
    X, rng = punched(X, 0.2), np.random.default_rng(0)
    weight, order = rng.integers(1, 4, len(X)), rng.permutation(len(X))
    plain = clone(detector).fit(X, y).score_samples(X)
    shuffled = clone(detector).fit(X[order], y[order]).score_samples(X)
    np.testing.assert_allclose(shuffled, plain, rtol=1e-5, atol=1e-6)
    weighted = clone(detector).fit(X, y, sample_weight=weight).score_samples(X)
    copies = clone(detector).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(copies.score_samples(X), weighted, rtol=1e-5, atol=1e-6)


def test_loss_and_reconstruction_leave_missing_values_out(blob):
    """The plain loss of rows with missing values is the mean over what is there."""
    X = punched(blob, 0.3)
    detector = AutoencoderDetector("plain", epochs=3, learning_rate=1e-9, random_state=0).fit(X)
    holes = np.isnan(X)
    scaler = detector._learner.scaler
    scaled = (X - scaler.mean_) / scaler.scale_
    rebuilt = (detector.reconstruct(X) - scaler.mean_) / scaler.scale_
    error = np.where(holes, 0, np.square(scaled - rebuilt)).sum(axis=1) / (~holes).sum(axis=1)
    np.testing.assert_allclose(-detector.score_samples(X), error, rtol=1e-4)
    assert detector.history_["loss"][-1] == pytest.approx(error.mean(), rel=0.1)


def test_warm_start_on_other_holes(blob):
    warm = AutoencoderDetector("plain", epochs=2, warm_start=True, random_state=0)
    for first, second in ((blob, punched(blob, 0.2)), (punched(blob, 0.2), blob)):
        scores = clone(warm).fit(first).fit(second).score_samples(second)
        assert np.isfinite(scores).all()
