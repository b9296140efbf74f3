"""What to do with rows that nobody has looked at: leave them unlabelled, or take them for normal.

``python benchmarks/few_labels.py`` makes tables with frauds among them, of which some are known,
fits `NeuralAnomalyClassifier` with all other rows unlabelled (NaN) and with all of them labelled
normal, and a random forest on the latter, and measures average precision and F1 on new rows. The
tables are of four kinds: columns shifted, heavy tails, several clusters, and frauds in a dense
spot among normal rows with tails. Means over kinds and seeds, with the standard error of the
difference. ``--quick`` takes seconds: it shows that all of this runs.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, f1_score

from skanomaly import NeuralAnomalyClassifier

#: Training rows, share of frauds, known frauds.
SETTINGS = [
    (20_000, 0.003, 10), (10_000, 0.01, 10), (10_000, 0.01, 50), (10_000, 0.05, 10),
    (10_000, 0.05, 50), (10_000, 0.05, 250), (2_000, 0.1, 10), (2_000, 0.1, 50),
]  # fmt: skip


def shifted(y, rng):
    """Correlated columns, four of them shifted by 1.5 to 3 standard deviations."""
    d = 15
    X = rng.normal(size=(len(y), d)) @ rng.normal(size=(d, d)) / np.sqrt(d)
    X += 0.5 * rng.normal(size=X.shape)
    columns = rng.choice(d, 4, replace=False)
    shift = rng.choice([-1, 1], 4) * rng.uniform(1.5, 3, 4) * X[:, columns].std(axis=0)
    X[:, columns] += y[:, None] * shift
    return X


def heavy_tailed(y, rng):
    """Amounts, hours, distances, counts and ages, and seven columns of noise."""
    n, k = len(y), int(y.sum())
    columns = [
        rng.lognormal(3, 1.2, n), rng.normal(14, 4, n) % 24, rng.lognormal(1, 1, n),
        rng.poisson(2, n).astype(float), rng.gamma(3, 200, n),
    ]  # fmt: skip
    of_frauds = [
        rng.lognormal(5, 0.7, k), rng.normal(3, 2, k) % 24, rng.lognormal(2.5, 0.8, k),
        rng.poisson(6, k), rng.gamma(3, 60, k),
    ]  # fmt: skip
    for column, values in zip(columns, of_frauds, strict=True):
        column[y == 1] = values
    return np.column_stack([*columns, rng.normal(size=(n, 7))])


def clustered(y, rng):
    """Classes of two clusters each in 8 of 20 columns, by scikit-learn."""
    n, k = len(y), int(y.sum())
    more, wanted = make_classification(
        2 * n, 20, n_informative=8, n_redundant=4, n_clusters_per_class=2, class_sep=1.5, flip_y=0,
        random_state=int(rng.integers(2**31)),
    )  # fmt: skip
    X = np.empty((n, 20))
    X[y == 1], X[y == 0] = more[wanted == 1][:k], more[wanted == 0][: n - k]
    return X


def dense_spot(y, rng):
    """Frauds like each other, in the middle of normal rows with far outliers of their own."""
    X = rng.standard_t(3, size=(len(y), 12))
    spot = 0.9 * rng.choice([-1, 1], 12)
    X[y == 1] = spot + 0.35 * rng.normal(size=(int(y.sum()), 12))
    return X


KINDS = shifted, heavy_tailed, clustered, dense_spot


def compare(make, n, share, known, seed):
    """Return average precision and F1 on new rows of each way."""
    rng = np.random.default_rng([seed, n, known])
    y = (rng.random(2 * n) < share).astype(int)
    X = make(y, rng)
    train, new = slice(0, n), slice(n, None)
    found = rng.permutation(np.flatnonzero(y[train]))[:known]
    labels = np.full(n, np.nan)
    labels[found] = 1
    line = {}
    for name, targets in (("unlabelled", labels), ("normal", np.nan_to_num(labels))):
        detector = NeuralAnomalyClassifier(random_state=seed).fit(X[train], targets)
        line[f"{name}_ap"] = average_precision_score(y[new], -detector.score_samples(X[new]))
        line[f"{name}_f1"] = f1_score(y[new], detector.predict(X[new]) == -1)
    forest = RandomForestClassifier(random_state=seed).fit(X[train], np.nan_to_num(labels))
    line["forest_ap"] = average_precision_score(y[new], forest.predict_proba(X[new])[:, -1])
    return line


def main():
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--quick", action="store_true", help="small tables, one seed; for CI")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    settings, seeds, kinds = SETTINGS, options.seeds, KINDS
    if options.quick:
        settings, seeds, kinds = [(600, 0.05, 10)], [0], KINDS[:2]
    for n, share, known in settings:
        table = pd.DataFrame(
            compare(make, n, share, known, seed) for make in kinds for seed in seeds
        )
        gain = table["unlabelled_ap"] - table["normal_ap"]
        means = "  ".join(f"{name} {value:.3f}" for name, value in table.mean().items())
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        print(f"{n} rows, {share:.1%} frauds, {known} known: {means}  "
              f"unlabelled - normal {gain.mean():+.3f} ({error:.3f})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
