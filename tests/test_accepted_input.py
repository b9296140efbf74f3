"""What is accepted is converted: NumPy's numbers, containers, odd columns, extreme weights."""

import warnings

import numpy as np
import pandas as pd
import polars
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.metrics import roc_auc_scorer
from skanomaly.model_selection import StratifiedAnomalyKFold

# a single epoch, and few rows
pytestmark = pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning")


def tiny(**own):
    return AutoencoderDetector(
        "plain", **{"hidden_layer_sizes": (4,), "epochs": 1} | own
    ).set_params(random_state=0)


@pytest.fixture(scope="module")
def mixed(blob):
    """Return a table of numbers, text and bools, and a detector fitted to it."""
    frame = pd.DataFrame(blob[:, :2], columns=["a", "b"])
    frame["word"] = np.where(blob[:, 2] > -5, "up", "down").astype(object)
    frame["flag"] = blob[:, 3] > 100
    return frame, tiny().fit(frame)


NUMPY = {
    "batch_size": np.int64(32), "latent_dim": np.int64(2), "l2": np.float32(0.25),
    "epochs": np.int32(2), "dropout": np.float16(0.25), "noise": np.float32(0.5),
    "learning_rate": np.float64(1e-3), "n_iter_no_change": np.int8(3), "verbose": np.int64(0),
    "validation_fraction": np.float32(0.25), "early_stopping": np.bool_(True),
    "activation": np.str_("relu"), "contamination": np.float32(0.25),
    "hidden_layer_sizes": (np.int64(4), np.uint8(3)), "n_estimators": np.int64(1),
}  # fmt: skip


def test_numbers_of_numpy_are_python_s(blob):
    python = {name: np.asarray(value).tolist() for name, value in NUMPY.items()}
    ours, theirs = tiny(**NUMPY).fit(blob), tiny(**python).fit(blob)
    np.testing.assert_array_equal(ours.score_samples(blob), theirs.score_samples(blob))


def test_parameters_of_the_classifier_may_be_numpy_s(labelled):
    own = {"batch_size": np.int64(16), "weight_decay": np.float32(1e-3), "epochs": np.int64(1)}
    weights = {np.int64(-1): np.float32(2.0), np.int64(1): np.int64(1)}
    detector = NeuralAnomalyClassifier("plain", class_weight=weights, random_state=0, **own)
    assert np.isfinite(detector.fit(*labelled).score_samples(labelled[0])).all()


def test_a_grid_from_arange(labelled):
    X, y = labelled
    grid = {"latent_dim": np.arange(1, 3), "batch_size": np.array([32, 64])}
    search = GridSearchCV(tiny(), grid, scoring=roc_auc_scorer, cv=StratifiedAnomalyKFold(2))
    assert search.set_params(error_score="raise").fit(X, y).best_params_["latent_dim"] in (1, 2)


@pytest.mark.parametrize(
    "as_rows",
    [
        lambda frame: frame.to_numpy(),
        lambda frame: frame.to_numpy().tolist(),
        lambda frame: list(map(tuple, frame.to_numpy())),
        lambda frame: tuple(map(list, frame.to_numpy())),
        lambda frame: frame.astype({"word": "string"}),
        lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
        lambda frame: frame.convert_dtypes(dtype_backend="numpy_nullable"),
        lambda frame: frame.astype({"word": "category", "flag": object}),
        lambda frame: polars.DataFrame({name: frame[name].to_list() for name in frame}),
        lambda frame: polars.DataFrame({name: frame[name].to_list() for name in frame}).lazy(),
    ],
    ids=["array", "lists", "tuples", "tuple", "string", "arrow", "nullable", "category", "polars",
         "lazy"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_mixed_rows_in_any_container_score_the_same(mixed, as_rows):
    frame, detector = mixed
    expected = detector.score_samples(frame)
    np.testing.assert_array_equal(detector.score_samples(as_rows(frame)), expected)


def test_what_is_masked_is_missing(blob):
    X = blob.copy()
    X[::5, 1] = np.nan
    masked = np.ma.MaskedArray(blob, np.isnan(X))
    ours, theirs = tiny().fit(masked), tiny().fit(X)
    np.testing.assert_array_equal(ours.score_samples(masked), theirs.score_samples(X))


def test_intervals_are_categories(blob):
    frame = pd.DataFrame({"a": blob[:, 0], "bin": pd.cut(blob[:, 1], 3)})
    detector = tiny().fit(frame)
    assert detector.is_categorical_.tolist() == [False, True]
    text = frame.assign(bin=[repr(value) for value in frame["bin"]])
    np.testing.assert_array_equal(
        detector.score_samples(frame), tiny().fit(text).score_samples(text)
    )


@pytest.mark.parametrize(
    ("values", "what"),
    [([[1]], "the list '\\[1\\]'"), ([{"a": 1}], "the dict"), ([object()], "the object"),
     ([1 + 2j], "complex")],
)  # fmt: skip
def test_columns_of_objects_are_refused_by_name(blob, values, what):
    frame = pd.DataFrame({"a": blob[:, 0], "tags": values * len(blob)})
    with pytest.raises((TypeError, ValueError), match=f"column 'tags' of X holds {what}"):
        tiny().fit(frame)


def test_list_columns_of_polars_are_refused_by_name(blob):
    frame = polars.DataFrame({"a": blob[:, 0].tolist(), "tags": [[1, 2]] * len(blob)})
    with pytest.raises(TypeError, match="column 'tags' of X holds the list"):
        tiny().fit(frame)


def test_text_among_numbers_is_told(blob):
    column = blob[:, 1].astype(object)
    column[7] = "n/a"
    frame = pd.DataFrame({"a": blob[:, 0], "load": column})
    with pytest.warns(UserWarning, match=r"column 'load' of X holds numbers and the text 'n/a'"):
        tiny().fit(frame)
    with pytest.warns(UserWarning, match="'load' .*to_numeric"):
        tiny().fit(frame.assign(load=column.astype(str)))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # said to be a category, or plainly one
        tiny().fit(frame.assign(load=pd.Categorical(column.astype(str))))
        tiny().fit(frame.assign(load=np.where(blob[:, 1] > 1, "12345", "67890")))


def test_text_where_fit_saw_numbers_is_refused_by_name(blob):
    frame = pd.DataFrame({"a": blob[:, 0], "load": blob[:, 1]})
    late = frame.astype({"load": object})
    late.loc[3, "load"] = "n/a"
    with pytest.raises(ValueError, match=r"column 'load' of X holds the text 'n/a'.*to_numeric"):
        tiny().fit(frame).predict(late)


@pytest.mark.parametrize("X", [np.array([["1", "x"]] * 4), [[1, "x"]] * 4])
def test_text_in_an_array_hints_at_tables(X):
    with pytest.raises(ValueError, match=r"column 1 of X holds the text 'x'.*pandas\s+DataFrame"):
        tiny().fit(X)


def test_images_hint_at_the_shape_of_a_row():
    with pytest.raises(ValueError, match=r"\(5, 8, 8, 3\).*'conv2d' and input_shape=\(8, 8, 3\)"):
        tiny().fit(np.zeros((5, 8, 8, 3)))


def test_double_names_are_refused(blob):
    with pytest.raises(ValueError, match="column name 'a' 4 times"):
        tiny().fit(pd.DataFrame(blob, columns=["a"] * 4))


@pytest.mark.parametrize("weight", [1e308, 5e-324, 1e-200])
@pytest.mark.parametrize(
    "detector", [tiny(), NeuralAnomalyClassifier("plain", epochs=1, random_state=0)], ids=repr
)
def test_equal_weights_of_any_size_are_none(labelled, detector, weight):
    X, y = labelled
    weighted = clone(detector).fit(X, y, sample_weight=np.full(len(X), weight))
    expected = clone(detector).fit(X, y).score_samples(X)
    np.testing.assert_allclose(weighted.score_samples(X), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:sample_weight leaves 1 of .* rows:UserWarning")
def test_weights_of_all_sizes_at_once(labelled):
    X, _ = labelled
    weight = 10.0 ** np.linspace(-320, 308, len(X))
    assert np.isfinite(tiny().fit(X, sample_weight=weight).score_samples(X)).all()
    with pytest.raises(ValueError, match=r"Divide all weights by their mean"):
        tiny().partial_fit(X, sample_weight=weight)


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf, 0.0])
def test_weights_that_mean_nothing_are_refused(blob, weight):
    with pytest.raises(ValueError, match="sample_weight"):
        tiny().fit(blob, sample_weight=np.full(len(blob), weight))
