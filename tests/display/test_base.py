"""What every display does: axes given or new, names, thresholds, the extra that is missing."""

import sys

import pytest
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import display
from skanomaly.display import (
    ContributionsDisplay,
    DetectorComparisonDisplay,
    LatentDisplay,
    PrecisionRecallDisplay,
    ReconstructionDisplay,
    RocCurveDisplay,
    ScoreDistributionDisplay,
    TrainingCurveDisplay,
)
from skanomaly.display._base import name_of, threshold_of

plt = pytest.importorskip("matplotlib.pyplot")


def all_displays(autoencoder, forest, explanation, scores, labelled):
    """Return a function of `ax` that draws each display."""
    X, y = labelled
    return {
        "ScoreDistributionDisplay": lambda **a: ScoreDistributionDisplay.from_estimator(
            forest, X, y, **a
        ),
        "RocCurveDisplay": lambda **a: RocCurveDisplay.from_estimator(forest, X, y, **a),
        "PrecisionRecallDisplay": lambda **a: PrecisionRecallDisplay.from_estimator(
            forest, X, y, **a
        ),
        "TrainingCurveDisplay": lambda **a: TrainingCurveDisplay.from_estimator(autoencoder, **a),
        "ContributionsDisplay": lambda **a: ContributionsDisplay.from_explanation(
            explanation, **a
        ),
        "ReconstructionDisplay": lambda **a: ReconstructionDisplay.from_estimator(
            autoencoder, X[:2], **a
        ),
        "LatentDisplay": lambda **a: LatentDisplay.from_estimator(autoencoder, X, y, **a),
        "DetectorComparisonDisplay": lambda **a: DetectorComparisonDisplay.from_scores(
            scores, **a
        ),
    }


@pytest.fixture
def make(request, autoencoder, forest, explanation, scores, labelled):
    return all_displays(autoencoder, forest, explanation, scores, labelled)[request.param]


NAMES = [name for name in display.__all__ if name in all_displays(*[None] * 4, (None, None))]


@pytest.mark.parametrize("make", NAMES, indirect=True)
def test_every_display_draws_on_axes_given_or_new(make):
    figure, ax = plt.subplots()
    shown = make(ax=ax)
    assert (shown.ax_, shown.figure_) == (ax, figure)
    assert plt.get_fignums() == [figure.number]
    again = make()
    assert again.figure_ is not figure
    assert again.plot() is again
    assert len(plt.get_fignums()) == 3


@pytest.mark.parametrize("make", NAMES, indirect=True)
def test_without_matplotlib_the_message_names_the_extra(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Display needs matplotlib.*skanomaly\[plot\]"):
        make()


def test_importing_displays_loads_no_matplotlib(fresh_python):
    code = "import skanomaly, sys; skanomaly.display; print('matplotlib' in sys.modules)"
    assert fresh_python(code) == "False"


def test_names_and_thresholds_of_detectors(forest, labelled):
    pipeline = make_pipeline(StandardScaler(), IsolationForest(n_estimators=5, random_state=0))
    pipeline.fit(labelled[0])
    assert (name_of(pipeline), threshold_of(pipeline)) == ("IsolationForest", pipeline[-1].offset_)
    svm = OneClassSVM().fit(labelled[0])
    assert threshold_of(svm) == pytest.approx(float(svm.offset_[0]))
    assert threshold_of(StandardScaler()) == 0


def test_displays_add_nothing_to_their_picture_in_a_notebook():
    display = ScoreDistributionDisplay.from_predictions([0.0, 1.0, 2.0])
    assert display._ipython_display_() is None
    plt.close("all")
