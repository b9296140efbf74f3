"""Displays compute what they show, draw where they are told, and refuse what they cannot show."""

import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import AutoencoderDetector, display, explain
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


@pytest.fixture(autouse=True)
def drawn():
    """Render whatever a test leaves open, so that every picture can be drawn; then close it."""
    with plt.rc_context({"backend": "agg"}):
        plt.close("all")
        yield
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
    plt.close("all")


@pytest.fixture(scope="module")
def forest(labelled):
    return IsolationForest(n_estimators=20, random_state=0).fit(labelled[0])


@pytest.fixture(scope="module")
def explanation(forest, labelled):
    return explain(forest, labelled[0][-3:], background=labelled[0])


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        rng.normal(size=(12, 4)) + np.array([3, 2, 2, -3]), columns=["A", "B", "C", "D"]
    )


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


# ------------------------------------------------------------------------------- scores


@pytest.mark.parametrize(
    ("curve", "metric"),
    [(RocCurveDisplay, roc_auc_score), (PrecisionRecallDisplay, average_precision_score)],
)
def test_curves_read_any_coding_and_any_detector(curve, metric, forest, labelled):
    X, y = labelled
    value = metric(y, -forest.score_samples(X))
    words = pd.Series(y).map({0: "fine", 1: "worn"}).astype(object)
    coded = {"0/1": y, "-1/1": 1 - 2 * y, "words": words}
    for labels in coded.values():
        label = "worn" if labels is words else "auto"
        shown = curve.from_estimator(forest, X, labels, anomaly_label=label)
        assert shown.value == pytest.approx(value)
    some = words.copy()
    some[:50] = None
    assert curve.from_estimator(forest, X, some, anomaly_label="worn").value == pytest.approx(
        metric(y[50:], -forest.score_samples(X[50:]))
    )


def test_the_dot_is_where_predict_draws_the_line(forest, labelled):
    X, y = labelled
    called = forest.predict(X) == -1
    shown = RocCurveDisplay.from_estimator(forest, X, y)
    assert_allclose(shown.point, (called[y == 0].mean(), called[y == 1].mean()))
    shown = PrecisionRecallDisplay.from_estimator(forest, X, y)
    assert_allclose(shown.point, (called[y == 1].mean(), y[called].mean()))
    x, height = shown.line_.get_data()
    assert np.min(np.hypot(x - shown.point[0], height - shown.point[1])) < 1e-9


def test_curves_share_axes_and_one_line_of_chance(forest, autoencoder, labelled):
    first = RocCurveDisplay.from_estimator(forest, *labelled)
    second = RocCurveDisplay.from_estimator(autoencoder, *labelled, name="mine", ax=first.ax_)
    names = [text.get_text().split(" (")[0] for text in first.ax_.get_legend().get_texts()]
    assert names == ["IsolationForest", "mine", "chance"]
    assert first.line_.get_color() != second.line_.get_color()
    assert first.line_.get_linestyle() != second.line_.get_linestyle()


@pytest.mark.parametrize("curve", [RocCurveDisplay, PrecisionRecallDisplay])
def test_curves_refuse(curve, forest, labelled):
    X, _ = labelled
    with pytest.raises(ValueError, match="at least one anomaly and one normal row"):
        curve.from_estimator(forest, X, np.ones(len(X)))
    with pytest.raises(TypeError, match="is a classifier"):
        curve.from_estimator(LogisticRegression().fit(X, labelled[1]), X, labelled[1])
    with pytest.raises(ValueError, match="same length"):
        curve.from_predictions([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(NotFittedError):
        curve.from_estimator(AutoencoderDetector(), X, labelled[1])


def test_distribution_counts_rows_or_shares_of_groups(forest, labelled):
    X, y = labelled
    heights = [
        p.get_height() for p in ScoreDistributionDisplay.from_estimator(forest, X).ax_.patches
    ]
    assert sum(heights) == len(X)
    some = np.where(np.arange(len(y)) % 5 == 0, np.nan, y)
    shown = ScoreDistributionDisplay.from_estimator(forest, X, some)
    legend = [text.get_text() for text in shown.ax_.get_legend().get_texts()]
    assert legend == ["normal (96 rows)", "no label (28 rows)", "anomaly (16 rows)"]
    bars = [p.get_height() for p in shown.ax_.patches if hasattr(p, "get_height")]
    assert sum(bars) == pytest.approx(3)
    assert shown.threshold == forest.offset_


def test_extreme_scores_stay_on_their_side_of_the_threshold():
    values = np.r_[np.linspace(0, 1, 500), -1e9]
    shown = ScoreDistributionDisplay.from_predictions(values, threshold=-0.5)
    low, high = shown.ax_.get_xlim()
    assert -5 < low < -0.5
    first = min(shown.ax_.patches, key=lambda bar: bar.get_x())
    assert (first.get_height(), first.get_x() < -0.5) == (1, True)
    assert high < 5


def test_distribution_refuses():
    with pytest.raises(ValueError, match="all 9 scores are equal"):
        ScoreDistributionDisplay.from_predictions(np.ones(9))
    with pytest.raises(ValueError, match="scores must be finite"):
        ScoreDistributionDisplay.from_predictions([1.0, np.nan])
    with pytest.raises(ValueError, match="one label per row"):
        ScoreDistributionDisplay.from_predictions([1.0, 2.0], [0, 1, 1])


def test_names_and_thresholds_of_detectors(forest, labelled):
    pipeline = make_pipeline(StandardScaler(), IsolationForest(n_estimators=5, random_state=0))
    pipeline.fit(labelled[0])
    assert (name_of(pipeline), threshold_of(pipeline)) == ("IsolationForest", pipeline[-1].offset_)
    svm = OneClassSVM().fit(labelled[0])
    assert threshold_of(svm) == pytest.approx(float(svm.offset_[0]))
    assert threshold_of(StandardScaler()) == 0


# ----------------------------------------------------------------------------- networks


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
    with pytest.raises(ValueError, match="codes must be finite numbers"):
        LatentDisplay.from_predictions([[1.0, np.inf], [1, 2]])


# --------------------------------------------------------------------------------- rows


def test_bars_are_contributions_that_add_up(explanation):
    shown = ContributionsDisplay.from_explanation(explanation, row=1, k=2)
    widths = [bar.get_width() for bar in shown.bars_]
    assert len(widths) == 3
    assert sum(widths) + shown.base == pytest.approx(explanation.score.iloc[1])
    names = [label.get_text() for label in shown.ax_.get_yticklabels()]
    assert names[0].startswith(explanation.top(1)["feature"][1] + " = ")
    assert names[-1] == "2 other features"
    every = ContributionsDisplay.from_explanation(explanation, row=-1, k=9)
    assert len(every.bars_) == 4


def test_contributions_of_one_row_of_a_table(autoencoder, blob):
    frame = pd.DataFrame(blob, columns=list("abcd"))
    detector = AutoencoderDetector("plain", epochs=1, random_state=0).fit(frame)
    shown = ContributionsDisplay.from_estimator(detector, frame, row=5, n_references=2)
    assert_array_equal(shown.seen, blob[5])
    for row in (120, -121, 1.0):
        with pytest.raises(ValueError, match="row must be a whole number from 0 to 119"):
            ContributionsDisplay.from_estimator(autoencoder, blob, row=row)
    with pytest.raises(ValueError, match="k must be a whole number of at least 1"):
        ContributionsDisplay.from_estimator(autoencoder, blob, k=0)


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


# --------------------------------------------------------------------------- comparison


def test_ranks_groups_and_tests_of_a_comparison(scores):
    shown = DetectorComparisonDisplay.from_scores(scores)
    ranks = scores.rank(axis=1, ascending=False).mean()
    assert shown.ranks.to_dict() == ranks.to_dict()
    # Demsar (2006), table 5: 2.569 for four detectors
    assert shown.critical_difference_ == pytest.approx(2.569 * np.sqrt(20 / 72), abs=1e-3)
    assert shown.groups_ == [[*shown.ranks.index[:3]]]
    from scipy.stats import friedmanchisquare

    assert shown.p_value_ == pytest.approx(friedmanchisquare(*scores.T.to_numpy()).pvalue)


def test_results_by_split_and_in_summary_give_the_same_ranks(scores):
    tidy = scores.rename_axis("split").reset_index().melt("split", var_name="detector",
                                                          value_name="score")  # fmt: skip
    tidy["metric"] = "f1"
    by_split = DetectorComparisonDisplay.from_results(tidy)
    summary = pd.DataFrame({"metric": "f1", "detector": [*scores], "mean": 1.0, "std": 1.0,
                            "p_value": 1.0, "n_splits": 12})  # fmt: skip
    summary["rank"] = by_split.ranks[summary["detector"]].to_numpy()
    from_summary = DetectorComparisonDisplay.from_results(summary, "f1")
    assert from_summary.ranks.to_dict() == by_split.ranks.to_dict()
    assert from_summary.critical_difference_ == by_split.critical_difference_
    with pytest.raises(ValueError, match="metric must be one of"):
        DetectorComparisonDisplay.from_results(summary, "mcc")
    with pytest.raises(ValueError, match="summary that compare_detectors returns"):
        DetectorComparisonDisplay.from_results(scores)
    with pytest.raises(ValueError, match="summary that compare_detectors returns"):
        DetectorComparisonDisplay.from_results(tidy, kind="means")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: {"scores": s[["A"]]}, "at least two detectors"),
        (lambda s: {"scores": s[:1]}, "at least two detectors on two data sets"),
        (lambda s: {"scores": s, "alpha": 1.0}, r"alpha must be in \(0, 1\)"),
    ],
)
def test_comparison_refuses(scores, change, match):
    with pytest.raises(ValueError, match=match):
        DetectorComparisonDisplay.from_scores(**change(scores))
