"""What estimators around a detector share: labels read once, features, tags, routing."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import BaseCrossValidator, GroupKFold
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skanomaly import ConformalDetector, ThresholdedDetector, WindowedDetector

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


class Grouped(BaseCrossValidator):
    """Cuts by groups, and keeps what it was given."""

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2

    def split(self, X, y=None, groups=None):
        self.seen = groups
        return GroupKFold(2).split(X, y, groups)


GROUPS = np.arange(120) % 6


def with_splitter(around, estimator, cv):
    options = {"method": "cv+"} if around is ConformalDetector else {}
    return around(estimator, cv=cv, **options)


@pytest.mark.parametrize("around", [ThresholdedDetector, ConformalDetector])
def test_groups_reach_the_splitter(around, distance, blob):
    splitter = Grouped()
    with_splitter(around, distance, splitter).fit(blob, groups=GROUPS)
    np.testing.assert_array_equal(splitter.seen, GROUPS)
    by_groups = with_splitter(around, distance, GroupKFold(2)).fit(blob, groups=GROUPS.tolist())
    assert np.isfinite(by_groups.score_samples(blob)).all()


@pytest.mark.parametrize("around", [ThresholdedDetector, ConformalDetector])
def test_groups_reach_the_splitter_by_routing(around, distance, blob):
    with config_context(enable_metadata_routing=True):
        routed = with_splitter(around, distance, GroupKFold(2)).fit(blob, groups=GROUPS)
    plain = with_splitter(around, distance, GroupKFold(2)).fit(blob, groups=GROUPS)
    np.testing.assert_array_equal(routed.score_samples(blob), plain.score_samples(blob))


def test_groups_that_nobody_reads_are_refused(distance, blob):
    with pytest.raises(ValueError, match=r"got groups, but nothing here reads them.*GroupKFold"):
        ThresholdedDetector(distance).fit(blob, groups=GROUPS)


def test_groups_reach_a_detector_that_reads_them(blob):
    inner = WindowedDetector(IsolationForest(n_estimators=5, random_state=0), 3)
    detector = ThresholdedDetector(inner, cv=None).fit(blob, groups=np.repeat([0, 1], 60))
    assert np.isfinite(detector.offset_)


@pytest.mark.parametrize("around", [ThresholdedDetector, ConformalDetector])
def test_callbacks_of_scikit_learn_are_told_of_the_fit(around, distance, blob):
    pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")
    events = []

    class Told:
        """The least that scikit-learn takes for a callback of its own."""

        max_propagation_depth = None

        def setup(self, estimator, context):
            events.append("setup")

        def teardown(self, estimator, context):
            events.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            events.append("begin")

        def on_fit_task_end(self, estimator, context):
            events.append("end")

    around(distance).set_callbacks(Told()).fit(blob)
    assert events == ["setup", "begin", "end", "teardown"]
