"""Recipes: the user's own values win, everything else is the recipe's."""

import pytest

from skanomaly import AutoencoderDetector
from skanomaly.detectors._recipes import AUTOENCODER, noise_bounds, settings_of


@pytest.mark.parametrize("recipe", AUTOENCODER)
def test_what_is_left_at_auto_is_the_recipes(recipe):
    settings = settings_of(AutoencoderDetector(), AUTOENCODER[recipe])
    assert AUTOENCODER[recipe].items() <= settings.items()
    own = {"hidden_layer_sizes": 5, "latent_dim": None, "batch_size": 7}
    settings = settings_of(AutoencoderDetector(**own), AUTOENCODER[recipe])
    changed = own | {"hidden_layer_sizes": (5,)}
    assert {name: settings[name] for name in own} == changed
    assert settings["learning_rate"] == AUTOENCODER[recipe]["learning_rate"]


@pytest.mark.parametrize(
    ("recipe", "own", "budget"),
    [
        ("multiscale", {"epochs": 3}, (3, None)),
        ("plain", {"max_steps": 9}, (None, 9)),
        ("plain", {"epochs": 3, "max_steps": 9}, (3, None)),
        ("plain", {"epochs": None, "max_steps": 9}, (None, 9)),
    ],
)
def test_one_budget_replaces_the_other(recipe, own, budget):
    settings = settings_of(AutoencoderDetector(**own), AUTOENCODER[recipe])
    assert (settings["epochs"], settings["max_steps"]) == budget


def test_noise_is_one_level_or_a_range():
    assert noise_bounds(1) == (1.0, 1.0)
    assert noise_bounds([0.1, 2]) == (0.1, 2.0)
    with pytest.raises(ValueError, match=r"pair \(low, high\)"):
        noise_bounds((0.0, 1.0))
