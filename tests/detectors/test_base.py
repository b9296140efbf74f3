"""The base classes: two small detectors on them pass scikit-learn's checks; work is done once."""

import ast
import inspect
from pathlib import Path

import deep_svdd
import mean_distance
import numpy as np
import pandas as pd
import pytest
from deep_svdd import DeepSVDD
from mean_distance import MeanDistance
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

SMALL = {"max_steps": 2, "hidden_layer_sizes": (4,)}


@parametrize_with_checks([DeepSVDD(epochs=3, contamination=0.1), MeanDistance()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("detector", [DeepSVDD(random_state=0), MeanDistance()])
def test_small_detectors_find_what_is_far_off(detector, labelled):
    X, y = labelled
    scores = clone(detector).fit(X[:100]).score_samples(X)
    assert roc_auc_score(y, -scores) > 0.95


def test_a_small_detector_has_all_that_the_base_gives(blob):
    detector = DeepSVDD(epochs=2, random_state=0).partial_fit(blob[:60]).partial_fit(blob[60:])
    assert detector.n_samples_seen_ == len(blob)
    shares = detector.explain(blob[:3]).contributions
    np.testing.assert_allclose(shares.sum(axis=1), -detector.score_samples(blob[:3]), rtol=1e-6)
    before = detector.offset_
    assert detector.set_threshold("contamination", blob, level=0.2).offset_ > before


def test_a_warm_start_keeps_the_centre(blob):
    detector = DeepSVDD(epochs=2, random_state=0, warm_start=True).fit(blob)
    centre = detector._learner.centre
    assert detector.fit(blob).n_iter_ == 4
    np.testing.assert_array_equal(detector._learner.centre, centre)


@pytest.mark.parametrize("module", [deep_svdd, mean_distance])
def test_a_detector_is_one_small_file(module):
    tree = ast.parse(Path(inspect.getsourcefile(module)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and len(body) > 1 else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            del body[0]
    assert len(ast.unparse(tree).splitlines()) < 80


def test_a_detector_that_trains_nothing_loads_no_network_library(fresh_python):
    folder = Path(mean_distance.__file__).parent
    code = (
        f"import sys; sys.path.append({str(folder)!r}); import numpy as np;"
        "from mean_distance import MeanDistance; MeanDistance().fit(np.eye(9)).predict(np.eye(9));"
        "print(*sys.modules)"
    )
    loaded = {name.split(".")[0] for name in fresh_python(code).split()}
    assert not loaded & {"keras", "jax", "scikeras", "tensorflow", "torch"}


def mixed_table():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))
    table.loc[::7, "a"] = np.nan
    return table.assign(kind=rng.choice(["x", "y"], 60))


@pytest.mark.parametrize(
    ("detector", "labels"),
    [
        (AutoencoderDetector(**SMALL), None),
        (AutoencoderDetector("plain", **SMALL), None),
        (NeuralAnomalyClassifier(**SMALL), None),
        (NeuralAnomalyClassifier(**SMALL), np.arange(60) < 9),
        (NeuralAnomalyClassifier("plain", **SMALL), np.arange(60) < 9),
        (MeanDistance(), None),
    ],
)
def test_one_fit_looks_once_for_order_copies_and_missing_values(detector, labels, monkeypatch):
    """Whoever needs them reads them off the training rows."""
    from skanomaly.preprocessing import _missing, _training_rows

    calls = []

    def counted(module, name):
        function = getattr(module, name)

        def wrapped(*args, **kwargs):
            calls.append(name)
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, wrapped)

    counted(_training_rows, "canonical_order")
    counted(_training_rows, "repeat_rows")
    counted(_missing, "count_missing")
    detector.fit(mixed_table(), labels, sample_weight=np.arange(60) % 3)
    assert sorted(calls) == ["canonical_order", "count_missing", "repeat_rows"]
    calls.clear()
    detector.score_samples(mixed_table())
    assert calls == ["count_missing"]
    users = Path(_missing.__file__).parents[1].rglob("*.py")
    for path in users:
        text = path.read_text(encoding="utf-8")
        if path.name not in ("_training_rows.py", "_weights.py"):
            assert "canonical_order(" not in text, path
            assert "repeat_rows(" not in text, path
