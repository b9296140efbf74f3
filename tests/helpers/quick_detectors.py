"""Both recipes of the autoencoder on a small budget, and callbacks that count."""

from functools import partial

import keras

from skanomaly import AutoencoderDetector

Plain = partial(AutoencoderDetector, "plain", epochs=3, random_state=0)
#: The default recipe on a smaller budget.
Small = partial(
    AutoencoderDetector, hidden_layer_sizes=(16,), latent_dim=2, max_steps=60, random_state=0
)


class Counter(keras.callbacks.Callback):
    """Counts epochs and, when asked to, stops."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.epochs, self.stop_at = 0, stop_at

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1
        self.model.stop_training = self.epochs == self.stop_at


class BatchCounter(Counter):
    """Counts batches, too: a hook that Keras' own loop alone can serve."""

    batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
