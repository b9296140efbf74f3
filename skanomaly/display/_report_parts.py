"""What a report says: figures of scores, of the strangest rows and of columns, as plain values.

Owns the content. Does not own: pictures (``display._report_plots``), or the page
(``display._report``).
"""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skanomaly.inspection._explain import explain

#: Rows to compare with in explanations, and positions of the slider.
_BACKGROUND, _POSITIONS = 2000, 200
#: Share of what makes a row abnormal below which a column is not named.
_LEAST_SHARE = 0.05


def as_frame(X, estimator):
    """Return rows as a table with names."""
    if isinstance(X, pd.DataFrame):
        return X
    if hasattr(X, "to_pandas"):
        return X.to_pandas()
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"a report needs a table of shape (n_samples, n_features), got the shape {X.shape}. "
            "Pass rows with one value a column."
        )
    names = getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(X.shape[1])])
    return pd.DataFrame(X, columns=names)


def explanation_of(estimator, X, rows):
    """Explain rows by comparing them with normal ones among the others.

    Inside a pipeline a detector is asked for scores alone: what is expected are then the values of
    normal rows like it, which says more than a reconstruction does. Time stamps are explained
    within their series.
    """
    if hasattr(estimator, "_explain_rows"):
        return explain(estimator, X).take(rows)
    others = np.setdiff1d(np.arange(len(X)), rows)
    others = others[:: -(-len(others) // _BACKGROUND)] if len(others) else rows
    take = X.iloc if isinstance(X, pd.DataFrame) else X
    wrapped = Pipeline([("detector", estimator)])
    return explain(wrapped, take[rows], background=take[others])


def strangest(explanation, rows, scores, threshold, identifiers, at_most=5):
    """Return a line for each of the strangest rows, with what made it so."""
    shares = explanation.contributions.to_numpy()
    names = [str(name) for name in explanation.contributions.columns]
    lines = []
    for place, row in enumerate(rows):
        pull = np.maximum(shares[place], 0).sum()
        order = np.argsort(-shares[place], kind="stable")[:at_most]
        named = [j for j in order if shares[place, j] > _LEAST_SHARE * pull > 0]
        parts = [
            {
                "column": names[j],
                "seen": shown(explanation.seen.iat[place, j]),
                "expected": shown(explanation.expected.iat[place, j]),
                "share": float(shares[place, j] / pull),
            }
            for j in named
        ]
        told = {} if identifiers is None else identifiers.iloc[row].to_dict()
        lines.append(
            {
                "row": int(row) + 1,
                "score": shown(scores[row]),
                "flagged": bool(scores[row] < (threshold or 0.0)),
                "told": {str(name): shown(value) for name, value in told.items()},
                "parts": parts,
            }
        )
    return lines


def columns_of(frame, explanation, flagged):
    """Return a line for each column, those first that made the strangest rows so."""
    pulls = np.maximum(explanation.contributions.to_numpy(), 0)
    total = pulls.sum() or 1.0
    if pulls.shape[1] == frame.shape[1]:
        shares = pulls.sum(axis=0) / total
    else:  # a column of time stamps has no share
        shares = dict(
            zip(explanation.contributions.columns, pulls.sum(axis=0) / total, strict=True)
        )
        shares = [shares.get(name, 0.0) for name in frame.columns]
    lines = []
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        lines.append(
            {
                "place": place,
                "name": str(name),
                "kind": "numbers" if is_numeric(column) else "categories",
                "typical": _typical(column),
                "in_flagged": _typical(column[flagged]) if flagged.any() else "–",
                "missing": float(column.isna().mean()),
                "share": float(shares[place]),
            }
        )
    return sorted(lines, key=lambda line: -line["share"])


def is_numeric(column):
    """Tell whether a column holds numbers to draw on an axis."""
    kind = column.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _typical(column):
    known = column.dropna()
    if len(known) == 0:
        return "no values"
    if is_numeric(column):
        low, centre, high = np.quantile(known.to_numpy(float), [0.05, 0.5, 0.95])
        return f"{centre:.4g} ({low:.4g} to {high:.4g})"
    counts = known.astype(str).value_counts()
    return f"{shown(counts.index[0])} ({counts.iloc[0] / len(known):.0%})"


def positions(scores, judged, threshold):
    """Return what thresholds would do, from few alerts to many: a list of plain dicts.

    Alerts are counted among `scores`; `judged`, labels and scores, tells how many are right.
    """
    order = np.sort(scores)
    counts = np.unique(np.geomspace(1, max(len(order) // 2, 1), _POSITIONS).round().astype(int))
    above = np.nextafter(order[-1], np.inf)
    cuts = [order[count] if count < len(order) else above for count in counts]
    if threshold is not None:
        cuts.append(threshold)
    return [_outcome(scores, judged, cut) for cut in sorted(set(np.asarray(cuts, float)))]


def _outcome(scores, judged, threshold):
    outcome = {"threshold": float(threshold), "alerts": int((scores < threshold).sum())}
    if judged is not None:
        labels, scores = judged
        counts = confusion(labels, scores < threshold)
        known = counts["hits"] + counts["false_alarms"]
        outcome["precision"] = counts["hits"] / known if known else None
        outcome["recall"] = counts["hits"] / max(counts["hits"] + counts["misses"], 1)
    return outcome


def confusion(labels, flagged):
    """Return how many rows of each kind are called what."""
    return {
        "hits": int(((labels == -1) & flagged).sum()),
        "misses": int(((labels == -1) & ~flagged).sum()),
        "false_alarms": int(((labels == 1) & flagged).sum()),
        "passed": int(((labels == 1) & ~flagged).sum()),
    }


def shown(value):
    """Return a value as a short text."""
    if value is None or (np.ndim(value) == 0 and pd.isna(value)):
        return "missing"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return text if len(text) <= 40 else text[:39] + "…"
