"""Detection quality of skanomaly and its peers over a folder of data sets.

``python benchmarks/quality.py --data FOLDER`` runs every method on every npz file (arrays ``X``
and ``y``, 1 an anomaly, like the public ADBench collection; or ``train``, ``test`` and
``test_labels``, for published splits such as macrOData's) under the protocols of `_protocols.py`,
appends one line per run to a CSV, and prints tables. An interrupted run goes on where it
stopped: lines that the CSV holds are not run again. So give a changed method another name or
another ``--out``. ``--quick`` needs no folder and no peer: it uses data that ship with
scikit-learn, and starts afresh unless ``--out`` is given.

A peer is any scikit-learn estimator, ``--method name=module:factory``, also with parameters,
``--method "deep=sklearn.ensemble:IsolationForest:n_estimators=500"``; a method of the registry
takes other parameters by ``--method "ae_plain=autoencoder:recipe=plain"``.
"""

import argparse
import csv
import os
import re
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import _methods
import _protocols
import _report
import joblib
import pandas as pd

KEY = ["set", "protocol", "method", "seed"]
FIGURES = [
    "roc_auc", "average_precision", "f1", "false_alarms", "fit_seconds", "score_seconds",
]  # fmt: skip
COLUMNS = [*KEY, *FIGURES, "n", "d"]
DEFAULT_METHODS = [
    "autoencoder",
    "classifier",
    "isolation_forest",
    "knn",
    "lof",
    "random_forest",
    "logistic_regression",
]


class Cell(NamedTuple):
    """One run: what to load, how to split it, what to fit."""

    source: str
    set: str
    protocol: str
    method: str
    spec: str
    seed: int
    max_rows: int

    @property
    def key(self):
        """What a line of the CSV is known by."""
        return (self.set, self.protocol, self.method, self.seed)


def run_cell(cell):
    """Run one cell; return its line as a dict, or the error as text under ``error``."""
    line = dict(zip(KEY, cell.key, strict=True))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peers' warnings would drown the progress lines
            task = _protocols.cap_rows(_protocols.load_set(cell.source), cell.max_rows, cell.seed)
            split = _protocols.split_set(task, cell.protocol, cell.seed)
            estimator = _methods.build(cell.spec, cell.seed)
            figures = _protocols.evaluate(estimator, split, cell.protocol)
    except Exception as error:  # one failing peer must not end a run of hours
        return line | {"error": f"{type(error).__name__}: {error}"}
    rounded = {name: round(float(value), 6) for name, value in figures.items()}
    return line | rounded | {"n": task.X.shape[0], "d": task.X.shape[1]}


def read_results(path):
    """Return the lines of a results CSV, an empty frame when there is none."""
    if not path.exists() or path.stat().st_size == 0:
        return pd.DataFrame(columns=COLUMNS)
    results = pd.read_csv(path, dtype={"set": str, "method": str})
    if missing := sorted(set(COLUMNS) - set(results.columns)):
        raise _methods.UsageError(
            f"{path} is not a result of this benchmark: no column {missing}."
        )
    return results.drop_duplicates(KEY, keep="last")


def cut_torn_line(path):
    """Remove what an interruption left of an unfinished last line."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("rb+") as file:
                file.truncate(whole)


def append_line(path, line):
    """Append one line so that it survives a crash of the machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(line)
        file.flush()
        os.fsync(file.fileno())


def natural(name):
    """Return a sort key that puts 5_campaign before 15_Hepatitis."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def is_wanted(name, wanted, excluded):
    """Tell whether a data set was asked for; wine and 45_wine both name 45_wine."""
    names = {name, name.partition("_")[2]}
    return (not wanted or bool(names & set(wanted))) and not names & set(excluded)


def find_sets(options):
    """Return ``{name: source}`` of the data sets asked for, in natural order."""
    if options.quick:
        sources = {name: name for name in _protocols.QUICK_SETS}
    elif options.data is None or not options.data.is_dir():
        raise _methods.UsageError(
            f"--data must name the folder of the npz files (or use --quick), got {options.data}."
        )
    else:
        sources = {path.stem: str(path) for path in options.data.rglob("*.npz")}
    for asked in (options.sets or []) + options.exclude:
        if not any(is_wanted(name, [asked], []) for name in sources):
            raise _methods.UsageError(f"No data set {asked!r}; there are {sorted(sources)}.")
    names = [name for name in sources if is_wanted(name, options.sets, options.exclude)]
    return {name: sources[name] for name in sorted(names, key=natural)}


def plan(sets, methods, protocols, seeds, max_rows):
    """Return the cells of a run; the seeds of one method follow each other.

    A compiled program then serves the second seed, and its time can be told from the first's.
    """
    estimators = {name: _methods.build(spec, 0) for name, spec in methods.items()}
    return [
        Cell(source, set_name, protocol, name, methods[name], seed, max_rows)
        for set_name, source in sets.items()
        for protocol in protocols
        for name, estimator in estimators.items()
        if _protocols.can_run(estimator, protocol)
        for seed in seeds
    ]


def run(cells, out, jobs=1):
    """Run the cells that `out` does not hold yet; return the number of failures."""
    cut_torn_line(out)
    done = set(read_results(out)[KEY].itertuples(index=False, name=None))
    todo = [cell for cell in cells if cell.key not in done]
    print(f"{len(cells)} runs, {len(cells) - len(todo)} of them done before, into {out}")
    lines = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(
        joblib.delayed(run_cell)(cell) for cell in todo
    )
    failures, start = 0, time.perf_counter()
    for count, line in enumerate(lines, 1):
        name = " ".join(str(line[key]) for key in KEY)
        if "error" in line:
            failures += 1
            print(f"[{count}/{len(todo)}] {name}: {line['error']}", file=sys.stderr, flush=True)
            continue
        append_line(out, line)
        shown = " ".join(f"{line[figure]:.3f}" for figure in FIGURES)
        print(
            f"[{count}/{len(todo)}, {time.perf_counter() - start:.0f} s] {name}: {shown}",
            flush=True,
        )
    return failures


def parse_arguments(arguments=None):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="quality.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, help="folder of npz files, searched with its subfolders")
    add("--quick", action="store_true", help="data that ship with scikit-learn; for CI")
    add("--sets", nargs="+", metavar="SET", help="only these, as 45_wine or wine")
    add("--exclude", nargs="+", default=[], metavar="SET", help="all but these")
    add(
        "--protocols",
        nargs="+",
        default=list(_protocols.PROTOCOLS),
        choices=_protocols.PROTOCOLS,
        metavar="P",
        help="of S U N1 N5 N10 F L25 L5; default all",
    )
    add(
        "--methods",
        nargs="*",
        choices=_methods.REGISTRY,
        metavar="METHOD",
        help=f"of {', '.join(_methods.REGISTRY)}; default {' '.join(DEFAULT_METHODS)}, "
        "or none where --method is given",
    )
    add(
        "--method",
        action="append",
        default=[],
        metavar="NAME=SPEC",
        dest="more_methods",
        help="one more method: module:factory[:parameters] or method:parameters",
    )
    add("--seeds", nargs="+", type=int, default=[0], help="default 0; published tables 0 1 2")
    add("--max-rows", type=int, default=10_000, help="larger sets are sub-sampled")
    add("--jobs", type=int, default=1, help="runs at a time; times are honest with 1 only")
    add("--out", type=Path, help="the CSV to append to; default in benchmarks/results")
    add(
        "--also",
        nargs="+",
        type=Path,
        default=[],
        metavar="CSV",
        help="results of other runs to show in the tables",
    )
    add("--report", type=Path, metavar="FOLDER", help="write tables and pictures there")
    add("--report-only", action="store_true", help="run nothing, report what the CSV holds")
    add("--against", metavar="METHOD", help="compare this method with each other one")
    add("--breakdown", action="store_true", help="compare by size, width and collection, too")
    options = parser.parse_args(arguments)
    if options.out is None:
        results = Path(__file__).parent / "results"
        options.out = results / ("quick.csv" if options.quick else "quality.csv")
        if options.quick and not options.report_only:  # a minute's run measures the code of now
            options.out.unlink(missing_ok=True)
    return options


def chosen_methods(options):
    """Return ``{name: spec}`` of the methods asked for."""
    names = options.methods
    if names is None:
        names = [] if options.more_methods else DEFAULT_METHODS
    more = dict(_methods.parse_method(text) for text in options.more_methods)
    return {name: _methods.REGISTRY[name] for name in names} | more


def gather(options):
    """Return the results to report: all files, less what was filtered on the command line."""
    frames = [read_results(path) for path in (options.out, *options.also)]
    results = pd.concat([frame for frame in frames if len(frame)] or frames)
    results = results.drop_duplicates(KEY, keep="first")
    sets = {name for name in results["set"] if is_wanted(name, options.sets, options.exclude)}
    return results[results["set"].isin(sets) & results["protocol"].isin(options.protocols)]


def report(options):
    """Print the tables and write the files that were asked for."""
    results = gather(options)
    for protocol in options.protocols:
        if (results["protocol"] == protocol).any():
            print("\n" + _report.report_protocol(results, protocol, options.against))
            if options.breakdown:
                print("\n" + _report.report_groups(results, protocol, options.against))
    if options.report and len(results):
        for path in _report.write_report(results, options.report, options.against):
            print(f"wrote {path}")


def run_planned(options):
    """Run what the command line asks for; return the number of failures."""
    cells = plan(
        find_sets(options),
        chosen_methods(options),
        options.protocols,
        options.seeds,
        options.max_rows,
    )
    failures = run(cells, options.out, options.jobs)
    if failures:
        print(f"{failures} runs failed; the same command tries them again.", file=sys.stderr)
    return failures


def main(arguments=None):
    """Run, print and write; return the exit code."""
    options = parse_arguments(arguments)
    try:
        failures = 0 if options.report_only else run_planned(options)
        report(options)
    except _methods.UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if failures else 0


if __name__ == "__main__":
    sys.path.append(str(Path.cwd()))  # --method may name a module of the user's
    sys.exit(main())
