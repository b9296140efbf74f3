"""What all detectors promise: conventions, order, weights, refusals; and two worked examples."""

import ast
import inspect
import random
from pathlib import Path

import deep_svdd
import keras
import mean_distance
import numpy as np
import pandas as pd
import pytest
from deep_svdd import DeepSVDD
from mean_distance import MeanDistance
from quick_detectors import Plain, Small
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

FAR = np.full((3, 4), 1e3)


def stateless_snapshot():
    return random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002


@pytest.mark.parametrize("contamination", [0.025, 0.1, 0.5])
def test_contamination_is_the_share_of_training_outliers(blob, contamination):
    detector = Plain(contamination=contamination).fit(blob)
    assert (detector.predict(blob) == -1).mean() == contamination


def test_conventions_of_scores(autoencoder, blob):
    rows = np.vstack([blob, FAR])
    scores, decision = autoencoder.score_samples(rows), autoencoder.decision_function(rows)
    np.testing.assert_array_equal(decision, scores - autoencoder.offset_)
    np.testing.assert_array_equal(autoencoder.predict(rows), np.where(decision < 0, -1, 1))
    assert scores.dtype == decision.dtype == np.float64
    assert isinstance(autoencoder.offset_, float)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_a_single_row_is_checked_like_many(autoencoder, blob, value):
    bad = blob[:1].copy()
    bad[0, 2] = value
    for rows in (bad, np.repeat(bad, 2, axis=0)):
        with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
            autoencoder.score_samples(rows)
    with pytest.raises(ValueError, match="expecting 4 features"):
        autoencoder.score_samples(blob[:1, :3])


def test_a_single_row_without_names_warns_like_many(blob):
    named = pd.DataFrame(blob, columns=list("abcd"))
    detector = AutoencoderDetector("plain", epochs=1, random_state=0).fit(named)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        detector.score_samples(blob[:1])


def test_fit_predict_is_fit_then_predict(blob):
    np.testing.assert_array_equal(Plain().fit_predict(blob), Plain().fit(blob).predict(blob))


#: Numbers of rows around the batch sizes; the slower recipe takes the smallest and the edges.
SIZES = {Plain: range(2, 71), Small: [*range(2, 12), 31, 32, 33, 63, 64, 65, 66]}


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_every_number_of_rows_around_the_batch_size(Detector):
    rng = np.random.default_rng(0)
    for n in SIZES[Detector]:
        X = rng.normal(size=(n, 2))
        detector = Detector(**({"max_steps": 3} if Detector is Small else {})).fit(X)
        scores = detector.score_samples(X)
        assert scores.shape == (n,), n
        assert np.isfinite(scores).all(), n
        alone = detector.score_samples(X[-1:])
        np.testing.assert_allclose(alone, scores[-1:], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_scores_of_long_tables_do_not_depend_on_threads(Detector, monkeypatch):
    """Bit for bit, with missing values, categories, bad settings of NumPy's and the output's."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(150, 2)), columns=["a", "b"])
    table["kind"] = pd.Categorical(rng.choice(list("xyz"), 150))
    table.iloc[::7, 0] = np.nan
    table.iloc[3, 1] = 1e300
    detector = Detector(random_state=0).fit(table)
    scores = {}
    for n_processors in (1, 4):
        monkeypatch.setattr("os.cpu_count", lambda n=n_processors: n)
        monkeypatch.setattr("skanomaly.preprocessing._views.BLOCK_ROWS", 40)
        with config_context(transform_output="pandas"), np.errstate(all="raise"):
            scores[n_processors] = detector.score_samples(table)
    np.testing.assert_array_equal(scores[1], scores[4])


ODD = {
    "one feature": np.linspace(0, 1, 40)[:, None],
    "constant features": np.column_stack([np.full(40, 3.3), np.linspace(0, 1, 40)]),
    "all rows equal": np.full((40, 2), 0.1),
    "duplicate rows": np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 10, axis=0),
    "more columns than rows": np.random.default_rng(0).normal(size=(5, 30)),
    "huge values": np.random.default_rng(0).normal(size=(40, 2)) * 1e30,
    "tiny values": np.random.default_rng(0).normal(size=(40, 2)) * 1e-30,
    "one absurd entry": np.vstack([np.random.default_rng(0).normal(size=(39, 2)), [[1e25, 0]]]),
    "whole numbers": np.arange(40).reshape(20, 2),
    "booleans": np.tile(np.eye(2, dtype=bool), (10, 1)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("Detector", [Plain, Small])
def test_odd_data_have_finite_scores(Detector, name):
    X = ODD[name]
    detector = Detector().fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert np.isfinite(detector.offset_)
    assert np.isfinite(detector.reconstruct(X)).all()


def test_rows_all_equal_are_normal_and_others_are_not():
    detector = Small().fit(ODD["all rows equal"])
    assert (detector.predict(ODD["all rows equal"]) == 1).all()
    assert detector.predict([[5.0, 5.0]]) == [-1]


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_order_of_the_rows_does_not_matter(blob, Detector):
    shuffled = blob[np.random.default_rng(3).permutation(len(blob))]
    one, other = Detector().fit(blob), Detector().fit(shuffled)
    np.testing.assert_allclose(one.score_samples(blob), other.score_samples(blob), rtol=1e-6)
    assert other.offset_ == pytest.approx(one.offset_, rel=1e-6)


@pytest.mark.parametrize("Detector", [Plain, Small])
@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_weights_are_repetitions(blob, Detector, contamination):
    weight = np.random.default_rng(4).integers(0, 4, len(blob))
    weighted = Detector(contamination=contamination).fit(blob, sample_weight=weight)
    repeated = Detector(contamination=contamination).fit(np.repeat(blob, weight, axis=0))
    np.testing.assert_allclose(
        weighted.score_samples(blob), repeated.score_samples(blob), rtol=1e-6
    )
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-6)


def test_scale_of_fractional_weights_does_not_matter(blob):
    weight = np.random.default_rng(5).uniform(0.1, 2, len(blob))
    one, other = (Plain().fit(blob, sample_weight=c * weight) for c in (1, 1000))
    np.testing.assert_allclose(one.score_samples(blob), other.score_samples(blob), rtol=1e-6)
    assert not np.allclose(one.score_samples(blob), Plain().fit(blob).score_samples(blob))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(120), "not all zero|fewer than 2 rows"),
        (np.eye(120)[0], r"fewer than 2 rows.*got 1 of 120"),
        (-np.ones(120), "not negative"),
        (np.ones(119), r"sample_weight.*119"),
        (np.full(120, np.nan), "must be finite"),
    ],
)
def test_unusable_weights_are_refused(blob, weight, message):
    with pytest.raises(ValueError, match=message):
        Plain().fit(blob, sample_weight=weight)


def test_random_state(blob):
    scores = [
        AutoencoderDetector("plain", epochs=2, random_state=state).fit(blob).score_samples(blob)
        for state in (0, 0, 1, np.random.RandomState(0), np.random.RandomState(0), None, None)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
    np.testing.assert_array_equal(scores[3], scores[4])
    assert not np.array_equal(scores[5], scores[6])


def test_second_fit_of_one_generator_differs(blob):
    detector = AutoencoderDetector("plain", epochs=2, random_state=np.random.RandomState(0))
    first = detector.fit(blob).score_samples(blob)
    assert not np.array_equal(detector.fit(blob).score_samples(blob), first)


@pytest.mark.parametrize("Detector", [Plain, Small])
def test_global_random_state_is_untouched(blob, Detector):
    keras.utils.set_random_seed(7)
    before = stateless_snapshot()
    drawn = keras.ops.convert_to_numpy(keras.random.normal((3,)))
    keras.utils.set_random_seed(7)
    Detector(dropout=0.1).fit(blob).predict(blob)
    assert stateless_snapshot() == before
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.random.normal((3,))), drawn)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[np.nan, 1], [np.nan, 1]], ValueError, "missing values only"),
        ([[np.inf, 1], [0, 1]], ValueError, "infinity"),
        ([[1.0, 2.0]], ValueError, "minimum of 2 is required"),
        ([1.0, 2.0], ValueError, "Expected 2D array"),
        (np.empty((5, 0)), ValueError, "0 feature"),
        ([["a", "b"], ["c", "d"]], ValueError, "could not convert string"),
        (None, ValueError, "Expected 2D array|array-like"),
    ],
)
def test_unusable_rows_are_refused(X, error, message):
    with pytest.raises(error, match=message):
        Plain().fit(X)


pytestmark = [
    pytest.mark.filterwarnings("ignore:All .* rows of X are the same:UserWarning"),
    pytest.mark.filterwarnings("ignore:no row lies below the threshold:UserWarning"),
]
SMALL = {"max_steps": 2, "hidden_layer_sizes": (4,)}


@parametrize_with_checks([DeepSVDD(epochs=3, contamination=0.1), MeanDistance(contamination=0.1)])
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
    explained = detector.explain(blob[:3])
    total = explained.contributions.sum(axis=1) + explained.base
    np.testing.assert_allclose(total, -detector.score_samples(blob[:3]), rtol=1e-6)
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


@pytest.mark.parametrize("recipe", ["plain", "fast"])
def test_rows_without_a_value_have_the_median_of_rows_that_count(blob, recipe):
    X = np.vstack([[[np.nan] * blob.shape[1]], blob])
    weight = np.ones(len(X), dtype=int)
    weight[1], weight[len(X) // 2 :] = 20, 0
    detector = AutoencoderDetector(recipe, max_steps=5, random_state=0)
    weighted = detector.fit(X, sample_weight=weight).score_samples(X), detector.offset_
    detector = clone(detector).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted[0], detector.score_samples(X), rtol=1e-12)
    assert weighted[1] == pytest.approx(detector.offset_, rel=1e-12)
