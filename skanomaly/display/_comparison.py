"""Pictures of a comparison of detectors: critical differences of ranks, and means.

Draws what `skanomaly.model_selection.compare_detectors` returns, or any table of scores. Public
names are in `skanomaly.display`.
"""

import numpy as np
import pandas as pd
from scipy import stats

from skanomaly.display._base import BLUE, Display, ink, open_spines
from skanomaly.utils._docs import documented


@documented
class DetectorComparisonDisplay(Display):
    """Which detectors are better than others, and which differences may be luck.

    Make it with `from_results` or `from_scores`.

    Parameters
    ----------
    ranks : Series
        Mean rank of each detector, 1 is best.
    n_blocks : int
        Over how many data sets or splits.
    %(test_level)s
    means : DataFrame, default=None
        Columns "mean", "std" and "p_value" of each detector, for ``kind="means"``.
    %(metric)s

    Attributes
    ----------
    critical_difference_ : float
        Mean ranks further apart than this differ at the level `alpha`.
    p_value_ : float
        Of Friedman's test that all detectors are equally good.
    groups_ : list of list of str
        Largest groups of detectors that do not differ.
    %(drawn_on)s

    Notes
    -----
    The diagram is that of Demšar [1]_: detectors on an axis of mean ranks, with bars that join
    those whose ranks are closer than the critical difference of Nemenyi's test. The test takes
    the blocks to be independent: data sets are, splits of one data set are not quite, as they
    share training rows. Then the bars are a little too short; ``p_value`` of
    `compare_detectors` accounts for that.

    References
    ----------
    .. [1] J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7,
       2006.

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.display import DetectorComparisonDisplay
    >>> scores = pd.DataFrame({"forest": [0.9, 0.8, 0.7], "LOF": [0.8, 0.7, 0.6]})
    >>> DetectorComparisonDisplay.from_scores(scores).ranks.to_dict()
    {'forest': 1.0, 'LOF': 2.0}
    """

    def __init__(self, ranks, n_blocks, *, alpha=0.05, means=None, metric="score"):
        self.ranks, self.n_blocks, self.alpha = ranks.sort_values(kind="stable"), n_blocks, alpha
        self.means, self.metric = means, metric

    @classmethod
    def from_results(cls, results, metric=None, *, kind="ranks", alpha=0.05, ax=None):
        """Draw what `compare_detectors` returns.

        Parameters
        ----------
        results : DataFrame
            Its summary, or its scores by split (for ``kind="ranks"``).
        metric : str, default=None
            Which metric to draw. None takes the first.
        kind : {"ranks", "means"}, default="ranks"
            The critical-difference diagram, or means with standard deviations.
        %(test_level)s
        %(ax)s

        %(drawn)s

        Raises
        ------
        ValueError
            If `results` is not such a table, has no such metric, or holds fewer than two
            detectors or splits.
        """
        summary = {"metric", "detector", "mean", "std", "rank", "p_value"} <= set(results)
        by_split = {"metric", "detector", "split", "score"} <= set(results)
        if not summary and not (by_split and kind == "ranks"):
            raise ValueError(
                "results must be the summary that compare_detectors returns (per_split=False), or "
                f'for kind="ranks" its scores by split, got the columns {list(results)}.'
            )
        metric = results["metric"].iloc[0] if metric is None else metric
        shown = results[results["metric"] == metric]
        if shown.empty:
            raise ValueError(
                f"metric must be one of {[*results['metric'].unique()]}, got {metric!r}."
            )
        if not summary:
            scores = shown.pivot(index="split", columns="detector", values="score")
            return cls.from_scores(scores, metric=metric, alpha=alpha, ax=ax)
        shown = shown.set_index("detector")
        n_splits = int(shown["n_splits"].iloc[0]) if "n_splits" in shown else 1
        means = shown[["mean", "std", "p_value"]]
        display = cls(shown["rank"], n_splits, alpha=alpha, means=means, metric=metric)
        return display.plot(ax, kind=kind)

    @classmethod
    def from_scores(cls, scores, *, metric="score", alpha=0.05, ax=None):
        """Draw a table of scores as a critical-difference diagram.

        Parameters
        ----------
        scores : DataFrame of shape (n_blocks, n_detectors)
            A column for each detector, a row for each data set; higher is better. A missing
            score ranks last.
        %(metric)s
        %(test_level)s
        %(ax)s

        %(drawn)s

        Raises
        ------
        ValueError
            If there are fewer than two detectors or rows.
        """
        scores = pd.DataFrame(scores)
        ranks = scores.rank(axis=1, ascending=False, na_option="bottom").mean()
        return cls(ranks, len(scores), alpha=alpha, metric=metric).plot(ax)

    def plot(self, ax=None, *, kind="ranks"):
        """Draw the comparison.

        Parameters
        ----------
        %(ax)s
        kind : {"ranks", "means"}, default="ranks"
            The critical-difference diagram, or means with standard deviations: hollow dots
            are detectors that the best one beats significantly.

        Returns
        -------
        self : DetectorComparisonDisplay
            The display, drawn.
        """
        if kind not in ("ranks", "means"):
            raise ValueError(f"kind must be 'ranks' or 'means', got {kind!r}.")
        if kind == "means":
            return self._plot_means(ax)
        self._test()
        ax = self._take_axes(ax, (6.4, 1.4 + 0.2 * (len(self.ranks) + len(self.groups_))))
        self._draw_axis(ax)
        self._draw_groups(ax)
        self._draw_names(ax)
        return self

    # ------------------------------------------------------------------ ranks

    def _test(self):
        """Set the critical difference, the groups within it and the p-value of any difference."""
        k, n = len(self.ranks), self.n_blocks
        if k < 2 or n < 2:
            raise ValueError(
                "a comparison of ranks needs at least two detectors on two data sets or splits, "
                f"got {k} detectors and {n}."
            )
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha must be in (0, 1), got {self.alpha!r}.")
        q = stats.studentized_range.ppf(1 - self.alpha, k, np.inf) / np.sqrt(2)
        self.critical_difference_ = float(q * np.sqrt(k * (k + 1) / (6 * n)))
        spread = np.square(self.ranks - (k + 1) / 2).sum()
        self.p_value_ = float(stats.chi2.sf(12 * n / (k * (k + 1)) * spread, k - 1))
        ranks, self.groups_, end = self.ranks.to_numpy(), [], 0
        for start in range(k):
            stop = int(np.searchsorted(ranks, ranks[start] + self.critical_difference_, "right"))
            if stop > max(end, start + 1):
                self.groups_.append(list(self.ranks.index[start:stop]))
                end = stop

    def _draw_axis(self, ax):
        """Draw the axis of ranks with the critical difference above it."""
        k = len(self.ranks)
        ax.hlines(0, 1, k, color=ink(), linewidth=1)
        ax.vlines(np.arange(1, k + 1), 0, 0.25, color=ink(), linewidth=1)
        for rank in range(1, k + 1):
            if k <= 12 or rank % 2:
                ax.text(rank, 0.35, rank, ha="center", va="bottom", fontsize="small")
        width = min(self.critical_difference_, k - 1)
        ends = {"color": ink(), "linewidth": 1.2, "marker": "|", "markersize": 6}
        ax.plot([1, 1 + width], [1.7, 1.7], **ends)
        over = "more than " if self.critical_difference_ > k - 1 else ""
        shown = f"critical difference {over}{width:.2f}"
        ax.text(1, 1.9, shown, ha="left", va="bottom", fontsize="small")
        shown = f"mean rank by {self.metric} over {self.n_blocks} rankings, 1 is best"
        ax.set_title(f"{shown} (Friedman p = {self.p_value_:.2g})", fontsize="medium")
        ax.set_axis_off()

    def _draw_groups(self, ax):
        """Draw a bar below the axis for each group that does not differ."""
        for level, group in enumerate(self.groups_):
            first, last = self.ranks[group[0]], self.ranks[group[-1]]
            place = [-0.5 - 0.55 * level] * 2
            ax.plot([first - 0.04, last + 0.04], place, color=BLUE, linewidth=4, zorder=3,
                    solid_capstyle="butt")  # fmt: skip

    def _draw_names(self, ax):
        """Draw an elbow from each mean rank to a name at the left or right."""
        k, top = len(self.ranks), -0.9 - 0.55 * len(self.groups_)
        half = (k + 1) // 2
        reach = 0.06 * (k - 1)
        for place, (name, rank) in enumerate(self.ranks.items()):
            left = place < half
            y = top - 0.9 * (place if left else k - 1 - place)
            x = 1 - reach if left else k + reach
            ax.plot([rank, rank, x], [0, y, y], color="#4D4D4D", linewidth=0.9)
            ax.plot(rank, 0, "o", color=BLUE, markersize=4, zorder=4)
            text = f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}"
            side = {"ha": "right", "xytext": (-4, 0)} if left else {"ha": "left", "xytext": (4, 0)}
            ax.annotate(text, (x, y), textcoords="offset points", va="center", **side)
        ax.set_ylim(top - 0.9 * half + 0.3, 2.7)

    # ------------------------------------------------------------------ means

    def _plot_means(self, ax):
        if self.means is None:
            raise ValueError(
                'kind="means" needs the summary of compare_detectors, with means and standard '
                'deviations. Use from_results, or kind="ranks".'
            )
        shown = self.means.iloc[::-1]
        ax = self._take_axes(ax, (6.4, 1.2 + 0.4 * len(shown)))
        places = np.arange(len(shown))
        ax.errorbar(shown["mean"], places, xerr=shown["std"], fmt="none", ecolor=BLUE, capsize=3)
        beaten = (shown["p_value"] < self.alpha).to_numpy()
        worse = f"worse, p < {self.alpha:g}"
        for chosen, fill, label in ((~beaten, BLUE, None), (beaten, "white", worse)):
            if chosen.any():
                style = {"facecolor": fill, "edgecolor": BLUE, "label": label, "zorder": 3}
                ax.scatter(shown["mean"][chosen], places[chosen], **style)
        ax.set(yticks=places, yticklabels=shown.index, ylim=(-0.5, len(shown) - 0.5))
        ax.set_xlabel(f"{self.metric} (mean and standard deviation over splits)")
        open_spines(ax)
        if beaten.any():
            ax.legend()
        return self
