"""AutoencoderDetector: learns to rebuild the training rows and scores what it cannot rebuild.

Owns the detector's parameters and its threshold. Does not own: what "auto" stands for
(``detectors._recipes``), or how the network is trained, read and scored
(``learners._autoencoder``).
"""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skanomaly.detectors._base import BaseNeuralDetector
from skanomaly.detectors._recipes import AUTOENCODER, noise_bounds, settings_of
from skanomaly.learners._autoencoder import SCORERS, AnswersMixin
from skanomaly.learners._residuals import Reconstruction
from skanomaly.networks._autoencoders import member_autoencoder
from skanomaly.networks._layers import MultiscaleNoise
from skanomaly.networks._losses import table_loss
from skanomaly.networks._sequences import ARCHITECTURES, DEFAULTS, autoencoder, row_shape
from skanomaly.networks._user_model import output_shape, user_network
from skanomaly.preprocessing._scaling import RowScaler, ScaledRows, in_chunks
from skanomaly.preprocessing._table import needs_targets, targets
from skanomaly.thresholds._unlabelled import robust_offset
from skanomaly.training._trainer import Trainer, assemble
from skanomaly.utils._weights import canonical_order, reference_rows, repeat_rows

#: With more columns than this a single network is trained: four cost four times as much and
#: gain .001 to .008 ROC AUC.
_WIDE = 512
#: Training rows that scores are fitted on at most; the network trains on all of them.
_SCORE_SAMPLE = 32_768


class AutoencoderDetector(AnswersMixin, BaseNeuralDetector):
    """Anomaly detection by networks that learn to rebuild the training rows.

    Rows are standardised inside, so that the detector stands wherever an
    `sklearn.ensemble.IsolationForest` does, with or without a scaler before it. With default
    settings four denoising autoencoders [1]_ learn at noise levels of many sizes; what they
    cannot rebuild, their inner codes and the row's neighbourhood are calibrated on the
    training rows and combined. Training rows may hold anomalies or not: nothing needs to be
    said about it. ``recipe="plain"`` is the textbook autoencoder [2]_ instead: one dense
    network, the mean squared error of a row as its score.

    Parameters
    ----------
    recipe : {"auto", "multiscale", "plain"}, default="auto"
        What every parameter left at "auto" stands for, see the table in the notes. "auto" is
        "multiscale", or "plain" when `model` is given.
    architecture : {"dense", "conv1d", "lstm", "gru", "conv2d"}, default="dense"
        Kind of network. "conv1d", "lstm" and "gru" read a row as a sequence, "conv2d" as an
        image, see :ref:`sequences`; they train one network, whatever the recipe.
    input_shape : tuple of int, default=None
        What a flat row stands for with those: (n_steps, n_channels), step by step, or (height,
        width, n_channels); the channels may be left out where there is one. None is one channel,
        for "conv2d" in a square image. `WindowedDetector` sets it.
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Widths of the hidden layers before the latent one, mirrored behind it. With
        ``latent_dim=None`` they stand as they are: ``(64, 64)`` gives d-64-64-d. Filters of
        convolutions, units of recurrent layers (which keep tanh for an activation).
    latent_dim : "auto", int or None, default="auto"
        Width of the linear latent layer; None leaves it out.
    activation : str or callable, default="auto"
        Activation of the hidden layers, by its Keras name.
    n_estimators : "auto" or int, default="auto"
        Number of networks trained side by side.
    noise : "auto", float or pair of float, default="auto"
        Standard deviation of the Gaussian noise added to training rows (in units of the
        columns' standard deviations), or the bounds of a log-uniform range of them.
    dropout : "auto" or float in [0, 1), default="auto"
        Dropout rate behind hidden layers; "auto" is 0.
    l2 : float, default=0.0
        L2 penalty on the kernels.
    anomaly_score : {"auto", "ensemble", "mahalanobis", "residual", "reconstruction"}, \
            default="auto"
        - "ensemble": all channels of the multiscale recipe;
        - "mahalanobis": distance of [residual, latent] from the training rows', nothing else;
        - "residual": the same of the residual alone, for training rows known to be clean;
        - "reconstruction": mean squared error of the (standardised) row.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        Name, or instance: that is copied and brings its own learning rate.
    learning_rate : "auto" or float, default="auto"
        Learning rate of a named optimizer.
    loss : str, callable or keras.losses.Loss, default="mse"
        Loss between a row and its reconstruction.
    epochs : "auto", int or None, default="auto"
        Passes over the training rows. "auto" follows `max_steps` where the recipe has it.
    max_steps : "auto", int or None, default="auto"
        Budget in optimizer steps, whatever the number of rows; an explicit `epochs` wins.
    batch_size : "auto" or int, default="auto"
        Rows in a batch.
    early_stopping : bool, default=False
        Hold rows out, stop when their loss no longer falls, and keep the best weights.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows held out for early stopping.
    n_iter_no_change : int, default=10
        Epochs without improvement before early stopping.
    callbacks : keras.callbacks.Callback or list of them, default=None
        Called while training.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which features are categories: a mask, places or names of columns. "from_dtype" takes
        the columns of a DataFrame that hold categories, strings or booleans; None takes none.
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the training rows to call anomalies. "auto" calls those anomalies whose score
        (the cube root of it, where it is a mean squared error) lies more than three robust
        standard deviations below the median.
    standardize : bool, default=True
        Standardise the columns and cut them off at 20 standard deviations.
    model : callable or keras.Model, default=None
        Own network instead of the built-in one: a function or partial that returns a Keras
        model with as many outputs as inputs (it may take an argument called ``n_features``),
        or such a model, of which a copy is trained. A compiled model brings its own optimizer
        and loss.
    warm_start : bool, default=False
        Go on training the network of the last `fit` instead of a new one.
    random_state : int, RandomState instance or None, default=None
        Seed of everything random. The global generators are left alone.
    verbose : int, default=0
        1 shows a progress line on standard error.

    Attributes
    ----------
    offset_ : float
        Threshold: ``decision_function = score_samples - offset_``.
    network_ : keras.Model
        The trained network.
    history_ : dict of str to list of float
        "loss" per epoch, and "val_loss" with early stopping.
    n_iter_ : int
        Number of epochs trained.
    is_categorical_ : ndarray of shape (n_features_in_,), bool, or None
        Which features are categories; None when none is.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when all of them are strings.

    See Also
    --------
    NeuralAnomalyClassifier : Learns from labels, few or many.
    ThresholdedDetector : Finds a threshold that holds for new rows.

    Notes
    -----
    ===================  ====================  ===================
    "auto" stands for    "multiscale"          "plain"
    ===================  ====================  ===================
    hidden_layer_sizes   (128, 64)             (64, 64)
    latent_dim           32                    None
    activation           "silu"                "relu"
    n_estimators         4 (above 512          1
                         columns 1)
    noise                (0.3, 3.0)            0
    learning_rate        3e-3, warmed up,      1e-3
                         cosine to zero
    epochs               as `max_steps` says   100
    max_steps            600                   None
    batch_size           64                    32
    anomaly_score        "ensemble"            "reconstruction"
    ===================  ====================  ===================

    The order of the training rows does not matter: the same rows, parameters and
    `random_state` give the same model.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and Composing
       Robust Features with Denoising Autoencoders", ICML 2008.
    .. [2] S. Hawkins, H. He, G. Williams and R. Baxter, "Outlier Detection Using Replicator
       Neural Networks", DaWaK 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly import AutoencoderDetector
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> detector = AutoencoderDetector(contamination=0.05, random_state=0).fit(X)
    >>> detector.predict([[0.0, 0.0, 0.0, 0.0], [9.0, -9.0, 9.0, -9.0]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        **BaseNeuralDetector._parameter_constraints,
        "recipe": [StrOptions({"auto", *AUTOENCODER})],
        "architecture": [StrOptions({*ARCHITECTURES})],
        "input_shape": ["array-like", Interval(Integral, 1, None, closed="left"), None],
        "hidden_layer_sizes": [
            StrOptions({"auto"}),
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "latent_dim": [StrOptions({"auto"}), None, Interval(Integral, 1, None, closed="left")],
        "n_estimators": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "noise": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left"), "array-like"],
        "l2": [Interval(Real, 0, None, closed="left")],
        "anomaly_score": [
            StrOptions({"auto", "ensemble", "mahalanobis", "residual", "reconstruction"})
        ],
        "loss": [str, callable, HasMethods(["call", "get_config"])],
        "standardize": ["boolean"],
    }

    def __init__(
        self,
        recipe="auto",
        *,
        architecture="dense",
        input_shape=None,
        hidden_layer_sizes="auto",
        latent_dim="auto",
        activation="auto",
        n_estimators="auto",
        noise="auto",
        dropout="auto",
        l2=0.0,
        anomaly_score="auto",
        optimizer="adam",
        learning_rate="auto",
        loss="mse",
        epochs="auto",
        max_steps="auto",
        batch_size="auto",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        callbacks=None,
        categorical_features="from_dtype",
        contamination="auto",
        standardize=True,
        model=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.recipe = recipe
        self.architecture = architecture
        self.input_shape = input_shape
        self.hidden_layer_sizes = hidden_layer_sizes
        self.latent_dim = latent_dim
        self.activation = activation
        self.n_estimators = n_estimators
        self.noise = noise
        self.dropout = dropout
        self.l2 = l2
        self.anomaly_score = anomaly_score
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.loss = loss
        self.epochs = epochs
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.categorical_features = categorical_features
        self.contamination = contamination
        self.standardize = standardize
        self.model = model
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # ------------------------------------------------------------------ training

    def _train(self, X, y, weight, seed, warm_start):
        settings = self._settings(X.shape[1])
        if not warm_start:
            self._scaler = RowScaler(X, weight) if self.standardize else None
            self._compare = Reconstruction(getattr(X, "layout", None), self._scaler)
            self._targets = needs_targets(X)
        loss = table_loss(X, self.loss) if self._targets else self.loss
        schedule = self._schedule(settings, loss=loss)
        if not warm_start:
            build = partial(self._build, X.shape[1], settings)
            trainer = Trainer(build, schedule, seed)
        else:
            trainer = self._trainer.copy()
        values = ScaledRows(X, self._scaler)
        order = canonical_order(X)
        y = targets(X, self._scaler) if self._targets else None
        self._trainer = trainer.fit(values, y, rows=repeat_rows(order, weight), schedule=schedule)
        sample = reference_rows(order, weight, _SCORE_SAMPLE, seed)
        part = getattr(X, "part", X.__getitem__)
        self._fit_score(part(sample), settings["anomaly_score"], seed)

    def _settings(self, n_features):
        """Return every "auto" parameter's value."""
        recipe = self.recipe
        if recipe == "auto":
            recipe = "multiscale" if self.model is None else "plain"
        settings = settings_of(self, AUTOENCODER[recipe] | DEFAULTS.get(self.architecture, {}))
        settings["noise"] = noise_bounds(settings["noise"])
        settings["row_shape"] = self._row_shape(n_features)
        wide = n_features > _WIDE and self.n_estimators == "auto"
        if self.model is not None or wide or settings["row_shape"] is not None:
            settings["n_estimators"] = 1
        return settings

    def _row_shape(self, n_features):
        """Return what a row stands for, None for dense networks."""
        shape = row_shape(self.architecture, self.input_shape, n_features, type(self).__name__)
        if shape is not None and self.n_estimators not in ("auto", 1):
            raise ValueError(
                f"AutoencoderDetector trains one network with architecture={self.architecture!r}, "
                f"got n_estimators={self.n_estimators!r}. Leave it at 'auto'."
            )
        return shape

    def _build(self, n_features, settings):
        """Return the untrained model; called with all generators seeded."""
        members = settings["n_estimators"] if settings["n_estimators"] > 1 else None
        if self.model is not None:
            network = user_network(self.model, n_features)
            _check_outputs(network, n_features)
        else:
            names = ("hidden_layer_sizes", "latent_dim", "activation", "dropout")
            shape = {name: settings[name] for name in names} | {"l2": self.l2}
            if members is None:
                kind = {"architecture": self.architecture, "row_shape": settings["row_shape"]}
                network = autoencoder(n_features, **kind, **shape)
            else:
                network = member_autoencoder(n_features, members, **shape)
        low, high = settings["noise"]
        layout = self._compare.layout
        shares = None if layout is None else layout.noise_shares()
        noisy = high > 0 or members
        parts = 1 if members is None or members % 2 else 2  # an even number trains as two halves
        noise = MultiscaleNoise(low, high, members, None, shares, parts) if noisy else None
        return assemble(network, noise, members)

    # ------------------------------------------------------------------ scores

    def _fit_score(self, X, score, seed):
        """Fit what turns residuals and codes into a score, on a bounded sample of rows."""
        self._scorer = None
        if score != "reconstruction":
            self._scorer = SCORERS[score](seed).fit(*self._views(X))

    def _score_rows(self, X):
        if self._scorer is None:
            return -self._squared_errors(X).mean(axis=2).mean(axis=1)
        return -self._scorer.score(*self._views(X))

    def _error_parts(self, X):
        """Return each feature's part of the mean squared error; None with another score."""
        if self._scorer is not None:
            return None

        def one(rows):
            error = self._squared_errors(rows).mean(axis=1)
            return self._compare.in_order(error) / error.shape[1]

        return in_chunks(one, self._checked_rows(X))

    def _find_offset(self, scores, weight, seen):
        if self._scorer is not None or self.contamination != "auto":
            return super()._find_offset(scores, weight, seen)
        # Squared errors are skewed: three standard deviations mean what they say on their cube
        # roots (Wilson and Hilferty, 1931). A hair lower, lest rounding flags equal scores.
        root = robust_offset(np.cbrt(scores), weight)
        return float(root**3 * (1 + 1e-9))


def _check_outputs(network, n_features):
    """Refuse an own network whose output cannot be compared with its input."""
    shape = output_shape(network, n_features)
    if shape != (n_features,):
        raise ValueError(
            "The network given as `model` must answer each row of "
            f"{n_features} values with as many values, but its output has the shape "
            f"{(None, *shape)}. End it with a layer such as keras.layers.Dense({n_features})."
        )
