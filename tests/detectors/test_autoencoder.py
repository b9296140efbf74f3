"""AutoencoderDetector: what it computes, what it promises, what it refuses."""

import random
from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.detectors._recipes import AUTOENCODER

FAR = np.full((3, 4), 1e3)
Plain = partial(AutoencoderDetector, "plain", epochs=3, random_state=0)
#: The default recipe on a smaller budget.
Small = partial(
    AutoencoderDetector, hidden_layer_sizes=(16,), latent_dim=2, max_steps=60, random_state=0
)


class Counter(keras.callbacks.Callback):
    """Counts epochs and, when asked to, stops."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.epochs, self.stop_at = 0, stop_at

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1
        self.model.stop_training = self.epochs == self.stop_at


class BatchCounter(Counter):
    """Counts batches, too: a hook that Keras' own loop alone can serve."""

    batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1


def bottleneck(n_features, width=2):
    return keras.Sequential(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(width, activation="tanh"),
            keras.layers.Dense(n_features),
        ]
    )


def stateless_snapshot():
    return random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002


# What it is good for


def test_finds_malignant_rows_after_seeing_benign_ones(cancer):
    X, malignant = cancer
    train = np.flatnonzero(malignant == 0)[:200]
    test = np.setdiff1d(np.arange(len(X)), train)
    detector = make_pipeline(StandardScaler(), AutoencoderDetector(random_state=0)).fit(X[train])
    assert roc_auc_score(malignant[test], -detector.score_samples(X[test])) > 0.95


@pytest.mark.parametrize("score", ["ensemble", "mahalanobis", "residual", "reconstruction"])
def test_every_score_ranks_far_rows_last(blob, score):
    detector = Small(anomaly_score=score).fit(blob)
    assert detector.score_samples(FAR).max() < detector.score_samples(blob).min()
    assert detector.predict(FAR).tolist() == [-1, -1, -1]


def test_scores_differ_between_the_choices(blob):
    names = ["ensemble", "mahalanobis", "residual", "reconstruction"]
    scores = [Small(anomaly_score=name).fit(blob).score_samples(blob) for name in names]
    correlations = np.corrcoef(scores)
    assert (correlations[np.triu_indices(4, 1)] < 1 - 1e-6).all()


def test_reconstruction_score_is_the_mean_squared_error(blob):
    detector = Plain(standardize=False).fit(blob)
    error = ((detector.reconstruct(blob) - blob.astype(np.float32)) ** 2).mean(axis=1)
    np.testing.assert_allclose(detector.score_samples(blob), -error, rtol=1e-6)


def test_reconstruction_score_is_taken_on_standardised_rows(blob):
    detector = Plain().fit(blob)
    error = (detector.reconstruct(blob) - blob) / blob.std(axis=0)
    expected = -(error**2).mean(axis=1)
    np.testing.assert_allclose(detector.score_samples(blob), expected, rtol=1e-4)


def test_a_trained_network_rebuilds_rows_in_the_units_of_the_data(blob):
    rebuilt = Plain(epochs=200).fit(blob).reconstruct(blob)
    assert rebuilt.shape == blob.shape
    assert rebuilt.dtype == np.float64
    assert ((rebuilt - blob) ** 2).sum() < 0.05 * ((blob - blob.mean(axis=0)) ** 2).sum()


def test_linear_noise_free_network_finds_the_plane_of_the_data():
    """A linear bottleneck as wide as the data's plane leaves no residual on it."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(2, 5))
    X = rng.normal(size=(300, 2)) @ plane
    detector = Plain(
        hidden_layer_sizes=(8,), latent_dim=2, activation="linear", epochs=300, learning_rate=3e-3
    ).fit(X)
    off_plane = X[:50] + np.linalg.svd(plane)[2][-1]
    assert detector.score_samples(off_plane).max() < detector.score_samples(X).min()


# The network


def test_tutorial_network_is_built_as_described(blob):
    network = Plain().fit(blob).network_
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [64, 64, 4]
    assert [layer.activation.__name__ for layer in dense] == ["relu", "relu", "linear"]
    assert len(network.layers) - len(dense) <= 1  # besides the input
    assert network.count_params() == 4 * 64 + 64 + 64 * 64 + 64 + 64 * 4 + 4


@pytest.mark.parametrize(
    ("widths", "latent", "expected"),
    [
        ((8, 3), 2, [8, 3, 2, 3, 8, 4]),
        (8, None, [8, 4]),
        (np.array([8, 8]), None, [8, 8, 4]),
        ((), 2, [2, 4]),
    ],
)
def test_layer_widths(blob, widths, latent, expected):
    network = Plain(hidden_layer_sizes=widths, latent_dim=latent).fit(blob).network_
    units = [layer.units for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    assert units == expected


@pytest.mark.parametrize(
    ("parameters", "width"),
    [
        ({"latent_dim": 3}, 3),
        ({"hidden_layer_sizes": (9, 2, 9), "latent_dim": None}, 2),
        ({"latent_dim": 3, "n_estimators": 2}, 6),
    ],
)
def test_encode_returns_the_codes_of_all_networks(blob, parameters, width):
    codes = Plain(**parameters).fit(blob).encode(blob)
    assert codes.shape == (len(blob), width)
    assert codes.dtype == np.float64
    assert (codes.std(axis=0) > 0).any()


def test_members_are_independent_networks(blob):
    codes = Small(n_estimators=2).fit(blob).encode(blob)
    assert np.abs(np.corrcoef(codes.T)[:2, 2:]).max() < 0.999


def test_reconstruction_is_the_mean_over_the_networks(blob):
    assert Small(n_estimators=3).fit(blob).reconstruct(blob).shape == blob.shape


def test_activation_may_be_a_function(blob):
    by_name = Plain(activation="tanh").fit(blob)
    by_function = Plain(activation=keras.activations.tanh).fit(blob)
    np.testing.assert_allclose(by_name.score_samples(blob), by_function.score_samples(blob))
    assert by_name.score_samples(blob)[0] != Plain().fit(blob).score_samples(blob)[0]


@pytest.mark.parametrize("own", [{"l2": 1.0}, {"dropout": 0.5}, {"noise": 1.0}])
def test_every_regulariser_reaches_the_network(blob, own):
    plain = Plain(epochs=30).fit(blob)
    regularised = Plain(epochs=30, **own).fit(blob)
    assert regularised.score_samples(blob).mean() < plain.score_samples(blob).mean()


def test_own_network_as_function_partial_and_model(blob):
    own = [bottleneck, partial(bottleneck, width=3), bottleneck(4), bottleneck(4, 3)]
    widths = [Plain(model=model).fit(blob).encode(blob).shape[1] for model in own]
    assert widths == [2, 3, 2, 3]


def test_own_model_is_copied_with_its_weights_and_left_alone(blob):
    model = bottleneck(4)
    before = [w.copy() for w in model.get_weights()]
    detector = Plain(model=model, learning_rate=1e-12).fit(blob)
    assert detector.network_ is not model
    for own, trained, old in zip(
        model.get_weights(), detector.network_.get_weights(), before, strict=True
    ):
        np.testing.assert_array_equal(own, old)
        np.testing.assert_allclose(trained, old, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda: keras.Sequential([keras.layers.Dense(3)]), ValueError, r"4 values.*Dense\(4\)"),
        (lambda: "a network", TypeError, r"keras\.Model, got str.*Return the network"),
    ],
)
def test_unsuitable_own_network_is_refused(blob, model, error, message):
    with pytest.raises(error, match=message):
        Plain(model=model).fit(blob)


# Training


def test_budget_in_epochs_and_in_steps(blob):
    assert Plain(epochs=7).fit(blob).n_iter_ == 7
    assert len(Plain(epochs=7).fit(blob).history_["loss"]) == 7
    # 120 rows are 4 batches of 32 an epoch
    assert Plain(epochs="auto", max_steps=9).fit(blob).n_iter_ == 3
    assert Plain(epochs=2, max_steps=9).fit(blob).n_iter_ == 2
    assert Plain(epochs=None, max_steps=4).fit(blob).n_iter_ == 1


def test_no_budget_at_all_is_refused(blob):
    with pytest.raises(ValueError, match=r"'epochs' and 'max_steps' .* both be None.*epochs=100"):
        Plain(epochs=None, max_steps=None).fit(blob)


def test_recipe_table_in_the_documentation_is_the_recipes():
    notes = AutoencoderDetector.__doc__
    for recipe in AUTOENCODER.values():
        for name in ("hidden_layer_sizes", "latent_dim", "n_estimators", "batch_size"):
            row = next(line for line in notes.splitlines() if line.strip().startswith(name + "  "))
            assert str(recipe[name]) in row


def test_loss_falls(blob):
    loss = Plain(epochs=30).fit(blob).history_["loss"]
    assert loss[-1] < 0.5 * loss[0]
    assert all(isinstance(value, float) for value in loss)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", keras.optimizers.SGD(0.05)])
def test_other_optimizers_train(blob, optimizer):
    loss = Plain(epochs=30, optimizer=optimizer, learning_rate=0.01).fit(blob).history_["loss"]
    assert loss[-1] < loss[0]


def test_optimizer_instance_keeps_its_own_rate_and_is_left_alone(blob):
    optimizer = keras.optimizers.Adam(1e-12)
    detector = Plain(optimizer=optimizer, learning_rate=1.0, epochs=4).fit(blob)
    np.testing.assert_allclose(detector.history_["loss"], detector.history_["loss"][0], rtol=1e-3)
    assert detector.optimizer is optimizer
    assert not optimizer.built


def test_learning_rate_is_used(blob):
    losses = [Plain(learning_rate=rate).fit(blob).history_["loss"][-1] for rate in (1e-6, 1e-2)]
    assert losses[1] < losses[0]


def test_loss_by_name_function_and_object(blob):
    same = ["mae", keras.losses.mean_absolute_error, keras.losses.MeanAbsoluteError()]
    losses = [Plain(loss=loss).fit(blob).history_["loss"] for loss in same]
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-6)
    assert not np.allclose(losses[0], Plain().fit(blob).history_["loss"])


def test_early_stopping_stops_and_reports(blob):
    standing = {"early_stopping": True, "learning_rate": 1e-12, "epochs": 50}
    detector = Plain(n_iter_no_change=2, **standing).fit(blob)
    assert detector.n_iter_ < 10
    assert len(detector.history_["val_loss"]) == len(detector.history_["loss"])
    assert "val_loss" not in Plain().fit(blob).history_


def test_early_stopping_with_two_rows():
    assert Plain(early_stopping=True).fit([[0.0], [1.0]]).n_iter_ == 3


def test_callbacks_are_called_and_left_alone(blob):
    counter = Counter()
    detector = Plain(epochs=4, callbacks=[counter])
    assert detector.fit(blob).callbacks == [counter]
    assert counter.epochs == 4


def test_single_callback_may_stop_training(blob):
    assert Plain(epochs=9, callbacks=Counter(stop_at=2)).fit(blob).n_iter_ == 2


def test_callback_that_wants_batches_trains_the_same_model(blob):
    counter = BatchCounter()
    watched = Plain(callbacks=[counter]).fit(blob)
    assert counter.batches == 3 * 4
    np.testing.assert_allclose(
        watched.score_samples(blob), Plain().fit(blob).score_samples(blob), rtol=1e-3
    )


def test_progress_goes_to_standard_error(blob, capsys):
    Plain(verbose=1).fit(blob)
    shown = capsys.readouterr()
    assert "AutoencoderDetector: epoch 3/3  loss" in shown.err
    assert shown.out == ""
    Plain().fit(blob)
    assert capsys.readouterr() == ("", "")


# Warm start


def test_warm_start_goes_on_with_the_same_network(blob):
    twice = Plain(warm_start=True).fit(blob)
    first = twice.history_["loss"]
    twice.fit(blob)
    assert twice.n_iter_ == 6
    assert twice.history_["loss"][:3] == first
    assert twice.history_["loss"][3] < first[0]
    assert Plain().fit(blob).fit(blob).n_iter_ == 3


def test_warm_start_refits_the_threshold(blob):
    detector = Plain(warm_start=True, contamination=0.1).fit(blob)
    detector.fit(blob[:50])
    assert (detector.predict(blob[:50]) == -1).mean() == 0.1


def test_warm_start_on_other_columns_is_refused_and_harmless(blob):
    detector = Plain(warm_start=True).fit(blob)
    before = detector.score_samples(blob)
    with pytest.raises(ValueError, match=r"3 features, but .* expecting 4"):
        detector.fit(blob[:, :3])
    np.testing.assert_array_equal(detector.score_samples(blob), before)


# Thresholds


@pytest.mark.parametrize("contamination", [0.025, 0.1, 0.5])
def test_contamination_is_the_share_of_training_outliers(blob, contamination):
    detector = Plain(contamination=contamination).fit(blob)
    assert (detector.predict(blob) == -1).mean() == contamination


@pytest.mark.parametrize("own", [{}, {"latent_dim": 2}, {"anomaly_score": "mahalanobis"}])
def test_auto_threshold_flags_few_normal_rows_and_many_odd_ones(own):
    rng = np.random.default_rng(0)
    X, odd = rng.normal(size=(2000, 5)), rng.normal(scale=5, size=(100, 5))
    detector = Plain(epochs=20, **own).fit(X)
    assert (detector.predict(X) == -1).mean() < 0.02
    assert (detector.predict(odd) == -1).mean() > 0.9


def test_conventions_of_scores(autoencoder, blob):
    rows = np.vstack([blob, FAR])
    scores, decision = autoencoder.score_samples(rows), autoencoder.decision_function(rows)
    np.testing.assert_array_equal(decision, scores - autoencoder.offset_)
    np.testing.assert_array_equal(autoencoder.predict(rows), np.where(decision < 0, -1, 1))
    assert scores.dtype == decision.dtype == np.float64
    assert isinstance(autoencoder.offset_, float)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_a_single_row_is_checked_like_many(autoencoder, blob, value):
    bad = blob[:1].copy()
    bad[0, 2] = value
    for rows in (bad, np.repeat(bad, 2, axis=0)):
        with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
            autoencoder.score_samples(rows)
    with pytest.raises(ValueError, match="expecting 4 features"):
        autoencoder.score_samples(blob[:1, :3])


def test_a_single_row_without_names_warns_like_many(blob):
    named = pd.DataFrame(blob, columns=list("abcd"))
    detector = AutoencoderDetector("plain", epochs=1, random_state=0).fit(named)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        detector.score_samples(blob[:1])


def test_fit_predict_is_fit_then_predict(blob):
    np.testing.assert_array_equal(Plain().fit_predict(blob), Plain().fit(blob).predict(blob))


# Odd data


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_every_number_of_rows_around_the_batch_size(Detector):
    rng = np.random.default_rng(0)
    for n in range(2, 71):
        X = rng.normal(size=(n, 2))
        detector = Detector(**({"max_steps": 3} if Detector is Small else {})).fit(X)
        scores = detector.score_samples(X)
        assert scores.shape == (n,), n
        assert np.isfinite(scores).all(), n
        alone = detector.score_samples(X[-1:])
        np.testing.assert_allclose(alone, scores[-1:], rtol=1e-7, atol=1e-9)


ODD = {
    "one feature": np.linspace(0, 1, 40)[:, None],
    "constant features": np.column_stack([np.full(40, 3.3), np.linspace(0, 1, 40)]),
    "all rows equal": np.full((40, 2), 0.1),
    "duplicate rows": np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 10, axis=0),
    "more columns than rows": np.random.default_rng(0).normal(size=(5, 30)),
    "huge values": np.random.default_rng(0).normal(size=(40, 2)) * 1e30,
    "tiny values": np.random.default_rng(0).normal(size=(40, 2)) * 1e-30,
    "one absurd entry": np.vstack([np.random.default_rng(0).normal(size=(39, 2)), [[1e25, 0]]]),
    "whole numbers": np.arange(40).reshape(20, 2),
    "booleans": np.tile(np.eye(2, dtype=bool), (10, 1)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("Detector", [Plain, Small])
def test_odd_data_have_finite_scores(Detector, name):
    X = ODD[name]
    detector = Detector().fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert np.isfinite(detector.offset_)
    assert np.isfinite(detector.reconstruct(X)).all()


def test_rows_all_equal_are_normal_and_others_are_not():
    detector = Small().fit(ODD["all rows equal"])
    assert (detector.predict(ODD["all rows equal"]) == 1).all()
    assert detector.predict([[5.0, 5.0]]) == [-1]


# One model for the same rows


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_order_of_the_rows_does_not_matter(blob, Detector):
    shuffled = blob[np.random.default_rng(3).permutation(len(blob))]
    one, other = Detector().fit(blob), Detector().fit(shuffled)
    np.testing.assert_allclose(one.score_samples(blob), other.score_samples(blob), rtol=1e-6)
    assert other.offset_ == pytest.approx(one.offset_, rel=1e-6)


@pytest.mark.parametrize("Detector", [Plain, Small])
@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_weights_are_repetitions(blob, Detector, contamination):
    weight = np.random.default_rng(4).integers(0, 4, len(blob))
    weighted = Detector(contamination=contamination).fit(blob, sample_weight=weight)
    repeated = Detector(contamination=contamination).fit(np.repeat(blob, weight, axis=0))
    np.testing.assert_allclose(
        weighted.score_samples(blob), repeated.score_samples(blob), rtol=1e-6
    )
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-6)


def test_scale_of_fractional_weights_does_not_matter(blob):
    weight = np.random.default_rng(5).uniform(0.1, 2, len(blob))
    one, other = (Plain().fit(blob, sample_weight=c * weight) for c in (1, 1000))
    np.testing.assert_allclose(one.score_samples(blob), other.score_samples(blob), rtol=1e-6)
    assert not np.allclose(one.score_samples(blob), Plain().fit(blob).score_samples(blob))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(120), "at least one non-zero number|fewer than 2 rows"),
        (np.eye(120)[0], r"fewer than 2 rows.*got 1 of 120"),
        (-np.ones(120), "Negative values"),
        (np.ones(119), r"sample_weight.*119"),
        (np.full(120, np.nan), "NaN"),
    ],
)
def test_unusable_weights_are_refused(blob, weight, message):
    with pytest.raises(ValueError, match=message):
        Plain().fit(blob, sample_weight=weight)


def test_random_state(blob):
    scores = [
        AutoencoderDetector("plain", epochs=2, random_state=state).fit(blob).score_samples(blob)
        for state in (0, 0, 1, np.random.RandomState(0), np.random.RandomState(0), None, None)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
    np.testing.assert_array_equal(scores[3], scores[4])
    assert not np.array_equal(scores[5], scores[6])


def test_second_fit_of_one_generator_differs(blob):
    detector = AutoencoderDetector("plain", epochs=2, random_state=np.random.RandomState(0))
    first = detector.fit(blob).score_samples(blob)
    assert not np.array_equal(detector.fit(blob).score_samples(blob), first)


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_global_random_state_is_untouched(blob, Detector):
    keras.utils.set_random_seed(7)
    before = stateless_snapshot()
    drawn = keras.ops.convert_to_numpy(keras.random.normal((3,)))
    keras.utils.set_random_seed(7)
    Detector(dropout=0.1).fit(blob).predict(blob)
    assert stateless_snapshot() == before
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.random.normal((3,))), drawn)


# What it refuses


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"recipe": "deep"}, "'recipe' .* must be a str among .*plain.* Got 'deep' instead"),
        ({"hidden_layer_sizes": (8, 0)}, r"'hidden_layer_sizes' .*\(64, 32\). Got \(8, 0\)"),
        ({"hidden_layer_sizes": (8.5,)}, r"'hidden_layer_sizes' .*\(64, 32\). Got \(8.5,\)"),
        ({"hidden_layer_sizes": "wide"}, "'hidden_layer_sizes' .* Got 'wide' instead"),
        ({"latent_dim": 0}, r"'latent_dim' .* in the range \[1, inf\).* Got 0 instead"),
        ({"n_estimators": 0}, r"'n_estimators' .* \[1, inf\).* Got 0 instead"),
        ({"noise": -1.0}, r"'noise' .* \[0.0, inf\).* Got -1.0 instead"),
        ({"noise": (3.0, 1.0)}, r"'noise' .* 0 < low <= high. Got \(3.0, 1.0\) instead"),
        ({"noise": (1.0, 2.0, 3.0)}, r"'noise' .* pair .* Got \(1.0, 2.0, 3.0\) instead"),
        ({"dropout": 1.0}, r"'dropout' .* \[0.0, 1.0\).* Got 1.0 instead"),
        ({"l2": -0.1}, r"'l2' .* Got -0.1 instead"),
        ({"anomaly_score": "odd"}, "'anomaly_score' .* Got 'odd' instead"),
        ({"optimizer": 3}, "'optimizer' .* Got 3 instead"),
        ({"learning_rate": 0}, r"'learning_rate' .* \(0.0, inf\).* Got 0 instead"),
        ({"epochs": 0}, r"'epochs' .* \[1, inf\).* Got 0 instead"),
        ({"epochs": 2.0}, "'epochs' .* Got 2.0 instead"),
        ({"max_steps": 0}, "'max_steps' .* Got 0 instead"),
        ({"batch_size": 0}, "'batch_size' .* Got 0 instead"),
        ({"validation_fraction": 1.0}, "'validation_fraction' .* Got 1.0 instead"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' .* Got 0 instead"),
        ({"contamination": 0.6}, r"'contamination' .* \(0.0, 0.5\]. Got 0.6 instead"),
        ({"contamination": 0.0}, "'contamination' .* Got 0.0 instead"),
        ({"callbacks": 1}, "'callbacks' .* Got 1 instead"),
        ({"model": 1}, "'model' .* Got 1 instead"),
        ({"early_stopping": "yes"}, "'early_stopping' .* Got 'yes' instead"),
        ({"warm_start": 2}, "'warm_start' .* Got 2 instead"),
        ({"random_state": "seed"}, "'random_state' .* Got 'seed' instead"),
    ],
)
def test_bad_parameters_are_named_with_what_was_expected(blob, parameters, message):
    with pytest.raises(ValueError, match=message):
        AutoencoderDetector(**parameters).fit(blob)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "rellu"}, "(?s)rellu"),
        ({"optimizer": "adamm"}, "(?s)adamm"),
        ({"loss": "msee"}, "(?s)msee"),
    ],
)
def test_unknown_keras_names_are_quoted(blob, parameters, message):
    with pytest.raises(ValueError, match=message):
        Plain(**parameters).fit(blob)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[np.nan, 1], [np.nan, 1]], ValueError, "missing values only"),
        ([[np.inf, 1], [0, 1]], ValueError, "infinity"),
        ([[1.0, 2.0]], ValueError, "minimum of 2 is required"),
        ([1.0, 2.0], ValueError, "Expected 2D array"),
        (np.empty((5, 0)), ValueError, "0 feature"),
        ([["a", "b"], ["c", "d"]], ValueError, "could not convert string"),
        (None, ValueError, "Expected 2D array|array-like"),
    ],
)
def test_unusable_rows_are_refused(X, error, message):
    with pytest.raises(error, match=message):
        Plain().fit(X)


def test_diverging_training_says_what_to_do(blob):
    with pytest.raises(ValueError, match=r"diverged.*finite loss.*Lower `learning_rate`"):
        Plain(optimizer="sgd", learning_rate=1e20, epochs=20).fit(blob)


def test_failed_fit_leaves_the_estimator_as_it_was(blob):
    detector = Plain().fit(blob)
    before, scores = dict(vars(detector)), detector.score_samples(blob)
    detector.set_params(optimizer="sgd", learning_rate=1e20, epochs=20)
    with pytest.raises(ValueError, match="diverged"):
        detector.fit(blob[:, :2])
    assert detector.n_features_in_ == 4
    assert {k for k in vars(detector) if vars(detector)[k] is not before[k]} <= {
        "optimizer", "learning_rate", "epochs",
    }  # fmt: skip
    np.testing.assert_array_equal(detector.score_samples(blob), scores)


def test_failed_first_fit_leaves_nothing(blob):
    detector = Plain(optimizer="sgd", learning_rate=1e20, epochs=20)
    before = dict(vars(detector))
    with pytest.raises(ValueError, match="diverged"):
        detector.fit(blob)
    assert vars(detector) == before


@pytest.mark.parametrize("name", ["network_", "history_", "n_iter_"])
def test_attributes_of_an_unfitted_detector_say_so(name):
    with pytest.raises(AttributeError, match=f"no attribute '{name}' before `fit`"):
        getattr(Plain(), name)
    assert not hasattr(Plain(), name)


class Subclassed(keras.Model):
    """What a user may write: layers in attributes, no shapes before the first call."""

    def __init__(self, n_outputs, activation=None):
        super().__init__()
        self.inner = keras.layers.Dense(3, activation="relu")
        self.outer = keras.layers.Dense(n_outputs, activation=activation)

    def call(self, x):
        return self.outer(self.inner(x))


def test_subclassed_models_train_and_score_but_have_no_codes():
    X = np.random.default_rng(0).normal(size=(60, 4))
    detector = AutoencoderDetector(
        model=lambda n_features: Subclassed(n_features), epochs=2, random_state=0
    ).fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert detector.reconstruct(X).shape == X.shape
    with pytest.raises(ValueError, match="no inner layer to read an encoding from"):
        detector.encode(X)
    with pytest.raises(ValueError, match="with as many values"):
        AutoencoderDetector(model=lambda: Subclassed(5), epochs=1).fit(X)


def test_subclassed_models_classify():
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = np.arange(60) % 6 == 0
    classifier = NeuralAnomalyClassifier(
        model=lambda: Subclassed(1, "sigmoid"), epochs=2, random_state=0
    ).fit(X, y)
    assert np.isfinite(classifier.score_samples(X)).all()
