"""Autologging of MLflow is off inside a fit, where MLflow is loaded."""

import contextlib
import sys
from types import SimpleNamespace

from skanomaly.utils._tracking import untracked


def test_autologging_is_off_inside_and_on_again_after(monkeypatch):
    seen = []

    @contextlib.contextmanager
    def disable_autologging():
        seen.append("off")
        yield
        seen.append("on")

    fake = SimpleNamespace(disable_autologging=disable_autologging)
    monkeypatch.setitem(sys.modules, "mlflow.utils.autologging_utils", fake)
    with untracked():
        seen.append("inside")
    assert seen == ["off", "inside", "on"]


def test_no_tracker_is_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "mlflow.utils.autologging_utils", raising=False)
    with untracked():
        assert "mlflow.utils.autologging_utils" not in sys.modules
