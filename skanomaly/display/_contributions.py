"""The picture of what made a row strange.

Public names are in `skanomaly.display`.
"""

from numbers import Integral

import numpy as np
import pandas as pd

from skanomaly.display._base import BLUE, ORANGE, Display, ink, open_spines
from skanomaly.inspection._explain import explain
from skanomaly.utils._docs import documented


@documented
class ContributionsDisplay(Display):
    """The features that made one row's anomaly score what it is.

    Make it with `from_estimator` or `from_explanation`.

    Parameters
    ----------
    contributions : Series
        The row's contributions by feature.
    seen, expected : Series
        Values of the row, and values expected.
    score, base : float
        The row's anomaly score, and the part of it that is no feature's.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars.
    %(drawn_on)s

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.display import ContributionsDisplay
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> detector = IsolationForest(random_state=0).fit(X)
    >>> display = ContributionsDisplay.from_estimator(detector, X, row=7, background=X)
    >>> len(display.bars_)
    4
    """

    def __init__(self, contributions, seen, expected, score, base):
        self.contributions, self.seen, self.expected = contributions, seen, expected
        self.score, self.base = score, base

    @classmethod
    def from_estimator(cls, estimator, X, *, row=0, k=10, ax=None, **kwargs):
        """Explain one row and draw the explanation.

        Parameters
        ----------
        estimator : estimator
            Fitted outlier detector.
        %(X)s
        row : int, default=0
            Which of them, counted from 0.
        %(n_bars)s
        %(ax)s
        **kwargs : dict
            Passed to `skanomaly.explain`.

        %(drawn)s
        """
        one = _row_of(X, row)
        return cls.from_explanation(explain(estimator, one, **kwargs), k=k, ax=ax)

    @classmethod
    def from_explanation(cls, explanation, *, row=0, k=10, ax=None):
        """Draw one row of an explanation.

        Parameters
        ----------
        explanation : skanomaly.Explanation
            What `skanomaly.explain` returns.
        row : int, default=0
            Which of its rows, counted from 0.
        %(n_bars)s
        %(ax)s

        %(drawn)s

        Raises
        ------
        ValueError
            If there is no such row, or `k` is below 1.
        """
        _row_of(explanation.contributions, row)
        tables = (explanation.contributions, explanation.seen, explanation.expected)
        values = [table.iloc[row] for table in tables]
        return cls(*values, explanation.score.iloc[row], explanation.base.iloc[row]).plot(ax, k=k)

    def plot(self, ax=None, *, k=10):
        """Draw the bars, the largest share on top.

        Parameters
        ----------
        %(ax)s
        %(n_bars)s

        Returns
        -------
        self : ContributionsDisplay
            The display, drawn.
        """
        if not isinstance(k, Integral) or k < 1:
            raise ValueError(f"k must be a whole number of at least 1, got {k!r}.")
        values, names = self._bars(k)
        ax = self._take_axes(ax, (6.4, 1.1 + 0.4 * len(values)))
        places = np.arange(len(values))[::-1]
        colours = np.where(values > 0, ORANGE, BLUE)
        self.bars_ = ax.barh(places, values, color=colours, height=0.7)
        texts = [f"{value:+.2g}" for value in values]
        ax.bar_label(self.bars_, texts, padding=3, fontsize="small")
        ax.axvline(0, color=ink(), linewidth=0.8)
        ax.set(yticks=places, yticklabels=names, xlabel="contribution to the anomaly score")
        ax.set_title(f"anomaly score {self.score:.3g} = {self.base:.3g} + contributions", size=11)
        ax.margins(x=0.14)
        ax.tick_params(axis="y", length=0)
        open_spines(ax)
        ax.spines["left"].set_visible(False)
        return self

    def _bars(self, k):
        """Return the bars' lengths and names: k features, and all others together."""
        values = self.contributions.to_numpy()
        order = np.argsort(-np.abs(values), kind="stable")
        first = order[:k][np.argsort(-values[order[:k]], kind="stable")]
        names = [self._name(place) for place in first]
        if len(values) > k:
            names.append(f"{len(values) - k} other features")
            return np.append(values[first], values[order[k:]].sum()), names
        return values[first], names

    def _name(self, place):
        seen, expected = _short(self.seen.iloc[place]), _short(self.expected.iloc[place])
        return f"{self.contributions.index[place]} = {seen}\n(expected {expected})"


def _row_of(X, row):
    """Return one row of a table as a table."""
    n_rows = len(X)
    if not isinstance(row, Integral) or not -n_rows <= row < n_rows:
        raise ValueError(f"row must be a whole number from 0 to {n_rows - 1}, got {row!r}.")
    rows = np.arange(n_rows)[row : row + 1] if row >= 0 else np.array([n_rows + row])
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else np.asarray(X)[rows]


def _short(value):
    """Return a value as a tick label shows it."""
    if isinstance(value, (float, np.floating)):
        return f"{value:.3g}"
    return str(value)
