"""The task of a fit, told to scikit-learn's callbacks where there are any."""

import pytest

from skanomaly.utils._callbacks import fit_task


class Told:
    """Stands for an estimator with callbacks and for the context of its fit."""

    def __init__(self):
        self._skl_callbacks, self.calls = [object()], []

    def _init_callback_context(self, max_subtasks):
        return self

    def call_on_fit_task_begin(self, **given):
        self.calls.append(("begin", sorted(given)))

    def call_on_fit_task_end(self, **given):
        self.calls.append(("end", sorted(given)))


def test_a_fit_begins_and_ends():
    told = Told()
    with fit_task(told, "X", "y", None):
        assert told.calls == [("begin", ["X", "estimator", "y"])]
    assert told.calls[1:] == [("end", ["X", "estimator", "reconstruction_attributes", "y"])]


def test_weights_are_metadata():
    told = Told()
    with fit_task(told, "X", "y", "weight"):
        pass
    assert [("metadata" in given) for _, given in told.calls] == [True, True]


def test_a_failed_fit_does_not_end():
    told = Told()
    with pytest.raises(RuntimeError), fit_task(told, "X", None, None):
        raise RuntimeError
    assert [name for name, _ in told.calls] == ["begin"]


@pytest.mark.parametrize("callbacks", [{}, {"_skl_callbacks": []}])
def test_without_callbacks_nothing_is_asked(callbacks):
    estimator = Told()
    vars(estimator).pop("_skl_callbacks")
    vars(estimator).update(callbacks)
    with fit_task(estimator, "X", None, None):
        pass
    assert estimator.calls == []
