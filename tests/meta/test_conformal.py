"""ConformalDetector: error rates at their level, whatever the detector and the distribution."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold
from sklearn.svm import OneClassSVM

from skanomaly import AutoencoderDetector, ConformalDetector
from skanomaly.metrics import roc_auc_score

REPETITIONS = 200
METHODS = {
    "split": {"calibration_size": 0.5},
    "cv+": {"method": "cv+", "cv": 4},
    "jackknife+": {"method": "jackknife+"},
}


def draw(n, n_anomalies, seed):
    """Return rows of a skewed distribution, anomalies last, and whether they are anomalies."""
    rng = np.random.default_rng(seed)
    X = rng.exponential(size=(n + n_anomalies, 3))
    X[n:] += rng.uniform(2, 8, size=(n_anomalies, 3))
    return X, np.arange(n + n_anomalies) >= n


def repeated(distance, measure, repetitions=REPETITIONS, n=80, **options):
    """Return what `measure` says of detectors fitted to fresh rows."""
    return np.array(
        [
            measure(
                ConformalDetector(distance, random_state=seed, **options).fit(draw(n, 0, seed)[0]),
                *draw(40, 10, 10_000 + seed),
            )
            for seed in range(repetitions)
        ]
    )


def false_positives(detector, X, is_anomaly):
    return (detector.predict(X[~is_anomaly]) == -1).mean()


def false_discoveries(detector, X, is_anomaly):
    found = detector.predict(X) == -1
    return (found & ~is_anomaly).sum() / max(found.sum(), 1)


def three_errors(values):
    """Return three standard errors of a mean over repetitions, which are independent."""
    return 3 * np.std(values, ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("method", METHODS)
def test_false_positive_rate_stays_at_the_level(distance, method):
    n = 40 if method == "jackknife+" else 80  # as many fits as rows
    rates = repeated(distance, false_positives, n=n, alpha=0.1, **METHODS[method])
    assert rates.mean() <= 0.1 + three_errors(rates)
    assert rates.mean() >= 0.07 - three_errors(rates)  # and is no smaller than it need be


@pytest.mark.parametrize("method", ["split", "cv+"])
@pytest.mark.filterwarnings("ignore:no row is selected:UserWarning")
def test_false_discovery_rate_stays_at_the_level(distance, method):
    rates = repeated(distance, false_discoveries, fdr=0.25, **METHODS[method])
    assert rates.mean() <= 0.25 * 0.8 + three_errors(rates)  # four rows in five are normal
    assert rates.mean() > 0.1


def test_nothing_is_discovered_among_normal_rows(distance):
    """With normal rows alone, the false discovery rate is the chance of any discovery."""

    def any_alarm(detector, X, is_anomaly):
        return (detector.predict(X[~is_anomaly]) == -1).any()

    with pytest.warns(UserWarning, match="no row is selected"):
        rates = repeated(distance, any_alarm, fdr=0.2, calibration_size=0.5)
    assert rates.mean() <= 0.2 + 3 * np.sqrt(0.2 * 0.8 / REPETITIONS)


def test_conditional_p_values_hold_for_most_calibrations(distance):
    """The rate of false alarms of one fitted detector, on many new rows."""
    new = draw(3_000, 0, 99)[0]

    def rate(detector, X, is_anomaly):
        return (detector.predict(new) == -1).mean()

    options = {"alpha": 0.2, "calibration_size": 0.5, "n": 160}
    conditional = repeated(distance, rate, p_value="conditional", delta=0.2, **options)
    marginal = repeated(distance, rate, **options)
    slack = 0.2 + 3 * np.sqrt(0.2 * 0.8 / 3_000)
    assert np.mean(conditional > slack) <= 0.2
    assert np.mean(marginal > slack) > 0.2
    assert conditional.mean() > 0.02


def test_smoothed_p_values_are_uniform(distance):
    def mean_p(detector, X, is_anomaly):
        return detector.p_values(X[~is_anomaly]).mean()

    options = {"calibration_size": 0.2, "n": 40, "alpha": 0.3}
    plain = repeated(distance, mean_p, **options)
    smoothed = repeated(distance, mean_p, smoothed=True, **options)
    assert smoothed.mean() == pytest.approx(0.5, abs=three_errors(smoothed))
    assert plain.mean() == pytest.approx(0.5 + 0.5 / 9, abs=three_errors(plain))


# The p-values themselves


def test_split_p_values_by_hand(distance):
    X, y = draw(100, 10, 0)
    detector = ConformalDetector(distance, calibration_size=0.4, random_state=0).fit(X[:100])
    known, scores = detector.calibration_scores_, detector.estimators_[0].score_samples(X)
    assert len(known) == 40
    by_hand = (1 + (known[None] <= scores[:, None]).sum(axis=1)) / 41
    np.testing.assert_array_equal(detector.p_values(X), by_hand)
    assert detector.p_values(X[y]).max() < 0.1


@pytest.mark.parametrize(
    ("method", "folds"), [("cv+", KFold(4)), ("jackknife+", KFold(30))], ids=["cv+", "jackknife+"]
)
def test_plus_p_values_by_hand(distance, method, folds):
    """Each calibration row is compared through the detector that did not train on it."""
    X, new = draw(30, 0, 0)[0], draw(30, 5, 1)[0]
    detector = ConformalDetector(distance, method, cv=folds, alpha=0.2).fit(X)
    count = np.zeros(35)
    for train, test in folds.split(X):
        one = clone(distance).fit(X[train])
        count += (one.score_samples(X[test])[None] <= one.score_samples(new)[:, None]).sum(axis=1)
    np.testing.assert_array_equal(detector.p_values(new), (1 + count) / 31)
    assert len(detector.estimators_) == folds.get_n_splits()
    assert len(detector.calibration_scores_) == 30


class Itself(OutlierMixin, BaseEstimator):
    """A detector whose scores are the first column."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def score_samples(self, X):
        return np.asarray(X, dtype=float)[:, 0]


def test_p_values_that_nonconform_gave():
    """nonconform 2.0.0's Empirical and ConditionalEmpirical("simes", delta=0.1), higher is odd."""
    known, new = [3.1, 0.2, 1.7, 0.9, 2.4, 1.1, 0.4, 1.9], [5.0, 2.4, 1.0, 0.1, 3.1]
    known, new = -np.c_[known], -np.c_[new]
    detector = ConformalDetector(FrozenEstimator(Itself().fit(known)), alpha=0.5).fit(known)
    theirs = [1 / 9, 1 / 3, 2 / 3, 1.0, 2 / 9]
    np.testing.assert_allclose(detector.p_values(new), theirs, rtol=1e-12)
    theirs = [0.4376586748096508, 0.6173970583721551, 1.0, 1.0, 0.5271291954984119]
    detector.set_params(p_value="conditional").fit(known)
    np.testing.assert_allclose(detector.p_values(new), theirs, rtol=1e-12)


def test_same_p_values_as_nonconform(distance):
    theirs = pytest.importorskip(
        "nonconform.scoring", reason="nonconform is not installed (it needs Python 3.12 or newer)"
    )
    X = draw(200, 30, 0)[0]
    fitted = clone(distance).fit(X[:100])
    detector = ConformalDetector(FrozenEstimator(fitted)).fit(X[100:200])
    scores = -fitted.score_samples(X[200:]), -detector.calibration_scores_
    expected = theirs.Empirical().compute_p_values(*scores)
    np.testing.assert_allclose(detector.p_values(X[200:]), expected, rtol=1e-12)
    conditional = ConformalDetector(FrozenEstimator(fitted), p_value="conditional", delta=0.1)
    simes = theirs.ConditionalEmpirical(method="simes", delta=0.1)
    ours = conditional.fit(X[100:200]).p_values(X[200:])
    np.testing.assert_allclose(ours, simes.compute_p_values(*scores), rtol=1e-9)


@pytest.mark.parametrize(
    ("method", "p_value"),
    [*((method, "marginal") for method in METHODS), ("split", "conditional")],
)
def test_predictions_are_signs_of_the_decision(distance, method, p_value):
    X, y = draw(120, 30, 3)
    detector = ConformalDetector(
        distance, alpha=0.15, p_value=p_value, random_state=0, **METHODS[method]
    ).fit(X[:60])
    for alpha in (0.15, 0.3, 0.5):
        detector.set_params(alpha=alpha)
        decision = detector.decision_function(X)
        np.testing.assert_array_equal(decision, detector.score_samples(X) - detector.offset_)
        np.testing.assert_array_equal(detector.predict(X), np.where(decision < 0, -1, 1))
        np.testing.assert_array_equal(detector.p_values(X) <= alpha, decision < 0)
    # rows beyond all calibration rows are still told apart
    assert len(np.unique(detector.score_samples(X))) == len(X)
    inner = np.mean([d.score_samples(X) for d in detector.estimators_], axis=0)
    assert roc_auc_score(y, detector.score_samples(X)) == pytest.approx(
        roc_auc_score(y, inner), abs=0.02
    )


def test_levels_change_without_a_fit(distance):
    X, _ = draw(200, 30, 0)
    detector = ConformalDetector(distance, calibration_size=0.5, random_state=0).fit(X[:200])
    alone = detector.predict(X)
    together = detector.set_params(fdr=0.2).predict(X)
    assert set(together) == {-1, 1}
    # under Benjamini and Hochberg the other rows count: a lone anomaly among 30 normal rows
    lone = np.r_[X[:200][detector.p_values(X[:200]) > 0.3][:30], X[alone == -1][-1:]]
    with pytest.warns(UserWarning, match="no row is selected, although 1 of 31 .* takes 2 such"):
        assert (detector.predict(lone) == 1).all()
    assert (detector.predict(lone[-5:])[-1:] == -1).all()
    assert detector.set_params(fdr=None, alpha=0.5).predict(X).sum() < alone.sum()


# Which rows calibrate


def test_known_anomalies_do_not_calibrate(distance):
    X, y = draw(90, 30, 0)
    labels = np.where(y, "bad", "good")
    detector = ConformalDetector(distance, anomaly_label="bad", random_state=0)
    assert len(detector.fit(X, labels).calibration_scores_) < 30
    assert len(detector.set_params(method="cv+").fit(X, labels).calibration_scores_) == 90
    assert len(detector.set_params(method="jackknife+").fit(X, labels).estimators_) == 90
    frozen = ConformalDetector(FrozenEstimator(clone(distance).fit(X[:40])))
    assert len(frozen.fit(X[40:], y[40:]).calibration_scores_) == 50


def test_frames_pipelines_and_pickles():
    X = pd.DataFrame(draw(120, 0, 0)[0], columns=["a", "b", "c"])
    forest = IsolationForest(n_estimators=5, random_state=0)
    for method in ("split", "cv+"):
        detector = ConformalDetector(forest, method, alpha=0.1, random_state=0).fit(X)
        assert detector.feature_names_in_.tolist() == ["a", "b", "c"]
        again = pickle.loads(pickle.dumps(detector))
        np.testing.assert_array_equal(again.p_values(X), detector.p_values(X))
        np.testing.assert_array_equal(clone(detector).fit(X).p_values(X), detector.p_values(X))


def test_around_a_network(blob):
    network = AutoencoderDetector("plain", epochs=2, random_state=0)
    detector = ConformalDetector(network, "cv+", cv=2, alpha=0.1).fit(blob)
    far = blob[:3] + 1_000
    np.testing.assert_array_equal(detector.p_values(far), 1 / 121)
    again = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(again.score_samples(blob), detector.score_samples(blob))


# What it refuses, and warns of


@pytest.mark.parametrize("p_value", ["marginal", "conditional"])
@pytest.mark.parametrize("alpha", [1e-12, 5e-324])
def test_levels_that_no_rows_reach_are_told_at_once(distance, p_value, alpha):
    detector = ConformalDetector(distance, alpha=alpha, p_value=p_value, random_state=0)
    with pytest.warns(UserWarning, match=r"At least \d.* are needed"):
        detector.fit(draw(40, 0, 0)[0])


def test_too_few_calibration_rows(distance):
    X = draw(40, 0, 0)[0]
    with pytest.warns(
        UserWarning, match="10 calibration rows are too few.*At least 19 are needed"
    ):
        detector = ConformalDetector(distance, random_state=0).fit(X)
    far = X[:2] + 100
    assert detector.predict(far).tolist() == [1, 1]
    assert (detector.decision_function(far) >= 0).all()
    with pytest.warns(UserWarning, match="at fdr=0.01 no row"):
        ConformalDetector(distance, fdr=0.01, random_state=0).fit(X)
    with pytest.warns(UserWarning, match=r"At least \d+ are needed") as caught:
        ConformalDetector(distance, p_value="conditional", random_state=0).fit(X)
    needed = int(str(caught[0].message).split("At least ")[1].split()[0])
    rows = draw(needed * 2, 0, 0)[0]
    ConformalDetector(distance, p_value="conditional", calibration_size=0.5, random_state=0).fit(
        rows
    )


@pytest.mark.parametrize("name", ["alpha", "fdr", "delta", "calibration_size"])
@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, "high"])
def test_levels_outside_their_range(distance, name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of ConformalDetector must be"):
        ConformalDetector(distance, **{name: value}).fit(draw(40, 0, 0)[0])


@pytest.mark.parametrize(
    ("options", "y", "match"),
    [
        ({"method": "bootstrap"}, None, "'method' parameter"),
        ({"method": "cv+", "p_value": "conditional"}, None, "needs calibration rows that are"),
        ({"p_value": "conditional", "smoothed": True}, None, "'marginal' alone"),
        ({"calibration_size": 0.001}, None, "leaves none to hold out"),
        ({"method": "cv+", "cv": 41}, None, "got n_samples=40"),
        ({}, np.r_[np.ones(39), np.nan], None),
        ({}, -np.ones(40), "no row is left to calibrate on: all 40 are labelled as anomalies"),
    ],
)
def test_refusals(distance, options, y, match):
    X = draw(40, 0, 0)[0]
    detector = ConformalDetector(distance, random_state=0, alpha=0.3, **options)
    if match is None:
        match = "none of n_samples=40 rows is both held out and not a known anomaly"
    with pytest.raises(ValueError, match=match):
        detector.fit(X, y)
    with pytest.raises(NotFittedError):
        detector.predict(X)


def test_frozen_detectors_cannot_be_fitted_again(distance):
    X = draw(40, 0, 0)[0]
    frozen = FrozenEstimator(clone(distance).fit(X))
    with pytest.raises(ValueError, match="a FrozenEstimator does not allow"):
        ConformalDetector(frozen, "cv+").fit(X)


def test_equal_scores_are_refused():
    with pytest.raises(ValueError, match="all calibration scores are equal"):
        ConformalDetector(OneClassSVM()).fit(np.ones((80, 2)))


@pytest.mark.parametrize("changed", [{"alpha": 5}, {"alpha": np.nan}, {"fdr": 5}, {"fdr": -0.1}])
def test_levels_changed_after_the_fit_are_checked(distance, blob, changed):
    detector = ConformalDetector(distance, random_state=0).fit(blob)
    with pytest.raises(ValueError, match=f"'{next(iter(changed))}' parameter"):
        detector.set_params(**changed).predict(blob)
