"""Names that Keras does not know are refused, with those it knows."""

import keras
import pytest

from skanomaly.training._names import check_names


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [
        ("optimizer", "adamm", "'adam'"),
        ("loss", "msee", "'mean_squared_error'"),
        ("activation", "rellu", "'relu'"),
    ],
)
def test_unknown_names_are_refused(name, value, known):
    message = f"The '{name}' parameter of Mine must be a name .* got '{value}'.*{known}"
    with pytest.raises(ValueError, match=message):
        check_names("Mine", **{name: value})


def test_what_keras_finds_or_is_no_name_passes():
    check_names("Mine", optimizer="AdamW", loss="mean_squared_error", activation="silu")
    check_names("Mine", optimizer="auto", loss=keras.losses.Huber(), activation=None)
