"""Which rows are read and which are refused, with the fix."""

import datetime

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.preprocessing._validation import read_rows

# hardly trained networks call many rows anomalies that carry no label
pytestmark = pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning")
QUICK = [
    AutoencoderDetector(hidden_layer_sizes=(8,), latent_dim=2, max_steps=5, random_state=0),
    AutoencoderDetector("plain", epochs=2, random_state=0),
    NeuralAnomalyClassifier(max_steps=2, random_state=0),
    NeuralAnomalyClassifier("plain", epochs=2, random_state=0),
]
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


@each_plain
@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024-01-01", periods=140),
        pd.to_timedelta(np.arange(140), unit="h"),
        [datetime.date(2024, 1, 1)] * 140,
    ],
    ids=["datetime", "timedelta", "date"],
)
def test_times_are_refused_with_the_fix(labelled, detector, times):
    frame = pd.DataFrame(labelled[0], columns=list("abcd")).assign(when=times)
    with pytest.raises(ValueError, match=r"column 'when' .* dates.*dt\.hour.* drop it"):
        clone(detector).fit(frame, labelled[1])
    with pytest.raises(ValueError, match="X holds dates, times or durations"):
        clone(detector).fit(np.full((140, 2), np.datetime64("2024-01-01")), labelled[1])


@each_plain
@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["nope"], r"names 'nope', but X has the columns \['a', 'word'"),
        ([True, False], r"is a mask of 2 values, but X has 7 features"),
        ([7], r"holds the place 7, but X has 7 features"),
        ([-1], r"holds the place -1"),
        ([0.5], r"must be 'from_dtype', None, a mask, or names or places"),
        (["word", 1], r"must be 'from_dtype', None, a mask, or names or places"),
        ("from_type", r"The 'categorical_features' parameter of .* must be"),
    ],
    ids=str,
)
def test_bad_categorical_features(mixed, detector, wanted, message):
    fresh = clone(detector).set_params(categorical_features=wanted)
    before = dict(vars(fresh))
    with pytest.raises(ValueError, match=message):
        fresh.fit(*mixed)
    assert vars(fresh) == before


def test_names_need_a_table(mixed):
    array = mixed[0].to_numpy(dtype=object)
    with pytest.raises(ValueError, match="names 'word', but X has no column names"):
        clone(QUICK[1]).set_params(categorical_features=["word"]).fit(array)


@each_plain
def test_other_tables_are_refused_in_prediction(mixed, detector):
    frame, y = mixed
    fitted = clone(detector).fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match="could not convert string to float"):
        fitted.predict(frame.assign(a="text"))
    with pytest.raises(ValueError, match="infinity"):
        fitted.predict(frame.assign(a=np.inf))
    with pytest.raises(ValueError, match="minimum of 1"):
        fitted.predict(frame[:0])


@pytest.mark.parametrize("kind", ["float32", "float64", "int16"])
def test_wide_and_long_tables_are_read_in_their_order(kind):
    X = (np.arange(5000 * 19).reshape(5000, 19) % 977).astype(kind)
    detector = AutoencoderDetector("plain", categorical_features=None)
    rows = read_rows(detector, pd.DataFrame(X), reset=True)
    np.testing.assert_array_equal(rows, X)
    assert rows.dtype == (np.float32 if kind == "float32" else np.float64)


def test_categories_are_named_by_all_levels():
    table = pd.DataFrame({("x", "a"): np.arange(50.0), ("x", "k"): np.arange(50) % 2})
    detector = AutoencoderDetector("plain", categorical_features=[("x", "k")])
    read_rows(detector, table, reset=True)
    assert detector.is_categorical_.tolist() == [False, True]
