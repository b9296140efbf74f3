"""The first figures of skanomaly: conformance, the time of a refit, breast cancer data.

``python benchmarks/foundation.py`` prints the outcome and time of scikit-learn's
`check_estimator` for both detectors, the time of a second fit of a known configuration beside
plain Keras' own, and the quality on scikit-learn's breast cancer data (malignant tumours are the
anomalies). It needs no other package and no data. Run it on an idle machine.
"""

import time
import warnings
from collections import Counter
from functools import partial
from statistics import median

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

REPEATS = 5


def timed(function):
    """Return what a function returns and the seconds it took."""
    start = time.perf_counter()
    result = function()
    return result, time.perf_counter() - start


def conformance():
    """Print the outcome of scikit-learn's checks."""
    for detector in (AutoencoderDetector(), NeuralAnomalyClassifier()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check = partial(check_estimator, detector, on_fail=None, on_skip=None)
            results, seconds = timed(check)
        outcome = dict(Counter(result["status"] for result in results))
        print(f"check_estimator({detector}): {outcome} in {seconds:.1f} s")


def refit():
    """Print the seconds of a second fit on other data of similar size, and plain Keras' own."""
    import keras

    rng = np.random.default_rng(0)

    def plain_keras(X):
        layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(64, "relu")]
        model = keras.Sequential([keras.Input((30,)), *layers, keras.layers.Dense(30)])
        model.compile(optimizer="adam", loss="mse")
        model.fit(X, X, epochs=20, batch_size=32, verbose=0)

    def ours(X):
        AutoencoderDetector("plain", epochs=20, random_state=0).fit(X)

    for name, fit in (("skanomaly", ours), ("keras", plain_keras)):
        tables = [rng.normal(size=(455 + n, 30)) for n in range(REPEATS)]
        seconds = [timed(partial(fit, X))[1] for X in tables]
        print(
            f"{name}, n = 455, d = 30, 20 epochs: first fit {seconds[0]:.2f} s, "
            f"then {median(seconds[1:]):.3f} s"
        )


def breast_cancer():
    """Print the ROC AUC of both detectors."""
    X, y = load_breast_cancer(return_X_y=True)
    benign, malignant = X[y == 1], X[y == 0]
    for recipe in ("multiscale", "plain"):
        areas = []
        for seed in range(REPEATS):
            order = np.random.default_rng(seed).permutation(len(benign))
            train, held = benign[order[::2]], benign[order[1::2]]
            detector = make_pipeline(
                StandardScaler(), AutoencoderDetector(recipe, random_state=seed)
            ).fit(train)
            scores = detector.score_samples(np.vstack([held, malignant]))
            normal = np.r_[np.ones(len(held)), np.zeros(len(malignant))]
            areas.append(roc_auc_score(normal, scores))
        print(f"autoencoder {recipe!r}, trained on benign rows: ROC AUC {np.mean(areas):.3f}")
    is_anomaly = 1 - y
    for recipe in ("ensemble", "plain"):
        areas = []
        for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(X, is_anomaly):
            detector = NeuralAnomalyClassifier(recipe, random_state=0)
            detector.fit(X[train], is_anomaly[train])
            areas.append(roc_auc_score(is_anomaly[test], -detector.score_samples(X[test])))
        print(f"classifier {recipe!r}, 5-fold stratified: ROC AUC {np.mean(areas):.3f}")


if __name__ == "__main__":
    refit()
    breast_cancer()
    conformance()
