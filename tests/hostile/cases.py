"""Calls with hostile input: one for every number, over everything that is public.

Functions and parameters are found by introspection, so that what is added later is tried, too.
"""

import functools
import inspect
import warnings

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.svm import OneClassSVM

import skanomaly
from skanomaly import display, metrics, model_selection, thresholds

from . import values
from .outcomes import WrongAnswer, finite, finite_everywhere

#: Columns of the tables, so that few networks are compiled.
_WIDTH = 2
_RULES = ("auto", "contamination", "fpr", "pot", "f1", "precision", "recall", "cost")
#: Functions whose answer is NaN, as they say, where no event was found.
_UNDEFINED = ("onset_delay", "event_report")
#: Small networks and forests.
_TINY = {"epochs": 1, "random_state": 0}
_BY_NAME = {
    "y_true": values.labels, "y": values.labels, "scores": values.scores, "codes": values.scores,
    "uniform_scores": values.scores, "y_pred": values.predictions, "y_prob": values.scores,
    "sample_weight": values.weights, "groups": values.labels,
    "X": lambda rng, n: values.table(rng, n, _WIDTH),
    "X_reconstructed": lambda rng, n: values.table(rng, n, _WIDTH),
}  # fmt: skip
#: How often each kind of case is drawn.
_WEIGHTS = {
    "function": 0.32, "rows": 0.22, "meta": 0.1, "parameters": 0.07, "fit": 0.06,
    "rule": 0.08, "splitter": 0.06, "picture": 0.02, "scorer": 0.05, "explain": 0.02,
}  # fmt: skip


def make(number):
    """Return a name and a call without arguments that checks its own answer."""
    rng = np.random.default_rng([number, 12])
    kind = rng.choice(list(_WEIGHTS), p=list(_WEIGHTS.values()))
    name, call = globals()[f"_{kind}"](rng)
    return f"{kind} {name}", call


def _n(rng):
    return int(rng.choice([0, 1, 2, 3, 20, 40], p=[0.03, 0.05, 0.07, 0.05, 0.4, 0.4]))


def _drawn(rng, function, n, spoilt=0.3):
    """Return arguments for a function, found by their names; optional ones now and then."""
    arguments = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        needed = parameter.default is parameter.empty
        if name in _BY_NAME and (needed or rng.random() < 0.5):
            arguments[name] = _BY_NAME[name](rng, n)
        elif name not in _BY_NAME and (needed or rng.random() < spoilt):
            arguments[name] = values.number(rng)
    return arguments


# ---------------------------------------------------------------- functions


@functools.cache
def _functions():
    modules = (metrics, thresholds)
    found = [getattr(m, name) for m in modules for name in m.__all__]
    return [f for f in found if inspect.isfunction(f) and f is not metrics.anomaly_scorer]


def _function(rng):
    function = _functions()[rng.integers(len(_functions()))]
    arguments, name = _drawn(rng, function, _n(rng)), function.__name__

    def call():
        answer = function(**arguments)
        if name not in _UNDEFINED:
            finite_everywhere(answer)

    return name, call


def _scorer(rng):
    names = [
        name for name in metrics.__all__ if name.endswith("_scorer") and name != "anomaly_scorer"
    ]
    scorer = getattr(metrics, names[rng.integers(len(names))])
    n = _n(rng)
    X, y = _rows_or_spoilt(rng, n), values.labels(rng, n)
    weight = values.weights(rng, n) if scorer._accept_sample_weight() else None
    extra = {} if weight is None else {"sample_weight": weight}
    estimator = _fitted("forest" if rng.random() < 0.5 else "plain")
    return repr(scorer), lambda: finite_everywhere(scorer(estimator, X, y, **extra))


# ---------------------------------------------------------------- estimators


def _good(n=40):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, _WIDTH))
    X[:4] += 6
    return X, np.r_[np.ones(4), np.zeros(n - 4)]


def _rows_or_spoilt(rng, n):
    return values.table(rng, n, _WIDTH)


def _forest():
    return IsolationForest(n_estimators=5, random_state=0)


def _frame(mixed):
    X, _ = _good()
    last = np.where(X[:, 1] > 0, "x", "y") if mixed else X[:, 1]
    return pd.DataFrame({"c0": X[:, 0], "c1": last})


def _autoencoder(*recipe, **own):
    return skanomaly.AutoencoderDetector(*recipe, random_state=0, **own)


def _classifier(*recipe, **own):
    return skanomaly.NeuralAnomalyClassifier(*recipe, random_state=0, **own)


#: Fitted estimators of every kind, by name, made when they are first asked for.
_FITTED = {
    "plain": lambda X, y: _autoencoder("plain", epochs=1).fit(X),
    "raw": lambda X, y: _autoencoder("plain", epochs=1, standardize=False).fit(X),
    "mixed": lambda X, y: _autoencoder("plain", epochs=1).fit(_frame(True)),
    "frame": lambda X, y: _autoencoder("plain", epochs=1).fit(_frame(False)),
    "ensemble": lambda X, y: _autoencoder(max_steps=2).fit(X),
    "unscaled": lambda X, y: _autoencoder(max_steps=2, standardize=False).fit(X),
    "classifier": lambda X, y: _classifier("plain", epochs=1).fit(X, y),
    "labelled": lambda X, y: _classifier(max_steps=2).fit(X, y),
    "subspaces": lambda X, y: _classifier(max_steps=2).fit(X),
    "forest": lambda X, y: _forest().fit(X),
    "thresholded": lambda X, y: skanomaly.ThresholdedDetector(_forest(), random_state=0).fit(X, y),
    "conformal": lambda X, y: skanomaly.ConformalDetector(_forest(), random_state=0).fit(X),
    "windowed": lambda X, y: skanomaly.WindowedDetector(_forest(), 3).fit(X),
}


@functools.cache
def _fitted(name):
    """Return a fitted estimator; calls do not change it for long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _FITTED[name](*_good())


_METHODS = (
    "score_samples", "decision_function", "predict", "predict_proba", "p_values", "reconstruct",
    "encode",
)  # fmt: skip


def _rows(rng):
    """Ask a fitted estimator about hostile rows."""
    names = [name for name in _FITTED if name != "forest"]
    name = names[rng.integers(len(names))]
    estimator = _fitted(name)
    methods = [m for m in _METHODS if m in dir(type(estimator))]
    method = methods[rng.integers(len(methods))]
    X = _rows_or_spoilt(rng, _n(rng))

    def call():
        answer = getattr(estimator, method)(X)
        finite_unless_missing(answer, method, X)

    return f"{name}.{method}", call


def finite_unless_missing(answer, method, X):
    """Check an answer; a reconstruction of a category that is missing is missing, too."""
    if method == "reconstruct":
        answer = np.nan_to_num(answer, nan=0.0, posinf=np.inf, neginf=-np.inf)
    finite(answer)
    shape = getattr(X, "shape", None)
    n = len(X) if shape is None and hasattr(X, "__len__") else (shape or (None,))[0]
    if isinstance(n, int) and not isinstance(X, dict) and len(answer) != n:
        raise WrongAnswer(f"{len(answer)} answers for {n} rows")


def _check_fitted(estimator, X):
    scores = estimator.score_samples(X)
    finite(scores)
    finite(estimator.offset_, ())
    finite(estimator.decision_function(X), scores.shape)
    if not np.isin(estimator.predict(X), (-1, 1)).all():
        raise WrongAnswer("predict says neither -1 nor 1")


def _fit(rng):
    """Fit small networks to hostile rows, labels and weights."""
    n = _n(rng)
    kinds = (
        skanomaly.AutoencoderDetector("plain", **_TINY),
        skanomaly.AutoencoderDetector("plain", standardize=False, **_TINY),
        skanomaly.AutoencoderDetector(max_steps=2, random_state=0),
        skanomaly.NeuralAnomalyClassifier("plain", **_TINY),
        skanomaly.NeuralAnomalyClassifier(max_steps=2, random_state=0),
    )
    estimator = kinds[rng.choice(len(kinds), p=[0.4, 0.2, 0.1, 0.2, 0.1])]
    X, y, weight = _rows_or_spoilt(rng, n), values.labels(rng, n), values.weights(rng, n)
    method = "fit" if rng.random() < 0.8 else "partial_fit"

    def call():
        _check_fitted(getattr(estimator, method)(X, y, sample_weight=weight), X)

    return f"{type(estimator).__name__}.{method}", call


def _parameters(rng):
    """Fit estimators with hostile parameters to good rows."""
    X, y = _good()
    forest = _forest()
    kinds = (
        lambda: skanomaly.AutoencoderDetector("plain", **_TINY),
        lambda: skanomaly.NeuralAnomalyClassifier("plain", **_TINY),
        lambda: skanomaly.ThresholdedDetector(forest),
        lambda: skanomaly.ConformalDetector(forest),
        lambda: skanomaly.WindowedDetector(forest),
    )
    estimator = kinds[rng.integers(len(kinds))]()
    names = sorted(estimator.get_params(deep=False))
    chosen = {name: values.scalar(rng) for name in rng.choice(names, rng.integers(1, 3))}
    for name in ("epochs", "max_steps", "n_jobs"):  # a number of 2**70 is a wish, not a fault
        value = chosen.get(name)
        if isinstance(value, (int, np.integer)) and not 0 <= value < 100:
            chosen[name] = type(value)(3)
    for name in ("hidden_layer_sizes", "latent_dim", "n_estimators"):
        if isinstance(chosen.get(name), int) and chosen[name] > 100:
            chosen[name] = 3

    def call():
        _check_fitted(estimator.set_params(**chosen).fit(X, y), X)

    return f"{type(estimator).__name__} {chosen!r}", call


def _meta(rng):
    """Fit meta-estimators around scikit-learn's detectors to hostile rows."""
    n, X_good = _n(rng), _good()[0]
    inner = _forest()
    if rng.random() < 0.2:
        inner = FrozenEstimator(OneClassSVM().fit(X_good))
    level = None if rng.random() < 0.4 else values.number(rng)
    kind = rng.integers(4)
    if kind < 2:
        rule = _RULES[rng.integers(len(_RULES))]
        estimator = skanomaly.ThresholdedDetector(inner, rule, level=level, random_state=0)
        estimator.set_params(cv=(5, 2, 0.3, None)[rng.integers(4)])
    elif kind == 2:
        method = ("split", "cv+")[rng.integers(2)]
        estimator = skanomaly.ConformalDetector(inner, method=method, random_state=0)
    else:
        estimator = skanomaly.WindowedDetector(
            inner,
            int(rng.choice([1, 3, 50])),
            aggregation=("mean", "max", "last")[rng.integers(3)],
        )
    X, y = _rows_or_spoilt(rng, n), None if rng.random() < 0.5 else values.labels(rng, n)
    groups = {"groups": values.labels(rng, n)} if kind == 3 and rng.random() < 0.3 else {}

    def call():
        fitted = estimator.fit(X, y, **groups)
        if not groups:
            _check_fitted(fitted, X)

    return repr(estimator)[:120], call


def _rule(rng):
    """Change thresholds of fitted estimators."""
    names = ("plain", "classifier", "thresholded")
    name = names[rng.integers(len(names))]
    estimator = _fitted(name)
    X, y = _good()
    rule = _RULES[rng.integers(len(_RULES))]
    rule = rule if rng.random() < 0.7 else values.scalar(rng)
    options = {"level": None if rng.random() < 0.3 else values.number(rng)}
    if rng.random() < 0.3:
        options |= {"cost_fp": values.number(rng), "cost_fn": values.number(rng)}
    if rng.random() < 0.2:
        bad = values.number(rng)
        rule = lambda scores, codes: bad  # noqa: E731
    if rng.random() < 0.4:
        X = _rows_or_spoilt(rng, len(X))
    if rng.random() < 0.4:
        y = values.labels(rng, len(y))

    def call():
        before = estimator.offset_
        try:
            estimator.set_threshold(rule, X, y, **options)
            finite(estimator.offset_, ())
        finally:
            estimator.offset_ = before

    return f"{name}.set_threshold({rule!r})", call


def _explain(rng):
    """Explain hostile rows, with hostile parameters now and then."""
    names = ("plain", "mixed", "classifier", "forest", "thresholded", "conformal")
    name = names[rng.integers(len(names))]
    X = values.table(rng, min(_n(rng), 3), _WIDTH)
    options = {"n_references": 2, "background": _good()[0]} if name == "forest" else {}
    if rng.random() < 0.3:
        options["method"] = ("shapley", "reconstruction", values.scalar(rng))[rng.integers(3)]
    if rng.random() < 0.3:
        options["max_features"] = values.scalar(rng)
    if rng.random() < 0.3:
        options["background"] = values.table(rng, 20, _WIDTH)

    def call():
        found = skanomaly.explain(_fitted(name), X, **options)
        finite(found.contributions.to_numpy(dtype=float))
        finite(found.score.to_numpy(dtype=float))

    return name, call


# ---------------------------------------------------------------- splits and pictures


def _splitter(rng):
    kinds = [
        k for k in map(model_selection.__dict__.get, model_selection.__all__) if inspect.isclass(k)
    ]
    kind = kinds[rng.integers(len(kinds))]
    n, names = _n(rng), list(inspect.signature(kind).parameters)
    chosen = {name: values.scalar(rng) for name in names if rng.random() < 0.25}
    if "shuffle" in chosen:  # without a seed, shuffles come from the global generator
        chosen.setdefault("random_state", 0)
    X = np.zeros((n, 1)) if rng.random() < 0.7 else _rows_or_spoilt(rng, n)
    y = values.labels(rng, n)
    groups = rng.integers(0, 6, n) if rng.random() < 0.7 else values.labels(rng, n)

    def call():
        for train, test in kind(**chosen).split(X, y, groups):
            finite(train)
            finite(test)
            if len(np.intersect1d(train, test)):
                raise WrongAnswer("a row is in both parts")

    return f"{kind.__name__} {chosen!r}", call


def _picture(rng):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    kinds = [
        k for k in map(display.__dict__.get, display.__all__) if hasattr(k, "from_predictions")
    ]
    kind = kinds[rng.integers(len(kinds))]
    arguments = _drawn(rng, kind.from_predictions, _n(rng), spoilt=0.0)

    def call():
        try:
            kind.from_predictions(**arguments)
        finally:
            pyplot.close("all")

    return kind.__name__, call
