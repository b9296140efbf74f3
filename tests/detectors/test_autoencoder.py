"""AutoencoderDetector: what it computes, what it promises, what it refuses."""

from functools import partial

import keras
import numpy as np
import pytest
from quick_detectors import Plain, Small
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.detectors._recipes import AUTOENCODER

FAR = np.full((3, 4), 1e3)


def bottleneck(n_features, width=2):
    return keras.Sequential(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(width, activation="tanh"),
            keras.layers.Dense(n_features),
        ]
    )


def test_finds_malignant_rows_after_seeing_benign_ones(cancer):
    X, malignant = cancer
    train = np.flatnonzero(malignant == 0)[:200]
    test = np.setdiff1d(np.arange(len(X)), train)
    detector = make_pipeline(StandardScaler(), AutoencoderDetector(random_state=0)).fit(X[train])
    assert roc_auc_score(malignant[test], -detector.score_samples(X[test])) > 0.95
    flagged = detector.predict(X[test]) == -1
    assert flagged[malignant[test] == 0].mean() <= 0.04  # "about 2%" of 157 new normal rows
    assert flagged[malignant[test] == 1].mean() > 0.5


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


def test_recipe_table_in_the_documentation_is_the_recipes():
    notes = AutoencoderDetector.__doc__
    for recipe in AUTOENCODER.values():
        for name in ("hidden_layer_sizes", "latent_dim", "n_estimators", "batch_size"):
            row = next(line for line in notes.splitlines() if line.strip().startswith(name + "  "))
            assert str(recipe[name]) in row


@pytest.mark.parametrize("own", [{}, {"latent_dim": 2}, {"anomaly_score": "mahalanobis"}])
def test_auto_threshold_flags_few_normal_rows_and_many_odd_ones(own):
    rng = np.random.default_rng(0)
    X, odd = rng.normal(size=(2000, 5)), rng.normal(scale=5, size=(100, 5))
    detector = Plain(epochs=20, **own).fit(X)
    assert (detector.predict(X) == -1).mean() < 0.02
    assert (detector.predict(odd) == -1).mean() > 0.9


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
    with pytest.raises(ValueError, match="No encoding can be read from a Subclassed"):
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
