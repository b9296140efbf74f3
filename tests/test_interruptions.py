"""A fit that is interrupted leaves everything as it was, at whatever moment that comes."""

import inspect
import random
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from skanomaly import (
    AutoencoderDetector,
    ConformalDetector,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
)

DETECTORS = {
    "autoencoder": AutoencoderDetector("plain", hidden_layer_sizes=(4,), epochs=1, random_state=0),
    "classifier": NeuralAnomalyClassifier("plain", epochs=1, random_state=0),
}


class Interruption:
    """Raises an error when the package has made so many calls."""

    def __init__(self, error, after=None):
        self.error, self.after, self.calls = error, after, 0

    def __enter__(self):
        sys.setprofile(self._look)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)

    def _look(self, frame, event, argument):
        if event != "call" or "skanomaly" not in frame.f_code.co_filename:
            return
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            return  # Python drops what is raised while it closes a generator
        self.calls += 1
        if self.after is not None and self.calls > self.after:
            self.after = None  # once
            raise self.error


def n_calls(fit):
    with Interruption(None) as counter:
        fit()
    return counter.calls


def world():
    """Return what a fit might leave behind in the process."""
    return (
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        random.getstate(),
        list(warnings.filters),
        dict(np.geterr()),
    )


def interrupted(fit, error, after):
    """Interrupt a fit; tell whether it was."""
    try:
        with Interruption(error, after):
            fit()
    except type(error):
        return True
    return False


def unchanged(detector, attributes):
    """Tell whether a detector has the very attributes that it had."""
    now = vars(detector)
    return now.keys() == attributes.keys() and all(now[n] is attributes[n] for n in now)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()], ids=repr)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_stays_as_it_was(name, method, error, labelled):
    X, y = labelled
    detector = clone(DETECTORS[name]).fit(X, y)
    attributes, expected = dict(vars(detector)), detector.score_samples(X)
    fresh = clone(DETECTORS[name])
    getattr(clone(fresh), method)(X, y)  # compiles: later fits make fewer calls
    total = n_calls(lambda: getattr(clone(fresh), method)(X, y))
    before, hits = world(), 0
    for after in np.random.default_rng(len(name)).integers(0, total, 4).tolist():
        new = clone(fresh)
        if interrupted(lambda new=new: getattr(new, method)(X, y), error, after):
            hits += 1
            assert vars(new).keys() == new.get_params(deep=False).keys()
        if interrupted(lambda: getattr(detector, method)(X[:70], y[:70]), error, after):
            assert unchanged(detector, attributes)
        else:
            detector.__dict__ = dict(attributes)
        assert world() == before
    assert hits >= 3
    again = clone(DETECTORS[name]).fit(X, y)
    np.testing.assert_array_equal(again.score_samples(X), expected)


@pytest.mark.parametrize("kind", [ThresholdedDetector, ConformalDetector])
def test_a_meta_estimator_stays_as_it_was(kind, distance, blob):
    detector = kind(distance, random_state=0).fit(blob)
    attributes = dict(vars(detector))
    total = n_calls(lambda: clone(detector).fit(blob))
    for after in np.random.default_rng(0).integers(0, total, 10).tolist():
        assert interrupted(lambda: detector.fit(blob[::-1]), KeyboardInterrupt(), after)
        assert unchanged(detector, attributes)


def test_a_warning_made_an_error_leaves_no_half_fitted_detector(distance, blob):
    detector = ConformalDetector(distance, alpha=0.001)
    with pytest.warns(UserWarning, match="calibration rows are too few"):
        clone(detector).fit(blob)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="calibration rows are too few"):
            detector.fit(blob)
    assert not detector.__sklearn_is_fitted__()
    assert vars(detector).keys() == detector.get_params(deep=False).keys()


SIGNALS = """
import os, signal, threading, time
import numpy as np
from sklearn.base import clone
from skanomaly import AutoencoderDetector
X = np.random.default_rng(0).normal(size=(400, 4))
detector = AutoencoderDetector("plain", hidden_layer_sizes=(4,), epochs=20, random_state=0).fit(X)
expected, kept = detector.score_samples(X), dict(vars(detector))
start = time.perf_counter(); clone(detector).fit(X); took = time.perf_counter() - start
stopped = 0
for delay in np.random.default_rng(0).uniform(0, took, 8):
    timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        detector.fit(X[:200])
        timer.cancel(), timer.join(), time.sleep(0.01)
        detector.fit(X)
    except KeyboardInterrupt:
        stopped += 1
    timer.join()
    if any(vars(detector)[name] is not value for name, value in kept.items()):
        detector.fit(X)  # it came to its end before
    assert np.array_equal(detector.score_samples(X), expected)
    kept = dict(vars(detector))
print(stopped)
"""


def test_a_real_signal_loses_nothing(fresh_python):
    assert int(fresh_python(SIGNALS)) >= 1
