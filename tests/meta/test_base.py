"""What estimators around a detector share: labels read once, features, tags, routing."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skanomaly import ConformalDetector, ThresholdedDetector

ROWS = pd.DataFrame({"a": np.arange(120.0), "b": np.arange(120.0)[::-1] ** 2})
each = pytest.mark.parametrize("around", [ThresholdedDetector, ConformalDetector])


@each
def test_features_are_those_of_the_detector_inside(around):
    detector = around(IsolationForest(n_estimators=3, random_state=0)).fit(ROWS)
    assert detector.n_features_in_ == 2
    assert detector.feature_names_in_.tolist() == ["a", "b"]
    detector.fit(ROWS.to_numpy())
    assert not hasattr(detector, "feature_names_in_")


@each
def test_tags_say_what_the_detector_inside_takes(around):
    class Sparse(IsolationForest):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.sparse = False
            tags.input_tags.allow_nan = True
            return tags

    tags = get_tags(around(Sparse()))
    assert tags.estimator_type == "outlier_detector"
    assert (tags.input_tags.sparse, tags.input_tags.allow_nan) == (False, True)


@each
def test_what_is_no_detector_is_refused(around):
    with pytest.raises(ValueError, match=around.__name__):
        around(FunctionTransformer()).fit(ROWS)


@each
def test_weights_reach_the_detector_inside_by_routing(around, distance):
    weight = np.repeat([1.0, 3.0], 60)
    X = np.random.default_rng(0).normal(size=(120, 2))
    with config_context(enable_metadata_routing=True):
        inner = type(distance)().set_fit_request(sample_weight=True)
        routed = around(inner, random_state=0).fit(X, sample_weight=weight)
        unasked = around(type(distance)(), random_state=0).fit(X)
    direct = around(type(distance)(), random_state=0).fit(X, sample_weight=weight)
    np.testing.assert_array_equal(routed.score_samples(X), direct.score_samples(X))
    assert (routed.score_samples(X) != unasked.score_samples(X)).any()
