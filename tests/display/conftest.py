"""What the tests of displays share: a detector, its explanation, scores, and closed figures."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from skanomaly import explain


@pytest.fixture(autouse=True)
def drawn():
    """Render whatever a test leaves open, so that every picture can be drawn; then close it."""
    plt = pytest.importorskip("matplotlib.pyplot")
    with plt.rc_context({"backend": "agg"}):
        plt.close("all")
        yield
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
    plt.close("all")


@pytest.fixture(scope="module")
def forest(labelled):
    return IsolationForest(n_estimators=20, random_state=0).fit(labelled[0])


@pytest.fixture(scope="module")
def explanation(forest, labelled):
    return explain(forest, labelled[0][-3:], background=labelled[0])


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        rng.normal(size=(12, 4)) + np.array([3, 2, 2, -3]), columns=["A", "B", "C", "D"]
    )
