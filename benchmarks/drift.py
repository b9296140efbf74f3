"""How often DriftMonitor is wrong, and how soon it is right: 200 repetitions with fresh data.

Each repetition draws rows of 8 columns, fits a detector and a monitor, and then gives batches of
new rows: 50 batches of unchanged ones, or 10 unchanged ones followed by changed ones. The bound
promises false alarms in at most `alpha` of the repetitions, over a sequence of any length.

Run as ``python benchmarks/drift.py``; ``--repetitions 5`` for a quick look.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest

from skanomaly import DriftMonitor

N_COLUMNS, N_BATCH = 8, 100
CHANGES = {
    "none": lambda X, rng: X,
    "one column by 0.5 sd": lambda X, rng: X + 0.5 * np.eye(N_COLUMNS)[0],
    "one column by 1 sd": lambda X, rng: X + np.eye(N_COLUMNS)[0],
    "all columns by 0.5 sd": lambda X, rng: X + 0.5,
    "spread of all columns times 1.3": lambda X, rng: X * 1.3,
    "5% gross errors": lambda X, rng: np.where(rng.random((len(X), 1)) < 0.05, 8.0, X),
}


def run(change, cv, n_fit, seed):
    """Return whether there was an alarm on scores and on columns, and rows until the former."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(N_COLUMNS, N_COLUMNS)) / 2 + np.eye(N_COLUMNS)
    mixing /= np.linalg.norm(mixing, axis=0)  # columns of variance one

    def rows(n):
        return rng.normal(size=(n, N_COLUMNS)) @ mixing

    forest = IsolationForest(n_estimators=50, random_state=seed)
    monitor = DriftMonitor(forest, alpha=0.05, cv=cv, random_state=seed).fit(rows(n_fit))
    before = 50 if change == "none" else 10
    monitor.update(rows(before * N_BATCH))
    false = monitor.drift_, bool(monitor.moved_columns_)
    if change == "none":
        return {"false": false[0], "false column": false[1]}
    monitor.update(CHANGES[change](rows(20 * N_BATCH), rng))
    after = (monitor.detected_at_ or np.nan) - before * N_BATCH
    found = bool(monitor.drift_ and not false[0])
    moved = bool(monitor.moved_columns_) and not false[1]
    return {"found": found, "rows": after if found else np.nan, "column found": moved}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--n-fit", type=int, default=1000)
    parser.add_argument("--cv", type=float, nargs="+", default=[0.25, 5])
    arguments = parser.parse_args()
    lines = []
    for cv in (value if value < 1 else int(value) for value in arguments.cv):
        for change in CHANGES:
            runs = pd.DataFrame(
                [run(change, cv, arguments.n_fit, seed) for seed in range(arguments.repetitions)]
            )
            told = runs.drop(columns="rows", errors="ignore").mean().to_dict()
            if "rows" in runs:
                told["rows until then"] = runs["rows"].median()
            lines.append({"cv": cv, "change": change, **told})
            print(pd.Series(lines[-1]).to_frame().T.to_string(header=len(lines) == 1), flush=True)
    print(pd.DataFrame(lines).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
