"""Detection in time series: which time stamps, which events, how soon, and how many false alarms.

``python benchmarks/series.py --data FOLDER`` (with the folders ``nab`` and ``skab`` in it) trains
every method on the first part of every series (15% of NAB's, 400 time stamps of SKAB's, 1,200 of
the made-up ones), scores the whole series, appends one line a run to a CSV, and prints tables:
ROC AUC, average precision and VUS-PR (Paparrizos et al., PVLDB 2022; the package dtaianomaly
computes it, with buffers of up to 100 time stamps) of the rest, ROC AUC of the whole series, and
of predictions the counts behind F1, false alarms and misses of whole series (as SKAB's leaderboard
has them), range-based F1 (Tatbul et al., NeurIPS 2018) and the mean distance of an event's start
from where it was found. Every method runs with one setting for all series. An interrupted run
goes on where it stopped: lines that the CSV holds are not run again.

``--quick`` needs no folder and no peer: it makes small series of its own, and starts afresh.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _methods import UsageError
from _report import to_markdown
from _series_data import make_series, read_nab, read_skab
from _series_methods import DEFAULT, METHODS, QUICK
from sklearn.metrics import average_precision_score, roc_auc_score

from skanomaly.metrics import event_report, range_f1_score, vus_pr_score

COLLECTIONS = ("nab", "skab", "made")
KEY = ["collection", "series", "method", "seed"]
RANKED = ["roc_auc", "average_precision", "vus_pr", "roc_auc_whole"]
COUNTED = ["tp", "fp", "fn", "tn"]
EVENTS = ["range_f1", "onset_error", "found"]
COLUMNS = [*KEY, *RANKED, *COUNTED, *EVENTS, "seconds"]


def vus_pr(labels, scores):
    """Return VUS-PR, NaN where dtaianomaly is not installed."""
    try:
        return vus_pr_score(labels, -scores, anomaly_label=1)
    except ImportError:
        return float("nan")


def run_one(method, values, labels, n_train, seed):
    """Return the figures of one method on one series."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores, flags = METHODS[method](values[:n_train], values, seed)
    seconds = time.perf_counter() - start
    scores, late = np.asarray(scores, dtype=np.float64), labels[n_train:]
    metrics = roc_auc_score, average_precision_score, vus_pr
    ranked = [metric(late, scores[n_train:]) for metric in metrics]
    ranked.append(roc_auc_score(labels, scores))
    figures = [*ranked, *_counts(labels, flags), *_events(late, flags, n_train)]
    return [*(round(float(value), 6) for value in figures), round(seconds, 3)]


def _counts(labels, flags):
    """Return hits, false alarms, misses and the rest."""
    if flags is None:
        return [np.nan] * len(COUNTED)
    pairs = (1, 1), (0, 1), (1, 0), (0, 0)
    return [int(np.sum((labels == true) & (flags == said))) for true, said in pairs]


def _events(late, flags, n_train):
    if flags is None:
        return [np.nan] * len(EVENTS)
    said = np.where(flags[n_train:] == 1, -1, 1)
    report = event_report(late, said, anomaly_label=1, merge=5)
    off = report["onset_error"].abs().mean()
    return [range_f1_score(late, said, anomaly_label=1), off, report["found"].mean()]


def run(collections, methods, seeds, out):
    """Run what `out` does not hold yet; return the number of failures."""
    done = set()
    if out.exists():
        done = set(pd.read_csv(out)[KEY].itertuples(index=False, name=None))
    out.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    for key in _runs(collections, methods, seeds):
        if key in done:
            continue
        collection, name, method, seed = key
        try:
            line = [*key, *run_one(method, *collections[collection][name], seed)]
        except Exception as error:  # one failing peer must not end a long run
            failures += 1
            print(f"{name}, {method}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        print(*line, flush=True)
        header = not out.exists()
        pd.DataFrame([line], columns=COLUMNS).to_csv(out, mode="a", header=header, index=False)
    return failures


def _runs(collections, methods, seeds):
    for collection, series in collections.items():
        for method in methods:
            yield from ((collection, name, method, seed) for name in series for seed in seeds)


def report(path):
    """Return the tables of a results CSV: a line for each method, and VUS-PR of each series."""
    results, parts = pd.read_csv(path), []
    for collection, table in results.groupby("collection", sort=False):
        parts += [f"## {collection}: means over the series", to_markdown(_means(table))]
        metric = "vus_pr" if table["vus_pr"].notna().any() else "roc_auc"
        wide = table.pivot_table(index="series", columns="method", values=metric)
        parts += [f"## {collection}: {metric} of each series", to_markdown(wide)]
    return "\n\n".join(parts)


def _means(table):
    """Return means over series; F1, false alarms and misses of all time stamps together."""
    columns = [*RANKED, *EVENTS, "seconds"]
    means = table.groupby(["method", "series"])[columns].mean().groupby("method").mean()
    totals = table.groupby("method")[COUNTED].sum(min_count=1)
    hits, false, missed, quiet = (totals[name] for name in COUNTED)
    means["f1"] = 2 * hits / (2 * hits + false + missed)
    means["false_alarms"], means["misses"] = false / (false + quiet), missed / (missed + hits)
    means["n_series"] = table.groupby("method")["series"].nunique()
    return means.dropna(axis=1, how="all").sort_values("roc_auc", ascending=False)


def read(options):
    """Return the collections to run on."""
    if options.quick:
        return {"made": make_series(seeds=[0], length=2000, n_train=600)}
    readers = {"nab": read_nab, "skab": read_skab}
    found = {}
    for name in options.collections:
        if name == "made":
            found[name] = make_series()
        elif options.data is None:
            raise UsageError("Pass --data with the folders nab and skab, or --quick.")
        else:
            found[name] = readers[name](options.data / name)
    return found


def main(arguments=None):
    """Run, print and write; return the exit code."""
    parser = argparse.ArgumentParser(prog="series.py", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, help="folder that holds the folders nab and skab")
    add("--collections", nargs="+", choices=COLLECTIONS, default=list(COLLECTIONS))
    add("--quick", action="store_true", help="small made-up series; for CI")
    add("--methods", nargs="+", choices=METHODS, metavar="METHOD", help=", ".join(METHODS))
    add("--series", nargs="+", metavar="NAME", help="only these")
    add("--seeds", nargs="+", type=int, default=[0])
    add("--out", type=Path, help="the CSV to append to; default in benchmarks/results")
    options = parser.parse_args(arguments)
    name = "series_quick.csv" if options.quick else "series.csv"
    out = options.out or Path(__file__).parent / "results" / name
    if options.quick:
        out.unlink(missing_ok=True)
    try:
        collections = read(options)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    if options.series:
        collections = {
            key: {name: each[name] for name in each if name in options.series}
            for key, each in collections.items()
        }
    methods = options.methods or (QUICK if options.quick else DEFAULT)
    failures = run(collections, methods, options.seeds, out)
    print("\n" + report(out))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
