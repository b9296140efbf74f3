"""Tables and pictures from the tidy results of the quality benchmark.

Separation of concerns: reads a frame with one line per (set, protocol, method, seed); runs
nothing. Seeds are averaged within a data set first, and the data sets are the sample: standard
errors and ranks are over sets.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skanomaly.display import DetectorComparisonDisplay

METRICS = {"roc_auc": "ROC AUC", "average_precision": "AP", "f1": "F1"}
#: Kinds of data sets, by a figure of theirs: name, and the bounds between groups.
GROUPS = {"n": ("rows", [1000, 3000]), "d": ("columns", [5, 10, 30])}
TIE = 0.01  # differences between two runs of one method on one set are about as large


def means_per_set(results, metric):
    """Return a frame of sets x methods, seeds averaged; only methods that ran on every set.

    A mean over fewer sets is not comparable: such a method is left out here, and named in the
    table of means with the number of its sets.
    """
    table = results.pivot_table(index="set", columns="method", values=metric, observed=True)
    return table.dropna(axis="columns")


def mean_ranks(table):
    """Return the mean rank of every method over the sets, 1 is best, equal values share."""
    return table.rank(axis="columns", ascending=False).mean()


def table_of_means(results):
    """Return one line per method: means, mean ranks, seconds, number of sets and seeds.

    ``fit s`` is the median over sets of the fastest seed, so that with two or more seeds a
    program compiled in the first fit does not count; ``first fit s`` is that of the first seed.
    """
    groups = results.groupby("method", observed=True)
    rows = pd.DataFrame({"sets": groups["set"].nunique(), "seeds": groups["seed"].nunique()})
    for metric, label in METRICS.items():
        if results[metric].notna().any():
            per_set = results.pivot_table(index="set", columns="method", values=metric)
            rows[label] = per_set.mean()
            rows[f"rank {label}"] = mean_ranks(means_per_set(results, metric))
    fits = results.sort_values("seed").groupby(["method", "set"])["fit_seconds"]
    rows["fit s"] = fits.min().groupby("method").median()
    rows["first fit s"] = fits.first().groupby("method").median()
    scoring = results.groupby(["method", "set"])["score_seconds"].min()
    rows["score s"] = scoring.groupby("method").median()
    counts = rows[["sets", "seeds"]]
    rows = rows.drop(columns=["sets", "seeds"]).join(counts)
    return rows.sort_values(["sets", "AP"], ascending=False)


def paired(results, metric, against):
    """Compare one method with every other on the (set, seed) pairs that both ran.

    Returns
    -------
    DataFrame
        One line per other method: the mean difference (positive: `against` is ahead), its
        standard error over sets, wins, ties (within `TIE`) and losses, and the number of sets.
    """
    cells = results.pivot_table(index=["set", "seed"], columns="method", values=metric)
    if against not in cells:
        return pd.DataFrame()
    lines = {}
    for other in cells.columns.drop(against):
        differences = (cells[against] - cells[other]).dropna().groupby("set").mean()
        if n_sets := len(differences):
            lines[other] = {
                "difference": differences.mean(),
                "standard error": differences.std(ddof=1) / np.sqrt(n_sets),
                "wins": int((differences >= TIE).sum()),
                "ties": int((differences.abs() < TIE).sum()),
                "losses": int((differences <= -TIE).sum()),
                "sets": n_sets,
            }
    return pd.DataFrame.from_dict(lines, orient="index")


def table_against(results, against):
    """Return `paired` for every metric side by side, as text ready to print."""
    columns = {}
    for metric, label in METRICS.items():
        compared = paired(results, metric, against)
        if len(compared):
            columns[label] = [
                f"{r['difference']:+.3f} ± {r['standard error']:.3f}"
                for _, r in compared.iterrows()
            ]
            columns[f"{label} w/t/l"] = [
                f"{r['wins']:.0f}/{r['ties']:.0f}/{r['losses']:.0f}"
                for _, r in compared.iterrows()
            ]
            index, sets = compared.index, compared["sets"].astype(int).tolist()
    if not columns:
        return pd.DataFrame()
    return pd.DataFrame(columns | {"sets": sets}, index=index).rename_axis("method")


def group_names(results):
    """Return the groups that each line belongs to: by rows, by columns, and by collection."""
    names = {}
    for figure, (label, bounds) in GROUPS.items():
        edges = [0, *bounds, np.inf]
        labels = [f"{label} {low + 1}-{high:.0f}" for low, high in pairwise(edges)]
        labels[-1] = f"{label} above {bounds[-1]}"
        names[label] = pd.cut(results[figure], edges, labels=labels).astype(str)
    # macrOData's files are called odd_... and ovr_...; others have numbers or names of their own
    first = results["set"].str.partition("_")[0]
    names["collection"] = first.where(first.isin(["odd", "ovr"]), "others")
    return pd.DataFrame(names)


def report_groups(results, protocol, against=None):
    """Return Markdown tables of one protocol: one method minus the others, group by group."""
    results = results[results["protocol"] == protocol]
    if against not in results["method"].unique():
        against = default_against(results)
    parts = []
    groups = group_names(results)
    for kind in groups:
        for name in sorted(groups[kind].unique()):
            table = table_against(results[groups[kind] == name], against)
            if len(table):
                heading = f"### {protocol}, {name}: {against} minus each method"
                parts += [heading, to_markdown(table)]
    return "\n\n".join(parts)


def draw_ranks(table, label, title):
    """Return a figure with the critical-difference diagram of a table by `means_per_set`."""
    # not registered with pyplot, so that nothing has to be closed
    figure = Figure(figsize=(9, 2.5 + 0.2 * table.shape[1]), layout="constrained")
    DetectorComparisonDisplay.from_scores(table, metric=label, ax=figure.subplots())
    figure.axes[0].set_title(title)
    return figure


def to_markdown(frame):
    """Return a frame as a Markdown table; numbers get three decimals, counts none."""

    def cell(value):
        if isinstance(value, float | np.floating):
            return "" if np.isnan(value) else f"{value:.3f}"
        return str(value)

    head = [frame.index.name or "", *map(str, frame.columns)]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    # itertuples keeps each column's own type; iterrows would turn counts into floats
    lines += [[cell(value) for value in row] for row in frame.itertuples()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def default_against(results):
    """Return the method to compare with: one of ours if it ran, else the best mean AP."""
    methods = results["method"].unique()
    ours = [m for m in ("autoencoder", "classifier") if m in methods]
    if results["f1"].notna().any():  # with labels, the classifier comes first
        ours.reverse()
    return ours[0] if ours else table_of_means(results).index[0]


def report_protocol(results, protocol, against=None, per_set=False):
    """Return the Markdown tables of one protocol."""
    results = results[results["protocol"] == protocol]
    if against not in results["method"].unique():
        against = default_against(results)
    parts = [f"## {protocol}: means", to_markdown(table_of_means(results))]
    if len(table := table_against(results, against)):
        heading = f"## {protocol}: {against} minus each method, ± standard error over sets"
        parts += [heading, to_markdown(table)]
    if per_set:
        for metric, label in METRICS.items():
            if results[metric].notna().any():
                table = results.pivot_table(index="set", columns="method", values=metric)
                parts += [f"## {protocol}: {label} per set", to_markdown(table)]
    return "\n\n".join(parts)


def write_report(results, folder, against=None):
    """Write ``quality.md`` and a critical-difference picture per protocol; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    protocols = results["protocol"].unique()
    pages = [report_protocol(results, p, against, per_set=True) for p in protocols]
    paths = [folder / "quality.md"]
    paths[0].write_text("# Detection quality\n\n" + "\n\n".join(pages) + "\n", encoding="utf-8")
    for protocol in protocols:
        for metric in ("roc_auc", "average_precision"):
            table = means_per_set(results[results["protocol"] == protocol], metric)
            if table.shape[1] > 1 and len(table) > 1:
                title = f"{protocol}: mean rank by {METRICS[metric]} over {len(table)} data sets"
                paths.append(folder / f"critical_difference_{protocol}_{metric}.png")
                draw_ranks(table, METRICS[metric], title).savefig(paths[-1], dpi=150)
    return paths
