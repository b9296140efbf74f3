"""The nearest normal course of a series."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.meta._courses import NearestCourses, centre_and_scale

pytestmark = pytest.mark.core


@pytest.fixture
def wave():
    return np.sin(2 * np.pi * np.arange(200) / 20)[:, None]


def test_what_a_new_series_has_more_than_its_nearest_course_is_found(wave):
    courses = NearestCourses().fit(wave, np.arange(181), 20)
    later = np.roll(wave, 7)[:100].copy()
    later[50] += 1
    deviation, distance = courses.compare(courses.scaled(later), np.arange(81))
    assert_allclose(np.delete(deviation, 50), 0, atol=1e-5)
    assert_allclose(deviation[50], 1 / courses.scale_, rtol=1e-4)
    assert distance[:30].max() < 1e-5 < distance[40]


def test_training_windows_are_compared_with_those_that_share_no_stamp():
    walk = np.random.default_rng(0).normal(size=(60, 1)).cumsum(axis=0)
    courses = NearestCourses().fit(walk, np.arange(51), 10)
    rows = courses.windows_[[0, 20, 50]]
    assert_array_equal(courses._trained_on(rows), [0, 20, 50])
    assert_array_equal(courses._trained_on(rows + 0.5), [-1, -1, -1])
    for place, row in zip((0, 20, 50), rows, strict=True):
        nearest = courses._nearest(row[None])[0]
        found = courses._trained_on(nearest[None])[0]
        assert abs(found - place) >= 10


def test_missing_and_huge_values_leave_finite_deviations(wave):
    wave[3] = np.nan
    courses = NearestCourses().fit(wave, np.arange(181), 20)
    wave[100] = 1e300
    deviation, distance = courses.compare(courses.scaled(wave), np.arange(181))
    assert np.isfinite(deviation).all()
    assert np.isfinite(distance).all()


def test_units_do_not_matter_and_constants_stay_constant(wave):
    centre, scale = centre_and_scale(np.hstack([wave * 1e-12, wave + 1e6, np.full((200, 1), 0.1)]))
    assert_allclose(centre, [0, 1e6, 0.1], atol=1e-13)
    assert_allclose(scale, [wave.std() * 1e-12, wave.std(), 1])
