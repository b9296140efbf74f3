"""The methods of the quality benchmark: a registry of specs, and the peers that need an adapter.

A spec is a string ``module:factory`` or ``module:factory:parameters``, so that it travels to a
worker process and its package is imported only when the method runs.
"""

import ast
import inspect
import os
import sys
from importlib import import_module

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

EXTRA = "benchmarks"

REGISTRY = {
    "autoencoder": "skanomaly:AutoencoderDetector",
    "autoencoder_novelty": "skanomaly:AutoencoderDetector:novelty=True",
    "autoencoder_fast": "skanomaly:AutoencoderDetector:recipe=fast",
    # The recipes without their networks: what those are worth is the difference.
    "channels": "skanomaly:AutoencoderDetector:anomaly_score=channels",
    "channels_novelty": "skanomaly:AutoencoderDetector:anomaly_score=channels,novelty=True",
    "classifier": "skanomaly:NeuralAnomalyClassifier",
    "isolation_forest": "sklearn.ensemble:IsolationForest",
    "lof": "_methods:TrainableLOF",
    "knn": "_methods:KNeighborsDetector:n_neighbors=5",
    "knn1": "_methods:KNeighborsDetector:n_neighbors=1",
    "random_forest": "sklearn.ensemble:RandomForestClassifier",
    "hist_gradient_boosting": "sklearn.ensemble:HistGradientBoostingClassifier",
    "logistic_regression": "sklearn.linear_model:LogisticRegression:max_iter=1000",
    # The labelled tutorial's network: 100 epochs of Adam, no regularisation.
    "tutorial_network": "sklearn.neural_network:MLPClassifier:hidden_layer_sizes=(32,16),"
    "alpha=0.0,batch_size=32,max_iter=100,n_iter_no_change=100",
    "lightgbm": "lightgbm:LGBMClassifier:verbose=-1",
    "xgboost": "xgboost:XGBClassifier:verbosity=0",
    "catboost": "catboost:CatBoostClassifier:verbose=0,allow_writing_files=False",
    "devnet": "_methods:DevNet",
    "pyod_autoencoder": "pyod.models.auto_encoder:AutoEncoder:verbose=0",
    "pyod_knn": "pyod.models.knn:KNN",
    "pyod_iforest": "pyod.models.iforest:IForest",
    "pyod_lof": "pyod.models.lof:LOF",
    "pyod_ecod": "pyod.models.ecod:ECOD",
    "pyod_dif": "pyod.models.dif:DIF",
    "pyod_vae": "pyod.models.vae:VAE:verbose=0",
    "pyod_deepsvdd": "pyod.models.deep_svdd:DeepSVDD:verbose=0",
    "pyod_lunar": "pyod.models.lunar:LUNAR",
}


class UsageError(Exception):
    """What was asked for cannot be had; the message says why and what to do."""


def _literal(text, node):
    try:
        return ast.literal_eval(node)
    except ValueError:  # a bare word is a string: recipe=plain
        return ast.get_source_segment(text, node)


def parse_parameters(text):
    """Return the keyword arguments that ``a=1,b=(2,3),c=word`` stands for."""
    call = f"f({text})"
    try:
        node = ast.parse(call, mode="eval").body
    except SyntaxError:
        node = None
    if not isinstance(node, ast.Call) or node.args or any(k.arg is None for k in node.keywords):
        raise UsageError(f"Parameters must look like a=1,b=word, got {text!r}.")
    return {keyword.arg: _literal(call, keyword.value) for keyword in node.keywords}


def parse_method(text):
    """Return the name and the spec that a ``--method`` argument stands for.

    ``name=module:factory``, ``name=module:factory:parameters`` and, on top of a method of the
    registry, ``name=method:parameters`` are understood.
    """
    name, equals, spec = text.partition("=")
    head, _, parameters = spec.partition(":")
    if head in REGISTRY:
        spec = REGISTRY[head]
        if parameters:
            spec += ("," if spec.count(":") == 2 else ":") + parameters
    if not (name and equals) or ":" not in spec:
        raise UsageError(
            f"--method must look like name=module:factory or name=method:parameter=value with a "
            f"method of the registry ({', '.join(REGISTRY)}), got {text!r}."
        )
    return name, spec


def _import_factory(spec):
    module, factory = spec.split(":")[:2]
    try:
        return getattr(import_module(module), factory)
    except ImportError as error:
        package = (error.name or module).partition(".")[0]
        raise UsageError(
            f"{spec!r} needs the package {package!r}, which cannot be imported ({error}). Install "
            f"it, or all peers at once: pip install 'skanomaly[{EXTRA}]'."
        ) from error
    except AttributeError as error:
        raise UsageError(f"{spec!r}: module {module!r} has no {factory!r}.") from error


def build(spec, seed):
    """Return a fresh, seeded estimator.

    Every ``random_state`` (also a nested one, as in a Pipeline) that the spec leaves alone is
    set to `seed`. A PyOD class comes back in an adapter.
    """
    factory = _import_factory(spec)
    parameters = parse_parameters(spec.split(":", 2)[2]) if spec.count(":") > 1 else {}
    if factory.__module__.startswith("pyod."):
        return PyodDetector(factory, parameters, random_state=seed)
    try:
        return _seeded(factory, parameters, seed)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{spec!r} cannot be built: {error}") from error


def _seeded(factory, parameters, seed):
    if "random_state" in inspect.signature(factory).parameters:
        parameters = {"random_state": seed} | parameters
    estimator = factory(**parameters)
    names = estimator.get_params() if hasattr(estimator, "get_params") else {}
    names = [name for name in names if name.rpartition("__")[2] == "random_state"]
    seeds = {name: seed for name in names if name not in parameters}
    return estimator.set_params(**seeds) if seeds else estimator


class ThresholdMixin(OutlierMixin):
    """Predictions of a detector with `score_samples` and `offset_`."""

    def predict(self, X):
        """Return -1 for rows whose score lies below the threshold."""
        return np.where(self.score_samples(X) < self.offset_, -1, 1)


class KNeighborsDetector(ThresholdMixin, BaseEstimator):
    """Distance to the k-th nearest training row (Ramaswamy et al. 2000).

    As PyOD's does, it calls a tenth of the training rows anomalies.
    """

    def __init__(self, n_neighbors=5):
        self.n_neighbors = n_neighbors

    def fit(self, X, y=None):
        """Keep the rows; a training row is not its own neighbour."""
        self.neighbors_ = NearestNeighbors(n_neighbors=self.n_neighbors).fit(X)
        self.training_scores_ = -self.neighbors_.kneighbors()[0][:, -1]
        self.offset_ = np.quantile(self.training_scores_, 0.1)
        return self

    def score_samples(self, X):
        """Return minus the distance."""
        return -self.neighbors_.kneighbors(X)[0][:, -1]


class TrainableLOF(LocalOutlierFactor):
    """LocalOutlierFactor that scores new rows and, without self-matches, its training rows."""

    def __init__(self, n_neighbors=20):
        super().__init__(n_neighbors=n_neighbors, novelty=True)

    @property
    def training_scores_(self):
        """The scores of the training rows."""
        return self.negative_outlier_factor_


class PyodDetector(ThresholdMixin, BaseEstimator):
    """A PyOD detector behind scikit-learn's signs, built when the number of columns is known."""

    def __init__(self, model_class, parameters, random_state=None):
        self.model_class = model_class
        self.parameters = parameters
        self.random_state = random_state

    def fit(self, X, y=None):
        """Build and fit the PyOD model."""
        accepted = inspect.signature(self.model_class).parameters
        given = {"random_state": self.random_state, "n_features": X.shape[1]}
        parameters = {name: value for name, value in given.items() if name in accepted}
        if "random_state" not in accepted and "torch" in sys.modules:
            sys.modules["torch"].manual_seed(self.random_state)
        self.model_ = self.model_class(**(parameters | self.parameters)).fit(X)
        self.training_scores_ = -self.model_.decision_scores_
        self.offset_ = -self.model_.threshold_
        return self

    def score_samples(self, X):
        """Return PyOD's scores with the sign turned."""
        return -self.model_.decision_function(X)


def _import_keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return import_module("keras")


class DevNet(ClassifierMixin, BaseEstimator):
    """Deviation network (Pang, Shen and van den Hengel, KDD 2019) as its authors run it.

    One hidden layer of 20 units trained by RMSprop on 1,000 batches of 512 rows, half of them
    anomalies: normal scores are pulled to the mean of a standard normal, scores of anomalies
    pushed five deviations above it. `predict` cuts at 1.96 deviations.
    """

    def __init__(self, epochs=50, random_state=None):
        self.epochs = epochs
        self.random_state = random_state

    def _network(self, keras, n_features):
        start = keras.initializers.GlorotUniform
        hidden = keras.layers.Dense(
            20,
            activation="relu",
            kernel_regularizer=keras.regularizers.L2(0.01),
            kernel_initializer=start(seed=self.random_state),
        )
        output = keras.layers.Dense(1, kernel_initializer=start(seed=self.random_state + 1))
        return keras.Sequential([keras.Input((n_features,)), hidden, output])

    def fit(self, X, y):
        """Train on batches that hold as many anomalies as other rows."""
        keras = _import_keras()
        rng = np.random.default_rng(self.random_state)
        reference = rng.standard_normal(5000)
        mean, scale = float(reference.mean()), float(reference.std())

        def deviation_loss(y_true, y_pred):
            deviation = (y_pred - mean) / scale
            pushed = keras.ops.maximum(5.0 - deviation, 0.0)
            return (1.0 - y_true) * keras.ops.abs(deviation) + y_true * pushed

        def batches():
            others, anomalies = np.flatnonzero(y != 1), np.flatnonzero(y == 1)
            targets = np.repeat([0.0, 1.0], 256)[:, None].astype("float32")
            while True:
                rows = np.concatenate([rng.choice(others, 256), rng.choice(anomalies, 256)])
                yield X[rows].astype("float32"), targets

        self.classes_ = np.array([0, 1])
        self.network_ = self._network(keras, X.shape[1])
        optimizer = keras.optimizers.RMSprop(clipnorm=1.0)
        self.network_.compile(optimizer, loss=deviation_loss)
        self.network_.fit(batches(), steps_per_epoch=20, epochs=self.epochs, verbose=0)
        return self

    def decision_function(self, X):
        """Return the deviation scores, high for anomalies."""
        return self.network_.predict(X, batch_size=4096, verbose=0).ravel()

    def predict(self, X):
        """Return 1 for a score that one normal row in forty reaches."""
        return (self.decision_function(X) > 1.96).astype(int)
