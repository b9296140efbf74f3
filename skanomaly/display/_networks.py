"""Pictures of networks: how training went, and where rows lie among the inner codes.

Public names are in `skanomaly.display`.
"""

import numpy as np
from sklearn.decomposition import PCA

from skanomaly.display._base import BLUE, KINDS, ORANGE, Display, fitted_with, open_spines
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._tracking import untracked
from skanomaly.utils._validation import check_table


@documented
class TrainingCurveDisplay(Display):
    """Loss by epoch, and the loss of held-out rows where there were some.

    Make it with `from_estimator` or `from_history`.

    Parameters
    ----------
    history : dict of str to list of float
        "loss" per epoch, and "val_loss" with early stopping.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The curves.
    %(drawn_on)s

    Examples
    --------
    >>> from skanomaly.display import TrainingCurveDisplay
    >>> display = TrainingCurveDisplay.from_history({"loss": [0.9, 0.5, 0.4]})
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw how a detector was trained.

        Parameters
        ----------
        estimator : AutoencoderDetector or NeuralAnomalyClassifier
            Fitted detector.
        %(ax)s
        %(plot_options)s

        %(drawn)s

        Raises
        ------
        TypeError
            If the estimator has no ``history_``.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        estimator = fitted_with(estimator, "history_", cls)
        return cls.from_history(estimator.history_, ax=ax, **kwargs)

    @classmethod
    def from_history(cls, history, *, ax=None, **kwargs):
        """Draw losses.

        Parameters
        ----------
        history : dict of str to list of float
            A detector's ``history_``, or the ``history`` of a Keras model.
        %(ax)s
        %(plot_options)s

        %(drawn)s

        Raises
        ------
        ValueError
            If there is no loss in the history.
        """
        if not len(history.get("loss", ())):
            raise ValueError(
                'history must hold at least one epoch under "loss", got the keys '
                f"{[*history]}. Pass the history_ of a fitted detector."
            )
        return cls(history).plot(ax=ax, **kwargs)

    def plot(self, ax=None):
        """Draw the losses, on a logarithmic axis where they span more than a factor of 20.

        Parameters
        ----------
        %(ax)s

        Returns
        -------
        self : TrainingCurveDisplay
            The display, drawn.
        """
        ax = self._take_axes(ax, (6.4, 3.4))
        self.lines_, names = [], {"loss": "training rows", "val_loss": "rows held out"}
        drawn = [name for name in names if name in self.history]
        for name, colour, line in zip(drawn, (BLUE, ORANGE), ("-", "--"), strict=False):
            values = np.asarray(self.history[name], dtype=float)
            marker = "o" if len(values) < 3 else None
            style = {"color": colour, "linestyle": line, "marker": marker, "label": names[name]}
            self.lines_ += ax.plot(np.arange(1, len(values) + 1), values, **style)
        shown = np.concatenate([line.get_ydata() for line in self.lines_])
        if shown.min() > 0 and shown.max() > 20 * shown.min():
            ax.set_yscale("log")
        ax.set(xlabel="epoch", ylabel="loss")
        open_spines(ax)
        if len(drawn) > 1:
            best = int(np.argmin(self.history["val_loss"]))
            place = best + 1, self.history["val_loss"][best]
            ax.plot(*place, "D", color=ORANGE, label=f"lowest, epoch {best + 1}")
            ax.legend(frameon=False)
        return self


@documented
class LatentDisplay(Display):
    """Rows in the plane of a network's inner codes.

    Codes of more than two columns are shown by their first two principal components. Make it
    with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        Places of the rows.
    %(row_codes)s
    axis_names : tuple of str, default=("code 1", "code 2")
        Names of the axes.

    Attributes
    ----------
    %(drawn_on)s

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.display import LatentDisplay
    >>> codes = np.random.default_rng(0).normal(size=(50, 8))
    >>> LatentDisplay.from_predictions(codes).points.shape
    (50, 2)
    """

    def __init__(self, points, labels=None, axis_names=("code 1", "code 2")):
        self.points, self.labels, self.axis_names = points, labels, axis_names

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, anomaly_label="auto", ax=None, **kwargs):
        """Draw the codes of rows.

        Parameters
        ----------
        estimator : AutoencoderDetector
            Fitted detector with `encode`.
        %(X)s
        y : array-like of shape (n_samples,), default=None
            Labels in any coding. Without them the detector's own calls tell rows apart.
        %(anomaly_label)s
        %(ax)s
        %(plot_options)s

        %(drawn)s

        Raises
        ------
        TypeError
            If the estimator has no `encode`.
        """
        codes = fitted_with(estimator, "encode", cls).encode(X)
        if y is None:
            y, anomaly_label = estimator.predict(X), "auto"
        return cls.from_predictions(codes, y, anomaly_label=anomaly_label, ax=ax, **kwargs)

    @classmethod
    def from_predictions(cls, codes, y=None, *, anomaly_label="auto", ax=None, **kwargs):
        """Draw codes.

        Parameters
        ----------
        codes : array-like of shape (n_samples, n_codes)
            What ``encode`` returns, at least two rows.
        y : array-like of shape (n_samples,), default=None
            Labels in any coding, or predictions.
        %(anomaly_label)s
        %(ax)s
        %(plot_options)s

        %(drawn)s

        Raises
        ------
        ValueError
            If there are fewer than two rows, or codes are not finite.
        """
        codes = check_table(codes, "codes")
        if len(codes) < 2:
            raise ValueError("codes must hold at least two rows to show a plane, got one.")
        if y is not None:
            y = read_labels(y, anomaly_label=anomaly_label, n_samples=len(codes))
        return cls(*_plane(codes, y)).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, size=14):
        """Draw the rows.

        Parameters
        ----------
        %(ax)s
        size : float, default=14
            Area of a dot, in square points.

        Returns
        -------
        self : LatentDisplay
            The display, drawn.
        """
        ax = self._take_axes(ax, (5.6, 4.4))
        labels = np.ones(len(self.points)) if self.labels is None else self.labels
        for kind, (name, colour, marker, _) in KINDS.items():
            chosen = labels == kind
            if chosen.any():
                style = {"marker": marker, "label": f"{name} ({chosen.sum()})", "alpha": 0.8}
                # white rims keep dots apart where they crowd
                style |= {"color": colour, "linewidth": 0.3, "edgecolor": "white"}
                ax.scatter(*self.points[chosen].T, s=size * (1 if kind == 1 else 1.6), **style)
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        open_spines(ax)
        if self.labels is not None:
            legend = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 3}
            ax.legend(**legend, frameon=False, handletextpad=0.2, markerscale=1.4)
        return self


def _plane(codes, labels):
    """Return two columns for each row, labels, and names of the columns."""
    if codes.shape[1] == 1:
        return np.c_[codes, np.zeros(len(codes))], labels, ("code", "")
    if codes.shape[1] == 2:
        return codes, labels, ("code 1", "code 2")
    with untracked():
        pca = PCA(2, svd_solver="full").fit(codes)
    share = np.nan_to_num(100 * pca.explained_variance_ratio_)
    names = (f"{place} principal component of the codes ({part:.0f}%)" for place, part in zip(
        ("first", "second"), share, strict=True
    ))  # fmt: skip
    return pca.transform(codes), labels, tuple(names)
