"""Events: stretches of time stamps that belong together, made of the answers for single ones.

Owns the table of events. Knows no detector.
"""

import numpy as np
import pandas as pd

from skanomaly.utils._intervals import intervals


def events_table(scores, offset, shares, series, labels, names, *, merge, min_length, n_channels):
    """Return a line for each event.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores of time stamps, series by series; those below `offset` are anomalies.
    offset : float
        Threshold.
    shares : ndarray of shape (n, n_channels)
        Each channel's share in the scores.
    series : list of Series
        Which time stamps belong together.
    labels : ndarray or Index of shape (n,)
        What the time stamps are called.
    names : list of str
        What the channels are called.
    merge, min_length : int
        See `intervals`.
    n_channels : int
        Channels to name at most.

    Returns
    -------
    events : DataFrame
    """
    lines = []
    for each in series:
        part = scores[each.start : each.stop]
        for first, last in intervals(part < offset, merge=merge, min_length=min_length):
            span = slice(each.start + first, each.start + last + 1)
            peak = span.start + int(scores[span].argmin())
            share = np.maximum(shares[span], 0).sum(axis=0)
            order = np.argsort(-share, kind="stable")[:n_channels]
            lines.append(
                {
                    "series": each.name,
                    "start": labels[span.start],
                    "end": labels[span.stop - 1],
                    "peak": labels[peak],
                    "n_timestamps": int(last - first + 1),
                    "score": float(offset - scores[peak]),
                    "channels": tuple(names[j] for j in order if share[j] > 0),
                }
            )
    columns = ["series", "start", "end", "peak", "n_timestamps", "score", "channels"]
    table = pd.DataFrame(lines, columns=columns)
    return table if len(series) > 1 or series[0].name is not None else table.drop(columns="series")
