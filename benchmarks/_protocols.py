"""The five protocols of the quality benchmark: how rows are drawn, split, labelled and judged.

Separation of concerns: everything between a data file and one line of figures is here. Which
methods exist is `_methods.py`'s business, what is done with many lines is `_report.py`'s.

S, trained on normals
    A random half of the normal rows trains; the other normals and all anomalies test.
U, contaminated
    Fit on all rows without labels, score the same rows.
F, labelled
    70/30 stratified split, all training labels known.
L25 and L5, few labels
    As F, but only a quarter (a twentieth) of the training anomalies keep their label, rounded up;
    every other training row is unlabelled.
"""

from functools import lru_cache
from math import ceil
from time import perf_counter
from typing import NamedTuple

import numpy as np
from sklearn import datasets
from sklearn.base import is_classifier
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

# The share of the training anomalies whose label is known; None: the protocol uses no label.
PROTOCOLS = {"S": None, "U": None, "F": 1.0, "L25": 0.25, "L5": 0.05}


class Split(NamedTuple):
    """Standardised rows and 0/1 labels; NaN in `y_train` is unlabelled, None: no labels at all."""

    X_train: np.ndarray
    y_train: np.ndarray | None
    X_test: np.ndarray
    y_test: np.ndarray


def _rare_classes(data, normal, n_anomalies):
    """Make an anomaly task: the rows of some classes and a few of all the others."""
    is_normal = np.isin(data.target, normal)
    rare = np.random.default_rng(0).permutation(np.flatnonzero(~is_normal))[:n_anomalies]
    rows = np.concatenate([np.flatnonzero(is_normal), rare])
    return data.data[rows], (~is_normal[rows]).astype(int)


QUICK_SETS = {
    "breast_cancer": lambda: _rare_classes(datasets.load_breast_cancer(), [1], 40),
    "digits": lambda: _rare_classes(datasets.load_digits(), [1, 3, 5, 7, 9], 60),
    "wine": lambda: _rare_classes(datasets.load_wine(), [1, 2], 20),
}


@lru_cache(maxsize=2)
def load_set(source):
    """Return ``X, y`` of a data set: a name from `QUICK_SETS` or the path of an npz file."""
    if source in QUICK_SETS:
        return QUICK_SETS[source]()
    with np.load(source) as arrays:
        if not {"X", "y"} <= set(arrays):
            raise ValueError(f"{source} must hold the arrays X and y, got {sorted(arrays)}.")
        X, y = np.asarray(arrays["X"], dtype=float), np.asarray(arrays["y"]).ravel().astype(int)
    if not np.array_equal(np.unique(y), [0, 1]):
        raise ValueError(
            f"y of {source} must hold 0 (normal) and 1 (anomaly), got {np.unique(y)}."
        )
    return X, y


def cap_rows(X, y, max_rows, seed):
    """Return at most `max_rows` rows, drawn so that the share of anomalies stays."""
    if len(X) <= max_rows:
        return X, y
    rows, _ = train_test_split(
        np.arange(len(X)), train_size=max_rows, stratify=y, random_state=seed
    )
    return X[rows], y[rows]


def hide_labels(y, known_share, seed):
    """Return `y` as floats where only that share of the anomalies, rounded up, is not NaN."""
    if known_share == 1.0:
        return y.astype(float)
    # A stream of its own: the split has used `seed`.
    anomalies = check_random_state(1000 + seed).permutation(np.flatnonzero(y == 1))
    hidden = np.full(len(y), np.nan)
    hidden[anomalies[: ceil(known_share * len(anomalies))]] = 1.0
    return hidden


def _split_rows(y, protocol, seed):
    rows = np.arange(len(y))
    if protocol == "U":
        return rows, rows
    if protocol == "S":
        normal = check_random_state(seed).permutation(np.flatnonzero(y == 0))
        train = normal[: len(normal) // 2]
        return train, np.setdiff1d(rows, train)
    return train_test_split(rows, test_size=0.3, stratify=y, random_state=seed)


def split_set(X, y, protocol, seed):
    """Return the `Split` of a data set; every method sees the very same one."""
    train, test = _split_rows(y, protocol, seed)
    known_share = PROTOCOLS[protocol]
    y_train = None if known_share is None else hide_labels(y[train], known_share, seed)
    scaler = StandardScaler().fit(X[train])
    return Split(scaler.transform(X[train]), y_train, scaler.transform(X[test]), y[test])


def takes_labels(estimator):
    """Tell whether an estimator learns from labels; other detectors are given none."""
    return is_classifier(estimator) or hasattr(estimator, "predict_proba")


def takes_none(estimator):
    """Tell whether an estimator can be fitted without any label."""
    return not is_classifier(estimator)


def can_run(estimator, protocol):
    """Tell whether a protocol means something for an estimator."""
    return takes_none(estimator) if PROTOCOLS[protocol] is None else takes_labels(estimator)


def _fit(estimator, X, y):
    if y is None:
        return estimator.fit(X)
    if is_classifier(estimator):  # knows no missing label: an unlabelled row counts as normal
        return estimator.fit(X, np.nan_to_num(y).astype(int))
    return estimator.fit(X, y)


def _anomaly_scores(estimator, split, protocol):
    if not is_classifier(estimator):
        # Neighbour methods must not count a training row as its own neighbour.
        if protocol == "U" and hasattr(estimator, "training_scores_"):
            return -estimator.training_scores_
        return -estimator.score_samples(split.X_test)
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(split.X_test)[:, list(estimator.classes_).index(1)]
    return estimator.decision_function(split.X_test)


def evaluate(estimator, split, protocol):
    """Fit and judge one estimator on one split.

    Returns
    -------
    dict
        ``roc_auc``, ``average_precision``, ``f1`` (at the estimator's own `predict`; NaN in the
        protocols without labels), ``fit_seconds`` and ``score_seconds`` (of all test rows).
    """
    start = perf_counter()
    _fit(estimator, split.X_train, split.y_train)
    fitted = perf_counter()
    scores = np.ravel(_anomaly_scores(estimator, split, protocol))
    scored = perf_counter()
    f1 = np.nan
    if split.y_train is not None:
        anomaly = 1 if is_classifier(estimator) else -1
        found = np.ravel(estimator.predict(split.X_test)) == anomaly
        f1 = f1_score(split.y_test, found, zero_division=0.0)
    return {
        "roc_auc": roc_auc_score(split.y_test, scores),
        "average_precision": average_precision_score(split.y_test, scores),
        "f1": f1,
        "fit_seconds": fitted - start,
        "score_seconds": scored - fitted,
    }
