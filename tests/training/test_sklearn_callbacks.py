"""scikit-learn's callbacks see a detector's epochs; without them nothing changes."""

import io
import pickle
import sys

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.metrics import roc_auc_scorer
from skanomaly.model_selection import StratifiedAnomalyKFold

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn is older than 1.9")


FOLDS = StratifiedAnomalyKFold(2)


class Recorder:
    """Notes tasks as they begin and end; asks to stop after some epochs."""

    max_propagation_depth = None

    def __init__(self, stop_after=None, fail=False):
        self.events, self.stop_after, self.fail = [], stop_after, fail

    def setup(self, estimator, context):
        self.events.append(("setup", context.task_name))

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name))
        if context.task_name == "train":
            self.length = context.max_subtasks
        if self.fail and context.task_name == "epoch":
            raise RuntimeError("out of paper")

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.task_name))
        return (
            self.stop_after is not None and self.events.count(("end", "epoch")) >= self.stop_after
        )

    def teardown(self, estimator, context):
        self.events.append(("teardown", context.task_name))


def plain(**params):
    return AutoencoderDetector("plain", **{"epochs": 3, "random_state": 0, **params})


@pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning")
@pytest.mark.parametrize(
    "detector",
    [plain(), AutoencoderDetector(max_steps=6, hidden_layer_sizes=(4,), latent_dim=2),
     NeuralAnomalyClassifier(max_steps=6)],
)  # fmt: skip
def test_tasks_of_a_fit(detector, labelled):
    seen = Recorder()
    detector = clone(detector).set_callbacks(seen).fit(*labelled)
    epochs = [("begin", "epoch"), ("end", "epoch")] * detector.n_iter_
    inner = [("begin", "train"), *epochs, ("end", "train")]
    whole = [("begin", "fit"), *inner, ("end", "fit")]
    assert seen.events == [("setup", "fit"), *whole, ("teardown", "fit")]
    assert seen.length == detector.n_iter_
    assert not {"_callback_fit_ctx", "_skl_callbacks_to_teardown"} & set(vars(detector))


def test_callbacks_do_not_change_what_is_learnt(blob):
    silent, watched = plain().fit(blob), plain().set_callbacks(Recorder()).fit(blob)
    assert_array_equal(watched.score_samples(blob), silent.score_samples(blob))
    assert_array_equal(pickle.loads(pickle.dumps(watched)).predict(blob), silent.predict(blob))


def test_a_callback_can_stop_training(blob):
    assert plain(epochs=50).set_callbacks(Recorder(stop_after=2)).fit(blob).n_iter_ == 2


def test_a_warm_start_counts_its_own_epochs(blob):
    seen = Recorder()
    detector = plain(warm_start=True).fit(blob).set_callbacks(seen).fit(blob)
    assert (seen.length, detector.n_iter_) == (3, 6)


def test_callbacks_are_torn_down_when_a_fit_fails(blob):
    seen = Recorder(fail=True)
    detector = plain().set_callbacks(seen)
    with pytest.raises(RuntimeError, match="out of paper"):
        detector.fit(blob)
    assert seen.events[-1] == ("teardown", "fit")
    assert vars(detector).keys() - vars(plain()).keys() == {"_skl_callbacks"}
    seen = Recorder()
    with pytest.raises(ValueError, match="missing values only"):
        detector.set_callbacks(seen).fit(np.full((4, 2), np.nan))
    assert seen.events[-1] == ("teardown", "fit")


def test_callbacks_of_a_search_reach_the_detector(labelled):
    seen = Recorder()
    pipeline = make_pipeline(StandardScaler(), plain())
    grid = {"autoencoderdetector__epochs": [1, 2]}
    search = GridSearchCV(pipeline, grid, scoring=roc_auc_scorer, cv=FOLDS).set_callbacks(seen)
    search.fit(*labelled)
    refit = search.best_params_["autoencoderdetector__epochs"]
    assert seen.events.count(("end", "epoch")) == 2 * (1 + 2) + refit
    assert seen.events.count(("begin", "train")) == 5
    assert seen.events.count(("teardown", "fit")) == 1


def test_progress_bars_are_drawn(labelled, monkeypatch):
    pytest.importorskip("rich", reason="scikit-learn's progress bars need it")
    monkeypatch.setenv("COLUMNS", "120")
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    bar = callback.ProgressBar(max_propagation_depth=None)
    search = GridSearchCV(plain(), {"epochs": [1, 2]}, scoring=roc_auc_scorer, cv=FOLDS)
    search.set_callbacks(bar).fit(*labelled)
    assert "AutoencoderDetector - train" in written.getvalue()
    assert "100%" in written.getvalue()


def test_the_scoring_monitor_scores_the_fitted_detector(labelled):
    monitor = callback.ScoringMonitor(scoring={"auc": roc_auc_scorer})
    detector = plain().set_callbacks(monitor).fit(*labelled)
    logged = monitor.get_logs(select="most_recent").data_as_pandas
    assert list(logged["auc"]) == [roc_auc_scorer(detector, *labelled)]


def test_keras_callbacks_go_on_working_beside_them(blob):
    epochs = []
    own = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
    detector = plain(callbacks=own, warm_start=True).set_callbacks(Recorder()).fit(blob)
    assert epochs == [0, 1, 2]
    detector.fit(blob)
    assert epochs == [0, 1, 2, 3, 4, 5]


def test_only_callbacks_are_taken():
    with pytest.raises(TypeError, match="FitCallback"):
        plain().set_callbacks("progress")
