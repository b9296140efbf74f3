"""Seeds, user networks, optimizers and failures of a training."""

import copy
import pickle

import keras
import numpy as np
import pytest
from keras import ops
from sklearn import config_context
from small_trainers import ROWS, D, X, build, flat, trained

from skanomaly import AutoencoderDetector
from skanomaly.networks._user_model import user_network
from skanomaly.training import _trainer
from skanomaly.training._trainer import Schedule, Trainer, assemble, seeded
from skanomaly.utils._state import keeping


def test_a_seed_gives_the_same_weights_and_another_one_others():
    first, again, other = trained(0), trained(0), trained(1)
    np.testing.assert_array_equal(flat(first), flat(again))
    assert first.history == again.history
    assert np.abs(flat(first) - flat(other)).max() > 1e-3


PROCESS = """
import numpy as np
from skanomaly import AutoencoderDetector
X = np.random.default_rng(0).normal(size=(40, 4))
d = AutoencoderDetector(max_steps=20, anomaly_score="residual", random_state=3).fit(X)
print(repr(float(d.score_samples(X).sum())))
"""


def test_a_seed_gives_the_same_model_in_any_process(fresh_python):
    answers = {fresh_python(PROCESS, KERAS_BACKEND="jax", PYTHONHASHSEED=k) for k in "12"}
    assert len(answers) == 1


def bare(n_features):
    return keras.Sequential([keras.Input((n_features,)), keras.layers.Dense(n_features)])


def test_a_prebuilt_network_is_copied_with_its_weights():
    mine = bare(D)
    before = mine.get_weights()
    trainer = trained(build=lambda: assemble(user_network(mine, D)), learning_rate=0.1)
    assert trainer.network is not mine
    for now, then in zip(mine.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    frozen = trained(
        build=lambda: assemble(user_network(mine, D)), optimizer=keras.optimizers.SGD(0.0)
    )
    np.testing.assert_array_equal(frozen.network.get_weights()[0], before[0])


def test_an_unbuilt_network_starts_from_the_seed():
    mine = keras.Sequential([keras.layers.Dense(D)])
    first, again, other = (
        trained(seed, lambda: assemble(user_network(mine, D))) for seed in (0, 0, 1)
    )
    assert not mine.built
    np.testing.assert_array_equal(flat(first), flat(again))
    assert np.abs(flat(first) - flat(other)).max() > 1e-3


@pytest.mark.parametrize("prebuilt", [True, False])
def test_a_compiled_network_brings_optimizer_and_loss(prebuilt):
    def compiled(n_features=D):
        network = bare(n_features)
        network.compile(optimizer=keras.optimizers.SGD(0.125, momentum=0.5), loss="mae")
        return network

    mine = compiled()
    trainer = trained(build=lambda: assemble(user_network(mine if prebuilt else compiled, D)))
    optimizer = trainer.model.optimizer
    assert type(optimizer) is keras.optimizers.SGD
    assert optimizer.momentum == 0.5
    assert float(ops.convert_to_numpy(optimizer.learning_rate)) == 0.125
    assert keras.losses.get(trainer.model.loss) is keras.losses.get("mae")
    assert int(ops.convert_to_numpy(mine.optimizer.iterations)) == 0
    still = trained(build=lambda: assemble(user_network(mine, D)), epochs=1)
    start = ops.convert_to_numpy(ops.mean(ops.abs(mine(X) - X)))
    assert still.history["loss"][0] == pytest.approx(float(start), rel=0.2)


def test_a_wrapping_loss_goes_on_wrapping_a_compiled_one():
    from skanomaly.networks._losses import RowWeighted

    network = keras.Sequential([keras.Input((D,)), keras.layers.Dense(1, "sigmoid")])
    network.compile(optimizer="sgd", loss="mse")
    y = np.ones((40, 2), np.float32)
    schedule = {"loss": RowWeighted("binary_crossentropy"), "epochs": 1}
    loss = trained(build=lambda: assemble(user_network(network, D)), y=y, **schedule).model.loss
    assert isinstance(loss, RowWeighted)
    assert loss.loss is keras.losses.get("mse")


def test_several_losses_are_refused():
    network = bare(D)
    network.compile(loss=["mse"])
    with pytest.raises(ValueError, match="several losses"):
        trained(build=lambda: assemble(user_network(network, D)))


def test_an_optimizer_instance_is_never_changed():
    mine = keras.optimizers.Adam(0.02, clipnorm=1.0)
    before = copy.deepcopy(mine.get_config())
    first, second = trained(optimizer=mine), trained(optimizer=mine)
    assert mine.get_config() == before
    assert not mine.built
    assert first.model.optimizer is not mine
    assert first.model.optimizer.clipnorm == 1.0
    np.testing.assert_array_equal(flat(first), flat(second))


def test_names_take_the_rate_and_decay():
    optimizer = trained(optimizer="sgd", learning_rate=0.25, weight_decay=0.5).model.optimizer
    assert float(ops.convert_to_numpy(optimizer.learning_rate)) == 0.25
    assert optimizer.weight_decay == 0.5


def test_a_warm_up_climbs_and_falls_to_zero():
    optimizer = trained(steps=10, warmup_steps=4, learning_rate=1.0).model.optimizer
    rates = [float(optimizer._learning_rate(step)) for step in (0, 2, 4, 7, 10)]
    assert rates == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0], abs=1e-6)
    short = trained(steps=2, warmup_steps=30, learning_rate=1.0).model.optimizer
    assert float(short._learning_rate(1)) == pytest.approx(1.0)


def test_divergence_is_an_error():
    with pytest.raises(ValueError, match=r"Training diverged.*learning_rate"):
        trained(optimizer=keras.optimizers.SGD(1e30), epochs=5)


def test_held_rows_are_not_trained_on():
    trainer = trained(early_stopping=True, validation_fraction=0.25, epochs=1)
    assert len(trainer.held_rows) == 10
    changed = X.copy()
    changed[trainer.held_rows] += 50
    schedule = Schedule(epochs=1, batch_size=16, early_stopping=True, validation_fraction=0.25)
    other = Trainer(build, schedule, 0).fit(changed, rows=ROWS, schedule=schedule)
    np.testing.assert_array_equal(flat(other), flat(trainer))
    assert other.history["val_loss"][0] > 10 * trainer.history["val_loss"][0]


def test_early_stopping_with_too_few_rows_trains_on_all():
    schedule = Schedule(epochs=3, early_stopping=True, validation_fraction=0.1)
    trainer = Trainer(build, schedule, 0).fit(X, rows=ROWS[:3], schedule=schedule)
    assert trainer.n_iter == 3
    assert len(trainer.held_rows) == 0
    assert "val_loss" not in trainer.history


def test_a_copy_goes_on_and_leaves_the_original():
    original = trained()
    before, history = flat(original), original.history
    schedule = Schedule(epochs=3, batch_size=16)
    further = original.copy().fit(X, rows=ROWS, schedule=schedule)
    np.testing.assert_array_equal(flat(original), before)
    assert original.history == history
    assert further.n_iter == 5
    assert len(further.history["loss"]) == 5
    assert further.history["loss"][:2] == history["loss"]
    optimizer = further.model.optimizer
    assert int(ops.convert_to_numpy(optimizer.iterations)) == 15


def test_a_second_training_shuffles_anew():
    schedule = Schedule(epochs=1, batch_size=16)
    first, second = (np.random.default_rng([0, k]).permutation(40) for k in (0, 1))
    assert (first != second).any()
    seen = []

    class Table(type("Base", (), {})):
        shape = (10_000_000, 4)  # too large to be gathered at once

        def __len__(self):
            return self.shape[0]

        def __getitem__(self, rows):
            seen.append(np.asarray(rows)[:40].tolist())
            return X[rows]

    trainer = Trainer(build, schedule, 0).fit(Table(), rows=ROWS, schedule=schedule)
    orders = [rows for rows in seen if len(rows) == 40]
    trainer.fit(Table(), rows=ROWS, schedule=schedule)
    orders = [rows for rows in seen if len(rows) == 40]
    assert len(orders) == 2
    assert orders[0] != orders[1]


def test_callbacks_are_called_and_not_kept():
    class Count(keras.callbacks.Callback):
        calls = 0

        def on_epoch_end(self, epoch, logs=None):
            Count.calls += 1

    trainer = trained(callbacks=(Count(),))
    assert Count.calls == 2
    assert not any(isinstance(v, Count) for v in trainer.wrapper.get_params().values())
    pickle.dumps(trainer)


def test_a_pickled_trainer_goes_on_like_the_original():
    trainer = trained(optimizer="adam")
    with keeping("training"):
        twin = pickle.loads(pickle.dumps(trainer))
    np.testing.assert_array_equal(flat(twin), flat(trainer))
    schedule = Schedule(epochs=2, batch_size=16)
    for one in (trainer, twin):
        one.fit(X, rows=ROWS, schedule=schedule)
    np.testing.assert_array_equal(flat(twin), flat(trainer))
    assert twin.history == trainer.history


def test_the_room_lends_out_its_parts():
    assert _trainer.seeded is seeded


def test_rounded_weights_have_half_precision():
    trainer = trained(0)
    first = trainer.network.trainable_weights[0]
    first.assign(np.where(np.arange(np.prod(first.shape)).reshape(first.shape) == 0, 1e6, first))
    before = flat(trainer)
    trainer.round_weights()
    after = flat(trainer).astype(np.float32)
    np.testing.assert_allclose(after, before, rtol=5e-4, atol=1e-7)
    assert 1e6 in after  # beyond the range
    rest = after[after != 1e6]
    assert (rest.astype(np.float16) == rest).all()
    assert np.abs(after - before).max() > 0


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_tables_as_outputs_of_transformers_change_nothing(output):
    pytest.importorskip(output, reason=f"needs {output}")
    X = np.random.default_rng(0).normal(size=(40, 2))
    detector = AutoencoderDetector("plain", epochs=1, random_state=0)
    with config_context(transform_output=output):
        scores = detector.fit(X).score_samples(X)
    np.testing.assert_array_equal(scores, detector.fit(X).score_samples(X))
