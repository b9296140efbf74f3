"""NeuralAnomalyClassifier: learns anomalies from labels, few or many, or none.

Owns the detector's parameters, what its labels mean, its threshold and its probabilities.
How networks are trained on labels is the business of the learners.
"""

import warnings
from functools import partial
from numbers import Real

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skanomaly._base import BaseNeuralDetector, resolve
from skanomaly._ensembles import FewLabels, FullLabels, Subspaces
from skanomaly._labels import read_labels
from skanomaly._learners import RowWeighted, SingleNetwork
from skanomaly._sampling import canonical_order, repeat_rows
from skanomaly._threshold import contamination_offset

#: What "auto" stands for in each recipe.
RECIPES = {
    "ensemble": {
        "hidden_layer_sizes": (32, 32),
        "activation": "relu",
        "weight_decay": 0.02,
        "learning_rate": "auto",
        "max_steps": "auto",
        "warmup_steps": None,
        "batch_size": 128,
    },
    "plain": {
        "hidden_layer_sizes": (32, 16),
        "activation": "relu",
        "dropout": 0.1,
        "weight_decay": 1e-4,
        "learning_rate": 1e-3,
        "epochs": 100,
        "max_steps": None,
        "warmup_steps": None,
        "batch_size": 32,
        "early_stopping": True,
    },
}


class NeuralAnomalyClassifier(BaseNeuralDetector):
    """Anomaly detection by networks that learn from labels.

    Labels may be complete, partly missing or absent. Rows are standardised inside. `predict`
    answers +1 and -1 whatever the coding of the labels, like every outlier detector of
    scikit-learn.

    Parameters
    ----------
    recipe : {"auto", "plain"}, default="auto"
        What every parameter left at "auto" stands for, see the table in the notes.
    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        Widths of the hidden layers.
    activation : "auto", str or callable, default="auto"
        Activation of the hidden layers, by its Keras name.
    dropout : "auto" or float in [0, 1), default="auto"
        Dropout rate behind hidden layers.
    weight_decay : "auto" or float, default="auto"
        Decoupled weight decay of a named optimizer.
    class_weight : "balanced", dict or None, default="balanced"
        Weights of the classes in the loss. "balanced" gives both classes the same total
        weight, a dict names them as ``{-1: weight_of_anomalies, 1: weight_of_normal_rows}``,
        None weighs all rows the same.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks anomalies. With "auto", -1 does in labels of -1 and 1, and
        1 (True) in labels of 0 and 1; of other values the rarest does, with a warning.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        Name, or instance: that is copied and brings its own learning rate.
    learning_rate : "auto" or float, default="auto"
        Learning rate of a named optimizer.
    loss : str, callable or keras.losses.Loss, default="binary_crossentropy"
        Loss between label (1 for an anomaly) and output.
    epochs : "auto", int or None, default="auto"
        Passes over the training rows.
    max_steps : "auto", int or None, default="auto"
        Budget in optimizer steps, whatever the number of rows; an explicit `epochs` wins.
    batch_size : "auto" or int, default="auto"
        Rows in a batch.
    early_stopping : "auto" or bool, default="auto"
        Hold out rows, the same share of both classes, stop when their loss no longer falls,
        and keep the best weights.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows held out for early stopping.
    n_iter_no_change : int, default=10
        Epochs without improvement before early stopping.
    callbacks : keras.callbacks.Callback or list of them, default=None
        Called while training.
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the training rows to call anomalies. With "auto", labels decide: the threshold
        has the best F1 of the anomaly class, on held-out rows where they hold enough
        anomalies. Without labels "auto" calls those rows anomalies whose score lies more than
        three robust standard deviations below the median.
    standardize : bool, default=True
        Standardise the columns and cut them off at 20 standard deviations.
    model : callable or keras.Model, default=None
        Own network instead of the built-in one: a function or partial that returns a Keras
        model with one sigmoid output (it may take an argument called ``n_features``), or such
        a model, of which a copy is trained.
    warm_start : bool, default=False
        Go on training the network of the last `fit` instead of a new one.
    random_state : int, RandomState instance or None, default=None
        Seed of everything random. The global generators are left alone.
    verbose : int, default=0
        1 shows a progress line on standard error.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        ``[-1, 1]``: the order of the columns of `predict_proba`.
    offset_ : float
        Threshold: ``decision_function = score_samples - offset_``.
    network_ : keras.Model
        The trained network.
    history_ : dict of str to list of float
        "loss" per epoch, and "val_loss" with early stopping.
    n_iter_ : int
        Number of epochs trained.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when all of them are strings.

    See Also
    --------
    AutoencoderDetector : Learns without labels.

    Notes
    -----
    Rows whose label is missing (NaN, None, pandas.NA) are unlabelled; they are trained on as
    normal rows, since most of them are.

    Without `y`, or when `y` holds one class alone, there is nothing to tell apart. The
    detector then learns the rows against a synthetic background: as many rows drawn uniformly
    from the box around them [1]_. `contamination` sets the threshold.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical Learning",
       2nd edition, 2009, section 14.2.4.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly import NeuralAnomalyClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = np.r_[rng.normal(size=(190, 3)), rng.normal(4, 1, size=(10, 3))]
    >>> y = np.r_[np.zeros(190), np.ones(10)]
    >>> detector = NeuralAnomalyClassifier(random_state=0).fit(X, y)
    >>> detector.predict([[0.0, 0.0, 0.0], [4.0, 4.0, 4.0]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        **BaseNeuralDetector._parameter_constraints,
        "recipe": [StrOptions({"auto", *RECIPES})],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
        "weight_decay": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "class_weight": [StrOptions({"auto", "balanced"}), None, dict],
        "loss": [str, callable, HasMethods(["call", "get_config"])],
        "standardize": ["boolean"],
    }

    def __init__(
        self,
        recipe="auto",
        *,
        hidden_layer_sizes="auto",
        activation="auto",
        dropout="auto",
        weight_decay="auto",
        class_weight="auto",
        anomaly_label="auto",
        optimizer="adam",
        learning_rate="auto",
        loss="binary_crossentropy",
        epochs="auto",
        max_steps="auto",
        batch_size="auto",
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=10,
        callbacks=None,
        contamination="auto",
        standardize=True,
        model=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.recipe = recipe
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.class_weight = class_weight
        self.anomaly_label = anomaly_label
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
        self.contamination = contamination
        self.standardize = standardize
        self.model = model
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # ------------------------------------------------------------------ training

    def _train(self, X, y, weight, seed, again):
        codes = self._read(y, len(X))
        rows = repeat_rows(canonical_order(X, codes), weight)
        before = self._learner if again else None
        learner = self._new_learner(codes, seed)
        if before is not None and type(before) is not type(learner):
            before = None  # other labels than last time: nothing to go on from
        if codes is None:
            learner.fit_background(X, rows, before)
        else:
            labels = (codes == -1).astype(np.float64)
            learner.fit(X, labels, rows, self._class_weights(labels[rows], learner), before)
            self._warn_if_incomplete(codes, rows, learner)
        self.classes_ = np.array([-1, 1])
        self._learner, self._trainer = learner, learner.trainer
        return codes, rows

    def _read(self, y, n_samples):
        """Return label codes, or None when they hold fewer than two kinds of rows."""
        if y is None:
            return None
        codes = read_labels(y, anomaly_label=self.anomaly_label, n_samples=n_samples)
        anomalies, others = np.count_nonzero(codes == -1), np.count_nonzero(codes != -1)
        if anomalies and others:
            return codes
        if anomalies:
            warnings.warn(
                "All rows of y are labelled as anomalies. With one class there is nothing to "
                "tell apart: the labels are ignored, and the rows are learnt as the normal "
                "ones. Add normal or unlabelled rows.",
                UserWarning,
                stacklevel=5,
            )
        return None

    def _new_learner(self, codes, seed):
        recipe = self.recipe
        if recipe == "auto":
            recipe = "ensemble" if self.model is None else "plain"
        settings = self._resolve(RECIPES[recipe])
        if recipe == "plain":
            settings |= {"model": self.model, "standardize": self.standardize}
            decay = settings["weight_decay"]
            schedule = self._schedule(settings, loss=RowWeighted(self.loss), weight_decay=decay)
            return SingleNetwork(settings, schedule, seed)
        if codes is None:
            return Subspaces(settings, partial(self._budgeted, settings), seed)
        kind = FewLabels if (codes == 0).any() else FullLabels
        return kind(settings, partial(self._budgeted, settings), seed)

    def _budgeted(self, settings, budget, **own):
        """Return a schedule: the recipe's budget where the user has not set his own."""
        settings = dict(settings)
        for name in ("learning_rate", "max_steps"):
            settings[name] = resolve(settings[name], budget[name])
        if settings["epochs"] is None:
            settings["warmup_steps"] = settings["max_steps"] // 20
        return self._schedule(settings, weight_decay=settings["weight_decay"], **own)

    def _class_weights(self, labels, learner):
        """Return the weights of the losses of normal rows and anomalies."""
        if self.class_weight is None:
            return 1.0, 1.0
        if isinstance(self.class_weight, str):
            power = 1.0 if self.class_weight == "balanced" else learner.imbalance
            anomalies = np.count_nonzero(labels)
            return 1.0, ((len(labels) - anomalies) / anomalies) ** power
        unknown = set(self.class_weight) - {-1, 1}
        values = [self.class_weight.get(1, 1.0), self.class_weight.get(-1, 1.0)]
        if unknown or not all(isinstance(v, Real) and v > 0 for v in values):
            raise ValueError(
                "The 'class_weight' parameter of NeuralAnomalyClassifier must be 'balanced', "
                "None or a dict of positive numbers such as {-1: 10.0, 1: 1.0}, where -1 "
                f"stands for anomalies and 1 for normal rows. Got {self.class_weight!r} instead."
            )
        return float(values[0]), float(values[1])

    # ------------------------------------------------------------------ scores

    def _score_rows(self, X):
        return -self._learner.margins(X)

    def _find_offset(self, scores, weight, seen):
        codes, rows = seen
        self._slope, self._intercept = 1.0, None
        if codes is None:
            return float(contamination_offset(scores, self.contamination, weight))
        labels = (codes == -1).astype(np.float64)
        honest, rows = self._learner.honest(-scores, labels, rows)
        self._slope, self._intercept = _platt(honest[rows], labels[rows] > 0)
        if self.contamination != "auto":
            return float(contamination_offset(scores, self.contamination, weight))
        return self._learner.offset(-honest, labels, rows)

    def _warn_if_incomplete(self, codes, rows, learner):
        """Warn when the scores of rows out of fold look as if labels were missing."""

    def predict_proba(self, X):
        """Return probabilities of being an anomaly and of being normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, 2), float64
            Columns as in `classes_`: the anomaly's first. With labels the scores are calibrated
            on them (Platt scaling), so that rare anomalies have low probabilities even where
            `predict` calls them. Without labels there is nothing to calibrate on: the
            probability is one half at the threshold and rises with the score.
        """
        scores = self.score_samples(X)
        shift = self.offset_ if self._intercept is None else self._intercept
        anomaly = expit(-self._slope * scores + shift)
        return np.stack([anomaly, 1 - anomaly], axis=1)


def _platt(margins, is_anomaly):
    """Return slope and intercept of calibrated log odds (Platt, 1999)."""
    n_anomalies, n = np.count_nonzero(is_anomaly), len(is_anomaly)
    # Platt's targets: short of 0 and 1, so that separable classes keep finite odds
    high, low = (n_anomalies + 1) / (n_anomalies + 2), 1 / (n - n_anomalies + 2)
    share = np.where(is_anomaly, high, low)
    scale = max(float(np.std(margins)), 1e-12)
    X = np.tile(margins / scale, 2)[:, None]
    y = np.repeat([1, 0], n)
    model = LogisticRegression(C=1e6, max_iter=1000)
    model.fit(X, y, sample_weight=np.r_[share, 1 - share])
    slope = float(model.coef_[0, 0]) / scale
    if slope <= 0:  # scores that say nothing: the share of anomalies for every row
        return 0.0, float(np.log(max(n_anomalies, 0.5) / max(n - n_anomalies, 0.5)))
    return slope, float(model.intercept_[0])
