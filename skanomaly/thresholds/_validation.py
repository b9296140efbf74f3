"""Checks of scores that all rules share."""

from skanomaly.utils._validation import check_column


def check_scores(scores):
    """Return scores as a finite float64 column with at least one row."""
    scores = check_column(scores, "scores")
    if len(scores) == 0:
        raise ValueError(
            "scores must have shape (n_samples,) with at least one row, got none. Pass the "
            "scores of rows that the rule may look at."
        )
    return scores
