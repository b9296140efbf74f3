"""Writes the golden files of a release: ``python tests/io/golden.py`` at the end of each.

One folder a version, with a few small files and the scores that they gave. `test_golden.py` loads
all of them for ever. Files of a release are never written again.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skanomaly
from skanomaly import (
    AutoencoderDetector,
    ConformalDetector,
    DriftMonitor,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
    WindowedDetector,
)

FOLDER = Path(__file__).parent / "data"
TINY = {"hidden_layer_sizes": (3,), "max_steps": 5, "random_state": 0}


def rows():
    """Return 60 rows of 3 columns, 8 of them far off, with some values missing."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    X[-8:] += 6
    X[:4, 1] = np.nan
    return X


def series():
    """Return 300 time stamps of two channels that go together."""
    rng = np.random.default_rng(1)
    wave = np.sin(np.arange(300) / 5)
    return np.column_stack([wave, 2 * wave]) + rng.normal(scale=0.2, size=(300, 2))


def rows_of(name):
    """Return the rows that a golden file scored."""
    if name == "windowed":
        return series()
    return table(rows()) if name == "table" else rows()


def table(X):
    """Return the same rows with a category."""
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": np.where(X[:, 2] > 0, "high", "low")})


def detectors():
    """Return fitted detectors by name."""
    X, y = rows(), np.repeat([0, 1], [52, 8])
    few = np.where(y == 1, 1.0, np.nan)
    plain = AutoencoderDetector("plain", hidden_layer_sizes=(3,), epochs=2, random_state=0)
    forest = IsolationForest(n_estimators=3, random_state=0)
    return {
        "autoencoder": AutoencoderDetector(latent_dim=2, **TINY).fit(X),
        "table": AutoencoderDetector(latent_dim=2, anomaly_score="channels", **TINY).fit(table(X)),
        "plain": plain.fit(X),
        "all_labels": NeuralAnomalyClassifier(**TINY).fit(X, y),
        "few_labels": NeuralAnomalyClassifier(**TINY).fit(X, few),
        "no_labels": NeuralAnomalyClassifier(**TINY).fit(X),
        "pipeline": make_pipeline(StandardScaler(), plain).fit(X),
        "thresholded": ThresholdedDetector(forest, "f1", cv=2, random_state=0).fit(X, y),
        "conformal": ConformalDetector(forest, alpha=0.2, random_state=0).fit(X),
        "drift": DriftMonitor(plain, random_state=0).fit(X),
        "windowed": WindowedDetector(plain, window_size=16, random_state=0).fit(series()),
    }


def write():
    """Write the files of this version."""
    folder = FOLDER / skanomaly.__version__
    folder.mkdir(parents=True, exist_ok=True)
    scores = {}
    for name, detector in detectors().items():
        skanomaly.io.save(detector, folder / f"{name}.skops")
        scores[name] = detector.score_samples(rows_of(name))
    np.savez(folder / "scores.npz", **scores)


if __name__ == "__main__":
    write()
