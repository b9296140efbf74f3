"""Rules that turn scores, and labels where there are any, into a threshold.

Owns: the public rules with their checks of labels and scores. Does not own: how a threshold is
found (``_threshold``, ``_tail``), the names of the rules (``_rule_names``), or where the scores
come from. The public door is `skanomaly.thresholds`.
"""

import math
from numbers import Real

import numpy as np

from skanomaly import _threshold
from skanomaly._labels import read_labels
from skanomaly._tail import tail_offset


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
    return _threshold.contamination_offset(scores, contamination, sample_weight)


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
    return _threshold.robust_offset(scores, sample_weight)


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


def f1_threshold(scores, y, *, anomaly_label="auto"):
    """Return the threshold with the best F1 of the anomaly class.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, best of rows held out from training; higher is more normal.
    y : array-like of shape (n_samples,)
        Labels in any coding; rows without a label are left out.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly, as in `skanomaly.metrics.roc_auc`.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies. Of several equally good ones the lowest.

    Raises
    ------
    ValueError
        If a class is absent, or all scores are equal or some are not finite.

    Examples
    --------
    >>> from skanomaly.thresholds import f1_threshold
    >>> f1_threshold([0.0, 1.0, 2.0, 3.0], [1, 1, 0, 0])
    1.5
    """
    return _threshold.best_f1_offset(scores, _codes(scores, y, anomaly_label))


def precision_threshold(scores, y, precision, *, anomaly_label="auto"):
    """Return the threshold that finds most anomalies with at least a given precision.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, best of rows held out from training; higher is more normal.
    y : array-like of shape (n_samples,)
        Labels in any coding; rows without a label are left out.
    precision : float in (0, 1]
        Smallest acceptable share of anomalies among the rows below the threshold.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies.

    Raises
    ------
    ValueError
        If no threshold reaches `precision`, a class is absent, or all scores are equal.

    Examples
    --------
    >>> from skanomaly.thresholds import precision_threshold
    >>> precision_threshold([0.0, 1.0, 2.0, 3.0], [1, 0, 1, 0], precision=0.6)
    2.5
    """
    codes = _codes(scores, y, anomaly_label)
    return _threshold.precision_offset(scores, codes, precision)


def recall_threshold(scores, y, recall, *, anomaly_label="auto"):
    """Return the threshold that has the fewest false alarms with at least a given recall.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, best of rows held out from training; higher is more normal.
    y : array-like of shape (n_samples,)
        Labels in any coding; rows without a label are left out.
    recall : float in (0, 1]
        Smallest acceptable share of the anomalies that lie below the threshold.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies.

    Raises
    ------
    ValueError
        If a class is absent, or all scores are equal or some are not finite.

    Examples
    --------
    >>> from skanomaly.thresholds import recall_threshold
    >>> recall_threshold([0.0, 1.0, 2.0, 3.0], [1, 0, 1, 0], recall=0.5)
    0.5
    """
    return _threshold.recall_offset(scores, _codes(scores, y, anomaly_label), recall)


def cost_threshold(scores, y, cost_fp=1.0, cost_fn=1.0, *, anomaly_label="auto"):
    """Return the threshold with the lowest total cost of mistakes.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores, best of rows held out from training; higher is more normal.
    y : array-like of shape (n_samples,)
        Labels in any coding; rows without a label are left out.
    cost_fp, cost_fn : float, default=1.0
        Cost of one false alarm and of one missed anomaly; not negative, not both 0.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly.

    Returns
    -------
    threshold : float
        Rows with ``score < threshold`` are anomalies.

    Raises
    ------
    ValueError
        If a cost is unusable, a class is absent, or all scores are equal.

    Examples
    --------
    >>> from skanomaly.thresholds import cost_threshold
    >>> cost_threshold([0.0, 1.0, 2.0, 3.0], [1, 0, 1, 0], cost_fp=1, cost_fn=5)
    2.5
    """
    codes = _codes(scores, y, anomaly_label)
    return _threshold.cost_offset(scores, codes, cost_fp, cost_fn)


def _codes(scores, y, anomaly_label):
    return read_labels(y, anomaly_label=anomaly_label, n_samples=len(np.atleast_1d(scores)))


def _check_spread(scores):
    scores = _threshold.check_scores(scores)
    if scores.min() == scores.max():
        raise ValueError(
            f"all scores are equal ({scores[0]}, n_samples={len(scores)}): no threshold tells "
            "rows apart. Check the data the detector was fitted on."
        )
    return scores
