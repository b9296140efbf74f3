"""Pictures of a report, drawn by matplotlib as SVG that takes the colours of the page."""

import io
import re

import numpy as np

from skanomaly.display._base import BLUE, GREY, ORANGE, open_spines
from skanomaly.display._curves import PrecisionRecallDisplay, RocCurveDisplay
from skanomaly.display._scores import ScoreDistributionDisplay

_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "skanomaly", "font.size": 11}


def score_picture(scores, labels, threshold):
    """Return the distribution of scores, and where on its width a score lies.

    Returns
    -------
    svg : str
        The picture.
    axis : dict
        ``left`` and ``right``, shares of the width, where the scores ``low`` and ``high`` lie.
    """
    figure, ax = _new_figure((6.2, 3.2))
    ScoreDistributionDisplay(scores, labels, threshold).plot(ax=ax)
    svg = _svg(figure)
    place, (low, high) = ax.get_position(), ax.get_xlim()
    return svg, {"left": place.x0, "right": place.x1, "low": float(low), "high": float(high)}


def curve_pictures(labels, scores, threshold):
    """Return the ROC and the precision-recall curve of labelled rows."""
    pictures = []
    for display in (RocCurveDisplay, PrecisionRecallDisplay):
        figure, ax = _new_figure((4.4, 3.8))
        display.from_predictions(labels, scores, threshold=threshold, name="detector", ax=ax)
        pictures.append(_svg(figure))
    return pictures


def column_picture(column, flagged):
    """Return the distribution of a column, with the values of flagged rows marked."""
    figure, ax = _new_figure((3.2, 1.7))
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(values)
    low, high = np.quantile(values[known], [0.005, 0.995])
    marked = values[known & flagged]
    low, high = min(low, marked.min(initial=low)), max(high, marked.max(initial=high))
    edges = np.linspace(low, high if high > low else low + 1, 31)
    ax.hist(np.clip(values[known], low, high), edges, color=BLUE, alpha=0.75)
    ax.set_yscale("symlog", linthresh=10)
    if len(marked):
        ax.plot(marked, np.zeros(len(marked)), "|", color=ORANGE, markersize=14, clip_on=False)
    _quiet_axes(ax)
    return _svg(figure)


def category_picture(column, flagged, at_most=8):
    """Return how frequent categories are, among all rows and among flagged ones."""
    figure, ax = _new_figure((3.2, 1.7))
    names = column.astype(object).where(column.notna(), "missing").astype(str)
    shares = names.value_counts(normalize=True)[:at_most][::-1]
    among = names[flagged].value_counts(normalize=True)
    places = np.arange(len(shares))
    ax.barh(places + 0.2, shares, 0.4, color=BLUE, alpha=0.75)
    ax.barh(places - 0.2, among.reindex(shares.index).fillna(0), 0.4, color=ORANGE)
    ax.set_yticks(places, [name[:14] for name in shares.index])
    _quiet_axes(ax, counts="x")
    return _svg(figure)


def _quiet_axes(ax, counts="y"):
    ax.tick_params(labelsize=9, colors=GREY)
    ax.minorticks_off()
    ax.locator_params(axis="x", nbins=5)
    getattr(ax, f"{counts}axis").set_visible(False)
    open_spines(ax)
    ax.spines["left"].set_visible(False)


def _new_figure(size):
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure):
    """Return a figure as an element of a page, in the page's colour for text and lines."""
    import matplotlib as mpl

    file = io.StringIO()
    nothing = dict.fromkeys(["Date", "Creator", "Format", "Type"])
    with mpl.rc_context(_STYLE):
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"| height="[\d.]+pt"| width="[\d.]+pt"',
                 "", svg, count=2)  # fmt: skip
    svg = re.sub(r"#000000\b|(?<=: )black\b", "currentColor", svg)
    return svg.replace("'DejaVu Sans', ", "").replace("<svg ", '<svg role="img" ', 1)
