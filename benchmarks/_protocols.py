"""The protocols of the quality benchmark: how rows are drawn, split, labelled and judged.

Separation of concerns: everything between a data file and one line of figures is here. Which
methods exist is `_methods.py`'s business, what is done with many lines is `_report.py`'s.

S, trained on normals
    A random half of the normal rows trains; the other normals and all anomalies test.
U, contaminated
    Fit on all rows without labels, score the same rows.
N1, N5 and N10, contaminated, new rows
    As S, but anomalies join the training rows until they are 1, 5 or 10% of them (half of all
    anomalies at most); the others test.
F, labelled
    70/30 stratified split, all training labels known.
L25 and L5, few labels
    As F, but only a quarter (a twentieth) of the training anomalies keep their label, rounded up;
    every other training row is unlabelled.

A data set may bring its own training rows, all of them normal: they take the place of the random
half in S and N, and U then takes test rows alone, `MAX_PUBLISHED_NORMALS` normal ones at most, and
anomalies up to a tenth of all rows.
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
PROTOCOLS = {
    "S": None, "U": None, "N1": None, "N5": None, "N10": None, "F": 1.0, "L25": 0.25, "L5": 0.05,
}  # fmt: skip
#: Share of anomalies among the training rows.
CONTAMINATION = {"N1": 0.01, "N5": 0.05, "N10": 0.1}
#: Normal rows of U at most, where a data set brings its own training rows.
MAX_PUBLISHED_NORMALS = 2000


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


class Task(NamedTuple):
    """Rows, 0/1 labels, and which rows were published for training (None: nothing is said)."""

    X: np.ndarray
    y: np.ndarray
    published: np.ndarray | None = None


@lru_cache(maxsize=2)
def load_set(source):
    """Return the `Task` of a data set: a name from `QUICK_SETS` or the path of an npz file.

    A file holds ``X`` and ``y``, or ``train``, ``test`` and ``test_labels`` with normal rows alone
    in ``train``.
    """
    if source in QUICK_SETS:
        return Task(*QUICK_SETS[source]())
    with np.load(source) as arrays:
        if {"train", "test", "test_labels"} <= set(arrays):
            return _published_task(arrays)
        if not {"X", "y"} <= set(arrays):
            raise ValueError(
                f"{source} must hold the arrays X and y, or train, test and test_labels; got "
                f"{sorted(arrays)}."
            )
        X, y = np.asarray(arrays["X"], dtype=float), np.asarray(arrays["y"]).ravel().astype(int)
    if not np.array_equal(np.unique(y), [0, 1]):
        raise ValueError(
            f"y of {source} must hold 0 (normal) and 1 (anomaly), got {np.unique(y)}."
        )
    return Task(X, y)


def _published_task(arrays):
    train, test = (np.asarray(arrays[name], dtype=float) for name in ("train", "test"))
    labels = np.asarray(arrays["test_labels"]).ravel().astype(int)
    y = np.concatenate([np.zeros(len(train), int), labels])
    return Task(np.concatenate([train, test]), y, np.arange(len(y)) < len(train))


def cap_rows(task, max_rows, seed):
    """Return at most `max_rows` rows, drawn so that the shares of all kinds of rows stay."""
    X, y, published = task
    if len(X) <= max_rows:
        return task
    kinds = y if published is None else y + 2 * published
    rows, _ = train_test_split(
        np.arange(len(X)), train_size=max_rows, stratify=kinds, random_state=seed
    )
    return Task(X[rows], y[rows], None if published is None else published[rows])


def hide_labels(y, known_share, seed):
    """Return `y` as floats where only that share of the anomalies, rounded up, is not NaN."""
    if known_share == 1.0:
        return y.astype(float)
    # A stream of its own: the split has used `seed`.
    anomalies = check_random_state(1000 + seed).permutation(np.flatnonzero(y == 1))
    hidden = np.full(len(y), np.nan)
    hidden[anomalies[: ceil(known_share * len(anomalies))]] = 1.0
    return hidden


def _split_rows(y, protocol, seed, published=None):
    rows = np.arange(len(y))
    if protocol == "U":
        rows = rows if published is None else _contaminated(y, seed, ~published)
        return rows, rows
    if protocol == "S" or protocol in CONTAMINATION:
        return _normal_rows(y, seed, published, CONTAMINATION.get(protocol, 0.0))
    return train_test_split(rows, test_size=0.3, stratify=y, random_state=seed)


def _contaminated(y, seed, available):
    """Return rows of which a tenth are anomalies, or fewer where there are fewer."""
    random = check_random_state(seed)
    normal, odd = (random.permutation(np.flatnonzero(available & (y == k))) for k in (0, 1))
    normal = normal[:MAX_PUBLISHED_NORMALS]
    return np.sort(np.concatenate([normal, odd[: max(len(normal) // 9, 1)]]))


def _normal_rows(y, seed, published, share):
    """Return normal rows to train on, and anomalies among them if asked for, and all others."""
    random = check_random_state(seed)
    normal = random.permutation(np.flatnonzero(y == 0))
    train = normal[: len(normal) // 2] if published is None else np.flatnonzero(published)
    if share:
        odd = random.permutation(np.flatnonzero(y == 1))
        wanted = max(round(share * len(train) / (1 - share)), 1)
        train = np.concatenate([train, odd[: min(wanted, len(odd) // 2)]])
    return train, np.setdiff1d(np.arange(len(y)), train)


def split_set(task, protocol, seed):
    """Return the `Split` of a `Task`; every method sees the very same one."""
    X, y, published = Task(*task)
    train, test = _split_rows(y, protocol, seed, published)
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


def _found(estimator, split, protocol):
    """Return which test rows the estimator calls anomalies."""
    if protocol == "U" and hasattr(estimator, "training_scores_"):
        return estimator.training_scores_ < estimator.offset_
    anomaly = 1 if is_classifier(estimator) else -1
    return np.ravel(estimator.predict(split.X_test)) == anomaly


def evaluate(estimator, split, protocol):
    """Fit and judge one estimator on one split.

    Returns
    -------
    dict
        ``roc_auc``, ``average_precision``, ``f1`` and ``false_alarms`` (the share of normal rows
        called anomalies; both at the estimator's own `predict`), ``fit_seconds`` and
        ``score_seconds`` (of all test rows).
    """
    start = perf_counter()
    _fit(estimator, split.X_train, split.y_train)
    fitted = perf_counter()
    scores = np.ravel(_anomaly_scores(estimator, split, protocol))
    scored = perf_counter()
    found = _found(estimator, split, protocol)
    return {
        "roc_auc": roc_auc_score(split.y_test, scores),
        "average_precision": average_precision_score(split.y_test, scores),
        "f1": f1_score(split.y_test, found, zero_division=0.0),
        "false_alarms": found[split.y_test == 0].mean(),
        "fit_seconds": fitted - start,
        "score_seconds": scored - fitted,
    }
