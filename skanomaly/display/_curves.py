"""The ROC and precision-recall curves of detectors.

Labels may come in any coding. Scores are those of ``score_samples``: higher is more normal.
Public names are in `skanomaly.display`.
"""

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from skanomaly.display._base import COLOURS, GREY, Display, name_of, open_spines, threshold_of
from skanomaly.metrics._labelled import known_scores
from skanomaly.utils._docs import documented
from skanomaly.utils._response import scores_of


@documented
class _CurveDisplay(Display):
    """What the two curves share; the anomaly is the class that is found."""

    def __init__(self, x, y, value, *, name=None, point=None, prevalence=None):
        self.x, self.y, self.value = x, y, value
        self.name, self.point, self.prevalence = name, point, prevalence

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, anomaly_label="auto", name=None, ax=None, **kwargs
    ):
        """Draw the curve of a detector's scores.

        Parameters
        ----------
        %(shown_estimator)s
        X : array-like of shape (n_samples, n_features)
            Rows, best those that it was not fitted on.
        %(y)s
        %(anomaly_label)s
        name : str, default=None
            Name in the legend, the class by default.
        %(ax)s
        %(line_options)s

        Returns
        -------
        display : object
            The display, drawn. A dot marks the detector's own threshold.
        """
        return cls.from_predictions(
            y,
            scores_of(estimator, X),
            threshold=threshold_of(estimator),
            anomaly_label=anomaly_label,
            name=name_of(estimator) if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        scores,
        *,
        threshold=None,
        anomaly_label="auto",
        name=None,
        ax=None,
        **kwargs,
    ):
        """Draw the curve of scores.

        Parameters
        ----------
        %(y_true)s
        %(scores)s
        threshold : float, default=None
            Where the detector draws the line; marked by a dot.
        %(anomaly_label)s
        %(name)s
        %(ax)s
        %(line_options)s

        %(drawn)s

        Raises
        ------
        %(unreadable_scores)s
        """
        labels, scores, _ = known_scores(y_true, scores, anomaly_label, None)
        anomaly = labels == -1
        called = None if threshold is None else scores < threshold
        curve = cls._compute(anomaly, -scores, called)
        display = cls(**curve, name=name, prevalence=float(anomaly.mean()))
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, name=None, chance=True, **kwargs):
        """Draw the curve; on axes with curves of other detectors, beside those.

        Parameters
        ----------
        %(ax)s
        %(name)s
        chance : bool, default=True
            Draw what scores that say nothing would give.
        %(line_options)s

        Returns
        -------
        self : object
            The display, drawn.
        """
        ax = self._take_axes(ax, (4.8, 4.8))
        name = self.name if name is None else name
        figure = f"{self._short} = {self.value:.2f}"
        label = figure if name is None else f"{name} ({figure})"
        self.line_ = self._draw(ax, {"label": label, **_next_style(ax), **kwargs})
        if self.point is not None:
            dot = {"color": self.line_.get_color(), "markeredgecolor": "white", "zorder": 4}
            ax.plot(*self.point, "o", markersize=8, clip_on=False, **dot)
        if chance and "chance" not in ax.get_legend_handles_labels()[1]:
            ax.plot(*self._chance(), color=GREY, linewidth=1, linestyle=":", label="chance")
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        ax.set(xlabel=self._x_label, ylabel=self._y_label)
        open_spines(ax)
        handles, names = ax.get_legend_handles_labels()
        last = np.argsort([name == "chance" for name in names], kind="stable")
        handles = [handles[place] for place in last]
        ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
        return self


@documented
class RocCurveDisplay(_CurveDisplay):
    """ROC curve of a detector: anomalies found against false alarms.

    Make it with `from_estimator` or `from_predictions`; scikit-learn's own refuses outlier
    detectors.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
        False and true positive rates; an anomaly is a positive.
    value : float
        Area under the curve.
    %(name)s
    point : tuple of float, default=None
        The two rates at the detector's threshold.
    prevalence : float, default=None
        Share of anomalies.

    Attributes
    ----------
    %(line_)s
    %(drawn_on)s

    Examples
    --------
    >>> from skanomaly.display import RocCurveDisplay
    >>> display = RocCurveDisplay.from_predictions([0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1])
    >>> display.value
    1.0
    """

    _short, _x_label, _y_label = (
        "AUC",
        "false alarms: share of normal rows",
        "share of anomalies found",
    )

    @staticmethod
    def _compute(anomaly, abnormality, called):
        x, y, _ = roc_curve(anomaly, abnormality)
        point = None if called is None else (called[~anomaly].mean(), called[anomaly].mean())
        value = float(roc_auc_score(anomaly, abnormality))
        return {"x": x, "y": y, "value": value, "point": point}

    def _draw(self, ax, style):
        return ax.plot(self.x, self.y, **style)[0]

    def _chance(self):
        return (0, 1), (0, 1)


@documented
class PrecisionRecallDisplay(_CurveDisplay):
    """Precision-recall curve of a detector.

    Make it with `from_estimator` or `from_predictions`; scikit-learn's own refuses outlier
    detectors.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
        Recall and precision of the anomaly class.
    value : float
        Average precision.
    %(name)s
    point : tuple of float, default=None
        Recall and precision at the detector's threshold.
    prevalence : float, default=None
        Share of anomalies, the precision of chance.

    Attributes
    ----------
    %(line_)s
    %(drawn_on)s

    Examples
    --------
    >>> from skanomaly.display import PrecisionRecallDisplay
    >>> display = PrecisionRecallDisplay.from_predictions([0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1])
    >>> display.value
    1.0
    """

    _short, _x_label, _y_label = "AP", "recall: share of anomalies found", "precision"

    @staticmethod
    def _compute(anomaly, abnormality, called):
        y, x, _ = precision_recall_curve(anomaly, abnormality)
        point = None
        if called is not None and called.any():
            point = called[anomaly].mean(), anomaly[called].mean()
        value = float(average_precision_score(anomaly, abnormality))
        return {"x": x, "y": y, "value": value, "point": point}

    def _draw(self, ax, style):
        # steps, as average precision adds them up: between two points nothing is known
        return ax.plot(self.x, self.y, drawstyle="steps-post", **style)[0]

    def _chance(self):
        return (0, 1), (self.prevalence, self.prevalence)


def _next_style(ax):
    """Return colour and line of the next curve on these axes."""
    drawn = len([name for name in ax.get_legend_handles_labels()[1] if name != "chance"])
    lines = ("-", "--", "-.", (0, (1, 1)))
    return {"color": COLOURS[drawn % len(COLOURS)], "linestyle": lines[drawn % len(lines)]}
