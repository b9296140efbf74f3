"""Measures whether explanations name the features that were corrupted.

``python benchmarks/explain.py`` fits detectors to normal rows of data that ship with scikit-learn,
and with ``--data FOLDER`` of npz files (arrays ``X`` and ``y``, 1 an anomaly). It corrupts k
features of rows held out, and prints which share of the k largest contributions are those
features, and the time for each row. "shift" adds 4 to 6 standard deviations, "swap" puts in a
value from a normal distribution 5 standard deviations off. "guess" is the share that random
features reach. The classifier learns from labels: corrupted training rows are its anomalies.
``--quick`` takes seconds: it shows that all of this runs, on too few rows to conclude from.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier, explain

DETECTORS = {
    "autoencoder": AutoencoderDetector,
    "autoencoder plain": lambda **p: AutoencoderDetector("plain", **p),
    "classifier, labels": NeuralAnomalyClassifier,
    "classifier, none": NeuralAnomalyClassifier,
}
#: What some of them know besides "shapley".
OTHER_METHODS = {"autoencoder": ["surprise"], "autoencoder plain": ["reconstruction"]}


def normal_rows(folder=None, wanted=()):
    """Yield names and normal rows of the data sets."""
    X, y = load_breast_cancer(return_X_y=True)
    yield "breast_cancer", X[y == 1]
    yield "wine", load_wine(return_X_y=True)[0]
    yield "digits", load_digits(return_X_y=True)[0]
    for path in sorted(Path(folder).glob("*.npz")) if folder else ():
        if not wanted or path.stem in wanted:
            with np.load(path) as arrays:
                yield path.stem, np.asarray(arrays["X"], float)[np.ravel(arrays["y"]) == 0]


def corrupt(X, training, k, kind, rng):
    """Return rows with k corrupted features each, and which these are."""
    mean, spread = training.mean(axis=0), training.std(axis=0)
    usable = np.flatnonzero(spread > 1e-9 * np.abs(mean).max())
    chosen = np.stack([rng.choice(usable, k, replace=False) for _ in X])
    rows, sign = np.arange(len(X))[:, None], rng.choice([-1.0, 1.0], chosen.shape)
    X = X.copy()
    if kind == "shift":
        X[rows, chosen] += sign * rng.uniform(4, 6, chosen.shape) * spread[chosen]
    else:
        X[rows, chosen] = mean[chosen] + sign * rng.normal(5, 1, chosen.shape) * spread[chosen]
    return X, chosen


def precision_at_k(contributions, chosen):
    """Return the share of the k largest contributions that are the corrupted features'."""
    k = chosen.shape[1]
    top = np.argsort(-np.asarray(contributions), axis=1)[:, :k]
    return np.mean([len(set(a) & set(b)) / k for a, b in zip(top, chosen, strict=True)])


def run(name, X, options):
    """Yield a line for each detector and kind of corruption."""
    rng = np.random.default_rng(options.seed)
    X = X[rng.permutation(len(X))][: options.max_rows]
    cut = max(len(X) - options.rows, int(0.7 * len(X)))
    training, held_out = X[:cut], X[cut:]
    k = min(options.k, X.shape[1] - 1)
    for label, make in DETECTORS.items():
        detector = make(random_state=options.seed)
        if label.endswith("labels"):
            known = corrupt(training[::10], training, k, "shift", rng)[0]
            y = np.repeat([0, 1], [len(training), len(known)])
            detector.fit(np.vstack([training, known]), y)
        else:
            detector.fit(training)
        methods = ["shapley", *OTHER_METHODS.get(label, ())]
        for kind in ("shift", "swap"):
            rows, chosen = corrupt(held_out, training, k, kind, rng)
            for method in methods:
                start = time.perf_counter()
                found = explain(detector, rows, method=method, n_references=options.references)
                spent = time.perf_counter() - start
                gap = found.contributions.sum(axis=1) + found.base - found.score
                yield {
                    "data": name,
                    "d": X.shape[1],
                    "detector": label,
                    "method": method,
                    "corruption": kind,
                    "precision_at_k": precision_at_k(found.contributions, chosen),
                    "guess": k / X.shape[1],
                    "ms_per_row": 1e3 * spent / len(rows),
                    "sum_error": float(np.abs(gap).max()),
                }


def show(line):
    values = (f"{v:.3g}" if isinstance(v, float) else str(v) for v in line.values())
    print("  ".join(values), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="folder of npz files")
    parser.add_argument("--set", action="append", default=[], help="only these of the folder")
    parser.add_argument("--k", type=int, default=3, help="features corrupted in each row")
    parser.add_argument("--rows", type=int, default=100, help="rows to explain")
    parser.add_argument("--max-rows", type=int, default=5000, help="rows taken of each set")
    parser.add_argument("--references", type=int, default=8, help="n_references")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="CSV to write")
    parser.add_argument("--quick", action="store_true", help="one small set, ten rows; for CI")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    lines, sets = [], normal_rows(options.data, options.set)
    if options.quick:
        options.rows, sets = 10, [("wine", load_wine(return_X_y=True)[0])]
    for name, X in sets:
        for line in run(name, X, options):
            lines.append(line)
            show(line)
    table = pd.DataFrame(lines)
    if options.out:
        table.to_csv(options.out, index=False)
    means = table.pivot_table(
        index=["detector", "method"], columns="corruption", values="precision_at_k"
    )
    print(means.round(3))


if __name__ == "__main__":
    main()
