"""AutoencoderDetector: learns to rebuild the training rows and scores what it cannot rebuild.

Owns the detector's parameters and its threshold. Does not own: what "auto" stands for
(``detectors._recipes``), or how the network is trained, read and scored
(``learners._autoencoder``).
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skanomaly.detectors._neural import BaseNeuralDetector
from skanomaly.detectors._recipes import AUTOENCODER, noise_bounds, settings_of, trim_share
from skanomaly.detectors._tiles import tile_scorer
from skanomaly.learners._autoencoder import PARTS, Autoencoder
from skanomaly.learners._ensemble import EnsembleScore
from skanomaly.networks._losses import table_loss
from skanomaly.networks._sequences import ARCHITECTURES, DEFAULTS, row_shape
from skanomaly.preprocessing._table import needs_targets
from skanomaly.thresholds._unlabelled import false_alarm_offset, robust_offset
from skanomaly.utils._docs import documented

#: Share of new normal rows that are called anomalies where nothing is said about contamination.
_FALSE_ALARMS = 0.02
#: With more columns than this a single network is trained: four cost four times as much.
_WIDE = 512


@documented
class AutoencoderDetector(BaseNeuralDetector):
    """Anomaly detection by networks that learn to rebuild the training rows.

    Rows are standardised inside, so that the detector stands wherever an
    `sklearn.ensemble.IsolationForest` does, with or without a scaler before it. With default
    settings four denoising autoencoders [1]_ learn at noise levels of many sizes, and four
    networks learn to tell the values of hidden columns from the visible ones [2]_. Each leaves a
    quarter of the rows out, and of a training row that one speaks which did not learn from it.
    What the first cannot rebuild, what surprises the others, the row's neighbours and its tails
    are calibrated on the training rows and averaged. ``recipe="plain"`` is the textbook
    autoencoder [3]_ instead: one dense network, the mean squared error of a row as its score.

    Training rows may hold anomalies: by default a first look at all of them, in which no network
    takes part, leaves out those that lie far from the others, a tenth at most, and everything
    else learns from the rest. If you know that the rows are clean, say so (``novelty=True``):
    nothing is left out then, which finds more among new rows. If you know about how many are
    anomalies, say that (``contamination=0.03``): twice as many are left out. Rows of the fit
    itself are ranked with the others at hand, because an anomaly among them may have company.

    Parameters
    ----------
    recipe : {"auto", "multiscale", "fast", "plain"}, default="auto"
        What every parameter left at "auto" stands for, see the table in the notes. "auto" is
        "multiscale", or "plain" when `model` is given. "fast" scores by neighbours and tails
        alone, see :ref:`quality` for what that costs.
    architecture : {"dense", "conv1d", "lstm", "gru", "conv2d"}, default="dense"
        Kind of network. "conv1d", "lstm" and "gru" read a row as a sequence, "conv2d" as an
        image, see :ref:`sequences`; they train one network, whatever the recipe.
    %(input_shape)s
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Widths of the hidden layers before the latent one, mirrored behind it. With
        ``latent_dim=None`` they stand as they are: ``(64, 64)`` gives d-64-64-d. Filters of
        convolutions, units of recurrent layers (which keep tanh for an activation).
    latent_dim : "auto", int or None, default="auto"
        Width of the linear latent layer; None leaves it out.
    activation : str or callable, default="auto"
        Activation of the hidden layers, by its Keras name.
    n_estimators : "auto" or int, default="auto"
        Number of networks trained side by side. Where there are at least three, each leaves out a
        part of the rows for the ensemble's score.
    noise : "auto", float or pair of float, default="auto"
        Standard deviation of the Gaussian noise added to training rows (in units of the
        columns' standard deviations), or the bounds of a log-uniform range of them.
    dropout : "auto" or float in [0, 1), default="auto"
        Dropout rate behind hidden layers; "auto" is 0.
    l2 : float, default=0.0
        L2 penalty on the kernels.
    anomaly_score : {"auto", "ensemble", "channels", "mahalanobis", "residual", \
            "reconstruction"}, default="auto"
        - "ensemble": all channels of the multiscale recipe;
        - "channels": the same without what networks say;
        - "mahalanobis": distance of [residual, latent] from the training rows', nothing else;
        - "residual": the same of the residual alone, for training rows known to be clean;
        - "reconstruction": mean squared error of the (standardised) row.
    %(optimizer)s
    %(learning_rate)s
    loss : str, callable or keras.losses.Loss, default="mse"
        Loss between a row and its reconstruction.
    epochs : "auto", int or None, default="auto"
        Passes over the training rows. "auto" follows `max_steps` where the recipe has it.
    %(max_steps)s
    %(batch_size)s
    early_stopping : bool, default=False
        Hold rows out, stop when their loss no longer falls, and keep the best weights.
    %(validation_fraction)s
    %(n_iter_no_change)s
    %(callbacks)s
    %(categorical_features)s
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the training rows to call anomalies; twice as many, the most unusual, have no part
        in what the ensemble learns. With "auto" about 2% of new normal rows are false alarms
        (measured: 2.0% on average over 20 tables, 7% at the most), so that fewer anomalies are
        found than with a number if there are many among the training rows; the ensemble learns
        without the most unusual rows, a tenth at most. For scores other than the ensemble's,
        "auto" calls those anomalies whose score (the cube root of it, where it is a mean squared
        error) lies more than three robust standard deviations below the median.
    novelty : bool, default=False
        Whether the training rows are known to be clean. The ensemble then learns from all of
        them.
    standardize : bool, default=True
        Standardise the columns and cut them off at 20 standard deviations.
    model : callable or keras.Model, default=None
        Own network instead of the built-in one: a function or partial that returns a Keras
        model with as many outputs as inputs (it may take an argument called ``n_features``),
        or such a model, of which a copy is trained. A compiled model brings its own optimizer
        and loss.
    %(warm_start)s
    %(random_state)s
    %(verbose)s

    Attributes
    ----------
    %(offset_)s
    %(network_)s
    %(history_)s
    %(n_iter_)s
    %(is_categorical_)s
    %(n_features_in_)s
    %(feature_names_in_)s

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

    "fast" is "multiscale" with ``n_estimators=1``, ``max_steps=200`` and
    ``anomaly_score="channels"``.

    The order of the training rows does not matter: the same rows, parameters and
    `random_state` give the same model.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and Composing
       Robust Features with Denoising Autoencoders", ICML 2008.
    .. [2] B. Uria, I. Murray and H. Larochelle, "A Deep and Tractable Density Estimator", ICML
       2014.
    .. [3] S. Hawkins, H. He, G. Williams and R. Baxter, "Outlier Detection Using Replicator
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
            StrOptions(
                {"auto", "ensemble", "channels", "mahalanobis", "residual", "reconstruction"}
            )
        ],
        "loss": [str, callable, HasMethods(["call", "get_config"])],
        "novelty": ["boolean"],
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
        novelty=False,
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
        self.novelty = novelty
        self.standardize = standardize
        self.model = model
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    _state_parts = (*BaseNeuralDetector._state_parts, *PARTS)

    def _few_rows_scorer(self):
        """Return what scores few rows fast, for streams; None where only `score_samples` can."""
        return tile_scorer(self)

    def _new_learner(self, rows, seed, before):
        settings = self._settings(rows.X.shape[1])
        settings["masked"] = before.settings["masked"] if before else needs_targets(rows.X)
        loss = table_loss(rows.X, self.loss) if settings["masked"] else self.loss
        return Autoencoder(settings, self._schedule(settings, loss=loss), seed)

    def _settings(self, n_features):
        """Return every "auto" parameter's value."""
        recipe = self.recipe
        if recipe == "auto":
            recipe = "multiscale" if self.model is None else "plain"
        settings = settings_of(self, AUTOENCODER[recipe] | DEFAULTS.get(self.architecture, {}))
        settings |= {n: getattr(self, n) for n in ("architecture", "l2", "model", "standardize")}
        settings["noise"] = noise_bounds(settings["noise"])
        settings["trim"] = trim_share(self.novelty, self.contamination)
        settings["row_shape"] = self._row_shape(n_features)
        wide = n_features > _WIDE and self.n_estimators == "auto"
        if self.model is not None or wide or settings["row_shape"] is not None:
            settings["n_estimators"] = 1
        return settings

    def _fit_passes(self, X, passes):
        """Fit as `fit` does, but train the network on more rows than these.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows for scales, categories, scores and the threshold.
        passes : callable
            Returns an iterator over blocks of rows like `X`: those of one epoch.
        """
        self._passes = passes
        try:
            return self.fit(X)
        finally:
            vars(self).pop("_passes", None)

    def _refuse_passes(self, n_features):
        """Raise a ValueError where training needs all of its rows at once."""
        settings = self._settings(n_features)
        reasons = {
            "a budget of steps draws from all rows: set epochs": settings["max_steps"] is not None,
            "early_stopping holds rows out": settings["early_stopping"],
            "callbacks watch epochs of rows in memory": self.callbacks is not None,
            "warm_start goes on from rows in memory": self.warm_start,
        }
        found = [reason for reason, holds in reasons.items() if holds]
        if found:
            raise ValueError(
                f"The network of {type(self).__name__} cannot be trained on passes over rows that "
                f"are not in memory: {'; '.join(found)}. Use recipe='plain', or leave these at "
                "their defaults and train on a sample."
            )

    def _row_shape(self, n_features):
        """Return what a row stands for, None for dense networks."""
        shape = row_shape(self.architecture, self.input_shape, n_features, type(self).__name__)
        if shape is not None and self.n_estimators not in ("auto", 1):
            raise ValueError(
                f"AutoencoderDetector trains one network with architecture={self.architecture!r}, "
                f"got n_estimators={self.n_estimators!r}. Leave it at 'auto'."
            )
        return shape

    def _find_offset(self, scores, rows, out_of_fold):
        if self.contamination == "auto" and isinstance(self._learner.scorer, EnsembleScore):
            # training rows' scores are those of new rows: what they say holds for these
            return false_alarm_offset(scores, _FALSE_ALARMS, rows.weight)
        if self._learner.scorer is not None or self.contamination != "auto":
            return super()._find_offset(scores, rows, out_of_fold)
        # Squared errors are skewed: three standard deviations mean what they say on their cube
        # roots (Wilson and Hilferty, 1931). A hair lower, lest rounding flags equal scores.
        root = robust_offset(np.cbrt(scores), rows.weight)
        return float(root**3 * (1 + 1e-9))

    def _error_parts(self, X):
        """Return each feature's part of the mean squared error; None with another score."""
        if self._learner.scorer is not None:
            return None
        return self._learner.error_parts(self._checked_rows(X))

    def _told(self, X, background=None):
        """Return what `Autoencoder.told` does, categories by their names among other rows.

        None where surprises are no part of the score.
        """
        if getattr(self._learner.scorer, "masked_", None) is None:
            return None
        shares, chances, middles = self._learner.told(self._checked_rows(X))
        return shares, chances, self._encoder.named(middles, background)

    def reconstruct(self, X):
        """Return what the network makes of rows, in the units of the data.

        %(rows)s

        Returns
        -------
        reconstruction : ndarray of shape (n_samples, n_features), float64
            The mean over the networks. For a category it is the probability of the row's own
            value; NaN where that is missing. Answers beyond the range of floats are its ends.
        """
        X = self._checked_rows(X)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._learner.reconstruct(X)

    def encode(self, X):
        """Return the inner codes of rows.

        %(rows)s

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
        with np.errstate(over="ignore", invalid="ignore"):
            return self._learner.encode(X)
