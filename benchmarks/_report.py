"""Tables and pictures from the tidy results of the quality benchmark.

Separation of concerns: reads a frame with one line per (set, protocol, method, seed); runs
nothing. Seeds are averaged within a data set first, and the data sets are the sample: standard
errors and ranks are over sets.
"""

import numpy as np
import pandas as pd
from scipy.stats import studentized_range

METRICS = {"roc_auc": "ROC AUC", "average_precision": "AP", "f1": "F1"}
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


def critical_difference(n_methods, n_sets, alpha=0.05):
    """Return the Nemenyi critical difference of mean ranks (Demšar 2006)."""
    q = studentized_range.ppf(1 - alpha, n_methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_methods * (n_methods + 1) / (6 * n_sets)))


def cliques(ranks, difference):
    """Return the longest runs ``(first, last)`` of sorted ranks that lie within `difference`."""
    ranks = np.sort(ranks)
    last = np.searchsorted(ranks, ranks + difference, side="right") - 1
    runs = [(i, j) for i, j in enumerate(last.tolist()) if j > i]
    return [run for k, run in enumerate(runs) if k == 0 or run[1] > runs[k - 1][1]]


def draw_critical_difference(table, title):
    """Draw methods on a line of mean ranks; a bar joins those that do not differ.

    Parameters
    ----------
    table : DataFrame of shape (n_sets, n_methods)
        As returned by `means_per_set`.
    title : str
        What was measured.

    Returns
    -------
    matplotlib.figure.Figure
        Not registered with pyplot, so that nothing has to be closed.
    """
    from matplotlib.figure import Figure

    ranks = mean_ranks(table).sort_values()
    difference = critical_difference(len(ranks), len(table))
    bars = cliques(ranks, difference)
    half = (len(ranks) + 1) // 2
    bottom = 1 + 0.35 * len(bars) + half  # below the bars, one line per label and side
    figure = Figure(figsize=(8, 1.4 + 0.27 * bottom), layout="constrained")
    ax = figure.subplots()
    low, high = 1, max(len(ranks), 2)
    reach = 0.45 * (high - low)  # room for the names on both sides
    ax.set(xlim=(low - reach, high + reach), ylim=(bottom + 0.5, -2.2), title=title)
    ax.axis("off")
    ax.hlines(0, low, high, color="black")
    for tick in range(low, high + 1):
        ax.vlines(tick, -0.2, 0, color="black")
        ax.text(tick, -0.4, str(tick), ha="center", va="bottom")
    ax.hlines(-1.7, low, low + difference, color="black", linewidth=2)
    ax.text(low + difference, -1.7, f"  CD = {difference:.2f}", va="center")
    for k, (first, last) in enumerate(bars):
        ends = ranks.iloc[first] - 0.03, ranks.iloc[last] + 0.03
        ax.hlines(0.5 + 0.35 * k, *ends, color="tab:red", linewidth=4)
    for k, (name, rank) in enumerate(ranks.items()):
        left = k < half
        height = bottom - half + (k if left else len(ranks) - 1 - k) + 0.5
        side = low - 0.05 * reach if left else high + 0.05 * reach
        ax.plot([rank, rank, side], [0, height, height], color="black", linewidth=0.8)
        text = f"{name} {rank:.2f} " if left else f" {rank:.2f} {name}"
        ax.text(side, height, text, ha="right" if left else "left", va="center")
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
                draw_critical_difference(table, title).savefig(paths[-1], dpi=150)
    return paths
