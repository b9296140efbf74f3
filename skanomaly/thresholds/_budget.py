"""A threshold for as many alerts as somebody can look at.

Owns the step from a number of alerts to a rate; the rules for a rate are those of
``thresholds._unlabelled``.
"""

from skanomaly.thresholds._unlabelled import fpr_threshold, pot_threshold
from skanomaly.thresholds._validation import check_scores
from skanomaly.utils._validation import check_number

#: The highest rate that the tail of the scores is extended for.
_TAIL = 0.1


def alert_budget_threshold(scores, n_alerts, n_rows):
    """Return the threshold that raises so many alerts in so many rows, at most.

    Where the scores are enough to show a rate of ``n_alerts / n_rows``, that is `fpr_threshold`:
    new rows like those of `scores` then raise at most `n_alerts` alerts in `n_rows` rows on
    average, whatever the distribution. Where they are too few, the tail of the scores is
    extended by `pot_threshold`, which is a model and no guarantee.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of rows that the detector did not train on; higher is more normal. Of normal rows
        alone, the budget is one of false alarms; of rows as they come, anomalies among them,
        it is one of all alerts.
    n_alerts : float
        Alerts that there may be, for example in a day.
    n_rows : float, above `n_alerts`
        Rows in the same time.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies; for `set_threshold` of any detector.

    Raises
    ------
    ValueError
        If the numbers are out of range, all scores are equal or some are not finite, or there are
        too few of them for a tail.

    See Also
    --------
    skanomaly.ThresholdedDetector : Keeps such scores in `scores_`.
    skanomaly.DriftMonitor : Tells when the budget no longer holds.

    Examples
    --------
    Fifty alerts a day, of 10,000 rows a day:

    >>> import numpy as np
    >>> from skanomaly.thresholds import alert_budget_threshold
    >>> rng = np.random.default_rng(0)
    >>> threshold = alert_budget_threshold(rng.normal(size=20_000), n_alerts=50, n_rows=10_000)
    >>> int((rng.normal(size=10_000) < threshold).sum())
    33
    """
    scores = check_scores(scores)
    n_alerts, n_rows = check_number(n_alerts, "n_alerts"), check_number(n_rows, "n_rows")
    if n_alerts >= n_rows:
        raise ValueError(
            f"n_alerts must be below n_rows, got n_alerts={n_alerts!r} of n_rows={n_rows!r}. Give "
            "both for the same time, such as a day."
        )
    rate = n_alerts / n_rows
    if rate < _TAIL and rate * (len(scores) + 1) < 1:
        return pot_threshold(scores, rate, tail=_TAIL)
    return fpr_threshold(scores, rate)
