"""The picture of a series: its channels, the scores, the events, and what they are owed to.

The public door is `skanomaly.display`.
"""

import numpy as np
import pandas as pd

from skanomaly.display._base import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    Display,
    fitted_with,
    import_pyplot,
    ink,
    open_spines,
)
from skanomaly.inspection import explain
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels


@documented
class SeriesDisplay(Display):
    """Series, scores with threshold and events, and the channels' contributions, in one figure.

    Make it with `from_estimator`.

    Parameters
    ----------
    series : DataFrame of shape (n_timestamps, n_channels)
        The series.
    scores : Series of shape (n_timestamps,)
        Scores, higher for normal time stamps.
    threshold : float
        Time stamps with a score below it are called anomalies.
    events : DataFrame
        What `WindowedDetector.events` returns.
    contributions : DataFrame of shape (n_timestamps, n_channels)
        Shares of the anomaly score.
    expected : DataFrame of shape (n_timestamps, n_channels)
        The nearest normal course.
    labels : ndarray of shape (n_timestamps,), default=None
        -1 for anomalies, 1 for normal time stamps, 0 for those without a label.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Those of the channels, of the scores and of the contributions, from top to bottom.
    ax_ : matplotlib Axes
        The axes of the scores.
    %(figure_)s

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly import WindowedDetector
    >>> from skanomaly.display import SeriesDisplay
    >>> X = np.sin(np.arange(400) / 5)[:, None]
    >>> X[300:310] = 0.0
    >>> detector = WindowedDetector(IsolationForest(random_state=0), window_size=30).fit(X[:250])
    >>> len(SeriesDisplay.from_estimator(detector, X).axes_)
    3
    """

    def __init__(self, series, scores, threshold, events, contributions, expected, labels=None):
        self.series, self.scores, self.threshold = series, scores, threshold
        self.events, self.contributions, self.expected = events, contributions, expected
        self.labels = labels

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, anomaly_label="auto", merge="auto", min_length=1, **kwargs
    ):
        """Score, explain and draw one series.

        Parameters
        ----------
        estimator : WindowedDetector
            Fitted detector.
        X : array-like of shape (n_timestamps, n_channels)
            One series.
        y : array-like of shape (n_timestamps,), default=None
            Labels in any coding, shaded in the channels.
        anomaly_label : scalar, default="auto"
            The value of `y` that marks an anomaly, as in `skanomaly.metrics.roc_auc`.
        merge, min_length : int
            Passed to ``estimator.events``.
        %(plot_options)s

        %(drawn)s

        Raises
        ------
        TypeError
            If the detector has no events.
        """
        fitted_with(estimator, "events", cls, such_as="WindowedDetector")
        if y is not None:
            y = read_labels(y, anomaly_label=anomaly_label, n_samples=len(X))
        events = estimator.events(X, merge=merge, min_length=min_length)
        why = explain(estimator, X)
        scores = estimator.score_samples(X)
        index = getattr(scores, "index", why.contributions.index)
        tables = [
            table.set_axis(index, axis=0) for table in (why.seen, why.contributions, why.expected)
        ]
        scores = pd.Series(np.asarray(scores), index)
        if isinstance(index, pd.DatetimeIndex):  # rows of irregular="resample" come in any order
            order = index.argsort(kind="stable")
            scores, y = scores.iloc[order], y if y is None else y[order]
            tables = [table.iloc[order] for table in tables]
        shown = cls(tables[0], scores, estimator.offset_, events, *tables[1:], y)
        return shown.plot(**kwargs)

    def plot(self, *, max_channels=6, figsize=None):
        """Draw the figure.

        Parameters
        ----------
        max_channels : int, default=6
            Channels to draw at most: those with the largest contributions at the events.
        figsize : tuple of float, default=None
            Width and height in inches; by default as many channels need.

        Returns
        -------
        self : SeriesDisplay
            The display, drawn.
        """
        channels = self._channels(max_channels)
        heights = [1.2] * len(channels) + [1.6, 1.2]
        figure = import_pyplot(type(self).__name__).figure(
            figsize=figsize or (9.0, 0.8 + sum(heights))
        )
        figure.set_layout_engine("constrained")
        axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
        self.axes_, self.figure_, self.ax_ = axes[:, 0], figure, axes[-2, 0]
        for ax, name in zip(self.axes_, channels, strict=False):
            self._draw_channel(ax, name)
        self._draw_scores(self.ax_)
        self._draw_contributions(self.axes_[-1], channels)
        for ax in self.axes_:
            open_spines(ax)
            ax.margins(x=0.01)
        figure.align_ylabels(self.axes_)
        return self

    def _channels(self, most):
        """Return the channels to draw, in their order."""
        below = (self.scores < self.threshold).to_numpy()
        values = self.contributions.to_numpy()
        weight = values[below].sum(axis=0) if below.any() else np.abs(values).sum(axis=0)
        first = np.sort(np.argsort(-weight, kind="stable")[:most])
        return [self.series.columns[place] for place in first]

    def _draw_channel(self, ax, name):
        index = self.series.index
        ax.plot(index, self.expected[name], color=GREY, linewidth=0.8, alpha=0.8, label="expected")
        ax.plot(index, self.series[name], color=BLUE, linewidth=0.9, label="seen")
        if self.labels is not None:
            low, high = ax.get_ylim()
            ax.fill_between(
                index, low, high, where=self.labels == -1, step="mid",
                color=GREY, alpha=0.25, linewidth=0, label="labelled",
            )  # fmt: skip
            ax.set_ylim(low, high)
        self._shade(ax)
        ax.set_ylabel(str(name), fontsize="small")
        if ax is self.axes_[0]:
            place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 4}
            ax.legend(frameon=False, fontsize="small", **place)

    def _draw_scores(self, ax):
        ax.plot(self.scores.index, self.scores, color=ink(), linewidth=0.9)
        ax.axhline(self.threshold, color=ORANGE, linestyle="--", linewidth=1)
        below = self.scores[self.scores < self.threshold]
        ax.plot(below.index, below, ".", color=ORANGE, markersize=4)
        self._shade(ax)
        ax.set_ylabel("score", fontsize="small")

    def _draw_contributions(self, ax, channels):
        index, lower = self.series.index, np.zeros(len(self.series))
        rest = self.contributions.drop(columns=channels)
        parts = {name: self.contributions[name].clip(lower=0) for name in channels}
        if rest.shape[1]:
            parts["others"] = rest.clip(lower=0).sum(axis=1)
        for number, (name, values) in enumerate(parts.items()):
            upper = lower + values.to_numpy()
            colour = GREY if name == "others" else COLOURS[number % len(COLOURS)]
            ax.fill_between(index, lower, upper, color=colour, linewidth=0, label=str(name))
            lower = upper
        ax.set_ylabel("contributions", fontsize="small")
        place = {"loc": "upper left", "bbox_to_anchor": (0, -0.25), "ncols": 4}
        ax.legend(frameon=False, fontsize="small", **place)

    def _shade(self, ax):
        """Mark the events, from half a step before to half a step behind."""
        index = self.series.index
        half = pd.Series(index).diff().median() / 2 if len(index) > 1 else 0.5
        for number, (start, end) in enumerate(
            zip(self.events["start"], self.events["end"], strict=True)
        ):
            name = "event" if number == 0 else None
            ax.axvspan(start - half, end + half, color=ORANGE, alpha=0.25, linewidth=0, label=name)
