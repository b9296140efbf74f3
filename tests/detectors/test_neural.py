"""Training as detectors with networks do it: budget, stopping, callbacks, warm start."""

import keras
import numpy as np
import pytest
from quick_detectors import BatchCounter, Counter, Plain


def test_budget_in_epochs_and_in_steps(blob):
    assert Plain(epochs=7).fit(blob).n_iter_ == 7
    assert len(Plain(epochs=7).fit(blob).history_["loss"]) == 7
    # 120 rows are 4 batches of 32 an epoch
    assert Plain(epochs="auto", max_steps=9).fit(blob).n_iter_ == 3
    assert Plain(epochs=2, max_steps=9).fit(blob).n_iter_ == 2
    assert Plain(epochs=None, max_steps=4).fit(blob).n_iter_ == 1


def test_no_budget_at_all_is_refused(blob):
    with pytest.raises(ValueError, match=r"'epochs' and 'max_steps' .* both be None.*epochs=100"):
        Plain(epochs=None, max_steps=None).fit(blob)


def test_loss_falls(blob):
    loss = Plain(epochs=30).fit(blob).history_["loss"]
    assert loss[-1] < 0.5 * loss[0]
    assert all(isinstance(value, float) for value in loss)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", keras.optimizers.SGD(0.05)])
def test_other_optimizers_train(blob, optimizer):
    loss = Plain(epochs=30, optimizer=optimizer, learning_rate=0.01).fit(blob).history_["loss"]
    assert loss[-1] < loss[0]


def test_optimizer_instance_keeps_its_own_rate_and_is_left_alone(blob):
    optimizer = keras.optimizers.Adam(1e-12)
    detector = Plain(optimizer=optimizer, learning_rate=1.0, epochs=4).fit(blob)
    np.testing.assert_allclose(detector.history_["loss"], detector.history_["loss"][0], rtol=1e-3)
    assert detector.optimizer is optimizer
    assert not optimizer.built


def test_learning_rate_is_used(blob):
    losses = [Plain(learning_rate=rate).fit(blob).history_["loss"][-1] for rate in (1e-6, 1e-2)]
    assert losses[1] < losses[0]


def test_loss_by_name_function_and_object(blob):
    same = ["mae", keras.losses.mean_absolute_error, keras.losses.MeanAbsoluteError()]
    losses = [Plain(loss=loss).fit(blob).history_["loss"] for loss in same]
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-6)
    assert not np.allclose(losses[0], Plain().fit(blob).history_["loss"])


def test_a_loss_that_returns_nothing_is_told(blob):
    def forgot(y_true, y_pred):
        keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    detector = Plain(loss=forgot)
    with pytest.raises(TypeError, match="forgot returned None"):
        detector.fit(blob)
    assert not hasattr(detector, "model_")


def test_early_stopping_stops_and_reports(blob):
    standing = {"early_stopping": True, "learning_rate": 1e-12, "epochs": 50}
    detector = Plain(n_iter_no_change=2, **standing).fit(blob)
    assert detector.n_iter_ < 10
    assert len(detector.history_["val_loss"]) == len(detector.history_["loss"])
    assert "val_loss" not in Plain().fit(blob).history_


def test_early_stopping_with_two_rows():
    assert Plain(early_stopping=True).fit([[0.0], [1.0]]).n_iter_ == 3


def test_callbacks_are_called_and_left_alone(blob):
    counter = Counter()
    detector = Plain(epochs=4, callbacks=[counter])
    assert detector.fit(blob).callbacks == [counter]
    assert counter.epochs == 4


def test_single_callback_may_stop_training(blob):
    assert Plain(epochs=9, callbacks=Counter(stop_at=2)).fit(blob).n_iter_ == 2


def test_callback_that_wants_batches_trains_the_same_model(blob):
    counter = BatchCounter()
    watched = Plain(callbacks=[counter]).fit(blob)
    assert counter.batches == 3 * 4
    np.testing.assert_allclose(
        watched.score_samples(blob), Plain().fit(blob).score_samples(blob), rtol=1e-3
    )


def test_progress_goes_to_standard_error(blob, capsys):
    Plain(verbose=1).fit(blob)
    shown = capsys.readouterr()
    assert "AutoencoderDetector: epoch 3/3  loss" in shown.err
    assert shown.out == ""
    Plain().fit(blob)
    assert capsys.readouterr() == ("", "")


def test_warm_start_goes_on_with_the_same_network(blob):
    twice = Plain(warm_start=True).fit(blob)
    first = twice.history_["loss"]
    twice.fit(blob)
    assert twice.n_iter_ == 6
    assert twice.history_["loss"][:3] == first
    assert twice.history_["loss"][3] < first[0]
    assert Plain().fit(blob).fit(blob).n_iter_ == 3


def test_warm_start_refits_the_threshold(blob):
    detector = Plain(warm_start=True, contamination=0.1).fit(blob)
    detector.fit(blob[:50])
    assert (detector.predict(blob[:50]) == -1).mean() == 0.1


def test_warm_start_on_other_columns_is_refused_and_harmless(blob):
    detector = Plain(warm_start=True).fit(blob)
    before = detector.score_samples(blob)
    with pytest.raises(ValueError, match=r"3 features, but .* expecting 4"):
        detector.fit(blob[:, :3])
    np.testing.assert_array_equal(detector.score_samples(blob), before)


def test_diverging_training_says_what_to_do(blob):
    with pytest.raises(ValueError, match=r"diverged.*finite loss.*Lower `learning_rate`"):
        Plain(optimizer="sgd", learning_rate=1e20, epochs=20).fit(blob)


def test_failed_fit_leaves_the_estimator_as_it_was(blob):
    detector = Plain().fit(blob)
    before, scores = dict(vars(detector)), detector.score_samples(blob)
    detector.set_params(optimizer="sgd", learning_rate=1e20, epochs=20)
    with pytest.raises(ValueError, match="diverged"):
        detector.fit(blob[:, :2])
    assert detector.n_features_in_ == 4
    assert {k for k in vars(detector) if vars(detector)[k] is not before[k]} <= {
        "optimizer", "learning_rate", "epochs",
    }  # fmt: skip
    np.testing.assert_array_equal(detector.score_samples(blob), scores)


def test_failed_first_fit_leaves_nothing(blob):
    detector = Plain(optimizer="sgd", learning_rate=1e20, epochs=20)
    before = dict(vars(detector))
    with pytest.raises(ValueError, match="diverged"):
        detector.fit(blob)
    assert vars(detector) == before


@pytest.mark.parametrize("name", ["network_", "history_", "n_iter_"])
def test_attributes_of_an_unfitted_detector_say_so(name):
    with pytest.raises(AttributeError, match=f"no attribute '{name}' before `fit`"):
        getattr(Plain(), name)
    assert not hasattr(Plain(), name)
