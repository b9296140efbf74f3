"""Features of labelled networks, and views that make them row by row."""

import numpy as np
import pytest
from small_rows import X, training_rows

from skanomaly.learners._features import FeatureRows, Features, FirstColumns
from skanomaly.preprocessing._scaling import RobustScaling


def features():
    return Features(RobustScaling(), RobustScaling(), 4, 64, 4, seed=0)


@pytest.fixture(scope="module")
def fitted():
    learnt = features()
    return learnt, learnt.fit(training_rows())


def test_columns_are_scaled_values_scores_and_bins(fitted):
    learnt, unsupervised = fitted
    coded = learnt.transform(X, unsupervised)
    assert coded.shape == (100, learnt.n_outputs)
    assert coded.dtype == np.float32
    assert learnt.n_linear == 6
    np.testing.assert_allclose(coded[:, :3], learnt.scaling.transform(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(learnt.unsupervised_scores(X), unsupervised)


def test_weights_are_copies():
    weight = np.tile([1.0, 3.0], 50)
    weighted, repeated = features(), features()
    weighted.fit(training_rows(weight=weight))
    repeated.fit(training_rows(X=np.repeat(X, weight.astype(int), axis=0)))
    np.testing.assert_allclose(
        weighted.transform(X, weighted.unsupervised_scores(X)),
        repeated.transform(X, repeated.unsupervised_scores(X)),
        rtol=1e-4, atol=1e-4,
    )  # fmt: skip


def test_a_view_repeats_rows_and_makes_them_when_asked(fitted):
    learnt, unsupervised = fitted
    view = FeatureRows(X, learnt, np.array([7, 7, 2]), unsupervised)
    whole = learnt.transform(X, unsupervised)
    assert view.shape == (3, learnt.n_outputs)
    np.testing.assert_array_equal(view[:], whole[[7, 7, 2]])
    np.testing.assert_array_equal(view[np.array([2])], whole[[2]])
    first = FirstColumns(view, 4)
    assert (len(first), first.shape) == (3, (3, 4))
    np.testing.assert_array_equal(first[1:], whole[[7, 2], :4])


def test_scores_are_worked_out_where_they_are_not_given(fitted):
    learnt, unsupervised = fitted
    np.testing.assert_allclose(FeatureRows(X, learnt).unsupervised, unsupervised)
