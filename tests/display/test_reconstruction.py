"""Rows beside their reconstructions."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import AutoencoderDetector
from skanomaly.display import ReconstructionDisplay


def test_reconstructions_of_rows_images_and_sequences():
    rows = np.random.default_rng(0).normal(size=(2, 12))
    shown = ReconstructionDisplay.from_predictions(rows, rows / 2)
    assert shown.axes_.shape == (2, 1)
    shown = ReconstructionDisplay.from_predictions(rows, rows / 2, kind="image", shape=(3, 4))
    assert_allclose(shown.axes_[1, 2].images[0].get_array(), abs(rows[1] / 2).reshape(3, 4))
    one = ReconstructionDisplay.from_predictions(rows[:1], rows[:1], kind="sequence", shape=(4, 3))
    assert_array_equal(one.axes_, [[one.ax_]])
    assert_array_equal(one.ax_.lines[0].get_ydata(), rows[0].reshape(4, 3)[:, 0])


def test_rows_of_a_detector_are_shown_in_standard_deviations(autoencoder, blob):
    shown = ReconstructionDisplay.from_estimator(autoencoder, blob[:1])
    normal = autoencoder._background
    assert_allclose(shown.seen, (blob[:1] - normal.mean(axis=0)) / normal.std(axis=0))


def test_categories_are_left_out():
    a = np.random.default_rng(0).random(60)
    frame = pd.DataFrame({"y": np.where(a > 0.2, "u", "v"), "a": a, "f": a > 0.5, "b": 2 * a})
    detector = AutoencoderDetector("plain", epochs=2, random_state=0).fit(frame)
    shown = ReconstructionDisplay.from_estimator(detector, frame[:2])
    assert shown.names == ["a", "b"]
    normal = detector._background[["a", "b"]].to_numpy()
    assert_allclose(shown.seen, (frame[["a", "b"]][:2] - normal.mean(axis=0)) / normal.std(axis=0))
    with pytest.raises(ValueError, match="kind must be 'row'"):
        ReconstructionDisplay.from_estimator(detector, frame[:2], kind="sequence")
    detector.fit(frame[["y", "f"]])
    with pytest.raises(ValueError, match="all of its columns are categories"):
        ReconstructionDisplay.from_estimator(detector, frame[["y", "f"]][:2])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kind": "film"}, "kind must be 'row', 'sequence' or 'image'"),
        ({"kind": "image"}, r"product is 12.*got \(3, 3\)"),
        ({"kind": "sequence", "shape": (5, 2)}, "product is 12"),
    ],
)
def test_reconstruction_refuses_shapes(options, match):
    with pytest.raises(ValueError, match=match):
        ReconstructionDisplay.from_predictions(np.ones((1, 12)), np.ones((1, 12)), **options)


def test_reconstruction_refuses(forest, blob):
    with pytest.raises(ValueError, match="must have the same shape"):
        ReconstructionDisplay.from_predictions(np.ones((1, 3)), np.ones((1, 4)))
    with pytest.raises(ValueError, match="at most 12 are legible"):
        ReconstructionDisplay.from_predictions(np.ones((13, 3)), np.ones((13, 3)))
    with pytest.raises(TypeError, match="needs a detector with reconstruct"):
        ReconstructionDisplay.from_estimator(forest, blob)
