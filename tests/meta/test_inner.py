"""The detector inside a WindowedDetector."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.core


def test_a_forest_in_windows_loads_no_keras():
    code = (
        "import sys, numpy as np; from sklearn.ensemble import IsolationForest;"
        "from skanomaly import WindowedDetector, explain;"
        "X = np.sin(np.arange(300) / 5)[:, None];"
        "d = WindowedDetector(IsolationForest(n_estimators=5)).fit(X);"
        "d.events(X); explain(d, X);"
        "assert not {'keras', 'jax', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
