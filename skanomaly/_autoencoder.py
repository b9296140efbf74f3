"""AutoencoderDetector: learns to rebuild the training rows and scores what it cannot rebuild.

Owns the detector's parameters, its recipes and its ways to turn what the network makes of a
row into a score.
"""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skanomaly._architectures import ARCHITECTURES, DEFAULTS, autoencoder, row_shape
from skanomaly._base import BaseNeuralDetector
from skanomaly._channels import ScoreChannels
from skanomaly._forward import forward
from skanomaly._mahalanobis import Mahalanobis
from skanomaly._neighbours import reference_rows
from skanomaly._networks import (
    MultiscaleNoise,
    member_autoencoder,
    with_codes,
)
from skanomaly._reconstruction import Reconstruction
from skanomaly._sampling import canonical_order, repeat_rows
from skanomaly._scaling import RowScaler, ScaledRows, in_chunks
from skanomaly._table_loss import table_loss
from skanomaly._tables import missing_columns, missing_features, needs_targets, targets
from skanomaly._threshold import robust_offset
from skanomaly._training import Trainer, assemble, output_shape, user_network

#: What "auto" stands for in each recipe.
RECIPES = {
    "multiscale": {
        "hidden_layer_sizes": (128, 64),
        "latent_dim": 32,
        "activation": "silu",
        "n_estimators": 4,
        "noise": (0.3, 3.0),
        "learning_rate": 3e-3,
        "max_steps": 600,
        "warmup_steps": 30,
        "batch_size": 64,
        "anomaly_score": "ensemble",
    },
    "plain": {
        "hidden_layer_sizes": (64, 64),
        "latent_dim": None,
        "activation": "relu",
        "n_estimators": 1,
        "noise": 0.0,
        "learning_rate": 1e-3,
        "epochs": 100,
        "max_steps": None,
        "warmup_steps": None,
        "batch_size": 32,
        "anomaly_score": "reconstruction",
    },
}
#: With more columns than this a single network is trained: four cost four times as much and
#: gain .001 to .008 ROC AUC.
_WIDE = 512
#: Training rows that scores are fitted on at most; the network trains on all of them.
_SCORE_SAMPLE = 32_768


class AutoencoderDetector(BaseNeuralDetector):
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
        "recipe": [StrOptions({"auto", *RECIPES})],
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

    def _train(self, X, y, weight, seed, again):
        settings = self._settings(X.shape[1])
        if not again:
            self._scaler = RowScaler(X, weight) if self.standardize else None
            self._compare = Reconstruction(getattr(X, "layout", None), self._scaler)
            self._targets = needs_targets(X)
        loss = table_loss(X, self.loss) if self._targets else self.loss
        schedule = self._schedule(settings, loss=loss)
        if not again:
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
        settings = self._resolve(RECIPES[recipe] | DEFAULTS.get(self.architecture, {}))
        settings["noise"] = _noise_bounds(settings["noise"])
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
            Z, holes = self._scaled(X)
            Z = np.asarray(Z, dtype=np.float64)
            self._scorer = _SCORERS[score](seed).fit(Z, *self._views(Z, holes))

    def _score_rows(self, X):
        Z, holes = self._scaled(X)
        if self._scorer is None:
            return -self._squared_errors(Z, holes).mean(axis=2).mean(axis=1)
        Z = np.asarray(Z, dtype=np.float64)
        return -self._scorer.score(Z, *self._views(Z, holes))

    def _scaled(self, X):
        """Return scaled rows, and which of their features are missing (None: none is)."""
        Z, holes = ScaledRows(X, self._scaler)[:], missing_features(X)
        if holes is not None:  # the network's own guess of what is missing is the better one
            guess = self._compare.values(self._outputs(Z)).mean(axis=1)
            Z = np.where(missing_columns(X), guess, Z).astype(np.float32)
        return Z, holes

    def _squared_errors(self, Z, holes):
        """Return squared errors of scaled rows, (n_samples, n_members, n_features)."""
        Z = np.asarray(Z, np.float64).reshape(len(Z), 1, -1)
        holes = None if holes is None else holes[:, None]
        return np.square(self._compare.residuals(self._outputs(Z[:, 0]), Z, holes))

    def _error_parts(self, X):
        """Return each feature's part of the mean squared error; None with another score."""
        if self._scorer is not None:
            return None

        def one(rows):
            error = self._squared_errors(*self._scaled(rows)).mean(axis=1)
            return self._compare.in_order(error) / error.shape[1]

        return in_chunks(one, self._checked_rows(X))

    def _find_offset(self, scores, weight, seen):
        if self._scorer is not None or self.contamination != "auto":
            return super()._find_offset(scores, weight, seen)
        # Squared errors are skewed: three standard deviations mean what they say on their cube
        # roots (Wilson and Hilferty, 1931). A hair lower, lest rounding flags equal scores.
        root = robust_offset(np.cbrt(scores), weight)
        return float(root**3 * (1 + 1e-9))

    def _views(self, Z, holes):
        """Return the members' residuals and codes, each (n_members, n_samples, width)."""
        outputs, codes = forward(with_codes(self.network_), Z)
        outputs, codes = _by_member(outputs), _by_member(codes)
        holes = None if holes is None else holes[None]
        return self._compare.residuals(outputs, Z[None], holes), codes

    def _outputs(self, Z):
        """Return the members' reconstructions, (n_samples, n_members, n_features)."""
        outputs = np.asarray(forward(self.network_, Z), dtype=np.float64)
        return outputs.reshape(len(Z), -1, Z.shape[1])

    def reconstruct(self, X):
        """Return what the network makes of rows, in the units of the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        reconstruction : ndarray of shape (n_samples, n_features), float64
            The mean over the networks. For a category it is the probability of the row's own
            value; NaN where that is missing.
        """

        def one(rows):
            mean = self._compare.values(self._outputs(self._scaled(rows)[0])).mean(axis=1)
            mean = mean if self._scaler is None else self._scaler.inverse_transform(mean)
            if self._compare.layout is None:
                return mean
            return self._compare.to_features(mean, rows.with_holes(slice(None)))

        return in_chunks(one, self._checked_rows(X))

    def encode(self, X):
        """Return the inner codes of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_codes), float64
            Values of the layer called "latent", else of the narrowest inner layer; those of
            several networks side by side.

        Raises
        ------
        ValueError
            If an own `model` has no inner layer to read.
        """
        X = self._checked_rows(X)
        encoder = with_codes(self.network_)

        def one(rows):
            codes = forward(encoder, self._scaled(rows)[0])[1]
            return np.asarray(codes, dtype=np.float64).reshape(len(rows), -1)

        return in_chunks(one, X)


class _Ensemble:
    """All channels of the multiscale recipe."""

    def __init__(self, seed):
        self.channels = ScoreChannels(seed=seed)

    def fit(self, Z, residual, codes):
        # the sample comes in canonical order already
        self.channels.fit(Z, residual, codes, order=np.arange(len(Z)))
        return self

    def score(self, Z, residual, codes):
        return self.channels.score(Z, residual, codes)


class _Mahalanobis:
    """Log squared Mahalanobis distance, mean over the members."""

    def __init__(self, seed):
        self.members = []

    def fit(self, Z, residual, codes):
        features = self._features(residual, codes)
        self.members = [Mahalanobis().fit(a) for a in features]
        return self

    def score(self, Z, residual, codes):
        pairs = zip(self.members, self._features(residual, codes), strict=True)
        return np.mean([member.score(a) for member, a in pairs], axis=0)

    def _features(self, residual, codes):
        return np.concatenate([residual, codes], axis=2)


class _Residual(_Mahalanobis):
    """The same on the residual alone."""

    def _features(self, residual, codes):
        return residual


_SCORERS = {"ensemble": _Ensemble, "mahalanobis": _Mahalanobis, "residual": _Residual}


def _by_member(values):
    """Bring (n, width) or (n, n_members, width) to (n_members, n, width), float64."""
    values = np.asarray(values, dtype=np.float64)
    return values[None] if values.ndim == 2 else values.transpose(1, 0, 2)


def _noise_bounds(noise):
    """Return the lowest and highest standard deviation of the noise."""
    if isinstance(noise, Real):
        return float(noise), float(noise)
    bounds = np.asarray(noise, dtype=np.float64)
    if bounds.shape != (2,) or not 0 < bounds[0] <= bounds[1] < np.inf:
        raise ValueError(
            "The 'noise' parameter of AutoencoderDetector must be a number of at least 0 or a "
            f"pair (low, high) with 0 < low <= high. Got {noise!r} instead."
        )
    return float(bounds[0]), float(bounds[1])


def _check_outputs(network, n_features):
    """Refuse an own network whose output cannot be compared with its input."""
    shape = output_shape(network, n_features)
    if shape != (n_features,):
        raise ValueError(
            "The network given as `model` must answer each row of "
            f"{n_features} values with as many values, but its output has the shape "
            f"{(None, *shape)}. End it with a layer such as keras.layers.Dense({n_features})."
        )
