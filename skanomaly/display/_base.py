"""What all displays share: where to draw, with which colours, and who may be asked for scores.

Owns no picture. Public names are in `skanomaly.display`.
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

#: Okabe and Ito's colours (2008), told apart by colour-blind people as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
BLUE, ORANGE, GREY = COLOURS[0], COLOURS[1], "#7F7F7F"
#: Label codes of ``utils._labels``: name, colour, marker and line of each kind of rows.
KINDS = {
    1: ("normal", BLUE, "o", "-"),
    0: ("no label", GREY, "s", ":"),
    -1: ("anomaly", ORANGE, "D", "--"),
}


class Display:
    """Base of the displays: keeps the axes drawn on as ``ax_`` and ``figure_``."""

    def _ipython_display_(self):
        """Show nothing in a notebook besides the picture, which is there already."""

    def _take_axes(self, ax, figsize=(6.4, 4.0)):
        """Return the axes to draw on, new ones where none are given."""
        if ax is None:
            figure = import_pyplot(type(self).__name__).figure(figsize=figsize)
            figure.set_layout_engine("constrained")
            ax = figure.add_subplot()
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def import_pyplot(who):
    """Return pyplot, or say what to install."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{who} needs matplotlib. Install it with: pip install 'skanomaly[plot]'"
        ) from error
    return plt


def ink():
    """Return the colour of texts, which every style tells from its background."""
    from matplotlib import rcParams

    return rcParams["text.color"]


def open_spines(ax):
    """Remove the frame's upper and right line."""
    ax.spines[["top", "right"]].set_visible(False)


def name_of(estimator):
    """Return what a legend calls an estimator: the class of a pipeline's last step."""
    while hasattr(estimator, "best_estimator_") or hasattr(estimator, "steps"):
        inner = getattr(estimator, "best_estimator_", None)
        estimator = estimator.steps[-1][1] if inner is None else inner
    return type(estimator).__name__


def threshold_of(estimator):
    """Return the threshold on the scores, or None where a detector has none."""
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    if not hasattr(estimator, "score_samples"):
        return 0.0  # its scores are those of decision_function
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    offset = np.ravel(getattr(last, "offset_", None))
    return None if len(offset) != 1 or offset[0] is None else float(offset[0])


def fitted_with(estimator, name, display, such_as="AutoencoderDetector"):
    """Return a fitted detector that has what a display shows."""
    if not hasattr(type(estimator), name):
        raise TypeError(
            f"{display.__name__} needs a detector with {name}, such as {such_as}, got "
            f"{type(estimator).__name__}. Of a pipeline, pass the last step and rows as it sees "
            "them."
        )
    check_is_fitted(estimator)
    return estimator
