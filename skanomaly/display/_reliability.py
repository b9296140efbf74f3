"""ReliabilityDisplay: whether probabilities of being an anomaly come true.

Owns: the picture and the numbers in it. Does not own: probabilities, or the meaning of labels
(``utils._labels``). Public names are in `skanomaly.display`.
"""

import numpy as np
from scipy.stats import beta
from sklearn.metrics import brier_score_loss
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skanomaly.display._base import COLOURS, GREY, Display
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._response import refuse_other_conventions
from skanomaly.utils._validation import check_integer

#: Share of the intervals that are to hold the true share of anomalies.
_CONFIDENCE = 0.95


@documented
class ReliabilityDisplay(Display):
    """Share of anomalies against the probability given to them, with what luck may do.

    Rows are grouped by their probability. Where probabilities mean what they say, the share of
    anomalies in a group is the mean of its probabilities, give or take the interval drawn
    (95%, Clopper and Pearson, 1934): all dots lie near the diagonal.

    Make it with `from_estimator` or `from_predictions`; all parameters become attributes.

    Parameters
    ----------
    prob_true : ndarray of shape (n_groups,)
        Share of anomalies in each group.
    prob_pred : ndarray of shape (n_groups,)
        Mean probability of each group.
    counts : ndarray of shape (n_groups,)
        Rows in each group.
    brier_score : float
        Mean squared difference of probability and label: 0 is best.
    estimator_name : str, default=None
        Name in the legend.

    Attributes
    ----------
    %(drawn_on)s
    line_ : matplotlib ErrorbarContainer
        The dots with their intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.display import ReliabilityDisplay
    >>> rng = np.random.default_rng(0)
    >>> probability = rng.uniform(size=500)
    >>> y = rng.uniform(size=500) < probability
    >>> display = ReliabilityDisplay.from_predictions(y, probability, n_bins=5)
    >>> display.prob_pred.round(1), display.prob_true.round(1)
    (array([0.1, 0.3, 0.5, 0.7, 0.9]), array([0.1, 0.3, 0.5, 0.8, 0.9]))
    """

    def __init__(self, prob_true, prob_pred, counts, brier_score, *, estimator_name=None):
        self.prob_true, self.prob_pred, self.counts = prob_true, prob_pred, counts
        self.brier_score, self.estimator_name = brier_score, estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        n_bins=8,
        strategy="quantile",
        anomaly_label="auto",
        name=None,
        ax=None,
    ):
        """Draw the reliability of a detector's probabilities for rows it did not train on.

        Parameters
        ----------
        estimator : estimator
            Fitted detector or classifier with `predict_proba`; detectors of skanomaly have the
            anomaly's probability in the column of -1.
        X : array-like of shape (n_samples, n_features)
            Rows, best held out from training.
        %(y)s
        %(n_bins)s
        %(strategy)s
        %(anomaly_label)s
        name : str, default=None
            Name in the legend; None takes the class of the estimator.
        %(ax)s

        %(drawn)s

        Raises
        ------
        TypeError
            If the estimator has no calibrated probabilities.
        """
        probability = _probability_of(estimator, X)
        return cls.from_predictions(
            y,
            probability,
            n_bins=n_bins,
            strategy=strategy,
            anomaly_label=anomaly_label,
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_prob,
        *,
        n_bins=8,
        strategy="quantile",
        anomaly_label="auto",
        name=None,
        ax=None,
    ):
        """Draw the reliability of given probabilities.

        Parameters
        ----------
        %(y_true)s
        y_prob : array-like of shape (n_samples,)
            Probabilities of being an anomaly.
        %(n_bins)s
        %(strategy)s
        %(anomaly_label)s
        %(name)s
        %(ax)s

        %(drawn)s

        Raises
        ------
        ValueError
            If there is one class only, or probabilities lie outside [0, 1].
        """
        is_anomaly, probability = _check(y_true, y_prob, anomaly_label)
        groups = _group(probability, n_bins, strategy)
        counts = np.bincount(groups)
        used = counts > 0
        display = cls(
            (np.bincount(groups, weights=is_anomaly) / np.maximum(counts, 1))[used],
            (np.bincount(groups, weights=probability) / np.maximum(counts, 1))[used],
            counts[used],
            float(brier_score_loss(is_anomaly, probability)),
            estimator_name=name,
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None, name=None):
        """Draw the display.

        Parameters
        ----------
        %(ax)s
        name : str, default=None
            Name in the legend instead of `estimator_name`.

        Returns
        -------
        display : ReliabilityDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = self._take_axes(ax, (4.8, 5.2))
        name = self.estimator_name if name is None else name
        score = f"Brier score {self.brier_score:.3g}"
        colour = COLOURS[len(ax.containers) % len(COLOURS)]
        if not ax.containers:
            ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfect")
        self.line_ = ax.errorbar(
            self.prob_pred,
            self.prob_true,
            yerr=self._intervals(),
            fmt="o-",
            color=colour,
            elinewidth=1,
            capsize=3,
            label=score if name is None else f"{name} ({score})",
        )
        ax.set(
            xlabel="Mean probability of being an anomaly",
            ylabel="Share of anomalies",
            xlim=(-0.03, 1.03),
            ylim=(-0.03, 1.03),
            aspect="equal",
        )
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), frameon=False)
        return self

    def _intervals(self):
        """Return distances from the dots to the ends of their intervals, (2, n_groups)."""
        found = np.rint(self.prob_true * self.counts)
        tail = (1 - _CONFIDENCE) / 2
        low = np.where(found > 0, beta.ppf(tail, np.maximum(found, 1), self.counts - found + 1), 0)
        missed = np.maximum(self.counts - found, 1)
        high = np.where(found < self.counts, beta.ppf(1 - tail, found + 1, missed), 1)
        return np.abs(np.stack([self.prob_true - low, high - self.prob_true]))


def _probability_of(estimator, X):
    refuse_other_conventions(estimator)
    try:
        predict_proba = estimator.predict_proba
    except AttributeError as error:
        raise TypeError(
            f"{type(estimator).__name__} has no calibrated probabilities. Fit it with complete "
            "labels, or put it into skanomaly.ThresholdedDetector and fit that with labels."
        ) from error
    probability, classes = np.asarray(predict_proba(X)), list(estimator.classes_)
    # a classifier of scikit-learn has its own labels: the anomaly is 1 of 0/1, True of booleans
    return probability[:, classes.index(-1) if -1 in classes else 1]


def _check(y_true, y_prob, anomaly_label):
    probability = column_or_1d(y_prob).astype(np.float64)
    codes = read_labels(y_true, anomaly_label=anomaly_label)
    check_consistent_length(codes, probability)
    is_anomaly, probability = codes[codes != 0] == -1, probability[codes != 0]
    if is_anomaly.all() or not is_anomaly.any():
        raise ValueError(
            "y_true must hold anomalies and normal rows, got "
            f"{np.sum(is_anomaly)} anomalies among {len(is_anomaly)} labels."
        )
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(
            "y_prob must hold probabilities in [0, 1], got values from "
            f"{probability.min():.3g} to {probability.max():.3g}. Scores are none: see "
            "skanomaly.ThresholdedDetector.predict_proba."
        )
    return is_anomaly, probability


def _group(probability, n_bins, strategy):
    """Return each row's group; equal probabilities share one."""
    check_integer(n_bins, "n_bins", 1)
    if strategy == "uniform":
        edges = np.linspace(0, 1, n_bins + 1)
    elif strategy == "quantile":
        # values that occur, lest rounding tears equal probabilities apart
        edges = np.quantile(probability, np.linspace(0, 1, n_bins + 1), method="inverted_cdf")
    else:
        raise ValueError(f"strategy must be 'quantile' or 'uniform', got {strategy!r}.")
    return np.searchsorted(np.unique(edges[1:-1]), probability, side="left")
