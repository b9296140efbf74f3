"""The command line on stand-ins for the detectors, and files for it to read."""

import contextlib
import io
import subprocess
import sys

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OutlierMixin

import skanomaly
from skanomaly.cli import _columns, _files, _main

FITS = []  # what the stand-ins were fitted on, in order


def numbered(X):
    """Return rows as numbers without missing values: the values of a category are counted."""
    codes = {name: X[name].cat.codes for name in X if X[name].dtype == "category"}
    X = X.assign(**codes).astype(float)
    return X.fillna(X.mean()).to_numpy()


class Scores:
    """Scores from decisions, and those of training rows."""

    offset_ = 0.0

    def score_samples(self, X):
        return self.decision_function(X) + self.offset_

    def fit_score_samples(self, X, y=None):
        return self.fit(X, y).score_samples(X)


class Distance(Scores, OutlierMixin, BaseEstimator):
    """Distance from the mean in standard deviations; knows no labels."""

    def __init__(self, contamination="auto", random_state=None, verbose=0):
        self.contamination = contamination
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        FITS.append((self, X, y))
        share = 0.1 if self.contamination == "auto" else self.contamination
        self.mean_, self.scale_ = numbered(X).mean(0), numbered(X).std(0)
        self.offset_ = 0.0
        self.offset_ = np.percentile(self.decision_function(X), 100 * share)
        return self

    def decision_function(self, X):
        return -np.linalg.norm((numbered(X) - self.mean_) / self.scale_, axis=1) - self.offset_


class Centroids(Scores, OutlierMixin, BaseEstimator):
    """Nearer to the mean of the normal rows, or of the anomalies; y must be -1, 1 or NaN."""

    def __init__(self, random_state=None, verbose=0):
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        FITS.append((self, X, y))
        assert set(y[~np.isnan(y)]) == {-1, 1}
        X = numbered(X)
        self.anomalous_, self.normal_ = X[y == -1].mean(0), X[y == 1].mean(0)
        return self

    def decision_function(self, X):
        X = numbered(X)
        away = [np.linalg.norm(X - mean, axis=1) for mean in (self.anomalous_, self.normal_)]
        return away[0] - away[1]


@contextlib.contextmanager
def stand_ins(**classes):
    classes = {"AutoencoderDetector": Distance, "NeuralAnomalyClassifier": Centroids, **classes}
    kept = {name: vars(skanomaly).get(name) for name in classes}
    vars(skanomaly).update(classes)
    FITS.clear()
    try:
        yield
    finally:
        for name, value in kept.items():
            vars(skanomaly).pop(name)
            if value is not None:
                vars(skanomaly)[name] = value


def write(path, content):
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    return path


def numbers(rows=20, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, 3)), columns=list("abc"))


def read(path, *arguments):
    """Return the table, the features read from it, and the notes."""
    arguments = _main._parser().parse_args(["detect", str(path), *arguments])
    notes = []
    table = _files.read_table(arguments, notes.append)
    features = _columns.features_of(table, None, arguments, notes.append)
    left_out = ("learning from", "few to learn from")
    notes = [line for line in notes if not any(part in line for part in left_out)]
    return table, features.frame, "\n".join(notes)


def in_new_process(*arguments, code=None, **options):
    start = ["-m", "skanomaly"] if code is None else ["-c", code]
    return subprocess.run(
        [sys.executable, *start, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def assert_refused(result, expected):
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("skanomaly: error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert expected in err


PARQUET = io.BytesIO()
numbers().to_parquet(PARQUET)
