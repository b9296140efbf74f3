"""Detectors beyond one machine's memory: ``python benchmarks/scale.py [--quick] [--only NAME]``.

Rows are generated or read lazily on a `distributed.LocalCluster` of two workers. Parts:

- ``growth``: fit and scores of ever more rows, seconds a million rows, peak memory of processes;
- ``files``: the same Parquet files through one process, one worker and two workers;
- ``scoring``: rows a second from Parquet, beside IsolationForest through ``map_partitions``;
- ``stages``: processor time of each stage of a fit: read, summarise, train, score;
- ``agreement``: a sample's scores beside those of a fit to all rows;
- ``models``: many small models, one after another, with one program.

Figures go to ``benchmarks/results/scale.csv`` (``scale_quick.csv`` with ``--quick``, which only
shows that the script works). Full size takes hours on two cores; nothing else should run.
"""

import argparse
import csv
import os
import statistics
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path(__file__).parent / "results"
D, N_MODELS = 20, 1000
#: Budget of "plain" on large tables.
PLAIN = {"epochs": 20, "batch_size": 256}


class Figures:
    """Lines of figures, printed as they come."""

    def __init__(self):
        self.lines = []

    def add(self, part, what, value, unit):
        """Add a line."""
        self.lines.append((part, what, f"{value:.4g}", unit))
        print(f"{part:<10} {what:<58} {value:>11.4g} {unit}", flush=True)

    def write(self, path):
        """Write all lines as CSV."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([("part", "what", "value", "unit"), *self.lines])


def block(seed, n_rows):
    """Return rows of which one in a hundred is far off."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).normal(size=(D // 4, D)).astype(np.float32)
    rows = rng.normal(size=(n_rows, D // 4)).astype(np.float32) @ mixing
    rows += rng.normal(scale=0.1, size=rows.shape).astype(np.float32)
    rows[::100] += rng.normal(scale=2, size=rows[::100].shape).astype(np.float32)
    return rows


def generated(n_rows, chunk):
    """Return a lazy array of rows."""
    import dask
    import dask.array as da

    one = dask.delayed(block)
    sizes = [min(chunk, n_rows - start) for start in range(0, n_rows, chunk)]
    parts = [da.from_delayed(one(k, n), (n, D), np.float32) for k, n in enumerate(sizes)]
    return da.concatenate(parts)


def written(folder, n_rows, chunk):
    """Write Parquet files of rows; return their folder."""
    import pandas as pd

    for k, start in enumerate(range(0, n_rows, chunk)):
        rows = block(k, min(chunk, n_rows - start))
        names = [f"x{j}" for j in range(D)]
        pd.DataFrame(rows, columns=names).to_parquet(Path(folder) / f"part{k:05}.parquet")
    return folder


def detector(recipe="auto", max_rows=100_000, **params):
    """Return an unfitted DaskDetector."""
    from skanomaly import AutoencoderDetector
    from skanomaly.distributed import DaskDetector

    inside = AutoencoderDetector(recipe, random_state=0, **params)
    return DaskDetector(inside, max_rows=max_rows)


def seconds(function):
    """Return how long a function took, and its result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def core_seconds(function):
    """Return the processor time of all threads that a function took, and its result.

    What else runs on the machine moves it far less than the time on the clock.
    """
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def cluster(n_workers):
    """Return a client of a cluster of processes with one thread each."""
    from distributed import Client, LocalCluster

    local = LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None)
    return Client(local)


def peak():
    """Return the peak memory of this process, in GiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def growth(figures, quick):
    """Fit and score ever more rows."""
    if quick:
        sizes = {"plain": (20_000, 40_000), "auto": (20_000,)}
    else:
        sizes = {"plain": (10**6, 10**7, 10**8), "auto": (10**6,)}
    chunk, most = (5000, 5000) if quick else (500_000, 100_000)
    with cluster(2) as client:
        for recipe, n in ((recipe, n) for recipe, some in sizes.items() for n in some):
            budget = PLAIN if recipe == "plain" else {}
            X, model = generated(n, chunk), detector(recipe, max_rows=most, **budget)
            fit, _ = seconds(lambda X=X, model=model: model.fit(X))
            score, _ = seconds(lambda X=X, m=model: m.score_samples(X).mean().compute())
            name = f"{recipe}, {n:.0e} rows"
            figures.add("growth", f"fit, {name}", fit, "s")
            figures.add("growth", f"scores, {name}", score, "s")
            figures.add("growth", f"both, {name}", (fit + score) / n * 1e6, "s per 1e6 rows")
        figures.add("growth", "peak memory of the client", peak(), "GiB")
        for k, value in enumerate(client.run(peak).values()):
            figures.add("growth", f"peak memory of worker {k}", value, "GiB")


def streamed(folder, model):
    """Fit and score the files in one process, without a cluster."""
    import dask
    import dask.dataframe as dd

    with dask.config.set(scheduler="synchronous"):
        rows = dd.read_parquet(folder)
        return model.fit(rows).score_samples(rows).mean().compute()


def files(figures, quick):
    """Compare one process, one worker and two workers on the same files."""
    import dask.dataframe as dd

    n, chunk = (20_000, 5000) if quick else (10**7, 250_000)
    most = 5000 if quick else 100_000

    def model():
        return detector("plain", max_rows=most, **PLAIN)

    with tempfile.TemporaryDirectory() as folder:
        written(folder, n, chunk)
        streamed(folder, model())  # compiled
        alone, _ = seconds(lambda: streamed(folder, model()))
        figures.add("files", f"one process, {n:.0e} rows", alone, "s")
        for workers in (1, 2):
            with cluster(workers):
                rows = dd.read_parquet(folder)

                def run(rows=rows):
                    return model().fit(rows).score_samples(rows).mean().compute()

                run(rows.partitions[:workers])  # compiled
                taken, _ = seconds(run)
            figures.add("files", f"{workers} worker(s), {n:.0e} rows", taken, "s")
            figures.add("files", f"{workers} worker(s) over one process", taken / alone, "")


def scoring(figures, quick):
    """Score files, beside IsolationForest."""
    import dask.dataframe as dd
    import pandas as pd
    from sklearn.ensemble import IsolationForest

    n, chunk = (20_000, 5000) if quick else (10**7, 250_000)
    with tempfile.TemporaryDirectory() as folder, cluster(2):
        rows = dd.read_parquet(written(folder, n, chunk))
        first = rows.partitions[0].compute()
        forest = IsolationForest(random_state=0).fit(first)
        empty = pd.Series(dtype=float)

        def by_forest(part):
            return pd.Series(forest.score_samples(part), part.index)

        taken, _ = seconds(lambda: rows.map_partitions(by_forest, meta=empty).mean().compute())
        figures.add("scoring", "IsolationForest", n / taken, "rows/s")
        for recipe, share, budget in (
            ("auto", 10, {}),
            ("fast", 10, {}),
            ("plain", 1, {"epochs": 2}),
        ):
            model = detector(recipe, **budget).fit(first)
            some = rows.partitions[: max(rows.npartitions // share, 2)]
            model.score_samples(some).mean().compute()  # compiled on the workers
            ours, _ = seconds(lambda m=model, x=some: m.score_samples(x).mean().compute())
            rate = some.npartitions * chunk / ours
            figures.add("scoring", recipe, rate, "rows/s")
            figures.add("scoring", f"{recipe} over IsolationForest", rate * taken / n, "")


def stages(figures, quick):
    """Take the processor time of each stage."""
    import pandas as pd

    from skanomaly.distributed._content import hashes_of, numbers_of
    from skanomaly.distributed._summary import summarise

    n = 2000 if quick else 10**6
    scale = 1e6 / n
    rows = block(0, n)
    with tempfile.TemporaryDirectory() as folder:
        written(folder, n, n)
        read, _ = core_seconds(lambda: pd.read_parquet(next(Path(folder).glob("*.parquet"))))
    figures.add("stages", "read Parquet", read * scale, "core s per 1e6 rows")
    hashed, _ = core_seconds(lambda: hashes_of(numbers_of(rows)[0]))
    figures.add("stages", "hash", hashed * scale, "core s per 1e6 rows")
    whole, _ = core_seconds(lambda: summarise(rows, None, None, 100_000))
    figures.add("stages", "hash, statistics and sample", whole * scale, "core s per 1e6 rows")
    few = rows[: min(n, 100_000)]
    for recipe, budget in (("auto", {}), ("plain", PLAIN)):
        model = detector(recipe, **budget)
        model.fit(few)
        trained, _ = core_seconds(lambda m=model: m.fit(few))
        figures.add("stages", f"train on {len(few)} rows, {recipe}", trained, "core s")
        model.score_samples(few)
        scored, _ = core_seconds(lambda m=model: m.score_samples(few))
        figures.add("stages", f"score, {recipe}", scored * 1e6 / len(few), "core s per 1e6 rows")


def agreement(figures, quick):
    """Compare a sample's scores with those of a fit to all rows."""
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    from skanomaly import AutoencoderDetector

    n, most = (4000, 2000) if quick else (10**6, 100_000)
    rows = block(0, n)
    y = np.arange(n) % 100 == 0
    import dask.array as da

    sampled = detector(max_rows=most).fit(da.from_array(rows, chunks=(n // 4, D))).estimator_
    every = AutoencoderDetector(random_state=0).fit(rows)
    one, other = (m.score_samples(rows[:50_000]) for m in (sampled, every))
    y = y[:50_000]
    figures.add("agreement", "correlation of scores", np.corrcoef(one, other)[0, 1], "")
    figures.add("agreement", "rank correlation", spearmanr(one, other)[0], "")
    aucs = [roc_auc_score(y, -scores) for scores in (one, other)]
    figures.add("agreement", "ROC AUC, sample less all rows", aucs[0] - aucs[1], "")


def models(figures, quick):
    """Fit many small models; the first compiles the program that all of them use."""
    from skanomaly import AutoencoderDetector

    n_models = 5 if quick else N_MODELS
    rows = [np.random.default_rng(k).normal(size=(2000, 10)) for k in range(min(n_models, 50))]

    def fit(k):
        model = AutoencoderDetector("plain", epochs=20, random_state=0)
        return model.fit(rows[k % len(rows)])

    first, _ = seconds(lambda: fit(0))
    taken = [seconds(lambda k=k: core_seconds(lambda: fit(k))[0]) for k in range(1, n_models)]
    figures.add("models", "first model", first, "s")
    figures.add(
        "models", "each further model, median", statistics.median(t for t, _ in taken), "s"
    )
    busy = statistics.median(core for _, core in taken)
    figures.add("models", "each further model, median processor time", busy, "core s")
    figures.add("models", f"{n_models} models", first + sum(t for t, _ in taken), "s")
    with ThreadPoolExecutor(3) as threads:
        together, _ = seconds(lambda: list(threads.map(fit, range(n_models))))
    figures.add("models", f"{n_models} models, three threads", together, "s")


PARTS = {f.__name__: f for f in (stages, agreement, models, growth, files, scoring)}


def main(arguments=None):
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes: does the script work?")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts")
    arguments = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    figures = Figures()
    for name in arguments.only:
        PARTS[name](figures, arguments.quick)
    figures.write(RESULTS / ("scale_quick.csv" if arguments.quick else "scale.csv"))
    return figures


if __name__ == "__main__":
    main()
