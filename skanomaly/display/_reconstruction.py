"""Pictures of what a network makes of rows.

Public names are in `skanomaly.display`.
"""

import numpy as np
import pandas as pd

from skanomaly.display._base import BLUE, GREY, ORANGE, Display, fitted_with, open_spines
from skanomaly.utils._categories import fitted_categories, take_columns
from skanomaly.utils._docs import documented
from skanomaly.utils._validation import check_table


@documented
class ReconstructionDisplay(Display):
    """Rows and what the network makes of them: as features, sequences or images.

    Make it with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    seen, expected : ndarray of shape (n_samples, n_features)
        Rows and their reconstructions.
    kind : {"row", "sequence", "image"}, default="row"
        What a row is.
    shape : tuple of int, default=None
        Shape of a row: (height, width) of an image, (n_steps, n_channels) of a sequence.
    names : array-like of str, default=None
        Names of the features.
    %(titles)s
    %(unit)s

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One for each row; for images three, with the image, its reconstruction and the
        absolute difference.
    ax_ : matplotlib Axes
        The axes around them.
    %(figure_)s

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.display import ReconstructionDisplay
    >>> rows = np.random.default_rng(0).normal(size=(2, 64))
    >>> display = ReconstructionDisplay.from_predictions(rows, 0.9 * rows, kind="image")
    >>> display.axes_.shape
    (2, 3)
    """

    def __init__(
        self, seen, expected, kind="row", shape=None, *, names=None, titles=None, unit="value"
    ):
        self.seen, self.expected, self.kind, self.shape = seen, expected, kind, shape
        self.names, self.titles, self.unit = names, titles, unit

    @classmethod
    def from_estimator(cls, estimator, X, *, kind="row", shape=None, ax=None):
        """Draw rows and the reconstructions of a detector.

        Parameters
        ----------
        estimator : AutoencoderDetector
            Fitted detector with `reconstruct`.
        X : array-like of shape (n_samples, n_features)
            A few rows: each gets its own axes.
        kind : {"row", "sequence", "image"}, default="row"
            What a row is. The features of a "row" are shown in standard deviations from the
            mean of the normal rows that the detector keeps; categories, of which a
            reconstruction is a probability and no value, are left out.
        shape : tuple of int, default=None
            Shape of a row: (height, width) of an image, square by default; (n_steps,
            n_channels) of a sequence, one channel by default.
        %(ax)s

        %(drawn)s

        Raises
        ------
        TypeError
            If the estimator has no `reconstruct`.
        ValueError
            As `from_predictions`, and if all columns are categories, or some are and `kind` is
            not "row".
        """
        estimator = fitted_with(estimator, "reconstruct", cls)
        expected, scores = estimator.reconstruct(X), estimator.score_samples(X)
        background = getattr(estimator, "_background", None)
        mask = fitted_categories(estimator, np.shape(expected)[-1])
        if mask is not None and mask.any():
            _refuse_categories(mask, kind)
            expected, X = expected[:, ~mask], take_columns(X, ~mask)
            background = None if background is None else take_columns(background, ~mask)
        expected = check_table(expected, "reconstruction")
        seen, unit = check_table(X, "X"), "value"
        if kind == "row" and background is not None:
            normal = check_table(background, "the rows kept", allow_nan=True)
            spread = normal.std(axis=0)
            spread[spread == 0] = 1
            seen, expected = ((v - normal.mean(axis=0)) / spread for v in (seen, expected))
            unit = "standard deviations"
        names = X.columns if isinstance(X, pd.DataFrame) else None
        titles = [f"anomaly score {-score:.3g}" for score in scores]
        options = {"names": names, "titles": titles, "unit": unit, "ax": ax}
        return cls.from_predictions(seen, expected, kind=kind, shape=shape, **options)

    @classmethod
    def from_predictions(
        cls, X, reconstruction, *, kind="row", shape=None, names=None, titles=None, unit="value",
        ax=None,
    ):  # fmt: skip
        """Draw rows and their reconstructions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A few rows.
        reconstruction : array-like of shape (n_samples, n_features)
            What a network makes of them.
        kind : {"row", "sequence", "image"}, default="row"
            What a row is.
        shape : tuple of int, default=None
            Shape of a row, as in `from_estimator`.
        names : array-like of str, default=None
            Names of the features, of a "row", or of the channels of a "sequence".
        %(titles)s
        %(unit)s
        %(ax)s

        %(drawn)s

        Raises
        ------
        ValueError
            If shapes do not fit each other, values are not finite, or there are more than 12
            rows.
        """
        seen, expected = check_table(X, "X"), check_table(reconstruction, "reconstruction")
        if seen.shape != expected.shape:
            raise ValueError(
                f"X and reconstruction must have the same shape, got {seen.shape} and "
                f"{expected.shape}."
            )
        if len(seen) > _MOST_ROWS:
            raise ValueError(
                f"X holds {len(seen)} rows; at most {_MOST_ROWS} are legible. Pass a few of "
                "them, for example X[:3]."
            )
        shape = _row_shape(kind, shape, seen.shape[1])
        names = None if names is None else [str(name) for name in names]
        return cls(seen, expected, kind, shape, names=names, titles=titles, unit=unit).plot(ax)

    def plot(self, ax=None):
        """Draw the rows below each other.

        Parameters
        ----------
        %(ax)s

        Returns
        -------
        self : ReconstructionDisplay
            The display, drawn.
        """
        draw, n_columns, size = {
            "row": (self._draw_features, 1, (6.4, 2.6)),
            "sequence": (self._draw_sequence, 1, (6.4, 2.0)),
            "image": (self._draw_image, 3, (6.4, 2.3)),
        }[self.kind]
        n_rows = len(self.seen)
        ax = self._take_axes(ax, (size[0], size[1] * n_rows + 0.4))
        if n_rows * n_columns == 1:
            self.axes_ = np.array([[ax]])
        else:
            ax.set_axis_off()
            grid = ax.get_subplotspec().subgridspec(n_rows, n_columns)
            self.axes_ = grid.subplots(squeeze=False)
        for number, axes in enumerate(self.axes_):
            draw(number, axes)
            if self.titles is not None:
                axes[0].set_title(self.titles[number], size=10, loc="left")
        return self

    def _draw_features(self, number, axes):
        ax, places = axes[0], np.arange(self.seen.shape[1])
        seen, expected = self.seen[number], self.expected[number]
        ax.vlines(places, expected, seen, color=GREY, linewidth=1)
        ax.scatter(places, expected, s=34, marker="o", facecolor="white", edgecolor=BLUE, zorder=3)
        ax.scatter(places, seen, s=22, marker="D", color=ORANGE, zorder=4)
        ax.set(ylabel=self.unit, xlabel="feature" if self.names is None else "")
        if self.names is not None and number == len(self.seen) - 1:
            ax.set_xticks(places, self.names, rotation=90, size="small")
        elif self.names is not None:
            ax.set_xticks([])
        self._legend(ax, number, [("seen", "D", ORANGE), ("expected", "o", BLUE)])

    def _draw_sequence(self, number, axes):
        ax, steps = axes[0], np.arange(self.shape[0])
        seen, expected = (v[number].reshape(self.shape) for v in (self.seen, self.expected))
        for channel in range(self.shape[1]):
            ax.fill_between(steps, seen[:, channel], expected[:, channel], color=GREY, alpha=0.25)
            ax.plot(steps, seen[:, channel], color=ORANGE, linewidth=1.5)
            ax.plot(steps, expected[:, channel], color=BLUE, linewidth=1.5, linestyle="--")
        ax.set(ylabel=self.unit, xlabel="step" if number == len(self.seen) - 1 else "")
        ax.margins(x=0)
        self._legend(ax, number, [("seen", "-", ORANGE), ("expected", "--", BLUE)])

    def _legend(self, ax, number, entries):
        open_spines(ax)
        if number == 0:
            shared = {"frameon": False, "loc": "lower right", "bbox_to_anchor": (1, 0.98)}
            handles = [_handle(*entry) for entry in entries]
            ax.legend(handles=handles, ncols=2, **shared)

    def _draw_image(self, number, axes):
        seen, expected = (v[number].reshape(self.shape) for v in (self.seen, self.expected))
        low, high = min(self.seen.min(), self.expected.min()), max(seen.max(), expected.max())
        largest = np.abs(self.seen - self.expected).max()
        error = np.abs(seen - expected)
        pictures = [("seen", seen), ("expected", expected)]
        for ax, (name, picture) in zip(axes, pictures, strict=False):
            ax.imshow(picture, cmap="gray", vmin=low, vmax=high)
            ax.set_xlabel(name if number == len(self.seen) - 1 else "")
        shown = axes[2].imshow(error, cmap="cividis", vmin=0, vmax=largest or 1)
        axes[2].set_xlabel("difference" if number == len(self.seen) - 1 else "")
        self.figure_.colorbar(shown, ax=axes[2], fraction=0.046)
        for ax in axes:
            ax.set(xticks=[], yticks=[])


#: More rows than this are not legible in one figure.
_MOST_ROWS = 12


def _handle(name, style, colour):
    from matplotlib.lines import Line2D

    if style in ("-", "--"):
        return Line2D([], [], color=colour, linestyle=style, label=name)
    face = "white" if style == "o" else colour
    dot = {"marker": style, "markerfacecolor": face, "markeredgecolor": colour}
    return Line2D([], [], linestyle="none", label=name, **dot)


def _refuse_categories(mask, kind):
    """Refuse rows that have no picture without their categories."""
    if kind != "row":
        raise ValueError(
            f"kind must be 'row' where columns are categories, got {kind!r}: images and sequences "
            "hold numbers alone."
        )
    if mask.all():
        raise ValueError(
            "X must hold a column of numbers: all of its columns are categories to the detector, "
            "of which reconstruct answers probabilities. ContributionsDisplay explains such rows."
        )


def _row_shape(kind, shape, n_features):
    """Return the shape of a row, checked against its number of features."""
    if kind not in ("row", "sequence", "image"):
        raise ValueError(f"kind must be 'row', 'sequence' or 'image', got {kind!r}.")
    side = int(np.sqrt(n_features))
    defaults = {"row": (n_features,), "sequence": (n_features, 1), "image": (side, side)}
    given = defaults[kind] if shape is None or kind == "row" else tuple(shape)
    if len(given) != len(defaults[kind]) or np.prod(given) != n_features:
        raise ValueError(
            f"shape must be two whole numbers whose product is {n_features}, the number of "
            f"features, for kind={kind!r}, got {given}. Pass shape=(height, width) of an image, "
            "or shape=(n_steps, n_channels) of a sequence."
        )
    return given
