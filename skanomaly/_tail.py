"""Peaks over threshold: an offset for rates of false alarms below one in the number of rows.

Owns: the model of the lower tail of scores. Does not own: rules within the range of the
scores (``_threshold``).
"""

import warnings

import numpy as np
from scipy.stats import genpareto

from skanomaly._threshold import check_scores

#: Distinct rows that a tail needs: SciPy's fit is hardly better than a guess on fewer.
_MIN_PEAKS = 10
#: Bounds of the shape. Short tails of few rows are often fitted with an end point just beyond the
#: lowest row, which brings ten times the false alarms asked for; a shape above 1 has no mean.
_SHAPES = (-0.1, 1.0)


def tail_offset(scores, rate, tail=0.1):
    """Return the offset below which normal rows fall at a given, possibly very small, rate.

    The lowest scores' distances from the quantile `tail` are modelled by a generalised Pareto
    distribution, to which the tails of nearly all distributions tend (Pickands, "Statistical
    Inference Using Extreme Order Statistics", Annals of Statistics 3, 1975); its quantile is the
    offset (Siffer, Fouque, Termier and Largouët, "Anomaly Detection in Streams with Extreme
    Value Theory", KDD 2017). The shape is held between -0.1 and 1.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of normal rows, higher is more normal.
    rate : float in (0, tail)
        Share of normal rows below the offset.
    tail : float in (0, 0.5], default=0.1
        Share of the scores that the tail is fitted to.

    Returns
    -------
    offset : float

    Raises
    ------
    ValueError
        If a share is out of range, or the tail has fewer than ten different scores.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._tail import tail_offset
    >>> scores = -np.random.default_rng(0).exponential(size=2_000)
    >>> offset = tail_offset(scores, 1e-5)  # -11.5 would be exact
    >>> bool(-15 < offset < -9)
    True
    """
    if not 0 < tail <= 0.5:
        raise ValueError(f"tail must be a number in (0, 0.5], got {tail!r}.")
    if not 0 < rate < tail:
        raise ValueError(
            f"the rate of false alarms must be a number in (0, {tail}), the share of scores that "
            f"the tail is fitted to, got {rate!r}. For larger rates use a quantile of the scores."
        )
    scores = check_scores(scores)
    start = float(np.quantile(scores, tail))
    peaks = start - scores[scores < start]
    if len(np.unique(peaks)) < _MIN_PEAKS:
        raise ValueError(
            f"peaks over threshold needs {_MIN_PEAKS} different scores below the quantile "
            f"{tail}, got {len(np.unique(peaks))} among {len(scores)} scores. Pass more rows, or "
            "a larger tail."
        )
    shape, scale = _fit_pareto(peaks)
    share = len(peaks) / len(scores)
    return start - float(genpareto.isf(rate / share, shape, scale=scale))


def _fit_pareto(peaks):
    """Return shape and scale by maximum likelihood, the shape held within bounds."""
    unit = float(peaks.mean())  # SciPy's simplex starts from a scale of one
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # trial shapes that do not reach a peak
        shape, _, scale = genpareto.fit(peaks / unit, 0.1, floc=0)
        held = float(np.clip(shape, *_SHAPES))
        if not np.isfinite(shape):
            held = 0.0
        if held != shape:
            shape, _, scale = genpareto.fit(peaks / unit, fc=held, floc=0)
    return float(shape), float(scale) * unit
