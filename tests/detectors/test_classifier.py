"""NeuralAnomalyClassifier: labels, probabilities, thresholds, refusals."""

from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skanomaly import NeuralAnomalyClassifier
from skanomaly.metrics import roc_auc_scorer

#: Hardly trained networks call many rows anomalies that carry no label.
pytestmark = [
    pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning"),
    pytest.mark.filterwarnings("ignore:All .* rows of X are the same:UserWarning"),
]

Plain = partial(NeuralAnomalyClassifier, "plain", epochs=3, random_state=0)
#: The default recipe on a small budget.
Small = partial(NeuralAnomalyClassifier, max_steps=30, random_state=0)


def sigmoid_network(n_features, width=3):
    return keras.Sequential(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


# What it is good for


def test_breast_cancer_cross_validated(cancer):
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    detector = NeuralAnomalyClassifier(random_state=0)
    assert cross_val_score(detector, *cancer, cv=folds, scoring=roc_auc_scorer).mean() > 0.99


def test_default_recipe_on_held_out_rows(cancer):
    X, y = cancer
    train = np.arange(len(X)) % 2 == 0
    detector = NeuralAnomalyClassifier(random_state=0).fit(X[train], y[train])
    assert roc_auc_score(y[~train], -detector.score_samples(X[~train])) > 0.98
    assert f1_score(y[~train], detector.predict(X[~train]) == -1) > 0.9


def test_rare_anomalies_are_found_in_spite_of_their_number():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(970, 3)), rng.normal(3, 1, size=(30, 3))])
    y = np.repeat([0, 1], [970, 30])
    train = np.arange(len(X)) % 2 == 0
    detector = Plain(epochs=60).fit(X[train], y[train])
    assert f1_score(y[~train], detector.predict(X[~train]) == -1) > 0.7


# Labels


CODINGS = {
    "-1 and 1": lambda y: np.where(y == 1, -1, 1),
    "0 and 1": lambda y: y,
    "booleans": lambda y: y.astype(bool),
    "list": lambda y: y.tolist(),
    "column": lambda y: y[:, None],
    "Series": lambda y: pd.Series(y, index=np.arange(len(y))[::-1]),
    "floats": lambda y: y.astype(float),
    "nullable": lambda y: pd.array(y, dtype="boolean"),
}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("Detector", [Plain, Small])
def test_coding_of_the_labels_does_not_matter(labelled, coding, Detector):
    X, y = labelled
    expected = Detector(contamination=0.1).fit(X, y)
    detector = Detector(contamination=0.1).fit(X, CODINGS[coding](y))
    np.testing.assert_allclose(detector.score_samples(X), expected.score_samples(X), rtol=1e-6)
    assert set(detector.predict(X)) == {-1, 1}
    assert detector.classes_.tolist() == [-1, 1]


def test_strings_need_a_name_for_the_anomaly(labelled):
    X, y = labelled
    named = Plain(anomaly_label="bad").fit(X, np.where(y == 1, "bad", "good"))
    np.testing.assert_array_equal(named.score_samples(X), Plain().fit(X, y).score_samples(X))
    with pytest.warns(UserWarning, match="the rarest value, 'bad'.*Pass anomaly_label='bad'"):
        guessed = Plain().fit(X, np.where(y == 1, "bad", "good"))
    np.testing.assert_array_equal(guessed.score_samples(X), named.score_samples(X))


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
@pytest.mark.parametrize("Detector", [Plain, Small])
def test_missing_labels_are_unlabelled_rows(missing, Detector):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(140, 3)), np.repeat([0, 1], [120, 20])
    X[120:] += 4
    partly = pd.Series(y, dtype=object)
    partly[:10] = missing  # normal rows
    partly[-5:] = missing  # anomalies
    detector = Detector(**({"epochs": 30} if Detector is Plain else {})).fit(X, partly)
    assert roc_auc_score(y, -detector.score_samples(X)) > 0.9
    assert set(detector.predict(X)) == {-1, 1}


@pytest.mark.parametrize("Detector", [Plain, Small])
@pytest.mark.parametrize("y", [None, np.zeros(120), np.ones(120, bool) * False, ["ok"] * 120])
def test_without_two_classes_it_learns_the_data_against_a_background(blob, Detector, y):
    detector = Detector(contamination=0.1).fit(blob, y)
    unlabelled = Detector(contamination=0.1).fit(blob)
    np.testing.assert_array_equal(detector.score_samples(blob), unlabelled.score_samples(blob))
    assert (detector.predict(blob) == -1).sum() == 12


def test_background_finds_rows_outside_the_data(blob):
    detector = Plain(epochs=100, contamination=0.05).fit(blob)
    outside = blob.mean(axis=0) + 0.9 * np.ptp(blob, axis=0) * np.array([[1, -1, 1, -1]])
    assert detector.predict(outside) == [-1]


def test_nothing_but_anomalies_is_learnt_as_normal_with_a_warning(blob):
    with pytest.warns(UserWarning, match="All rows of y are labelled as anomalies.*Add normal"):
        detector = Plain(contamination=0.1).fit(blob, -np.ones(120))
    assert (detector.predict(blob) == -1).sum() == 12


def test_fit_predict_uses_the_labels(labelled):
    X, y = labelled
    detector = Plain(epochs=30)
    np.testing.assert_array_equal(detector.fit_predict(X, y), detector.fit(X, y).predict(X))
    assert not np.array_equal(detector.fit_predict(X, y), detector.fit_predict(X))


@pytest.mark.parametrize("Detector", [Plain, Small])
@pytest.mark.parametrize("n_anomalies", [1, 2, 3])
def test_few_anomalies(labelled, Detector, n_anomalies):
    X, y = labelled
    rows = np.r_[:120, 120 : 120 + n_anomalies]
    detector = Detector().fit(X[rows], y[rows])
    assert np.isfinite(detector.score_samples(X)).all()
    assert np.isfinite(detector.offset_)
    assert detector.predict_proba(X).min() >= 0


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.zeros(3), ValueError, "3.*140|140.*3"),
        (np.zeros((140, 2)), ValueError, "column"),
        (np.full(140, np.inf), ValueError, "infinity"),
    ],
)
def test_unusable_labels_are_refused(labelled, y, error, message):
    with pytest.raises(error, match=message):
        Plain().fit(labelled[0], y)


def test_absent_anomaly_label_is_refused(labelled):
    with pytest.raises(ValueError, match="one of the values of y, got 'worse'"):
        Plain(anomaly_label="worse").fit(labelled[0], np.where(labelled[1], "bad", "good"))


# Probabilities and thresholds


def test_conventions_of_scores_and_probabilities(classifier, labelled):
    X, y = labelled
    scores, decision = classifier.score_samples(X), classifier.decision_function(X)
    proba = classifier.predict_proba(X)
    np.testing.assert_array_equal(decision, scores - classifier.offset_)
    np.testing.assert_array_equal(classifier.predict(X), np.where(decision < 0, -1, 1))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba.min() >= 0
    assert proba.dtype == scores.dtype == np.float64
    # the first column is the anomaly's, and falls as the score rises
    order = np.argsort(scores)
    assert (np.diff(proba[order, 0]) <= 0).all()
    assert proba[y == 1, 0].mean() > proba[y == 0, 0].mean()


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_probabilities_are_calibrated_to_the_share_of_anomalies(labelled, Detector):
    X, y = labelled
    proba = Detector(**({"epochs": 60} if Detector is Plain else {})).fit(X, y).predict_proba(X)
    assert proba[:, 0].mean() == pytest.approx(y.mean(), abs=0.1)


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_there_are_no_probabilities_that_nothing_calibrates(labelled, Detector):
    X, y = labelled
    detector = Detector()
    assert hasattr(detector, "predict_proba")  # the labels decide, in fit
    for incomplete in (None, np.zeros(140), np.where(np.arange(140) < 20, np.nan, y)):
        detector.fit(X, incomplete)
        assert not hasattr(detector, "predict_proba")
        with pytest.raises(AttributeError) as caught:
            detector.predict_proba(X)
        assert "needs a fit with complete labels of both classes" in str(caught.value)
    assert detector.fit(X, y).predict_proba(X).shape == (140, 2)


@pytest.mark.parametrize("contamination", [0.05, 0.5])
def test_contamination_overrides_the_labels(labelled, contamination):
    detector = Plain(contamination=contamination).fit(*labelled)
    assert (detector.predict(labelled[0]) == -1).mean() == contamination


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_class_weight_moves_the_scores_of_anomalies(labelled, Detector):
    """The heavier the anomalies, the higher all log odds of being one."""
    X, y = labelled
    weights = [{-1: 0.1}, None, {-1: 50.0, 1: 1.0}]
    means = [Detector(class_weight=w).fit(X, y).score_samples(X).mean() for w in weights]
    assert means[0] > means[1] > means[2]


def test_balanced_class_weight_is_the_ratio_of_the_classes(labelled):
    X, y = labelled
    balanced = Plain(class_weight="balanced").fit(X, y)
    explicit = Plain(class_weight={-1: 120 / 20, 1: 1.0}).fit(X, y)
    np.testing.assert_allclose(balanced.score_samples(X), explicit.score_samples(X), rtol=1e-4)


# Networks and training


def test_tutorial_network_is_built_as_described(labelled):
    detector = Plain(dropout=0.0, early_stopping=False).fit(*labelled)
    dense = [x for x in detector.network_.layers if isinstance(x, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [32, 16, 1]
    assert [layer.activation.__name__ for layer in dense] == ["relu", "relu", "sigmoid"]
    assert detector.network_.count_params() == 4 * 32 + 32 + 32 * 16 + 16 + 16 + 1
    assert detector.n_iter_ == len(detector.history_["loss"]) == 3


def test_margins_are_the_log_odds_of_the_network(labelled):
    """Scores come from before the sigmoid, where clear anomalies are not tied."""
    X, y = labelled
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    detector = Plain(standardize=False).fit(X, y)
    p = keras.ops.convert_to_numpy(detector.network_(X.astype(np.float32)))[:, 0]
    p = p.astype(float)
    inside = (p > 1e-3) & (p < 1 - 1e-3)
    assert inside.sum() > 10
    np.testing.assert_allclose(
        -detector.score_samples(X)[inside], np.log(p / (1 - p))[inside], rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", keras.optimizers.SGD(0.05)])
def test_other_optimizers_train(labelled, optimizer):
    detector = Plain(optimizer=optimizer, learning_rate=0.01, epochs=30, weight_decay=0.0)
    loss = detector.fit(*labelled).history_["loss"]
    assert loss[-1] < loss[0]


def test_early_stopping_holds_out_both_classes(labelled):
    detector = Plain(epochs=50, learning_rate=1e-12, n_iter_no_change=2).fit(*labelled)
    assert detector.n_iter_ < 10
    assert len(detector.history_["val_loss"]) == detector.n_iter_
    assert "val_loss" not in Plain(early_stopping=False).fit(*labelled).history_


def test_own_network(labelled):
    X, y = labelled
    for model in (sigmoid_network, partial(sigmoid_network, width=5), sigmoid_network(4)):
        detector = NeuralAnomalyClassifier(model=model, epochs=3, random_state=0).fit(X, y)
        assert detector.network_.output_shape == (None, 1)
        assert np.isfinite(detector.score_samples(X)).all()
    with pytest.raises(ValueError, match=r"one probability.*Dense\(1, activation='sigmoid'\)"):
        Plain(model=lambda: keras.Sequential([keras.layers.Dense(2)])).fit(X, y)


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_warm_start_goes_on(labelled, Detector):
    X, y = labelled
    detector = Detector(warm_start=True).fit(X, y)
    first = detector.n_iter_
    scores = detector.score_samples(X)
    detector.fit(X, y)
    assert detector.n_iter_ > first
    assert not np.array_equal(detector.score_samples(X), scores)


# Odd data


#: Numbers of rows around the batch sizes; the slower recipe takes the smallest and the edges.
SIZES = {Plain: range(2, 71), Small: [*range(2, 12), 31, 32, 33, 63, 64, 65, 127, 128, 129]}


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_every_number_of_rows_around_the_batch_size(Detector):
    rng = np.random.default_rng(0)
    few = {"max_steps": 2} if Detector is Small else {"epochs": 1}
    for n in SIZES[Detector]:
        X, y = rng.normal(size=(n, 2)), np.arange(n) % 5 == 0
        detector = Detector(**few).fit(X, y)
        scores = detector.score_samples(X)
        assert scores.shape == (n,), n
        assert np.isfinite(scores).all(), n
        np.testing.assert_allclose(detector.score_samples(X[-1:]), scores[-1:], rtol=1e-6)


ODD = {
    "one feature": np.linspace(0, 1, 40)[:, None],
    "constant features": np.column_stack([np.full(40, 3.3), np.linspace(0, 1, 40)]),
    "all rows equal": np.full((40, 2), 0.1),
    "duplicate rows": np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 10, axis=0),
    "more columns than rows": np.random.default_rng(0).normal(size=(6, 30)),
    "huge values": np.random.default_rng(0).normal(size=(40, 2)) * 1e30,
    "whole numbers": np.arange(40).reshape(20, 2),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("Detector", [Plain, Small])
def test_odd_data_have_finite_scores(Detector, name):
    X = ODD[name]
    for y in (None, np.arange(len(X)) % 4 == 0):
        detector = Detector().fit(X, y)
        assert np.isfinite(detector.score_samples(X)).all()
        assert y is None or np.isfinite(detector.predict_proba(X)).all()
        assert np.isfinite(detector.offset_)


# One model for the same rows


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_order_of_the_rows_does_not_matter(labelled, Detector):
    X, y = labelled
    order = np.random.default_rng(3).permutation(len(X))
    one, other = Detector().fit(X, y), Detector().fit(X[order], y[order])
    np.testing.assert_allclose(one.score_samples(X), other.score_samples(X), rtol=1e-5, atol=1e-6)
    assert other.offset_ == pytest.approx(one.offset_, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_weights_are_repetitions(labelled, Detector):
    X, y = labelled
    weight = np.random.default_rng(4).integers(0, 4, len(X))
    weighted = Detector().fit(X, y, sample_weight=weight)
    repeated = Detector().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(
        weighted.score_samples(X), repeated.score_samples(X), rtol=1e-5, atol=1e-6
    )
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_random_state_decides(labelled, Detector):
    X, y = labelled
    scores = [Detector(random_state=seed).fit(X, y).score_samples(X) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_global_random_state_is_untouched(labelled, Detector):
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    Detector().fit(*labelled).predict_proba(labelled[0])
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002


# What it refuses


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"recipe": "deep"}, "'recipe' .* must be a str among .*plain.* Got 'deep' instead"),
        ({"hidden_layer_sizes": (0,)}, r"'hidden_layer_sizes' .*\(64, 32\). Got \(0,\) instead"),
        ({"weight_decay": -1.0}, "'weight_decay' .* Got -1.0 instead"),
        ({"dropout": 1.5}, r"'dropout' .* \[0.0, 1.0\).* Got 1.5 instead"),
        ({"class_weight": "heavy"}, "'class_weight' .* Got 'heavy' instead"),
        ({"class_weight": {0: 1.0}}, "'class_weight' .* Got {0: 1.0} instead"),
        ({"class_weight": {-1: -1.0}}, r"{-1: 10.0, 1: 1.0}.* Got {-1: -1.0} instead"),
        ({"contamination": 0.7}, r"'contamination' .* \(0.0, 0.5\]. Got 0.7 instead"),
        ({"epochs": 0}, r"'epochs' .* \[1, inf\).* Got 0 instead"),
        ({"early_stopping": 3}, "'early_stopping' .* Got 3 instead"),
    ],
)
def test_bad_parameters_are_named_with_what_was_expected(labelled, parameters, message):
    with pytest.raises(ValueError, match=message):
        NeuralAnomalyClassifier(**parameters).fit(*labelled)


def test_failed_fit_leaves_the_estimator_as_it_was(labelled):
    X, y = labelled
    detector = Plain().fit(X, y)
    proba = detector.predict_proba(X)
    detector.set_params(optimizer="sgd", learning_rate=1e30, epochs=20, weight_decay=0.0)
    with pytest.raises(ValueError, match="diverged"):
        detector.fit(X[:, :2], y)
    assert detector.n_features_in_ == 4
    np.testing.assert_array_equal(detector.predict_proba(X), proba)


@pytest.mark.parametrize("known", ["all", "some", "none"])
def test_dropout_reaches_the_networks_of_the_default(known):
    X = np.random.default_rng(0).normal(size=(120, 3))
    y = {"all": np.arange(120) % 8 == 0, "none": None}.get(known)
    if known == "some":
        y = np.where(np.arange(120) < 20, 1.0, np.nan)
    settings = {"max_steps": 10, "random_state": 0}
    names = [
        {layer.__class__.__name__ for layer in network.layers}
        for network in (
            NeuralAnomalyClassifier(dropout=rate, **settings).fit(X, y).network_
            for rate in ("auto", 0.5)
        )
    ]
    assert names[1] - names[0] == {"Dropout"}


@pytest.mark.parametrize("unlabelled", [False, True])
@pytest.mark.parametrize("share", [1e-3, 1e5])
def test_weights_leave_a_row_of_each_label(unlabelled, share):
    rng = np.random.default_rng(0)
    X, anomaly = rng.normal(size=(120, 2)), np.arange(120) < 4
    X[anomaly] += 4
    y = np.where(anomaly, 1, np.nan if unlabelled else 0)
    detector = NeuralAnomalyClassifier(max_steps=2, random_state=0)
    detector.fit(X, y, sample_weight=np.where(anomaly, share, 1.0))
    assert np.isfinite(detector.score_samples(X)).all()
