"""Training curves and codes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from skanomaly import AutoencoderDetector
from skanomaly.display import LatentDisplay, TrainingCurveDisplay


def test_training_curves_show_the_history():
    history = {"loss": [9.0, 1.0, 0.1], "val_loss": [9.0, 0.2, 0.3]}
    shown = TrainingCurveDisplay.from_history(history)
    for line, values in zip(shown.lines_, history.values(), strict=True):
        assert_array_equal(line.get_xydata(), np.c_[[1, 2, 3], values])
    assert shown.ax_.get_yscale() == "log"
    assert "lowest, epoch 2" in [t.get_text() for t in shown.ax_.get_legend().get_texts()]
    assert TrainingCurveDisplay.from_history({"loss": [0.0, -1.0]}).ax_.get_yscale() == "linear"


def test_training_curves_refuse(forest):
    with pytest.raises(ValueError, match='at least one epoch under "loss"'):
        TrainingCurveDisplay.from_history({"loss": []})
    with pytest.raises(TypeError, match=r"needs a detector with history_.*IsolationForest"):
        TrainingCurveDisplay.from_estimator(forest)
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(AutoencoderDetector())


def test_codes_are_shown_in_the_plane(autoencoder, labelled):
    X, y = labelled
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 9))
    points = LatentDisplay.from_predictions(wide).points
    gaps = np.linalg.norm(wide[:1] - wide, axis=1)  # two dimensions fit into a plane
    assert_allclose(np.linalg.norm(points[:1] - points, axis=1), gaps, atol=1e-9)
    assert_array_equal(LatentDisplay.from_predictions(wide[:, :2]).points, wide[:, :2])
    assert LatentDisplay.from_predictions(wide[:, :1]).points.shape == (50, 2)
    own = LatentDisplay.from_estimator(autoencoder, X)
    assert_array_equal(own.labels, autoencoder.predict(X))
    assert_array_equal(LatentDisplay.from_estimator(autoencoder, X, y).labels, 1 - 2 * y)


def test_codes_refuse(forest, labelled):
    with pytest.raises(TypeError, match="needs a detector with encode"):
        LatentDisplay.from_estimator(forest, labelled[0])
    with pytest.raises(ValueError, match="at least two rows"):
        LatentDisplay.from_predictions([[1.0, 2.0]])
    with pytest.raises(ValueError, match="codes must hold finite numbers"):
        LatentDisplay.from_predictions([[1.0, np.inf], [1, 2]])
