"""The two tutorials this project grew from, asserted in plain Python on every backend."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.metrics import (
    f1_score,
    precision_at_n_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

pytestmark = pytest.mark.core

OPTIMIZERS = {
    "adam": {"optimizer": "adam"},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.01},
}
RATES = {"adam": 1e-3, "sgd": 1e-2}
#: Other backends train batch by batch, two minutes a network: one of them tells.
NAMES = ["adam", "sgd"] if keras.backend.backend() == "jax" else ["adam"]
UNLABELLED = {
    "recipe": "plain",
    "hidden_layer_sizes": (64, 64),
    "activation": "relu",
    "loss": "mse",
    "epochs": 100,
    "batch_size": 32,
    "standardize": False,
    "random_state": 0,
}
LABELLED = {
    "recipe": "plain",
    "hidden_layer_sizes": (32, 16),
    "activation": "relu",
    "loss": "binary_crossentropy",
    "epochs": 100,
    "batch_size": 32,
    "dropout": 0,
    "weight_decay": 0,
    "early_stopping": False,
    "class_weight": None,
    "random_state": 0,
}


class Witness(keras.callbacks.Callback):
    """Keeps what the network was trained with."""

    def __init__(self):
        super().__init__()
        self.epochs = 0

    def on_train_begin(self, logs=None):
        self.optimizer, self.loss = self.model.optimizer, self.model.loss

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1

    def __deepcopy__(self, memo):
        return self


@pytest.fixture(scope="module", params=NAMES)
def unlabelled(request):
    """Return the fitted pipeline, rows held out, their diagnosis, a witness and its name."""
    X, y = load_breast_cancer(return_X_y=True)
    kept = np.sort(np.r_[np.flatnonzero(y == 1), np.flatnonzero(y == 0)[::10]])
    X, malignant = X[kept], y[kept] == 0
    X[np.random.default_rng(0).random(X.shape) < 0.05] = np.nan
    X_train, X_test, _, malignant = train_test_split(X, malignant, test_size=0.3, random_state=0)
    witness = Witness()
    detector = AutoencoderDetector(**UNLABELLED, **OPTIMIZERS[request.param], callbacks=witness)
    pipeline = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler(), detector)
    return pipeline.fit(X_train), X_test, malignant, witness, request.param


@pytest.fixture(scope="module", params=NAMES)
def labelled(request):
    """Return the fitted classifier, rows held out, labels, a witness, its name, the rest."""
    X, y = load_breast_cancer(return_X_y=True)
    y = (y == 0).astype(int)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    witness = Witness()
    detector = NeuralAnomalyClassifier(**LABELLED, **OPTIMIZERS[request.param], callbacks=witness)
    return detector.fit(X, y), X_test, y_test, witness, request.param, X


def layers_of(network):
    return [
        (type(layer).__name__, layer.units, layer.activation.__name__, layer.use_bias)
        for layer in network.layers
    ]


def assert_trained_by(witness, name):
    assert type(witness.optimizer).__name__.lower() == name
    assert float(witness.optimizer.learning_rate) == pytest.approx(RATES[name])
    assert not witness.optimizer.weight_decay
    assert witness.optimizer.get_config().get("momentum", 0.0) == 0.0
    assert witness.epochs == 100


def test_the_unlabelled_network_is_the_textbook_one(unlabelled):
    pipeline, _, _, witness, name = unlabelled
    network = pipeline[-1].network_
    assert network.input_shape == (None, 30)
    assert layers_of(network) == [
        ("Dense", 64, "relu", True),
        ("Dense", 64, "relu", True),
        ("Dense", 30, "linear", True),
    ]
    assert_trained_by(witness, name)
    assert keras.losses.get(witness.loss) is keras.losses.get("mean_squared_error")


def test_each_step_sees_32_rows(unlabelled):
    pipeline, _, _, witness, _ = unlabelled
    n_train = 265  # eight batches of 32 rows, and one of the nine left over
    assert pipeline[-1].n_iter_ == 100
    assert int(witness.optimizer.iterations) == 100 * -(-n_train // 32)


def test_unlabelled_scores_are_mean_squared_errors(unlabelled):
    pipeline, X_test, *_ = unlabelled
    Z = pipeline[:-1].transform(X_test)
    error = np.mean((Z - np.asarray(pipeline[-1].network_.predict(Z, verbose=0))) ** 2, axis=1)
    np.testing.assert_allclose(-pipeline.score_samples(X_test), error, rtol=1e-4, atol=1e-6)


def test_unlabelled_training_finds_anomalies_among_rows_held_out(unlabelled):
    pipeline, X_test, malignant, *_ = unlabelled
    scores = pipeline.score_samples(X_test)
    loss = pipeline[-1].history_["loss"]
    assert len(loss) == 100
    assert loss[0] > 2 * loss[-1]
    assert roc_auc_score(malignant, scores) > 0.84
    assert precision_at_n_score(malignant, scores, n=6) >= 0.33
    assert precision_at_n_score(malignant, scores, n=6) > 4 * malignant.mean()


def test_the_labelled_network_is_the_textbook_one(labelled):
    detector, _, _, witness, name, _ = labelled
    assert detector.network_.input_shape == (None, 30)
    assert layers_of(detector.network_) == [
        ("Dense", 32, "relu", True),
        ("Dense", 16, "relu", True),
        ("Dense", 1, "sigmoid", True),
    ]
    assert_trained_by(witness, name)
    assert int(witness.optimizer.iterations) == 100 * -(-455 // 32)


def test_the_labelled_loss_is_unweighted_cross_entropy(labelled):
    witness = labelled[3]
    y = np.array([[1.0], [0.0], [1.0]], dtype=np.float32)
    p = np.array([[0.9], [0.2], [0.4]], dtype=np.float32)
    targets = np.hstack([y, np.ones_like(y)])  # label and weight: class_weight=None weighs all one
    targets, p = keras.ops.convert_to_tensor(targets), keras.ops.convert_to_tensor(p)
    losses = keras.ops.convert_to_numpy(witness.loss.call(targets, p))
    np.testing.assert_allclose(losses, -np.log([0.9, 0.8, 0.4]), rtol=1e-5)


def test_labelled_training_is_good_on_rows_held_out(labelled):
    detector, X_test, y_test, *_ = labelled
    y_pred = detector.predict(X_test)
    assert accuracy_score(np.where(y_test == 1, -1, 1), y_pred) > 0.9
    assert precision_score(y_test, y_pred) > 0.8
    assert recall_score(y_test, y_pred) > 0.9
    assert f1_score(y_test, y_pred) > 0.85
    assert roc_auc_score(y_test, detector.score_samples(X_test)) > 0.98


def test_labelled_scores_are_the_log_odds_of_the_sigmoid(labelled):
    detector, X_test, *_, X = labelled
    Z = StandardScaler().fit(X).transform(X_test)
    p = np.asarray(detector.network_.predict(Z, verbose=0))[:, 0].astype(float)
    answered = 1 / (1 + np.exp(detector.score_samples(X_test)))
    np.testing.assert_allclose(answered, p, atol=1e-4)
