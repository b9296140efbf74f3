"""The picture of how scores are distributed.

Labels may come in any coding. Scores are those of ``score_samples``: higher is more normal.
Public names are in `skanomaly.display`.
"""

from numbers import Real

import numpy as np

from skanomaly.display._base import BLUE, KINDS, Display, ink, open_spines, threshold_of
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._response import scores_of
from skanomaly.utils._validation import LARGEST, check_column, check_integer


@documented
class ScoreDistributionDisplay(Display):
    """Histogram of anomaly-detection scores with the threshold.

    Make it with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Scores, higher for normal rows.
    %(row_codes)s
    threshold : float, default=None
        Rows with a score below it are called anomalies.

    Attributes
    ----------
    %(drawn_on)s

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.display import ScoreDistributionDisplay
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> detector = IsolationForest(random_state=0).fit(X)
    >>> ScoreDistributionDisplay.from_estimator(detector, X).ax_.get_ylabel()
    'rows'
    """

    def __init__(self, scores, labels=None, threshold=None):
        self.scores, self.labels, self.threshold = scores, labels, threshold

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, anomaly_label="auto", ax=None, **kwargs):
        """Draw the scores that a detector gives to rows.

        Parameters
        ----------
        %(shown_estimator)s
        %(X)s
        y : array-like of shape (n_samples,), default=None
            Labels in any coding; missing ones make a group of their own.
        %(anomaly_label)s
        %(ax)s
        %(plot_options)s

        %(drawn)s
        """
        scores, threshold = scores_of(estimator, X), threshold_of(estimator)
        options = {"threshold": threshold, "anomaly_label": anomaly_label, "ax": ax}
        return cls.from_predictions(scores, y, **options, **kwargs)

    @classmethod
    def from_predictions(
        cls, scores, y=None, *, threshold=None, anomaly_label="auto", ax=None, **kwargs
    ):
        """Draw scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            ``score_samples`` of rows.
        y : array-like of shape (n_samples,), default=None
            Their labels, in any coding.
        threshold : float, default=None
            Where to draw a line: the detector's ``offset_``.
        %(anomaly_label)s
        %(ax)s
        %(plot_options)s

        %(drawn)s

        Raises
        ------
        ValueError
            If scores are not finite, or all of them are equal.
        """
        scores = check_column(scores, "scores", LARGEST)
        if len(scores) == 0 or np.ptp(scores) == 0:
            raise ValueError(
                f"all {len(scores)} scores are equal ({scores[:1]}): there is no distribution "
                "to show. Check that the detector was trained on rows that differ."
            )
        if y is not None:
            y = read_labels(y, anomaly_label=anomaly_label, n_samples=len(scores))
        return cls(scores, y, threshold).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, bins=40, clip=0.01):
        """Draw the histogram.

        Parameters
        ----------
        %(ax)s
        bins : int, default=40
            Number of bars.
        clip : float in [0, 0.5), default=0.01
            Share of each group's rows at either end that the outermost bars gather, lest a few
            extreme scores squeeze all others.

        Returns
        -------
        self : ScoreDistributionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `bins` or `clip` is out of range, or the threshold is not finite.
        """
        check_integer(bins, "bins", 1)
        if not isinstance(clip, Real) or not 0 <= clip < 0.5:
            raise ValueError(f"clip must be a share in [0, 0.5), got {clip!r}.")
        if self.threshold is not None and not np.isfinite(self.threshold):
            raise ValueError(f"threshold must be finite, got {self.threshold!r}.")
        ax = self._take_axes(ax, (6.4, 3.6))
        groups = self._groups()
        low, high = self._range(groups.values(), clip)
        edges = np.linspace(low, high, bins + 1)
        for kind, scores in groups.items():
            self._bars(ax, np.clip(scores, low, high), kind, edges)
        if self.threshold is not None:
            self._line(ax)
        ax.set_xlabel("score (higher is more normal)")
        ax.set_ylabel("rows" if self.labels is None else "share of the group's rows")
        open_spines(ax)
        if self.labels is not None:
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
        return self

    def _range(self, groups, clip):
        """Return where the bars begin and end, with room on both sides of the threshold."""
        ends = np.array([np.quantile(scores, [clip, 1 - clip]) for scores in groups])
        low, high = ends[:, 0].min(), ends[:, 1].max()
        if low == high:
            low, high = self.scores.min(), self.scores.max()
        if self.threshold is not None:
            room = 0.15 * (high - low)
            low, high = min(low, self.threshold - room), max(high, self.threshold + room)
        return low, high

    def _groups(self):
        if self.labels is None:
            return {None: self.scores}
        return {k: self.scores[self.labels == k] for k in KINDS if (self.labels == k).any()}

    def _bars(self, ax, scores, kind, edges):
        """Draw one group: counts of all rows, or shares of a labelled group's rows."""
        if kind is None:
            ax.hist(scores, edges, color=BLUE, alpha=0.75)
            return
        name, colour, _, line = KINDS[kind]
        weights = np.full(len(scores), 1 / len(scores))
        ax.hist(scores, edges, weights=weights, color=colour, alpha=0.35)
        style = {"histtype": "step", "edgecolor": colour, "linestyle": line, "linewidth": 1.5}
        ax.hist(scores, edges, weights=weights, label=f"{name} ({len(scores)} rows)", **style)

    def _line(self, ax):
        ax.axvline(self.threshold, color=ink(), linewidth=1)
        ax.margins(y=0.12)
        place = {"textcoords": "offset points", "va": "top", "annotation_clip": False}
        at = (self.threshold, 1)
        for text, shift, side in (("← anomaly", -5, "right"), ("normal →", 5, "left")):
            at_line = {"xycoords": ("data", "axes fraction"), "xytext": (shift, 0), "ha": side}
            ax.annotate(text, at, fontsize="small", **at_line, **place)
