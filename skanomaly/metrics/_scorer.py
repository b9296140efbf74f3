"""Scorers: what ``scoring=`` takes, for any outlier detector of scikit-learn or skanomaly.

Owns: asking a detector for its answers, drawing points around the rows, and metadata routing.
Does not own: the metrics themselves. Scorers pickle, and refer to metrics by name.
Public names are in `skanomaly.metrics`, where the ready scorers are.
"""

import inspect
import warnings

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.metadata_routing import MetadataRequest

from skanomaly.metrics._labelled import (
    average_precision,
    balanced_accuracy,
    f1,
    mcc,
    precision,
    precision_at_n,
    recall,
    roc_auc,
)
from skanomaly.metrics._unlabelled import excess_mass, mass_volume, reconstruction
from skanomaly.utils._labels import read_labels
from skanomaly.utils._response import predictions_of, scores_of

#: Metric and the detector's answer it judges.
_LABELLED = {
    "roc_auc": (roc_auc, "scores"),
    "average_precision": (average_precision, "scores"),
    "precision_at_n": (precision_at_n, "scores"),
    "f1": (f1, "predictions"),
    "precision": (precision, "predictions"),
    "recall": (recall, "predictions"),
    "balanced_accuracy": (balanced_accuracy, "predictions"),
    "mcc": (mcc, "predictions"),
}
#: Criterion and its sign: a scorer is better when higher.
_LABEL_FREE = {"excess_mass": (excess_mass, 1), "neg_mass_volume": (mass_volume, -1)}
_UNIFORM_DEFAULTS = {"n_uniform": 10_000, "max_features": None, "n_draws": 10, "random_state": 0}


def anomaly_scorer(metric, *, anomaly_label="auto", **params):
    """Make an object for ``scoring=``, for any outlier detector of scikit-learn or skanomaly.

    The ready objects of `skanomaly.metrics`, such as ``roc_auc_scorer``, are
    ``anomaly_scorer(name)``.

    Parameters
    ----------
    metric : str or list of str
        "roc_auc", "average_precision", "precision_at_n" (of ``score_samples``); "f1",
        "precision", "recall", "balanced_accuracy", "mcc" (of ``predict``); "excess_mass",
        "neg_mass_volume" (without labels); "reconstruction" (without labels; needs a detector
        with ``reconstruct``). A list gives one scorer that answers a dict of all of them and
        scores the rows once.
    anomaly_label : scalar, default="auto"
        The value of y that marks an anomaly. Give it unless y is coded -1/1, 0/1 or boolean:
        which value is the rarest can differ from fold to fold.
    **params : dict
        Parameters of the metric: ``n`` of "precision_at_n", ``min_mass``, ``mass_range``. The
        two criteria without labels also take ``n_uniform`` (default 10,000: points drawn in
        the box around the rows), ``random_state`` (default 0: the same points for every
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
        If the metric does not have one of `params`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.model_selection import cross_val_score
    >>> from skanomaly.metrics import anomaly_scorer
    >>> X, y = load_breast_cancer(return_X_y=True)  # 0 is malignant
    >>> scorer = anomaly_scorer("roc_auc", anomaly_label=0)
    >>> bool(cross_val_score(IsolationForest(random_state=0), X, y, scoring=scorer).mean() > 0.7)
    True
    """
    if not isinstance(metric, str):
        return _ManyScorers([anomaly_scorer(m, anomaly_label=anomaly_label) for m in metric])
    if metric in _LABELLED:
        return _LabelScorer(metric, anomaly_label, _check_params(_LABELLED[metric][0], params))
    if metric in _LABEL_FREE:
        function = _LABEL_FREE[metric][0]
        own = {name: params.pop(name) for name in _UNIFORM_DEFAULTS if name in params}
        _check_counts(own)
        return _UniformScorer(metric, {**_check_params(function, params), **own})
    if metric == "reconstruction":
        return _ReconstructionScorer(metric, anomaly_label, _check_params(reconstruction, params))
    raise ValueError(
        f"metric must be one of {[*_LABELLED, *_LABEL_FREE, 'reconstruction']}, got {metric!r}."
    )


class _Scorer:
    """What scikit-learn expects of a scorer; subclasses answer one figure in ``_score``."""

    takes_weight = False

    def __init__(self, metric, anomaly_label, params):
        self.metric, self.anomaly_label, self.params = metric, anomaly_label, params
        self.weight_request = None

    def __call__(self, estimator, X, y=None, *, sample_weight=None):
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._score(_Responses(estimator, X), y, **weight)

    def __repr__(self):
        shown = "".join(f", {name}={value!r}" for name, value in self.params.items())
        if self.anomaly_label != "auto":
            shown = f", anomaly_label={self.anomaly_label!r}" + shown
        return f"anomaly_scorer({self.metric!r}{shown})"

    def _accept_sample_weight(self):  # scikit-learn asks when several scorers share weights
        return self.takes_weight

    def set_score_request(self, *, sample_weight):
        if not self.takes_weight:
            raise TypeError(f"the metric {self.metric!r} takes no sample_weight.")
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__, weight_request=sample_weight)
        return copy

    def get_metadata_routing(self):
        request = MetadataRequest(owner=repr(self))
        if self.takes_weight:
            request.score.add_request(param="sample_weight", alias=self.weight_request)
        return request


class _LabelScorer(_Scorer):
    def __init__(self, metric, anomaly_label, params):
        super().__init__(metric, anomaly_label, params)
        self.takes_weight = "sample_weight" in _parameters(_LABELLED[metric][0])

    def _score(self, responses, y, **weight):
        if y is None:
            raise ValueError(
                f"the metric {self.metric!r} needs labels, got y=None. Pass y, or use a metric "
                f"without labels: {list(_LABEL_FREE)}."
            )
        function, response = _LABELLED[self.metric]
        answer = getattr(responses, response)()
        return function(y, answer, anomaly_label=self.anomaly_label, **self.params, **weight)


class _UniformScorer(_Scorer):
    def __init__(self, metric, params):
        super().__init__(metric, "auto", params)

    def _score(self, responses, y):
        params = {**_UNIFORM_DEFAULTS, **self.params}
        n_uniform, max_features, n_draws, seed = (params.pop(name) for name in _UNIFORM_DEFAULTS)
        rng, X = np.random.default_rng(seed), responses.X
        if max_features is None or max_features >= np.shape(X)[1]:
            return self._criterion(responses, n_uniform, rng, params)
        draws = []
        for _ in range(n_draws):
            columns = np.sort(rng.choice(np.shape(X)[1], max_features, replace=False))
            part = X.iloc[:, columns] if hasattr(X, "iloc") else np.asarray(X)[:, columns]
            fitted = _Responses(clone(responses.estimator).fit(part), part)
            draws.append(self._criterion(fitted, n_uniform, rng, params))
        return float(np.mean(draws))

    def _criterion(self, responses, n_uniform, rng, params):
        function, sign = _LABEL_FREE[self.metric]
        box = _uniform_like(responses.X, n_uniform, rng)
        scores, uniform = responses.scores(), scores_of(responses.estimator, box)
        if np.max(uniform) < np.quantile(scores, 0.1):
            warnings.warn(
                f"none of the {n_uniform} points drawn around the rows lies in the region that "
                f"holds 90% of them: its volume cannot be measured, and {self.metric!r} hardly "
                "tells good detectors from bad ones. Pass max_features=5 to anomaly_scorer, or "
                "a larger n_uniform.",
                UserWarning,
                stacklevel=2,
            )
        return sign * function(scores, uniform, **params)


class _ReconstructionScorer(_Scorer):
    def _score(self, responses, y):
        estimator, X = responses.estimator, responses.X
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
        X, back = np.asarray(X), np.asarray(estimator.reconstruct(X))
        if y is not None:  # a good detector reconstructs everything but the anomalies
            kept = read_labels(y, anomaly_label=self.anomaly_label, n_samples=len(X)) != -1
            X, back = X[kept], back[kept]
        return reconstruction(X, back)


class _ManyScorers(_Scorer):
    def __init__(self, scorers):
        super().__init__([scorer.metric for scorer in scorers], "auto", {})
        self.scorers = scorers
        self.takes_weight = any(scorer.takes_weight for scorer in scorers)

    def __repr__(self):
        return f"anomaly_scorer({self.metric!r})"

    def _score(self, responses, y, **weight):
        return {
            scorer.metric: scorer._score(responses, y, **(weight if scorer.takes_weight else {}))
            for scorer in self.scorers
        }


class _Responses:
    """What one estimator says about the rows, asked once however many metrics want it."""

    def __init__(self, estimator, X):
        self.estimator, self.X, self.known = estimator, X, {}

    def scores(self):
        return self._once("scores", scores_of)

    def predictions(self):
        return self._once("predictions", predictions_of)

    def _once(self, name, function):
        if name not in self.known:
            self.known[name] = function(self.estimator, self.X)
        return self.known[name]


def _uniform_like(X, n_uniform, rng):
    """Draw points from the box around X, in the container X came in."""
    rows = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan", input_name="X")
    low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    box = rng.uniform(low, high, size=(n_uniform, rows.shape[1]))
    return pd.DataFrame(box, columns=X.columns) if isinstance(X, pd.DataFrame) else box


def _parameters(function):
    return inspect.signature(function).parameters


def _check_counts(params):
    for name in ("n_uniform", "max_features", "n_draws"):
        value = params.get(name)
        if value is not None and not (isinstance(value, (int, np.integer)) and value >= 1):
            raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")


def _check_params(function, params):
    own = [n for n, p in _parameters(function).items() if p.kind is p.KEYWORD_ONLY]
    own = [name for name in own if name not in ("anomaly_label", "sample_weight", "volume")]
    unknown = sorted(set(params) - set(own))
    if unknown:
        raise TypeError(f"{function.__name__} has no parameter {unknown}; it has {own}.")
    return params
