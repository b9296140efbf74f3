"""Rules that turn scores alone into a threshold.

Owns: a share of the rows, robust deviations, a rate of false alarms, peaks over threshold. Does
not own: rules with labels (``thresholds._labelled``), names of rules (``thresholds._named``), or
where the scores come from.
"""

import math
import warnings
from numbers import Real

import numpy as np
from scipy.stats import genpareto

from skanomaly.thresholds import _validation
from skanomaly.thresholds._validation import check_scores
from skanomaly.utils._validation import check_weight
from skanomaly.utils._weights import WeightedSample

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
    >>> from skanomaly.thresholds._unlabelled import tail_offset
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


# Standard normal quantiles: they turn distances between quantiles into standard deviations.
_Z75, _Z90 = 0.6744897501960817, 1.2815515655446004


def contamination_offset(scores, contamination, sample_weight=None):
    """Return the offset below which a given share of the training scores lies.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Training scores, higher is more normal.
    contamination : "auto" or float in (0, 0.5]
        Share of anomalies: when no scores are tied, exactly the ``k`` lowest scores lie below
        the offset for ``contamination = k / n_samples``. "auto" uses `robust_offset`.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies of the rows. Integers give the offset of the sample in which each row is
        repeated so often; of other numbers, and of integers with a mean above 100, only the
        ratios count.

    Returns
    -------
    offset : float
        ``numpy.percentile(scores, 100 * contamination)``, weighted if asked.

    Raises
    ------
    ValueError
        If `contamination` is out of range, or scores or weights are unusable.

    Examples
    --------
    >>> from skanomaly.thresholds._unlabelled import contamination_offset
    >>> contamination_offset([0.0, 1.0, 2.0, 3.0, 4.0], 0.2)
    0.8
    """
    if isinstance(contamination, str) and contamination == "auto":
        return robust_offset(scores, sample_weight)
    if not (isinstance(contamination, Real) and 0 < contamination <= 0.5):
        raise ValueError(
            "contamination must be 'auto' or a number in (0, 0.5], got "
            f"{contamination!r}. Pass the expected share of anomalies, for example 0.01."
        )
    scores = check_scores(scores)
    if sample_weight is None:
        return float(np.percentile(scores, 100 * contamination))
    return float(_weighted(scores, sample_weight).quantile(contamination))


def robust_offset(scores, sample_weight=None):
    """Return the median score minus three robust standard deviations.

    The standard deviation is the larger of two: ``(q90 - median) / 1.28`` on the normal
    (upper) side, which anomalies do not reach, and ``(median - q25) / 0.67`` on the lower
    side, so that scores with a longer lower tail get a lower offset. Both are taken
    again over the rows at or above the offset until nothing changes: up to about a fifth of
    clear anomalies then leave no trace in the offset.

    When the scores of normal rows are normally distributed, about 0.13% of them fall below the
    offset (false positives). Longer lower tails give more: about 3% for exponential ones.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Training scores, higher is more normal.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies of the rows, as in `contamination_offset`.

    Returns
    -------
    offset : float
        The common score if all scores are equal: then no training row is an anomaly.

    Raises
    ------
    ValueError
        If scores or weights are unusable.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.thresholds._unlabelled import robust_offset
    >>> scores = np.random.default_rng(0).normal(size=10_000)
    >>> anomalies = np.full(1_000, -50.0)
    >>> round(robust_offset(scores), 1), round(robust_offset([*scores, *anomalies]), 1)
    (-3.0, -3.0)
    """
    scores = check_scores(scores)
    sample = _weighted(scores, sample_weight)
    offset = _three_sigma_below(sample)
    # A trimmed row never returns, so the sample shrinks until it is stable.
    while sample.values[0] < offset:
        sample = sample.at_or_above(offset)
        offset = _three_sigma_below(sample)
    return offset


def _weighted(scores, sample_weight):
    if sample_weight is not None:
        sample_weight = check_weight(sample_weight, len(scores))
    return WeightedSample(scores, sample_weight)


def _three_sigma_below(sample):
    q25, median, q90 = map(float, sample.quantile([0.25, 0.5, 0.9]))
    return median - 3 * max((q90 - median) / _Z90, (median - q25) / _Z75)


def contamination_threshold(scores, contamination="auto", *, sample_weight=None):
    """Return the threshold below which a given share of the scores lies.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, higher is more normal.
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the rows to call anomalies, whether they are strange or not. "auto" is
        `robust_threshold`.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies of the rows.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies.

    Raises
    ------
    ValueError
        If `contamination` is out of range, or all scores are equal or some are not finite.

    Examples
    --------
    >>> from skanomaly.thresholds import contamination_threshold
    >>> contamination_threshold([0.0, 1.0, 2.0, 3.0, 4.0], 0.2)
    0.8
    """
    _check_spread(scores)
    return contamination_offset(scores, contamination, sample_weight)


def robust_threshold(scores, *, sample_weight=None):
    """Return the median score minus three robust standard deviations.

    The deviation is measured where anomalies do not reach: up to about a fifth of the rows may
    be clear anomalies. About 0.13% of normal rows fall below if their scores are normally
    distributed; longer lower tails give more, about 3% for exponential ones.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, higher is more normal.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies of the rows.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies.

    Raises
    ------
    ValueError
        If all scores are equal or some are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.thresholds import robust_threshold
    >>> round(robust_threshold(np.random.default_rng(0).normal(size=10_000)), 1)
    -3.0
    """
    _check_spread(scores)
    return robust_offset(scores, sample_weight)


def fpr_threshold(scores, fpr):
    """Return the threshold that keeps the rate of false alarms on new rows at a level.

    It is the score of rank ``floor(fpr * (n_samples + 1))`` from below. When the detector did
    not train on the rows of these scores, and they and a new row are exchangeable, the new row
    falls below with a probability of at most `fpr`, whatever the distribution (split-conformal
    prediction: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005).

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of normal rows, held out from training; higher is more normal.
    fpr : float in (0, 1)
        Rate of false alarms.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies.

    Raises
    ------
    ValueError
        If there are fewer than ``1 / fpr - 1`` scores, all are equal or some are not finite.

    See Also
    --------
    pot_threshold : For rates that need more rows than there are.

    Examples
    --------
    >>> from skanomaly.thresholds import fpr_threshold
    >>> fpr_threshold([0.0, 1.0, 2.0, 3.0, 4.0], 0.4)
    1.0
    """
    if not (isinstance(fpr, Real) and 0 < fpr < 1):
        raise ValueError(f"fpr must be a number in (0, 1), got {fpr!r}.")
    scores = _check_spread(scores)
    # the tolerance keeps 0.1 * 10 from being less than 1
    rank = math.floor(fpr * (len(scores) + 1) * (1 + 1e-12))
    if rank == 0:
        raise ValueError(
            f"{len(scores)} scores of normal rows cannot show a rate of false alarms of {fpr}: "
            f"that takes at least {math.ceil(1 / fpr) - 1}. Pass more rows, ask for a higher "
            "rate, or extend the tail of the scores by the rule 'pot'."
        )
    return float(np.partition(scores, rank - 1)[rank - 1])


def pot_threshold(scores, fpr, *, tail=0.1):
    """Return the threshold for a small rate of false alarms by peaks over threshold.

    A generalised Pareto distribution is fitted to the lower tail of the scores [1]_ [2]_ and
    extends it beyond the lowest row, for rates below ``1 / n_samples``. This is a model, not a
    guarantee. Asked for 1e-4, the true rate of eight in ten draws lay between a twelfth of that
    and seven times as much with 1,000 scores, and below 27 times as much with 200 (scores from
    the normal, exponential, gamma and t distributions). Anomalies among the scores lengthen the
    tail and lower the threshold.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of normal rows, best held out from training; higher is more normal.
    fpr : float in (0, tail)
        Rate of false alarms.
    tail : float in (0, 0.5], default=0.1
        Share of the scores that the tail is fitted to.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies.

    Raises
    ------
    ValueError
        If a share is out of range, or the tail has fewer than ten different scores.

    References
    ----------
    .. [1] J. Pickands, "Statistical Inference Using Extreme Order Statistics", Annals of
       Statistics 3, 1975.
    .. [2] A. Siffer, P.-A. Fouque, A. Termier and C. Largouët, "Anomaly Detection in Streams with
       Extreme Value Theory", KDD 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.thresholds import pot_threshold
    >>> scores = np.random.default_rng(1).normal(size=1_000)
    >>> bool(-7 < pot_threshold(scores, 1e-5) < -3)  # -4.3 would be exact
    True
    """
    _check_spread(scores)
    return tail_offset(scores, fpr, tail)


def _check_spread(scores):
    scores = _validation.check_scores(scores)
    if scores.min() == scores.max():
        raise ValueError(
            f"all scores are equal ({scores[0]}, n_samples={len(scores)}): no threshold tells "
            "rows apart. Check the data the detector was fitted on."
        )
    return scores
