"""Detection in time series on the Numenta Anomaly Benchmark.

``python benchmarks/nab.py --data FOLDER`` trains every method on the first 15% of every series, as
NAB does, scores the rest, appends one line per run to a CSV, and prints tables: ROC AUC, average
precision and VUS-PR (Paparrizos et al., PVLDB 2022; the package dtaianomaly computes it, with
buffers of up to 100 time stamps). The folder holds NAB's ``data`` folders and
``combined_windows.json``. Every method runs with one setting for all series. An interrupted run
goes on where it stopped: lines that the CSV holds are not run again.

``--quick`` needs no folder and no peer: it makes series of its own, and starts afresh.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _methods import UsageError
from _report import to_markdown
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score

from skanomaly import AutoencoderDetector, WindowedDetector

TRAIN_SHARE = 0.15
MAX_BUFFER = 100
COLUMNS = ["series", "method", "seed", "roc_auc", "average_precision", "vus_pr", "seconds"]
KEY, METRICS = COLUMNS[:3], COLUMNS[3:6]


def windowed(detector, **settings):
    """Return the function from (training part, series, seed) to scores of a windowed detector."""

    def run(train, whole, seed):
        model = WindowedDetector(detector, random_state=seed, **settings).fit(train)
        return -model.score_samples(whole)

    return run


def z_score(train, whole, seed):
    """Return the distance from the training mean in standard deviations."""
    return np.abs(whole - train.mean(axis=0)).max(axis=1) / max(train.std(), 1e-12)


def pyod(module, name, transductive=False, **settings):
    """Return the same for a time series detector of PyOD."""

    def run(train, whole, seed):
        import torch

        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        model = getattr(__import__(f"pyod.models.{module}", fromlist=[name]), name)(**settings)
        if transductive:  # it scores what it is fitted on and nothing else: all of the series
            scores = model.fit(whole).decision_scores_
        else:
            scores = model.fit(train).decision_function(whole)
        return np.nan_to_num(scores, posinf=np.max(scores[np.isfinite(scores)]))

    return run


METHODS = {
    "skanomaly": windowed(AutoencoderDetector()),
    "skanomaly conv1d": windowed(AutoencoderDetector(architecture="conv1d")),
    "skanomaly lstm": windowed(AutoencoderDetector(architecture="lstm"), stride=4),
    "isolation forest, same windows": windowed(IsolationForest()),
    "z-score": z_score,
    "PyOD TimeSeriesOD(IForest)": pyod("ts_od", "TimeSeriesOD"),
    "PyOD TimeSeriesOD(KNN)": pyod("ts_od", "TimeSeriesOD", detector="KNN"),
    "PyOD TimeSeriesOD(KNN), 200": pyod("ts_od", "TimeSeriesOD", detector="KNN", window_size=200),
    "PyOD LSTMAD": pyod("ts_lstm", "LSTMAD"),
    "PyOD SpectralResidual": pyod("ts_spectral_residual", "SpectralResidual"),
    "PyOD KShape": pyod("ts_kshape", "KShape"),
    "PyOD SAND": pyod("ts_sand", "SAND"),
    "PyOD MatrixProfile": pyod("ts_matrix_profile", "MatrixProfile", transductive=True),
}
DEFAULT = [name for name in METHODS if name not in ("skanomaly conv1d", "skanomaly lstm")]
QUICK = ["skanomaly", "isolation forest, same windows", "z-score"]


def read_nab(folder):
    """Return ``{name: (values, labels)}`` of series with an anomaly behind the training part."""
    path = folder / "combined_windows.json"
    if not path.is_file():
        raise UsageError(f"--data must name a folder with combined_windows.json, got {folder}.")
    found = {}
    for name, windows in json.loads(path.read_text(encoding="utf-8")).items():
        file = next((p for p in (folder / name, folder / "data" / name) if p.is_file()), None)
        if file is None or not windows:
            continue
        table = pd.read_csv(file, parse_dates=["timestamp"])
        labels = np.zeros(len(table), dtype=int)
        for first, last in windows:
            labels[table["timestamp"].between(first, last)] = 1
        if labels[int(TRAIN_SHARE * len(labels)) :].any():
            found[Path(name).stem] = table[["value"]].to_numpy(np.float64), labels
    if not found:
        raise UsageError(f"{folder} has no labelled series: expected NAB's CSV files in it.")
    return found


def make_series():
    """Return three small noisy waves, each with a flat stretch that is labelled."""
    rng, found = np.random.default_rng(0), {}
    for number in range(3):
        wave = np.sin(np.arange(1200) / (4 + number)) + 0.1 * rng.normal(size=1200)
        labels = np.zeros(1200, dtype=int)
        labels[700:760] = 1
        wave[700:760] = 0.1 * rng.normal(size=60)
        found[f"made_{number}"] = wave[:, None], labels
    return found


def vus_pr(labels, scores):
    """Return VUS-PR, NaN where dtaianomaly is not installed."""
    try:
        from dtaianomaly.evaluation import VolumeUnderPR
    except ImportError:
        return float("nan")
    return VolumeUnderPR(max_buffer_size=MAX_BUFFER).compute(labels, scores)


def run_one(method, values, labels, seed):
    """Return the metrics of one method on the part of a series behind the training part."""
    cut, start = int(TRAIN_SHARE * len(values)), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = np.asarray(METHODS[method](values[:cut], values, seed), dtype=np.float64)
    seconds = time.perf_counter() - start
    labels, scores = labels[cut:], scores[cut:]
    metrics = roc_auc_score, average_precision_score, vus_pr
    return [*(round(float(metric(labels, scores)), 6) for metric in metrics), round(seconds, 3)]


def run(series, methods, seeds, out):
    """Run what `out` does not hold yet; return the number of failures."""
    done = set()
    if out.exists():
        done = set(pd.read_csv(out)[KEY].itertuples(index=False, name=None))
    out.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    for method in methods:
        for name, (values, labels) in series.items():
            for seed in seeds:
                if (name, method, seed) in done:
                    continue
                try:
                    line = [name, method, seed, *run_one(method, values, labels, seed)]
                except Exception as error:  # one failing peer must not end a long run
                    failures += 1
                    print(f"{name}, {method}: {type(error).__name__}: {error}", file=sys.stderr)
                    continue
                print(*line, flush=True)
                header = not out.exists()
                pd.DataFrame([line], columns=COLUMNS).to_csv(
                    out, mode="a", header=header, index=False
                )
    return failures


def report(path):
    """Return the tables of a results CSV: means over the series, and VUS-PR of each."""
    results = pd.read_csv(path)
    per_series = results.groupby(["method", "series"])[[*METRICS, "seconds"]].mean()
    means = per_series.groupby("method").mean()
    means["series"] = per_series.groupby("method").size()
    means = means.sort_values("vus_pr" if means["vus_pr"].notna().all() else "roc_auc")[::-1]
    parts = ["## Means over the series", to_markdown(means)]
    for metric in METRICS:
        table = results.pivot_table(index="series", columns="method", values=metric)
        if table.notna().any(axis=None):
            ordered = [name for name in means.index if name in table]
            parts += [f"## {metric} per series", to_markdown(table[ordered])]
    return "\n\n".join(parts)


def main(arguments=None):
    """Run, print and write; return the exit code."""
    parser = argparse.ArgumentParser(prog="nab.py", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, help="folder of NAB's series and combined_windows.json")
    add("--quick", action="store_true", help="small made-up series; for CI")
    add("--methods", nargs="+", choices=METHODS, metavar="METHOD", help=", ".join(METHODS))
    add("--series", nargs="+", metavar="NAME", help="only these")
    add("--seeds", nargs="+", type=int, default=[0])
    add("--out", type=Path, help="the CSV to append to; default in benchmarks/results")
    options = parser.parse_args(arguments)
    name = "nab_quick.csv" if options.quick else "nab.csv"
    out = options.out or Path(__file__).parent / "results" / name
    if options.quick:
        out.unlink(missing_ok=True)
    try:
        if not options.quick and options.data is None:
            raise UsageError("Pass --data with NAB's folder, or --quick.")
        series = make_series() if options.quick else read_nab(options.data)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    if options.series:
        series = {name: series[name] for name in options.series}
    methods = options.methods or (QUICK if options.quick else DEFAULT)
    failures = run(series, methods, options.seeds, out)
    print("\n" + report(out))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
