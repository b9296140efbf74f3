"""Seeds of every generator, put back afterwards."""

import pickle
import random

import keras
import numpy as np
import pytest
from small_trainers import D, flat, trained

from skanomaly.backend._seeding import seeded
from skanomaly.networks._user_model import user_network
from skanomaly.training._trainer import assemble


def test_what_was_drawn_before_does_not_show():
    first = trained()
    keras.utils.set_random_seed(123)
    keras.random.normal((3,))
    keras.layers.Dense(3).build((None, 2))
    np.testing.assert_array_equal(flat(first), flat(trained()))


def test_global_generators_are_left_alone():
    def user(n_features):
        noise = keras.layers.GaussianNoise(0.1)
        return keras.Sequential(
            [keras.Input((n_features,)), noise, keras.layers.Dense(n_features)]
        )

    keras.utils.set_random_seed(5)
    expected = random.random(), np.random.random(), float(keras.random.uniform(()))  # noqa: NPY002
    keras.utils.set_random_seed(5)
    trained(3)
    trained(3, lambda: assemble(user_network(user, D)), early_stopping=True)
    trained(3, lambda: assemble(user_network(user(D), D)))
    pickle.loads(pickle.dumps(trained(3).model))
    found = random.random(), np.random.random(), float(keras.random.uniform(()))  # noqa: NPY002
    assert found == expected


def test_generators_come_back_after_an_error():
    before = random.getstate()

    def fail():
        with seeded(0):
            random.random()
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert random.getstate() == before
