"""Rules that turn scores alone into a threshold.

Owns: a share of the rows, robust deviations, a rate of false alarms, peaks over threshold. Does
not own: rules with labels (``thresholds._labelled``), names of rules (``thresholds._named``), or
where the scores come from.

A function called ``*_threshold`` is public and checks scores and weights. One called ``*_offset``
is for the package alone and takes them as they are; equal scores are then no error.
"""

import functools
import math
import warnings
from numbers import Real

import numpy as np
from scipy.stats import genpareto

from skanomaly.thresholds._validation import check_scores, check_spread, check_threshold
from skanomaly.utils._docs import documented
from skanomaly.utils._validation import LARGEST, check_number, check_weight
from skanomaly.utils._weights import WeightedSample

#: Share of the rows that the robust rule leaves out at most.
_MOST_TRIMMED = 0.25
#: Distinct rows that a tail needs: SciPy's fit is hardly better than a guess on fewer.
_MIN_PEAKS = 10
#: Bounds of the shape. Short tails of few rows are often fitted with an end point just beyond the
#: lowest row, which brings ten times the false alarms asked for; a shape above 1 has no mean.
_SHAPES = (-0.1, 1.0)
#: Power of two by which huge scores are made smaller.
_HUGE = 64
# Standard normal quantiles: they turn distances between quantiles into standard deviations.
_Z75, _Z90 = 0.6744897501960817, 1.2815515655446004

#: Scores nearer to each other than this share of their size are one score.
_ROUNDING = 1e-9


def contamination_threshold(scores, contamination="auto", *, sample_weight=None):
    """Return the threshold below which a given share of the scores lies.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, higher is more normal.
    contamination : "auto" or float in (0, 0.5], default="auto"
        Share of the rows to call anomalies, whether they are strange or not: without ties the
        ``k`` lowest scores for ``k / n_samples``; of rows that share a score all or none,
        whichever is nearer. "auto" is `robust_threshold`.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies of the rows. Integers give the threshold of the sample in which each row is
        repeated so often; of other numbers, and of integers with a mean above 100, only the
        ratios count.

    Returns
    -------
    threshold : float
        ``numpy.percentile(scores, 100 * contamination)``, weighted if asked, or just above it
        where scores are tied; rows with ``score < threshold`` are anomalies.

    Raises
    ------
    ValueError
        If `contamination` is out of range, or all scores are equal or some are not finite.

    Warns
    -----
    UserWarning
        If no row is an anomaly, because too many share the lowest score.

    Examples
    --------
    >>> from skanomaly.thresholds import contamination_threshold
    >>> contamination_threshold([0.0, 1.0, 2.0, 3.0, 4.0], 0.2)
    0.8
    """
    if not _is_auto(contamination) and not (
        isinstance(contamination, Real) and 0 < contamination <= 0.5
    ):
        raise ValueError(
            "contamination must be 'auto' or a number in (0, 0.5], got "
            f"{contamination!r}. Pass the expected share of anomalies, for example 0.01."
        )
    scores, weight = _with_spread(scores, sample_weight)
    return contamination_offset(scores, contamination, weight)


def _with_spread(scores, sample_weight):
    """Return scores and weights, checked: those that count must not all be equal."""
    scores = check_scores(scores)
    weight = check_weight(sample_weight, len(scores))
    check_spread(scores if weight is None else scores[weight > 0])
    return scores, weight


def _scaled(offset):
    """Let a rule see huge scores at a smaller scale, where no difference of two overflows."""

    @functools.wraps(offset)
    def finite(scores, *args, **options):
        if np.abs(scores).max() <= LARGEST:
            return offset(scores, *args, **options)
        with np.errstate(over="ignore"):
            found = np.ldexp(offset(np.ldexp(scores, -_HUGE), *args, **options), _HUGE)
        return float(np.clip(found, -np.finfo(float).max, np.finfo(float).max))

    return finite


@_scaled
def contamination_offset(scores, contamination, sample_weight=None, *, asked=True):
    """Compute `contamination_threshold`.

    Where the user has not `asked` for that share, nobody is told that ties leave it empty.
    """
    if _is_auto(contamination):
        return robust_offset(scores, sample_weight)
    sample = WeightedSample(scores, sample_weight)
    # as scikit-learn has it: the two ways to interpolate differ in the last digit
    percentile = np.percentile(scores, 100 * contamination) if sample_weight is None else None
    offset = float(sample.quantile(contamination) if percentile is None else percentile)
    return _beside_ties(sample, offset, contamination, asked)


def _beside_ties(sample, offset, contamination, asked):
    """Return the offset, or one just above it where that brings the share nearer to the one asked.

    Rows that share a score stand or fall together: with the offset on their score they all stand.
    """
    # some backends' rounding lets scores of equal rows differ in their last digits
    margin = _ROUNDING * abs(offset) if np.isfinite(offset) else 0.0
    total, low = sample.count_below(np.inf), sample.count_below(offset - margin)
    high = sample.count_below(offset + margin, "right")
    wanted = contamination * total
    stays = high in (low, total) or high - wanted > wanted - low
    if stays or (low and high - wanted == wanted - low):
        if asked and low == 0 and 1 <= wanted < high < total:
            warnings.warn(
                f"no row lies below the threshold: contamination={contamination} asks for "
                f"{wanted:.3g} of {total:.3g} rows, but {high:.3g} share the lowest score and "
                "must have the same label. Ask for more, or add features that tell them apart.",
                UserWarning,
                stacklevel=4,
            )
        return offset
    above = float(sample.at_or_above(np.nextafter(offset + margin, np.inf)).values[0])
    return max(offset + (above - offset) / 2, float(np.nextafter(offset, np.inf)))


@_scaled
def false_alarm_offset(scores, rate, sample_weight=None):
    """Return the threshold below which a new row lies with a given probability.

    The scores are those of rows like it that did not train what scored them. Of n scores the i-th
    from below has i / (n + 1) of all new rows below it on average (Weibull, 1939): as
    `fpr_threshold`, but interpolated. For rates below 1 / (n + 1) the tail beyond the lowest score
    is taken to be exponential, as wide as the lowest tenth of the scores; lest an anomaly among
    few rows stands for itself, no lower than where a tail through the 25% and the 10% quantile
    leaves a quarter of the rate.
    """
    sample = WeightedSample(scores, sample_weight)
    n = sample.count_below(np.inf)
    place = (n + 1) * rate
    if place >= 1 or n < _MIN_PEAKS:
        share = max((place - 1) / max(n - 1, 1), 0.0)
        return contamination_offset(scores, share, sample_weight, asked=False)
    q5, q10, q25 = map(float, sample.quantile([0.05, 0.1, 0.25]))
    beyond = float(sample.values[0]) - (q10 - q5) / math.log(2) * math.log(1 / place)
    return max(beyond, q10 - (q25 - q10) / math.log(2.5) * math.log(0.4 / rate))


def _is_auto(contamination):
    return isinstance(contamination, str) and contamination == "auto"


@documented
def robust_threshold(scores, *, sample_weight=None):
    """Return the median score minus three robust standard deviations.

    The standard deviation is the larger of two: ``(q90 - median) / 1.28`` on the normal
    (upper) side, which anomalies do not reach, and ``(median - q25) / 0.67`` on the lower
    side, so that scores with a longer lower tail get a lower threshold. Both are taken
    again over the rows at or above the threshold until nothing changes: up to about a fifth of
    clear anomalies then leave no trace. Where more than a quarter of the rows would be left out,
    they are no anomalies but part of what is usual, and the first threshold stands.

    About 0.13% of normal rows fall below if their scores are normally distributed; longer lower
    tails give more, about 3% for exponential ones.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, higher is more normal.
    sample_weight : array-like of shape (n_samples,), default=None
        Frequencies of the rows, as in `contamination_threshold`.

    %(threshold)s

    Raises
    ------
    ValueError
        If all scores are equal or some are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.thresholds import robust_threshold
    >>> scores = np.random.default_rng(0).normal(size=10_000)
    >>> anomalies = np.full(1_000, -50.0)
    >>> round(robust_threshold(scores), 1), round(robust_threshold([*scores, *anomalies]), 1)
    (-3.0, -3.0)
    """
    return robust_offset(*_with_spread(scores, sample_weight))


@_scaled
def robust_offset(scores, sample_weight=None):
    """Compute `robust_threshold`; where all scores are equal it is that score."""
    whole = sample = WeightedSample(scores, sample_weight)
    first = offset = _three_sigma_below(sample)
    # A trimmed row never returns, so the sample shrinks until it is stable.
    while sample.values[0] < offset:
        if whole.count_below(offset) > _MOST_TRIMMED * whole.count_below(np.inf):
            return first
        sample = sample.at_or_above(offset)
        offset = _three_sigma_below(sample)
    return offset


def _three_sigma_below(sample):
    q25, median, q90 = map(float, sample.quantile([0.25, 0.5, 0.9]))
    return median - 3 * max((q90 - median) / _Z90, (median - q25) / _Z75)


@documented
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

    %(threshold)s

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
    fpr = check_number(fpr, "fpr", high=1)
    scores = check_spread(scores)
    # the tolerance keeps 0.1 * 10 from being less than 1
    rank = math.floor(fpr * (len(scores) + 1) * (1 + 1e-12))
    if rank == 0:
        enough = math.ceil(min(1 / fpr, 1e300)) - 1
        raise ValueError(
            f"{len(scores)} scores of normal rows cannot show a rate of false alarms of {fpr}: "
            f"that takes at least {enough:.15g}. Pass more rows, ask for a higher "
            "rate, or extend the tail of the scores by the rule 'pot'."
        )
    return float(np.partition(scores, rank - 1)[rank - 1])


@documented
def pot_threshold(scores, fpr, *, tail=0.1):
    """Return the threshold for a small rate of false alarms by peaks over threshold.

    A generalised Pareto distribution is fitted to the lower tail of the scores [1]_ [2]_ and
    extends it beyond the lowest row, for rates below ``1 / n_samples``; its shape is held between
    -0.1 and 1. This is a model, not a
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

    %(threshold)s

    Raises
    ------
    ValueError
        If a share is out of range, scores are not finite, or the tail has fewer than ten
        different ones.

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
    >>> round(pot_threshold(scores, 1e-5))  # -4.3 would be exact
    -4
    """
    tail = check_number(tail, "tail", high=0.5, closed="right")
    fpr = check_number(fpr, "fpr", high=1)
    if not fpr < tail:
        raise ValueError(
            f"the rate of false alarms must be a number in (0, {tail}), the share of scores that "
            f"the tail is fitted to, got {fpr!r}. For larger rates use a quantile of the scores."
        )
    return check_threshold(_tail_offset(check_spread(scores), fpr, tail), "pot")


@_scaled
def _tail_offset(scores, fpr, tail):
    """Compute `pot_threshold`."""
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
    return start - float(genpareto.isf(fpr / share, shape, scale=scale))


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
