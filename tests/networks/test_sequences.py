"""Convolutional and recurrent networks behind the detectors."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.networks import _sequences as architectures
from skanomaly.training._jax_steps import _treats_rows_alone

SETTINGS = {"hidden_layer_sizes": (4, 3), "activation": "relu", "dropout": 0.0}
SHAPES = [
    ("conv1d", (7, 2)),
    ("conv1d", (1, 3)),
    ("conv1d", (16, 1)),
    ("lstm", (5, 3)),
    ("gru", (5, 3)),
    ("conv2d", (5, 7, 2)),
    ("conv2d", (1, 1, 1)),
]


def build_autoencoder(kind, shape, **own):
    settings = {**SETTINGS, "latent_dim": 2, "l2": 0.0, **own}
    return architectures.autoencoder(int(np.prod(shape)), kind, shape, **settings)


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_networks_answer_flat_rows_whatever_the_shape(kind, shape):
    width = int(np.prod(shape))
    network = build_autoencoder(kind, shape, dropout=0.2, l2=0.1)
    assert network.output_shape == (None, width)
    assert network.get_layer("latent").output.shape == (None, 2)
    assert all(map(_treats_rows_alone, network.layers))
    judge = architectures.classifier(width, kind, shape, **SETTINGS)
    assert judge.output_shape == (None, 1)


@pytest.mark.parametrize("kind", ["conv1d", "lstm", "gru", "conv2d"])
def test_networks_without_a_latent_layer(kind):
    shape = (4, 4, 1) if kind == "conv2d" else (8, 2)
    network = build_autoencoder(kind, shape, latent_dim=None)
    assert network.output_shape == (None, 16)


@pytest.mark.parametrize(
    ("kind", "given", "n", "shape"),
    [
        ("dense", (3, 3), 7, None),
        ("conv1d", None, 7, (7, 1)),
        ("lstm", 7, 7, (7, 1)),
        ("gru", (2, 3), 6, (2, 3)),
        ("conv2d", None, 9, (3, 3, 1)),
        ("conv2d", (2, 3), 6, (2, 3, 1)),
        ("conv2d", [2, 3, 2], 12, (2, 3, 2)),
    ],
)
def test_what_a_row_stands_for(kind, given, n, shape):
    assert architectures.row_shape(kind, given, n, "Owner") == shape


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("conv1d", (4, 2)),
        ("lstm", (2, 3, 1)),
        ("gru", (-7, -1)),
        ("conv2d", 7),
        ("lstm", (3.5, 2)),
    ],
)
def test_a_shape_that_does_not_fit_is_an_error_with_the_numbers(kind, given):
    names = "height, width" if kind == "conv2d" else "n_steps"
    with pytest.raises(ValueError, match=rf"'input_shape' parameter of Owner.*{names}.*7"):
        architectures.row_shape(kind, given, 7, "Owner")


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        (AutoencoderDetector(architecture="conv2d"), "10 columns are no square"),
        (AutoencoderDetector(architecture="lstm", n_estimators=3), "one network"),
        (NeuralAnomalyClassifier("ensemble", architecture="gru"), "recipe='ensemble'"),
        (AutoencoderDetector(architecture="transformer"), "'architecture' parameter"),
        (AutoencoderDetector(architecture="conv1d", input_shape=(4, 2)), "product of 10"),
    ],
)
def test_detectors_refuse_what_does_not_fit_before_training(detector, message):
    X = np.random.default_rng(0).normal(size=(20, 10))
    with pytest.raises(ValueError, match=message):
        detector.fit(X, np.arange(20) % 2)
    assert not hasattr(detector, "offset_")


@pytest.mark.core
@pytest.mark.parametrize("kind", ["conv1d", "lstm", "gru"])
def test_sequences_out_of_rhythm_score_lower(kind):
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 6, size=(160, 1))
    X = np.sin(np.arange(12) + start) + 0.05 * rng.normal(size=(160, 12))
    odd = rng.permuted(X[120:], axis=1)
    detector = AutoencoderDetector(
        architecture=kind,
        hidden_layer_sizes=(8,),
        latent_dim=2,
        max_steps=150,
        learning_rate=0.01,
        anomaly_score="mahalanobis",
        random_state=0,
    ).fit(X[:120])
    scores = detector.score_samples(np.r_[X[120:], odd])
    assert roc_auc_score(np.repeat([0, 1], 40), -scores) > 0.9
    assert detector.encode(X).shape == (160, 2)
    assert detector.reconstruct(X).shape == X.shape


@pytest.mark.core
@pytest.mark.parametrize("kind", ["conv1d", "gru"])
def test_the_classifier_learns_an_order_of_values(kind):
    rng = np.random.default_rng(0)
    X = np.sort(rng.normal(size=(120, 8)), axis=1)
    y = (np.arange(120) % 3 == 0).astype(int)
    X[y == 1] = X[y == 1, ::-1]
    detector = NeuralAnomalyClassifier(
        architecture=kind, hidden_layer_sizes=(8,), epochs=20, learning_rate=0.01, random_state=0
    ).fit(X[:90], y[:90])
    assert roc_auc_score(y[90:], -detector.score_samples(X[90:])) > 0.95


def test_keras_own_loop_trains_the_same_network():
    """The compiled loop and Keras' own step agree, as far as rounding goes."""

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    X = np.sin(np.arange(6) + np.arange(40)[:, None])
    fits = [
        AutoencoderDetector(
            "plain", architecture="conv1d", hidden_layer_sizes=(4,), latent_dim=2, epochs=2,
            callbacks=callbacks, random_state=0,
        ).fit(X)
        for callbacks in (None, Watch())
    ]  # fmt: skip
    losses = [fit.history_["loss"] for fit in fits]
    np.testing.assert_allclose(*losses, rtol=1e-3)


def test_an_unseen_digit_is_found_in_images():
    X, y = load_digits(return_X_y=True)
    X /= X.std()
    known, new = X[y != 0], X[y == 0]
    detector = AutoencoderDetector(
        architecture="conv2d", standardize=False, max_steps=300, random_state=0
    ).fit(known[:1000])
    scores = detector.score_samples(np.r_[known[1000:], new])
    truth = np.repeat([0, 1], [len(known) - 1000, len(new)])
    assert roc_auc_score(truth, -scores) > 0.85
