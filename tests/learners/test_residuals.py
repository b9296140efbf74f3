"""Residuals of numbers and categories in one unit, and the way back to the columns."""

from types import SimpleNamespace

import numpy as np
import pytest

from skanomaly.learners._residuals import Reconstruction
from skanomaly.preprocessing._scaling import CLIP

#: A number, then a category of two values; in the data the category came first.
LAYOUT = SimpleNamespace(
    n_numbers=1, blocks=[(1, 3)], entropies=[np.log(2)], order=np.array([1, 0])
)
Z = np.array([[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]])


def test_numbers_have_the_difference():
    answers = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(
        Reconstruction().residuals(answers, np.array([[3.0, 2.0]])), [[-2.0, 0.0]]
    )


def test_a_category_that_is_guessed_without_any_knowledge_has_one():
    residuals = Reconstruction(LAYOUT).residuals(np.array([[0.5, 0.0, 0.0]] * 2), Z)
    np.testing.assert_allclose(residuals, [[0, 1], [0, 1]])


def test_a_category_that_is_known_has_none_and_a_wrong_one_is_bounded():
    residuals = Reconstruction(LAYOUT).residuals(np.array([[0.5, 1e4, 0.0]] * 2), Z)
    np.testing.assert_allclose(residuals, [[0, 0], [0, CLIP]])


def test_values_are_probabilities_of_categories():
    values = Reconstruction(LAYOUT).values(np.array([[2.0, np.log(3), 0.0]]))
    np.testing.assert_allclose(values, [[2.0, 0.75, 0.25]])
    scaler = SimpleNamespace(mean_=np.array([0, 0.5, 0.5]), scale_=np.array([1, 0.5, 0.5]))
    values = Reconstruction(LAYOUT, scaler).values(np.array([[2.0, np.log(3), 0.0]]))
    np.testing.assert_allclose(values, [[2.0, 0.5, -0.5]])


@pytest.mark.parametrize("n_missing", [0, 1, 3])
def test_what_is_missing_leaves_the_mean_square_to_the_others(n_missing):
    answers = np.arange(1.0, 5.0)[None]
    missing = np.arange(4)[None] < n_missing
    residuals = Reconstruction().residuals(answers, np.zeros((1, 4)), missing)
    assert (residuals[missing] == 0).all()
    assert np.mean(residuals**2) == pytest.approx(np.mean(answers[~missing] ** 2))


def test_features_come_in_the_order_of_the_data():
    values = np.array([[7.0, 0.2, 0.8]])
    features = Reconstruction(LAYOUT).to_features(values, np.array([[7.5, 0.0, 1.0]]))
    np.testing.assert_allclose(features, [[0.8, 7.0]])
    assert Reconstruction().in_order(values) is values
