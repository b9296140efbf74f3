"""Keras' callbacks: what they see, which of them get batches, and which are refused."""

import keras
import numpy as np
import pytest

from skanomaly import AutoencoderDetector

on_every_backend = pytest.mark.core


def plain(**own):
    settings = {"hidden_layer_sizes": (4,), "epochs": 2, "random_state": 0} | own
    return AutoencoderDetector("plain", **settings)


def multiscale(**own):
    settings = {"hidden_layer_sizes": (4,), "latent_dim": 2, "max_steps": 8, "random_state": 0}
    return AutoencoderDetector(**settings | own)


@on_every_backend
def test_functions_set_on_a_callback_get_their_batches(blob):
    seen = []
    own = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    plain(callbacks=own).fit(blob)
    assert seen == [0, 1, 2, 3] * 2


@pytest.mark.parametrize("detector", [plain(), multiscale()], ids=["one", "members"])
def test_saved_weights_load_into_the_network(detector, blob, tmp_path):
    file = str(tmp_path / "best.weights.h5")
    own = keras.callbacks.ModelCheckpoint(file, save_weights_only=True)
    detector.set_params(callbacks=[own]).fit(blob)
    expected = [w.copy() for w in detector.network_.get_weights()]
    detector.network_.set_weights([np.zeros_like(w) for w in expected])
    detector.network_.load_weights(file)
    for ours, theirs in zip(detector.network_.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=5e-4, atol=1e-7)  # half precision


def test_the_network_is_itself_again_after_training(blob):
    class Looks(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.network, self.rate = self.model, float(self.model.optimizer.learning_rate)

    own = Looks()
    detector = plain(callbacks=own).fit(blob)
    assert own.network is detector.network_
    assert own.rate == pytest.approx(1e-3)
    assert not {"optimizer", "stop_training", "history"} & set(vars(detector.network_))


def test_a_callback_that_prints_prints(blob, capsys):
    plain(callbacks=keras.callbacks.ProgbarLogger()).fit(blob)
    assert "Epoch 1/2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "own",
    [keras.callbacks.ReduceLROnPlateau(monitor="loss"),
     keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3)],
    ids=["plateau", "scheduler"],
)  # fmt: skip
def test_setters_of_the_rate_are_refused_beside_a_schedule(own, blob):
    detector = multiscale(callbacks=own)
    with pytest.raises(
        ValueError, match=rf"{type(own).__name__} sets the learning rate.*schedule"
    ):
        detector.fit(blob)
    assert not hasattr(detector, "offset_")
    plain(callbacks=own).fit(blob)
    multiscale(callbacks=own, optimizer=keras.optimizers.Adam(1e-3)).fit(blob)


def test_a_plateau_lowers_the_rate(blob):
    own = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=0, min_delta=1e9, factor=0.5)
    rates = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: rates.append(float(own.model.optimizer.learning_rate))
    )
    plain(callbacks=[own, look], epochs=4).fit(blob)
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 2.5e-4])


def test_callbacks_are_told_of_validation(blob):
    class Told(keras.callbacks.Callback):
        calls = 0

        def on_test_end(self, logs=None):
            self.calls += np.isfinite(logs["loss"])

    own = Told()
    plain(callbacks=own, early_stopping=True).fit(blob)
    assert own.calls == 2
