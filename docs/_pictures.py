"""Draws the pictures of the documentation; ``python docs/_pictures.py FOLDER``."""

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import _gallery
import _pictures_choosing
import _pictures_decisions
import _pictures_sequences
import _pictures_tables
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, make_moons
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from skanomaly import AutoencoderDetector
from skanomaly.display import DetectorComparisonDisplay
from skanomaly.model_selection import NormalOnlySplit, StratifiedAnomalyKFold, compare_detectors

BLUE, ORANGE = "#0072B2", "#D55E00"
STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "savefig.dpi": 160,
    "svg.hashsalt": "skanomaly",
}


def score_distribution(ax):
    """Show the scores of benign and malignant rows that the detector never saw."""
    X, y = load_breast_cancer(return_X_y=True)
    benign, malignant = X[y == 1], X[y == 0]
    detector = AutoencoderDetector(random_state=0).fit(benign[:250])
    groups = {"benign": benign[250:], "malignant": malignant}
    scores = {name: detector.score_samples(rows) for name, rows in groups.items()}
    low = min(np.quantile(s, 0.02) for s in scores.values())
    high = max(s.max() for s in scores.values())
    bins = np.linspace(low, high, 45)
    for (name, values), colour in zip(scores.items(), (BLUE, ORANGE), strict=True):
        shown = np.clip(values, low, None)
        ax.hist(shown, bins, color=colour, alpha=0.65, label=f"{name} ({len(values)} rows)")
    ax.axvline(detector.offset_, color="black", linewidth=1)
    top = ax.get_ylim()[1]
    left = {"ha": "right", "va": "top", "xytext": (-6, 0), "textcoords": "offset points"}
    ax.annotate("anomaly", (detector.offset_, top), **left)
    right = left | {"ha": "left", "xytext": (6, 0)}
    ax.annotate("normal", (detector.offset_, top), **right)
    ax.set(xlabel="score_samples (the line is offset_)", ylabel="rows held out")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def decision_regions(axes):
    """Show where IsolationForest and AutoencoderDetector draw the line in the plane."""
    X, _ = make_moons(400, noise=0.06, random_state=0)
    strangers = np.random.default_rng(0).uniform([-1.6, -1.1], [2.6, 1.6], size=(20, 2))
    X = np.vstack([X, strangers])
    across, up = np.meshgrid(np.linspace(-1.9, 2.9, 200), np.linspace(-1.4, 1.9, 160))
    plane = np.c_[across.ravel(), up.ravel()]
    detectors = (
        IsolationForest(contamination=0.05, random_state=0),
        AutoencoderDetector(contamination=0.05, random_state=0),
    )
    for ax, detector in zip(axes, detectors, strict=True):
        found = detector.fit_predict(X) == -1
        normal = detector.predict(plane).reshape(across.shape) == 1
        ax.contourf(across, up, normal, levels=[0.5, 1.5], colors=["#cfe3f1"])
        ax.contour(across, up, normal.astype(float), levels=[0.5], colors=[BLUE], linewidths=1)
        ax.scatter(*X[~found].T, s=9, color=BLUE, label="normal")
        ax.scatter(*X[found].T, s=16, color=ORANGE, marker="D", label="anomaly")
        ax.set(title=type(detector).__name__, xticks=[], yticks=[])
        ax.set_aspect("equal")
        ax.spines[:].set_visible(False)
    axes[0].legend(loc="lower left", handletextpad=0.1, ncols=2, bbox_to_anchor=(0, -0.17))


def comparison(ax):
    """Show the means that `compare_detectors` has found."""
    X, y = load_breast_cancer(return_X_y=True)
    detectors = {
        "AutoencoderDetector": AutoencoderDetector(random_state=0),
        "IsolationForest": IsolationForest(random_state=0),
        "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
    }
    folds = StratifiedAnomalyKFold(5, shuffle=True, random_state=0, anomaly_label=0)
    cv = NormalOnlySplit(folds, anomaly_label=0)
    results = compare_detectors(detectors, X, y, cv=cv, anomaly_label=0, scoring="roc_auc")
    DetectorComparisonDisplay.from_results(results, kind="means", ax=ax)


def draw_gallery(folder):
    """Write the pictures of the displays that are not there yet."""
    for make in _gallery.ALL:
        path = folder / f"{make.__name__}.png"
        if path.exists() and path.stat().st_mtime > Path(_gallery.__file__).stat().st_mtime:
            continue
        display = make()
        display.figure_.savefig(path, dpi=160)
        plt.close(display.figure_)


def draw(folder):
    """Write all pictures that are not there yet."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rooms = (_pictures_choosing, _pictures_decisions, _pictures_sequences, _pictures_tables)
    files = (__file__, *(room.__file__ for room in rooms))
    source = max(Path(file).stat().st_mtime for file in files)
    for name, draw_one, shape, size in (
        ("score_distribution", score_distribution, (1, 1), (7, 3.6)),
        ("decision_regions", decision_regions, (1, 2), (8, 3.4)),
        ("comparison", comparison, (1, 1), (6.4, 2.4)),
        *_pictures_choosing.PICTURES,
        *_pictures_decisions.PICTURES,
        *_pictures_sequences.PICTURES,
        *_pictures_tables.PICTURES,
    ):
        path = folder / f"{name}.png"
        if path.exists() and path.stat().st_mtime > source:
            continue
        with plt.rc_context(STYLE):
            figure, axes = plt.subplots(*shape, figsize=size, layout="constrained")
            draw_one(axes)
            figure.savefig(path)
            plt.close(figure)
    draw_gallery(folder)


if __name__ == "__main__":
    draw(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "generated" / "pictures")
