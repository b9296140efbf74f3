"""Why a row is called an anomaly, in words: the detector's own explanation.

Owns which features are named, and how their values are written. The shares themselves are
those of `skanomaly.explain`.
"""

from skanomaly.cli._words import shortened

LEAST_SHARE = 0.1  # of what makes a row abnormal: features with less are not named
MOST_BACKGROUND = 512  # rows of the file to compare with
FEW_ROWS = 20
REFERENCES = 8, 4  # rows that each of a few is compared with, and each of more


def explain_rows(detector, features, rows, background=None):
    """Explain some rows of a table.

    Parameters
    ----------
    detector : estimator
        Fitted outlier detector.
    features : DataFrame of shape (n_rows, n_features)
        All rows at hand.
    rows : ndarray of shape (n_explained,)
        Which rows to explain.
    background : DataFrame of shape (n_background, n_features), default=None
        Rows of the training, of which the normal ones are compared with; None is the other rows
        at hand. These may be wrong in the same way as the row itself.

    Returns
    -------
    explanation : skanomaly.Explanation
    """
    import numpy as np
    from sklearn.pipeline import Pipeline

    from skanomaly import explain

    # inside a pipeline it is asked for scores alone: what is expected are then the values of the
    # normal rows that the row was compared with, which says more than a reconstruction does
    inner = Pipeline([("detector", getattr(detector, "estimator_", detector))])
    if background is None:
        others = np.setdiff1d(np.arange(len(features)), rows)
        others = others if len(others) else np.arange(len(features))
        background = features.iloc[others[:: -(-len(others) // MOST_BACKGROUND)]]
    n_references = REFERENCES[len(rows) > FEW_ROWS]
    return explain(inner, features.iloc[rows], background=background, n_references=n_references)


def reasons(explanation, table, plans, rows, at_most=3):
    """Say for each explained row which values made it strange, and what was expected.

    Parameters
    ----------
    explanation : skanomaly.Explanation
        Of the rows, in their order.
    table : DataFrame
        The table as read.
    plans : dict
        How its columns were read.
    rows : ndarray of shape (n_explained,)
        Which rows of the table these are.
    at_most : int, default=3
        Features to name.

    Returns
    -------
    texts : list of str
    """
    import numpy as np

    shares = explanation.contributions.to_numpy()
    pulls = np.maximum(shares, 0).sum(axis=1)
    sources = sources_of(plans)
    names = list(explanation.contributions.columns)
    texts = []
    for place, row in enumerate(rows):
        order = np.argsort(-shares[place], kind="stable")[:at_most]
        named = [j for j in order if shares[place, j] > LEAST_SHARE * pulls[place] > 0]
        parts = []
        for j in named:
            seen = seen_value(table, sources[names[j]], names[j], explanation, place, row)
            expected = expected_value(explanation.expected.iat[place, j], sources[names[j]])
            # values that print alike differ behind the digits shown, or with others of the row
            beside = "" if seen == expected else f" (expected {expected})"
            parts.append(f"{shortened(names[j])}={seen}{beside}")
        texts.append(", ".join(parts))
    return texts


def sources_of(plans):
    """Return the column and plan of each feature."""
    return {
        feature: (column, part, plan)
        for column, plan in plans.items()
        for part, feature in plan["features"].items()
    }


def seen_value(table, source, feature, explanation, place, row):
    """Return a value as the file has it, but numbers in four digits."""
    column, part, _ = source
    value = explanation.seen[feature].iloc[place]
    if part == "" and column in table.columns:
        held = table[column].iloc[row]
        if not _is_number(held):
            value = held
    return _shown(value)


def expected_value(value, source):
    """Return an expected value in the column's own terms: days as dates."""
    import pandas as pd

    _, part, plan = source
    if plan["kind"] == "dates" and part == "" and not pd.isna(value):
        return f"{pd.Timestamp(plan['origin']) + pd.Timedelta(days=float(value)):%Y-%m-%d}"
    return _shown(value)


def _is_number(value):
    from numbers import Real

    return isinstance(value, Real) and not isinstance(value, bool)


def _shown(value):
    import pandas as pd

    if pd.isna(value):
        return "missing"
    if _is_number(value):
        return f"{float(value):.4g}"
    return shortened(value)
