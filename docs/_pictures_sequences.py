"""Draws the pictures of the page about sequences and images; `_pictures` calls it."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import IsolationForest

from skanomaly import AutoencoderDetector, WindowedDetector

BLUE, ORANGE = "#0072B2", "#D55E00"


def windows(axes):
    """Show a series whose shape goes wrong twice, and the scores of its time stamps."""
    rng = np.random.default_rng(0)
    hours = np.arange(24 * 42)
    load = np.sin(2 * np.pi * hours / 24) + 0.08 * rng.normal(size=len(hours))
    spans = (24 * 27, 24 * 28), (24 * 35 + 15, 24 * 35 + 21)
    load[slice(*spans[0])] = 0.08 * rng.normal(size=24)
    load[slice(*spans[1])] += 0.9 * np.hanning(6)
    detector = WindowedDetector(window_size=24, random_state=0).fit(load[: 24 * 20, None])
    days, scores = hours / 24, detector.score_samples(load[:, None])
    axes[0].plot(days, load, color=BLUE, linewidth=0.9)
    axes[1].plot(days, scores, color=BLUE, linewidth=0.9)
    low = scores < detector.offset_
    axes[1].scatter(days[low], scores[low], s=7, color=ORANGE, zorder=3, label="anomaly")
    axes[1].axhline(detector.offset_, color="black", linewidth=1, label="offset_")
    for ax in axes:
        ax.axvline(20, color="grey", linestyle=":")
        for start, stop in spans:
            ax.axvspan(start / 24, stop / 24, color=ORANGE, alpha=0.2, linewidth=0)
    axes[0].set(ylabel="load", xticks=[], xlim=(days[0], days[-1]))
    axes[1].set(ylabel="score_samples", xlabel="day", xlim=(days[0], days[-1]))
    axes[1].legend(loc="lower left")


def aggregation(axes):
    """Show what three aggregations make of a spike and a shift."""
    rng = np.random.default_rng(0)
    series = np.sin(np.arange(1600) * 2 * np.pi / 50) + 0.1 * rng.normal(size=1600)
    series[900] += 3
    series[1200:1300] += 1.5
    axes[0].plot(series, color=BLUE, linewidth=0.9)
    axes[0].set_ylabel("series")
    for ax, how in zip(axes[1:], ("located", "mean", "max"), strict=True):
        inner = IsolationForest(random_state=0)
        detector = WindowedDetector(inner, 100, aggregation=how).fit(series[:700, None])
        scores = detector.score_samples(series[:, None])
        ax.plot(scores, color=BLUE, linewidth=0.9)
        low = np.flatnonzero(scores < detector.offset_)
        ax.scatter(low, scores[low], s=7, color=ORANGE, zorder=3)
        ax.axhline(detector.offset_, color="black", linewidth=1)
        ax.set_ylabel(how)
    for ax in axes:
        ax.set(xticks=[], xlim=(0, 1600))
        ax.axvspan(899.5, 900.5, color=ORANGE, alpha=0.4)
        ax.axvspan(1200, 1300, color=ORANGE, alpha=0.2, linewidth=0)


def digits(axes):
    """Show known and new digits, and what a convolutional autoencoder makes of them."""
    X, digit = load_digits(return_X_y=True)
    X /= X.std()
    known = np.flatnonzero(digit != 0)
    detector = AutoencoderDetector(
        architecture="conv2d", standardize=False, noise=(0.2, 1.0), random_state=0
    ).fit(X[known[:1200]])
    unseen = known[1200:]
    shown = [unseen[digit[unseen] == d][0] for d in (1, 3, 4, 6, 7, 9)]
    shown = np.r_[shown, np.flatnonzero(digit == 0)[:6]]
    images = X[shown]
    for ax, image in zip(axes.ravel(), [*images, *detector.reconstruct(images)], strict=True):
        ax.imshow(image.reshape(8, 8), cmap="Greys", vmin=0, vmax=X.max())
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    axes[0, 0].set_ylabel("image")
    axes[1, 0].set_ylabel("network's")


PICTURES = (
    ("windows", windows, (2, 1), (8, 3.8)),
    ("aggregation", aggregation, (4, 1), (8, 5.5)),
    ("digits", digits, (2, 12), (8, 1.7)),
)
