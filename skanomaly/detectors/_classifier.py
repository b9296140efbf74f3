"""NeuralAnomalyClassifier: learns anomalies from labels, few or many, or none.

Owns the detector's parameters, what its labels mean, its threshold and its probabilities.
How networks are trained on labels is the business of the learners.
"""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skanomaly.base import ProbabilityMixin
from skanomaly.detectors._neural import BaseNeuralDetector
from skanomaly.detectors._recipes import CLASSIFIER, resolve, settings_of
from skanomaly.learners import _labelled, _single, _subspaces
from skanomaly.learners._labelled import FewLabels, FullLabels
from skanomaly.learners._single import SingleNetwork
from skanomaly.learners._subspaces import Subspaces
from skanomaly.networks._losses import RowWeighted
from skanomaly.networks._sequences import ARCHITECTURES, DEFAULTS
from skanomaly.thresholds._unlabelled import contamination_offset
from skanomaly.utils._calibration import SigmoidMap
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import label_codes

#: Rows that look like anomalies out of fold, over those labelled so, before labels are doubted.
_SUSPICIOUS_RATIO, _SUSPICIOUS_ROWS = 1.5, 5


@documented
class NeuralAnomalyClassifier(ProbabilityMixin, BaseNeuralDetector):
    """Anomaly detection by networks that learn from labels.

    Labels may be complete, partly missing or absent. Rows are standardised inside. `predict`
    answers +1 and -1 whatever the coding of the labels, like every outlier detector of
    scikit-learn.

    Parameters
    ----------
    recipe : {"auto", "ensemble", "plain"}, default="auto"
        How to learn, and what every parameter left at "auto" stands for, see the notes.
        "auto" is "ensemble", or "plain" (one network) when `model` is given or `architecture`
        is not "dense".
    architecture : {"dense", "conv1d", "lstm", "gru", "conv2d"}, default="dense"
        Kind of network. "conv1d", "lstm" and "gru" read a row as a sequence, "conv2d" as an
        image, see :ref:`sequences`.
    %(input_shape)s
    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        Widths of the hidden layers; the smooth group's are twice as wide. Filters of
        convolutions, units of recurrent layers (which keep tanh for an activation).
    activation : "auto", str or callable, default="auto"
        Activation of the hidden layers, by its Keras name.
    dropout : "auto" or float in [0, 1), default="auto"
        Dropout rate behind hidden layers.
    weight_decay : "auto" or float, default="auto"
        Decoupled weight decay of a named optimizer.
    class_weight : "auto", "balanced", dict or None, default="auto"
        Weights of the classes in the loss. "balanced" gives both classes the same total
        weight, a dict names them as ``{-1: weight_of_anomalies, 1: weight_of_normal_rows}``,
        None weighs all rows the same. "auto" is "balanced", but for the ensemble with
        complete labels the square root of those weights.
    %(anomaly_label)s
    unlabeled_label : scalar, default=None
        A value of `y` that says "not checked", for example 0 where 1 marks the anomalies found
        so far. Missing labels (NaN, None, pandas.NA) always say so.
    %(optimizer)s
    %(learning_rate)s
    loss : str, callable or keras.losses.Loss, default="binary_crossentropy"
        Loss between label (1 for an anomaly) and output ("plain" alone).
    epochs : "auto", int or None, default="auto"
        Passes over the training rows.
    %(max_steps)s
    %(batch_size)s
    early_stopping : "auto" or bool, default="auto"
        Hold out rows, the same share of both classes, stop when their loss no longer falls,
        and keep the best weights. "auto" does so for "plain"; the ensemble has a budget in
        steps, and members that check each other.
    %(validation_fraction)s
    %(n_iter_no_change)s
    %(callbacks)s
    %(categorical_features)s
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the training rows to call anomalies. With "auto", labels decide, see the
        notes. Without labels "auto" calls those rows anomalies whose score lies more than
        three robust standard deviations below the median.
    standardize : bool, default=True
        Standardise the columns and cut them off at 20 standard deviations ("plain" alone; the
        ensemble scales its features itself).
    model : callable or keras.Model, default=None
        Own network instead of the built-in one: a function or partial that returns a Keras
        model with one sigmoid output (it may take an argument called ``n_features``), or such
        a model, of which a copy is trained.
    %(warm_start)s
    %(random_state)s
    %(verbose)s

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        ``[-1, 1]``: the order of the columns of `predict_proba`.
    %(offset_)s
    %(network_)s
    %(history_)s
    %(n_iter_)s
    %(is_categorical_)s
    %(n_features_in_)s
    %(feature_names_in_)s

    See Also
    --------
    AutoencoderDetector : Learns without labels.
    ThresholdedDetector : Finds a threshold that holds for new rows.

    Notes
    -----
    Labels decide what the ensemble learns:

    - **All rows are labelled.** Three groups of eight small networks (on piecewise-linear
      features [1]_, smooth ones, linear ones) and two forests of a hundred trees [5]_ see three
      unsupervised scores, too: one of randomised trees, and one of trees that search half the
      columns for every cut. Each network never sees an eighth of the rows, each tree a third
      or more: what they say of rows they did not see decides how much a group counts [4]_,
      the threshold (between flagging as many rows as there are anomalies and the best
      expected F1) and the probabilities.
    - **Some rows are unlabelled.** They count as normal ones with little weight. Three groups
      of eight networks differ in shape and loss; the trees of one forest see the labelled
      anomalies and small draws of other rows [6]_; those of the other take all unlabelled rows
      for normal, and find what a few known anomalies have in common; and the unsupervised
      scores speak for the anomalies as long as labels are few. The threshold catches the known
      anomalies out of fold with the fewest rows [3]_; a handful of labels moves it but little
      from odds of one to two.
    - **There are no labels, or one class alone.** 32 networks tell the rows from uniform noise
      around them [2]_, each in three columns of its own; the distance to the 20th neighbour in
      all columns counts as much. `contamination` sets the threshold.

    There is a `predict_proba` after a fit with complete labels of both classes alone: scores out
    of fold are calibrated on them (Platt scaling), so that a doubtful row has a low probability
    even where `predict` calls it.

    ===================  =============================================  ==================
    "auto" stands for    "ensemble"                                     "plain"
    ===================  =============================================  ==================
    hidden_layer_sizes   (32, 32)                                       (32, 16)
    activation           "relu"                                         "relu"
    dropout              0                                              0.1
    weight_decay         0.02                                           1e-4
    learning_rate        all labels 4e-3, some 2e-3, none 4e-3          1e-3
    epochs               as `max_steps` says                            100
    max_steps            all 400 to 1200, some 300 to 1200, none 250    None
    batch_size           128                                            32
    early_stopping       False                                          True
    ===================  =============================================  ==================

    With "plain", unlabelled rows are trained on as normal ones, and without labels the noise
    fills all columns at once. Its threshold has the best F1 of the anomaly class, on held-out
    rows where they hold ten anomalies.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On Embeddings for Numerical Features in
       Tabular Deep Learning", NeurIPS 2022.
    .. [2] T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical Learning",
       2nd edition, 2009, section 14.2.4.
    .. [3] W. S. Lee and B. Liu, "Learning with Positive and Unlabeled Examples Using Weighted
       Logistic Regression", ICML 2003.
    .. [4] L. Breiman, "Stacked Regressions", Machine Learning 24, 1996.
    .. [5] L. Breiman, "Random Forests", Machine Learning 45, 2001; half the trees after
       P. Geurts, D. Ernst and L. Wehenkel, "Extremely Randomized Trees", Machine Learning 63,
       2006.
    .. [6] F. Mordelet and J.-P. Vert, "A Bagging SVM to Learn from Positive and Unlabeled
       Examples", Pattern Recognition Letters 37, 2014.

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
        "recipe": [StrOptions({"auto", *CLASSIFIER})],
        "architecture": [StrOptions({*ARCHITECTURES})],
        "input_shape": ["array-like", Interval(Integral, 1, None, closed="left"), None],
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
        architecture="dense",
        input_shape=None,
        hidden_layer_sizes="auto",
        activation="auto",
        dropout="auto",
        weight_decay="auto",
        class_weight="auto",
        anomaly_label="auto",
        unlabeled_label=None,
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
        self.activation = activation
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.class_weight = class_weight
        self.anomaly_label = anomaly_label
        self.unlabeled_label = unlabeled_label
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

    _state_parts = (
        *BaseNeuralDetector._state_parts, *_labelled.PARTS, *_single.PARTS, *_subspaces.PARTS,
        SigmoidMap,
    )  # fmt: skip
    _uses_labels = True
    _needs_for_probabilities = (
        "a fit with complete labels of both classes: only then is there something to calibrate "
        "on. Use decision_function, or skanomaly.ThresholdedDetector around a frozen detector and "
        "labelled rows."
    )

    def _read_labels(self, y, n_samples, weight):
        """Return label codes, or None when they hold fewer than two kinds of rows."""
        if y is None:
            return None
        codes = self._codes(y, n_samples)
        counted = codes if weight is None else codes[weight > 0]
        anomalies, others = np.count_nonzero(counted == -1), np.count_nonzero(counted != -1)
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

    def _codes(self, y, n_samples):
        """Return label codes as the parameters say."""
        return label_codes(y, n_samples, self.anomaly_label, self.unlabeled_label)

    def _new_learner(self, rows, seed, before):
        recipe, own = self.recipe, DEFAULTS.get(self.architecture, {})
        if recipe == "auto":
            recipe = "plain" if self.model is not None or own else "ensemble"
        self._check_architecture(recipe)
        widths = {"hidden_layer_sizes": own["hidden_layer_sizes"]} if own else {}
        settings = settings_of(self, CLASSIFIER[recipe] | widths)
        settings["class_weight"] = self.class_weight
        if recipe == "plain":
            names = ("model", "standardize", "architecture", "input_shape")
            settings |= {name: getattr(self, name) for name in names}
            loss, decay = RowWeighted(self.loss), settings["weight_decay"]
            schedule = self._schedule(settings, loss=loss, weight_decay=decay)
            return SingleNetwork(settings, schedule, seed)
        kind = _ensemble_for(rows.labels)
        schedule = self._budgeted(settings, kind.budget(len(rows.row_indices)), kind.new_loss())
        return kind(settings, schedule, seed)

    def _check_architecture(self, recipe):
        if recipe != "plain" and self.architecture != "dense":
            raise ValueError(
                f"NeuralAnomalyClassifier trains one network with architecture="
                f"{self.architecture!r}, got recipe={recipe!r}. Leave the recipe at 'auto'."
            )

    def _budgeted(self, settings, budget, loss):
        """Return a schedule: the recipe's budget where the user has not set his own."""
        settings = dict(settings)
        for name in ("learning_rate", "max_steps"):
            settings[name] = resolve(settings[name], budget[name])
        if settings["epochs"] is None:
            settings["warmup_steps"] = settings["max_steps"] // 20
        return self._schedule(settings, loss=loss, weight_decay=settings["weight_decay"])

    def _find_offset(self, scores, rows, out_of_fold):
        self._map, self.classes_ = None, np.array([-1, 1])
        if out_of_fold is not None:
            margins, labels = out_of_fold
            if (rows.labels != 0).all():
                self._map = SigmoidMap(-margins, labels > 0, centre=0.0)
            if isinstance(self._learner, FullLabels):
                self._warn_if_incomplete(margins, labels)
        if out_of_fold is None or self.contamination != "auto":
            return contamination_offset(scores, self.contamination, rows.weight)
        return self._learner.offset(-margins, labels, self._map)

    def _warn_if_incomplete(self, out_of_fold, labels):
        """Warn when out of fold far more rows look like anomalies than are labelled so."""
        labelled, found = np.count_nonzero(labels), np.count_nonzero(out_of_fold > 0)
        if found > _SUSPICIOUS_RATIO * labelled + _SUSPICIOUS_ROWS:
            warnings.warn(
                f"y names {labelled} anomalies, but {found} rows look like one to networks "
                "that never saw them. If rows without a mark were not checked, they are "
                "unlabelled rather than normal: give them a missing label, or pass "
                "unlabeled_label with the value that marks them.",
                UserWarning,
                stacklevel=5,
            )


def _ensemble_for(codes):
    """Return the kind of learner for label codes: none, some unlabelled, all known."""
    if codes is None:
        return Subspaces
    return FewLabels if (codes == 0).any() else FullLabels
