"""Scorers: what ``scoring=`` takes, for any outlier detector of scikit-learn or skanomaly.

Owns: asking a detector for its answers. Does not own: the metrics themselves, the points drawn
around the rows (``metrics._uniform``), what is refused (``utils._response``), nor caching and
metadata routing, which are those of scikit-learn's scorers. The ready scorers are in
`skanomaly.metrics`.
"""

import copy
import inspect
import warnings

import numpy as np
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer
from sklearn.pipeline import Pipeline

from skanomaly.metrics._labelled import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_at_n_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from skanomaly.metrics._uniform import uniform_like
from skanomaly.metrics._unlabelled import (
    check_mass_range,
    excess_mass_score,
    mass_volume_loss,
    reconstruction_score,
)
from skanomaly.utils._categories import clone_for_columns, fitted_categories, take_columns
from skanomaly.utils._containers import collected
from skanomaly.utils._labels import read_labels
from skanomaly.utils._response import (
    check_direction,
    check_labels,
    is_detector,
    predictions_method,
    scores_method,
    scores_of,
)
from skanomaly.utils._validation import check_integer, check_number, check_table

#: Metrics of scores and of predictions, by the names that scorers have.
_OF_SCORES = {
    "roc_auc": roc_auc_score,
    "average_precision": average_precision_score,
    "precision_at_n": precision_at_n_score,
}
_OF_PREDICTIONS = {
    "f1": f1_score,
    "precision": precision_score,
    "recall": recall_score,
    "balanced_accuracy": balanced_accuracy_score,
    "matthews_corrcoef": matthews_corrcoef,
}
#: Criterion and its sign: a scorer is better when higher.
_LABEL_FREE = {"excess_mass": (excess_mass_score, 1), "neg_mass_volume": (mass_volume_loss, -1)}
_UNIFORM_DEFAULTS = {"n_uniform": 10_000, "max_features": None, "n_draws": 10, "random_state": 0}


def anomaly_scorer(metric, *, anomaly_label="auto", **params):
    """Make an object for ``scoring=``, for any outlier detector of scikit-learn or skanomaly.

    The ready objects of `skanomaly.metrics`, such as ``roc_auc_scorer``, are
    ``anomaly_scorer(name)``.

    Parameters
    ----------
    metric : str or list of str
        "roc_auc", "average_precision", "precision_at_n" (of ``score_samples``); "f1",
        "precision", "recall", "balanced_accuracy", "matthews_corrcoef" (of ``predict``);
        "excess_mass", "neg_mass_volume" (without labels); "reconstruction" (without labels; needs
        a detector with ``reconstruct``, and leaves its categories out). A list gives one scorer
        that answers a dict of all of them and scores the rows once.
    anomaly_label : scalar, default="auto"
        The value of y that marks an anomaly. Give it unless y is coded -1/1, 0/1 or boolean:
        which value is the rarest can differ from fold to fold.
    **params : dict
        Parameters of the metric: ``n`` of "precision_at_n", ``min_mass``, ``mass_range``. The
        two criteria without labels also take ``n_uniform`` (default 10,000: points drawn in
        the box around the rows; of a column of categories, bools among them, one of its values
        each), ``random_state`` (default 0: the same points for every
        candidate) and ``max_features`` (default None). With more than about eight features
        almost all of the box is empty and the criteria say little; with ``max_features=5``, say,
        the detector is cloned and fitted to the rows it scores on ``n_draws`` (default 10)
        random subsets of so many features, and the mean is taken (algorithm 1 of Goix, 2016).

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None, *, sample_weight=None)``, higher is better. It can be
        pickled; ``set_score_request(sample_weight=True)`` returns a copy that takes weights
        under metadata routing.

    Raises
    ------
    ValueError
        If the name of the metric is unknown.
    TypeError
        If the metric is a function, or does not have one of `params`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.model_selection import cross_val_score
    >>> from skanomaly.metrics import anomaly_scorer
    >>> X, y = load_breast_cancer(return_X_y=True)  # 0 is malignant
    >>> scorer = anomaly_scorer("roc_auc", anomaly_label=0)
    >>> values = cross_val_score(IsolationForest(random_state=0), X, y, scoring=scorer)
    >>> print(f"ROC AUC {values.mean():.2f}")
    ROC AUC 0.8...
    """
    names = [*_OF_SCORES, *_OF_PREDICTIONS, *_LABEL_FREE, "reconstruction"]
    if metric is None or callable(metric):
        what = "a function" if callable(metric) else "None"
        raise TypeError(
            f"metric must be one of {names}, or a list of them, got {what}. A function of "
            "labels and scores becomes a scorer by sklearn.metrics.make_scorer; of the estimator "
            "and rows it is one already."
        )
    if not isinstance(metric, str):
        if params:
            raise TypeError(f"several metrics share no parameters, got {sorted(params)}.")
        scorers = {name: anomaly_scorer(name, anomaly_label=anomaly_label) for name in metric}
        return _ManyScorers(scorers, anomaly_label)
    for functions, kind in ((_OF_SCORES, _ScoresScorer), (_OF_PREDICTIONS, _PredictionsScorer)):
        if metric in functions:
            return kind(metric, functions[metric], params, anomaly_label)
    if metric in _LABEL_FREE:
        return _UniformScorer(metric, *_LABEL_FREE[metric], params)
    if metric == "reconstruction":
        return _ReconstructionScorer(metric, reconstruction_score, params, anomaly_label)
    raise ValueError(f"metric must be one of {names}, got {metric!r}.")


def refuse_unusable(scorer, name, y):
    """Refuse what cannot score detectors, before any is fitted."""
    metrics = ("sklearn.metrics.", "skanomaly.metrics.")
    if inspect.isfunction(scorer) and scorer.__module__.startswith(metrics):
        raise TypeError(
            f"scoring got {scorer.__name__}, a function of labels and scores, for {name!r}. "
            "Expected a scorer, which takes the estimator and rows: a name such as 'roc_auc', or "
            "skanomaly.metrics.anomaly_scorer(name)."
        )
    if isinstance(scorer, _ManyScorers):
        for part in scorer._scorers.values():
            refuse_unusable(part, name, y)
    if isinstance(scorer, _ScoresScorer):
        _refuse_no_labels(scorer.metric, y)


def _refuse_no_labels(metric, y):
    if y is None:
        raise ValueError(
            f"the metric {metric!r} needs labels, got y=None. Pass y, or use a metric "
            f"without labels: {list(_LABEL_FREE)}."
        )


class _Scorer(_BaseScorer):
    """A scorer of scikit-learn's, as `make_scorer` makes them, for one metric of a detector.

    scikit-learn asks a detector once where several of these want the same answer. A subclass
    brings ``_score``, and refuses estimators whose answers mean something else.
    """

    def __init__(self, metric, function, params, anomaly_label="auto", sign=1):
        super().__init__(function, sign, _check_params(function, params), self._methods)
        self.metric, self.anomaly_label = metric, anomaly_label

    #: Methods that may answer, the first that there is.
    _methods = ("score_samples", "decision_function")

    def __call__(self, estimator, X, y=None, *, sample_weight=None, **params):
        if sample_weight is not None:
            self._refuse_weights()
        return super().__call__(estimator, X, y, sample_weight=sample_weight, **params)

    def __repr__(self):
        label = {} if self.anomaly_label == "auto" else {"anomaly_label": self.anomaly_label}
        shown = "".join(f", {name}={value!r}" for name, value in {**label, **self._kwargs}.items())
        return f"anomaly_scorer({self.metric!r}{shown})"

    def set_score_request(self, **request):
        """Return a copy with requests: the scorers of `skanomaly.metrics` stay as they are."""
        if "sample_weight" in request:
            self._refuse_weights()
        return super(_Scorer, copy.copy(self)).set_score_request(**request)

    def _refuse_weights(self):
        if not self._accept_sample_weight():
            raise TypeError(f"the metric {self.metric!r} takes no sample_weight.")


class _ScoresScorer(_Scorer):
    """A metric of labels and scores."""

    def _score(self, method_caller, estimator, X, y_true=None, **params):
        _refuse_no_labels(self.metric, y_true)
        answer = _ask(method_caller, estimator, self._method(estimator), X)
        self._check(estimator, X, answer)
        params = {"anomaly_label": self.anomaly_label, **self._kwargs, **params}
        return self._score_func(y_true, answer, **params)

    def _method(self, estimator):
        return scores_method(estimator)

    def _check(self, estimator, X, answer):
        """Refuse answers of another convention."""
        check_direction(estimator, X, answer)


class _PredictionsScorer(_ScoresScorer):
    """A metric of labels and predictions."""

    _methods = "predict"

    def _method(self, estimator):
        return predictions_method(estimator)

    def _check(self, estimator, X, answer):
        check_labels(estimator, answer)


class _UniformScorer(_Scorer):
    """A criterion of scores and of the scores of points around the rows; labels are ignored."""

    def __init__(self, metric, function, sign, params):
        own = {name: value for name, value in params.items() if name in _UNIFORM_DEFAULTS}
        _check_values(params)
        rest = {name: value for name, value in params.items() if name not in own}
        super().__init__(metric, function, rest, sign=sign)
        self._kwargs = params

    def _score(self, method_caller, estimator, X, y_true=None):
        params = {**_UNIFORM_DEFAULTS, **self._kwargs}
        n_uniform, max_features, n_draws, seed = (params.pop(name) for name in _UNIFORM_DEFAULTS)
        rng = np.random.default_rng(seed)
        if max_features is None or max_features >= np.shape(X)[1]:
            scores = _ask(method_caller, estimator, scores_method(estimator), X)
            check_direction(estimator, X, scores)
            return self._criterion(scores, estimator, X, n_uniform, rng, params)
        draws = []
        for _ in range(n_draws):
            columns = np.sort(rng.choice(np.shape(X)[1], max_features, replace=False))
            part = X.iloc[:, columns] if hasattr(X, "iloc") else np.asarray(X)[:, columns]
            fitted = clone_for_columns(estimator, columns, np.shape(X)[1]).fit(part)
            scores = scores_of(fitted, part)
            draws.append(self._criterion(scores, fitted, part, n_uniform, rng, params))
        return float(np.mean(draws))

    def _criterion(self, scores, estimator, X, n_uniform, rng, params):
        uniform = scores_of(estimator, uniform_like(X, n_uniform, rng, estimator), known=True)
        if np.max(uniform) < np.quantile(scores, 0.1):
            warnings.warn(
                f"none of the {n_uniform} points drawn around the rows lies in the region that "
                f"holds 90% of them: its volume cannot be measured, and {self.metric!r} hardly "
                "tells good detectors from bad ones. Pass max_features=5 to anomaly_scorer, or "
                "a larger n_uniform.",
                UserWarning,
                stacklevel=2,
            )
        return self._sign * self._score_func(scores, uniform, **params)


class _ReconstructionScorer(_Scorer):
    """The share of variance that a detector's reconstruction explains, in columns of numbers."""

    def _score(self, method_caller, estimator, X, y_true=None):
        while hasattr(estimator, "best_estimator_") or isinstance(estimator, Pipeline):
            if isinstance(estimator, Pipeline):
                X = estimator[:-1].transform(X) if len(estimator) > 1 else X
                estimator = estimator[-1]
            else:
                estimator = estimator.best_estimator_
        if not hasattr(estimator, "reconstruct"):
            raise TypeError(
                "the metric 'reconstruction' needs a detector with the method reconstruct, got "
                f"{type(estimator).__name__}. Use AutoencoderDetector, or 'excess_mass'."
            )
        back = np.asarray(estimator.reconstruct(X))
        mask = fitted_categories(estimator, back.shape[-1])
        if mask is not None and mask.any():  # their answers are probabilities, not values
            if mask.all():
                raise ValueError(
                    "the metric 'reconstruction' judges columns of numbers, and all columns of X "
                    f"are categories to this {type(estimator).__name__}. Use 'excess_mass', or "
                    "labels and 'average_precision'."
                )
            X, back = take_columns(X, ~mask), back[:, ~mask]
        X = check_table(X, "X", allow_nan=True)
        if y_true is not None:  # a good detector reconstructs everything but the anomalies
            labels = read_labels(y_true, anomaly_label=self.anomaly_label, n_samples=len(X))
            X, back = X[labels != -1], back[labels != -1]
        return self._score_func(X, back)


class _ManyScorers(_MultimetricScorer):
    """Several metrics by one call, as a dict."""

    def __init__(self, scorers, anomaly_label):
        super().__init__(scorers=scorers)
        self.anomaly_label = anomaly_label

    def __repr__(self):
        return f"anomaly_scorer({[*self._scorers]!r})"


def _ask(method_caller, estimator, method, X):
    """Return a detector's answer, from scikit-learn's cache if it knows the kind of estimator."""
    X = collected(X)
    with np.errstate(over="ignore"):  # of rows beyond float32, which many detectors read
        if is_detector(estimator):
            return np.asarray(method_caller(estimator, method, X, pos_label=None))
        return np.asarray(getattr(estimator, method)(X))


def _parameters(function):
    return inspect.signature(function).parameters


def _check_values(params):
    """Refuse values of a criterion's parameters before anything is scored."""
    if "min_mass" in params:
        check_number(params["min_mass"], "min_mass", high=1)
    if "mass_range" in params:
        check_mass_range(params["mass_range"])
    np.random.default_rng(params.get("random_state"))
    for name in ("n_uniform", "max_features", "n_draws"):
        if params.get(name) is not None:
            check_integer(params[name], name, 1)


def _check_params(function, params):
    own = [n for n, p in _parameters(function).items() if p.kind is p.KEYWORD_ONLY]
    own = [name for name in own if name not in ("anomaly_label", "sample_weight")]
    unknown = sorted(set(params) - set(own))
    if unknown:
        raise TypeError(f"{function.__name__} has no parameter {unknown}; it has {own}.")
    return params
