"""The command line, on stand-ins for the detectors where only the command is tested."""

import contextlib
import datetime
import functools
import gzip
import io
import os
import re
import subprocess
import sys
import tempfile
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.datasets import load_wine

import skanomaly
from skanomaly.cli import _columns, _files, _kinds, _main, _report, _texts
from skanomaly.preprocessing._categories import MAX_CATEGORIES

FITS = []  # what the stand-ins were fitted on, in order


def numbered(X):
    """Return rows as numbers without missing values: the values of a category are counted."""
    codes = {name: X[name].cat.codes for name in X if X[name].dtype == "category"}
    X = X.assign(**codes).astype(float)
    return X.fillna(X.mean()).to_numpy()


class Distance(OutlierMixin, BaseEstimator):
    """Distance from the mean in standard deviations; knows no labels."""

    def __init__(self, contamination="auto", random_state=None, verbose=0):
        self.contamination = contamination
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        FITS.append((self, X, y))
        share = 0.1 if self.contamination == "auto" else self.contamination
        self.mean_, self.scale_ = numbered(X).mean(0), numbered(X).std(0)
        self.offset_ = 0.0
        self.offset_ = np.percentile(self.decision_function(X), 100 * share)
        return self

    def decision_function(self, X):
        return -np.linalg.norm((numbered(X) - self.mean_) / self.scale_, axis=1) - self.offset_


class Centroids(OutlierMixin, BaseEstimator):
    """Nearer to the mean of the normal rows, or of the anomalies; y must be -1, 1 or NaN."""

    def __init__(self, random_state=None, verbose=0):
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        FITS.append((self, X, y))
        assert set(y[~np.isnan(y)]) == {-1, 1}
        X = numbered(X)
        self.anomalous_, self.normal_ = X[y == -1].mean(0), X[y == 1].mean(0)
        return self

    def decision_function(self, X):
        X = numbered(X)
        away = [np.linalg.norm(X - mean, axis=1) for mean in (self.anomalous_, self.normal_)]
        return away[0] - away[1]


@contextlib.contextmanager
def stand_ins(**classes):
    classes = {"AutoencoderDetector": Distance, "NeuralAnomalyClassifier": Centroids, **classes}
    kept = {name: vars(skanomaly).get(name) for name in classes}
    vars(skanomaly).update(classes)
    FITS.clear()
    try:
        yield
    finally:
        for name, value in kept.items():
            vars(skanomaly).pop(name)
            if value is not None:
                vars(skanomaly)[name] = value


@pytest.fixture
def quick():
    with stand_ins():
        yield


@pytest.fixture
def run(quick, capsys):
    """Run the command; return its exit code, standard output and standard error."""

    def call(*arguments):
        code = _main.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def wine(tmp_path):
    path = tmp_path / "wine.csv"
    load_wine(as_frame=True).frame.to_csv(path, index=False)
    return path


def write(path, content):
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    return path


def numbers(rows=20, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, 3)), columns=list("abc"))


def read(path, *arguments):
    """Return the table, the features read from it, and the notes."""
    arguments = _main._parser().parse_args(["detect", str(path), *arguments])
    notes = []
    table = _files.read_table(arguments, notes.append)
    features = _columns.features_of(table, None, arguments, notes.append)
    return table, features.frame, "\n".join(line for line in notes if "learning from" not in line)


# ---------------------------------------------------------------------------- the arguments


def in_new_process(*arguments, code=None, **options):
    start = ["-m", "skanomaly"] if code is None else ["-c", code]
    return subprocess.run(
        [sys.executable, *start, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from skanomaly.cli._main import main; main(['detect', '--help'])\n"
        "print(sorted({'numpy', 'pandas', 'sklearn', 'keras', 'jax'} & set(sys.modules)))"
    )
    done = in_new_process(code=code)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_the_options_and_fits_the_page(run):
    code, out, err = run("detect", "--help")
    assert (code, err) == (0, "")
    for option in ("--contamination", "--label", "--out", "--top", "--random-state", "--drop"):
        assert option in out
    assert max(map(len, out.splitlines())) <= 99


def test_version(run):
    assert run("--version") == (0, f"skanomaly {skanomaly.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "required: detect"),
        (["guess"], "invalid choice: 'guess'"),
        (["detect", "--contamination", "0"], "above 0 and at most 0.5, got '0'"),
        (["detect", "--contamination", "0.51"], "above 0 and at most 0.5, got '0.51'"),
        (["detect", "--contamination", "nan"], "above 0 and at most 0.5, got 'nan'"),
        (["detect", "--contamination", "some"], "above 0 and at most 0.5, got 'some'"),
        (["detect", "--top", "-1"], "whole number from 0 on, got '-1'"),
        (["detect", "--random-state", "4294967296"], "whole number"),
        (["detect", "--sep", "ab"], "one character, or tab, got 'ab'"),
        (["detect", "--decimal", ";"], "--decimal"),
        (["detect", "--label", "diagnosi"], "did you mean 'diagnosis'?"),
        (["detect", "--drop", "nothing"], "no column 'nothing'"),
    ],
)
def test_wrong_arguments(run, arguments, expected):
    assert_refused(run(*arguments), expected)


def assert_refused(result, expected):
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("skanomaly: error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert expected in err


# ------------------------------------------------------------------------------- bad files

TABLE = "a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(20))
PARQUET = io.BytesIO()
numbers().to_parquet(PARQUET)
BAD_FILES = {
    "empty": ("f.csv", "", "is empty"),
    "blank": ("f.csv", "\n \n", "is empty"),
    "empty inside gzip": ("f.csv.gz", gzip.compress(b""), "is empty"),
    "empty parquet": ("f.parquet", "", "is empty"),
    "header only": ("f.csv", "a,b\n", "0 rows of data"),
    "one row": ("f.csv", "a,b\n1,2\n", "1 row of data"),
    "texts alone": ("f.csv", "a,b\nx,y\nz,w\n", "no column to learn from"),
    "constant columns": ("f.csv", "a,b\n1,x\n1,y\n", "'a' (nothing but 1)"),
    "broken encoding": ("f.csv", b"a,b\n1,2\n3,\x81\n", "line 3 of"),
    "not text": ("f.csv", bytes(range(256)), "not a text file"),
    "spreadsheet": ("f.xlsx", b"PK\x03\x04" + bytes(30), "save it as CSV"),
    "too many fields": ("f.csv", "a,b\n1,2\n3,4,5\n", "Expected 2 fields in line 3, saw 3"),
    "more fields than names": ("f.csv", "a,b\n1,2,3\n3,4,5\n", "more fields than the header"),
    "open quote": ("f.csv", 'a,b\n"1,2\n3,4\n', "malformed"),
    "infinite": ("f.csv", "a,b\n1,2\n3,-inf\n4,5\n", "--missing=-inf"),
    "too large": ("f.csv", "a,b\n1,2\n3,1e200\n4,5\n", "holds 1e+200 in row 2"),
    "cut gzip": ("f.csv.gz", gzip.compress(TABLE.encode())[:-20], "damaged gzip"),
    "text named parquet": ("f.parquet", "a,b\n1,2\n", "not a readable Parquet file"),
    "cut parquet": ("f.parquet", PARQUET.getvalue()[:-30], "not a readable Parquet file"),
    "damaged parquet": (
        "f.parquet",
        PARQUET.getvalue()[:-60] + bytes(20) + PARQUET.getvalue()[-40:],
        "not a readable Parquet file",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files(run, tmp_path, case):
    name, content, expected = BAD_FILES[case]
    path = write(tmp_path / name, content)
    assert_refused(run("detect", path), expected)
    assert_refused(run("detect", path), str(path))


def test_no_file_and_a_folder(run, tmp_path):
    assert_refused(run("detect", tmp_path / "none.csv"), "no such file")
    assert_refused(run("detect", tmp_path), "is a folder")


def test_unreadable_file(run, tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert_refused(run("detect", tmp_path / "f.csv"), "Permission denied")


def test_unknown_encoding(run, wine):
    assert_refused(run("detect", wine, "--encoding", "klingon"), "unknown encoding: klingon")


def test_parquet_without_pyarrow(run, tmp_path, wine, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = write(tmp_path / "f.parquet", PARQUET.getvalue())
    assert_refused(run("detect", path), "skanomaly[parquet]")
    assert_refused(run("detect", wine, "--out", tmp_path / "o.parquet"), "skanomaly[parquet]")
    assert not FITS


LABELS = {
    "absent": (["--label", "labels"], "did you mean 'label'?"),
    "one class": (["--label", "one"], "labels 0"),
    "one anomaly": (["--label", "single"], "labels 1"),
    "nothing labelled": (["--label", "none"], "labels 0"),
    "all anomalies": (["--label", "all"], "2 normal rows"),
    "a measurement": (["--label", "a"], "different values"),
    "no such value": (["--label", "label", "--anomaly-label", "7"], "no value '7'"),
    "infinite": (["--label", "infinite"], "finite"),
}


@pytest.mark.parametrize("case", LABELS)
def test_bad_labels(run, tmp_path, case):
    arguments, expected = LABELS[case]
    frame = numbers(30)
    frame["label"] = [1, 0, 0] * 10
    frame["one"], frame["single"], frame["none"], frame["all"] = 0, [1] + [0] * 29, None, -1
    frame["infinite"] = [np.inf, 0, 1] * 10
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert_refused(run("detect", tmp_path / "f.csv", *arguments), expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none/o.csv", "no such folder"),
        ("o.xlsx", "must end in .csv, .csv.gz, .parquet"),
        ("folder.csv", "is a folder"),
        ("wine.csv", "is the file that is read"),
        ("wine.csv/o.csv", "no such folder"),
    ],
)
def test_bad_outputs_are_refused_before_training(run, wine, name, expected):
    (wine.parent / "folder.csv").mkdir()
    assert_refused(run("detect", wine, "--out", wine.parent / name), expected)
    assert not FITS


def test_folder_that_cannot_be_written(run, wine, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    result = run("detect", wine, "--out", wine.parent / "o.csv")
    assert_refused(result, f"cannot write in {wine.parent}: Permission denied")
    assert not FITS


def test_failing_detector_is_one_line(capsys, wine):
    class Failing(Distance):
        def fit(self, X, y=None):
            raise ValueError("the loss\nis not finite")

    with stand_ins(AutoencoderDetector=Failing):
        code = _main.main(["detect", str(wine), "--quiet"])
    assert_refused((code, *capsys.readouterr()), "training failed: the loss is not finite")


fields = st.text(alphabet='ab01 .,;\t"\n-e?', max_size=6)
tables = st.lists(st.lists(fields, min_size=1, max_size=4), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(str.encode),
        tables.map(lambda rows: "\n".join(map(",".join, rows)).encode()),
    ),
    st.sampled_from(["f.csv", "f.csv.gz", "f.parquet"]),
    st.booleans(),
)
def test_no_file_content_ends_in_a_traceback(data, name, label_too):
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, stand_ins():
        path = write(Path(folder, name), data)
        arguments = ["detect", str(path), *(["--label", "a"] if label_too else [])]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _main.main(arguments)
    assert code in (0, 2)
    refused = err.getvalue().startswith("skanomaly: error: ") and err.getvalue().count("\n") == 1
    assert refused == (code == 2)


# --------------------------------------------------------------------------------- reading


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.floats(-1e6, 1e6).map(lambda x: round(x, 3))] * 3), min_size=2, max_size=8
    ).filter(lambda rows: all(len(set(column)) > 1 for column in zip(*rows, strict=True))),
    st.sampled_from([(",", "."), (";", "."), ("\t", "."), ("|", "."), (";", ","), ("\t", ",")]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_reads_numbers_whatever_the_dialect(rows, dialect, encoding):
    sep, decimal = dialect
    expected = pd.DataFrame(rows, columns=["à", "b, c", "d"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f.csv")
        expected.to_csv(path, sep=sep, decimal=decimal, index=False, encoding=encoding)
        _, features, _ = read(path)
    pd.testing.assert_frame_equal(features, expected, check_dtype=False)


@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz", "f.parquet"])
def test_reads_each_format(tmp_path, name):
    frame = numbers()
    frame["flag"] = [True, False] * 10
    frame["whole"] = pd.array([1, None, 3, 4] * 5, dtype="Int64")
    (frame.to_parquet if name.endswith("t") else frame.to_csv)(
        tmp_path / name, **({} if name.endswith("t") else {"index": False})
    )
    _, features, _ = read(tmp_path / name)
    assert list(features) == ["a", "b", "c", "flag", "whole"]
    assert list(features["flag"]) == ["True", "False"] * 10
    np.testing.assert_array_equal(features["whole"], [1, np.nan, 3, 4] * 5)


def test_decimals_and_missing_booleans_of_parquet_are_numbers(tmp_path):
    frame = pd.DataFrame({"price": [Decimal("1.50"), None, Decimal(3)], "ok": [True, None, False]})
    frame.to_parquet(tmp_path / "f.parquet")
    _, features, _ = read(tmp_path / "f.parquet")
    np.testing.assert_array_equal(features["price"], [1.5, np.nan, 3])
    assert features["ok"].dtype == "category"
    assert features["ok"].astype(object).fillna("").to_list() == ["True", "", "False"]


def test_columns_of_lists_are_left_out_and_no_labels(run, tmp_path):
    numbers(4).assign(lists=[[1], [2], [1], None]).to_parquet(tmp_path / "f.parquet")
    assert list(read(tmp_path / "f.parquet")[1]) == ["a", "b", "c"]
    result = run("detect", tmp_path / "f.parquet", "--label", "lists")
    assert_refused(result, "column 'lists' of")


def test_numbers_with_thousands_marks(tmp_path):
    european = write(tmp_path / "e.csv", "x;y\n1.234,5;1.2.3\n2,25;1.3.0\n-7;x\n")
    table, features, _ = read(european)
    assert (list(features), list(features["x"]), table.decimal) == (["x"], [1234.5, 2.25, -7], ",")
    american = write(tmp_path / "a.csv", 'x,y\n"1,234.5",1\n2.25,2\n"12,000",4\n')
    table, features, _ = read(american)
    assert (list(features["x"]), table.decimal) == ([1234.5, 2.25, 12000], ".")
    _, features, _ = read(american, "--decimal", ",")
    assert list(features) == ["y"]


def test_text_of_spaced_digits_is_no_number(tmp_path):
    path = write(tmp_path / "f.csv", "phone,x\n555 123 456,1\n555 123 457,2\n")
    assert list(read(path)[1]) == ["x"]


def test_says_which_columns_are_left_out(run, tmp_path):
    frame = numbers()
    frame["name"], frame["empty"], frame["same"] = [f"n{i}" for i in range(20)], None, 3
    frame.insert(0, "", range(20))
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame["when"], frame["took"] = pd.date_range("2024", periods=20), [b"x", b"y"] * 10
    frame.rename(columns={"": "first"}).to_parquet(tmp_path / "f.parquet")
    code, _, err = run("detect", tmp_path / "f.csv", "--drop", "b")
    assert code == 0
    assert (
        "left out 5 columns: 'Unnamed: 0' (numbers the rows), 'b' (--drop), 'name' (text, "
        "20 different values in 20 rows), 'empty' (no values), 'same' (nothing but 3)"
    ) in err
    assert FITS[-1][1].shape == (20, 2)
    err = run("detect", tmp_path / "f.parquet")[2]
    assert "'when' (dates in the order of the rows), 'took' (bytes)" in err


def test_row_numbers_are_kept_where_nothing_else_is(tmp_path):
    path = write(tmp_path / "f.csv", "x\n" + "\n".join(map(str, range(20))))
    assert list(read(path)[1]) == ["x"]


def test_first_line_of_numbers_is_data(tmp_path):
    path = write(tmp_path / "f.csv", "5.1,3.5,setosa\n4.9,3.0,versicolor\n")
    table, features, notes = read(path)
    assert list(features) == ["column_1", "column_2"]
    assert len(table.frame) == 2
    assert "--header" in notes
    write(path, "5.1,3.5,setosa\n4.9,3.0,versicolor\n5,4,virginica\n")
    assert list(read(path, "--header")[1]) == ["5.1", "3.5"]


@pytest.mark.parametrize("names", ["0,1,2", "place,2001,2002", "year,2002,2001", "a,b,c"])
def test_first_line_of_names_is_a_header(tmp_path, names):
    path = write(tmp_path / "f.csv", names + "\n1,2,3\n4,5,7\n8,9,9\n")
    table, _, notes = read(path)
    assert (list(table.frame), notes) == (names.split(","), "")


def test_no_header_on_request(tmp_path):
    path = write(tmp_path / "f.csv", "1,2\n3,5\n")
    assert list(read(path, "--no-header")[1]) == ["column_1", "column_2"]


@pytest.mark.parametrize("marker", ["?", "-", "#DIV/0!", "unknown", "k.A."])
def test_what_says_missing_among_numbers_is_read_so(tmp_path, marker):
    path = write(tmp_path / "f.csv", f"a,b\n1,2\n{marker},3\n5,8\n")
    _, features, notes = read(path)
    np.testing.assert_array_equal(features["a"], [1, np.nan, 5])
    assert f"'a' holds numbers and '{marker}' in 1 row, read as missing" in notes
    assert "'a' holds" not in read(path, f"--missing={marker}")[2]


def test_few_odd_texts_among_many_numbers_are_read_as_missing(tmp_path):
    prices = [f"{1000 + i},{i:02d}" for i in range(99)]
    prices[50] = "ask"
    path = write(tmp_path / "f.csv", "price;b\n" + "".join(f"{p};{p[:2]}1\n" for p in prices))
    table, features, notes = read(path, "--missing=101")
    assert table.decimal == ","
    assert features["price"].isna().sum() == 1
    assert features["price"][3] == 1003.03
    assert "'price' holds numbers and 'ask' in 1 row, read as missing" in notes


def test_one_text_among_few_codes_is_a_value_and_pointed_at(tmp_path):
    path = write(tmp_path / "f.csv", "children,b\n" + "0,1\n1,2\n2,3\n3+,4\n" * 5)
    _, features, notes = read(path)
    assert set(features["children"]) == {"0", "1", "2", "3+"}
    assert "--missing=3+ reads that as missing" in notes
    np.testing.assert_array_equal(read(path, "--missing=3+")[1]["children"][:3], [0, 1, 2])


def test_repeated_names_and_identifiers_are_pointed_at(tmp_path):
    rows = "".join(f"{i * 31 % 97},{i % 3},{i % 5}\n" for i in range(20))
    _, features, notes = read(write(tmp_path / "f.csv", "user_id,x,x\n" + rows))
    assert list(features) == ["x", "x.1"]
    assert "several columns are named 'x'" in notes
    assert "left out 1 column: 'user_id' (an identifier, different in each row)" in notes


def test_repeated_names_in_parquet_are_refused(run, tmp_path):
    import pyarrow
    import pyarrow.parquet

    columns = pyarrow.table([[1, 2], [3, 4]], names=["a", "a"])
    pyarrow.parquet.write_table(columns, tmp_path / "f.parquet")
    code, out, err = run("detect", tmp_path / "f.parquet")
    assert (code, out) == (2, "")
    assert "a" in err


def test_texts_of_few_values_are_categories(tmp_path):
    rows = [f"v{i % 64},w{i % 65},{i % 90}x,k{i % 2} \n" for i in range(180)]
    path = write(tmp_path / "f.csv", "few,many,twice,blank\n" + "".join(rows))
    _, features, notes = read(path)
    assert list(features) == ["few", "blank"]
    assert set(features["blank"]) == {"k0", "k1"}
    assert "categories: 'few' (64 values), 'blank' (2 values)" in notes
    assert (
        "left out 2 columns: 'many' (text, 65 different values, more than 64), "
        "'twice' (text, 90 different values, more than 64)"
    ) in notes


def test_as_many_categories_are_taken_as_a_detector_tells_apart():
    assert _kinds.MOST_CATEGORIES == MAX_CATEGORIES


def test_categories_on_request(run, tmp_path):
    frame = pd.DataFrame({"code": [10, 20, None, 30] * 20, "name": [f"n{i}" for i in range(80)]})
    frame.to_csv(tmp_path / "f.csv", index=False)
    _, features, _ = read(tmp_path / "f.csv", "--category", "code", "--category", "name")
    assert [len(features[name].cat.categories) for name in ("code", "name")] == [3, 80]
    assert features["code"].isna().sum() == 20
    assert_refused(
        run("detect", tmp_path / "f.csv", "--category", "names"), "did you mean 'name'?"
    )


def test_categories_of_parquet(tmp_path):
    frame = numbers(8).assign(kind=pd.Categorical(["3", "5", None, "5"] * 2), text=["a", "b"] * 4)
    frame["day"] = pd.Categorical(pd.to_datetime(["2024-05-01", "2024-01-01"] * 4))
    frame.to_parquet(tmp_path / "f.parquet")
    _, features, notes = read(tmp_path / "f.parquet")
    assert list(features["kind"].cat.categories) == ["3", "5"]
    np.testing.assert_array_equal(features["day"], [121, 0] * 4)
    assert "categories: 'kind' (2 values), 'text' (2 values)" in notes


def test_blank_texts_are_missing(tmp_path):
    rows = '"a ","b ",1\n" "," ",2\na,b,3\nc,"b  ",5\n' * 2
    path = write(tmp_path / "f.csv", "kind,same,x\n" + rows)
    _, features, notes = read(path)
    assert list(features) == ["kind", "x"]
    assert features["kind"].astype(object).fillna("").to_list() == ["a", "", "a", "c"] * 2
    assert "'same' (nothing but 'b')" in notes


FORMATS = [
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d", "%d.%m.%Y %H:%M",
    "%d.%m.%y", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %H:%M:%S",
]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.datetimes(pd.Timestamp(1971, 1, 1), pd.Timestamp(2060, 1, 1)), max_size=5),
)
def test_dates_are_read_however_written(form, dates):
    dates = [pd.Timestamp(2001, 1, 31, 13, 5), *dates]  # this one tells days from months
    column = pd.Series([date.strftime(form) for date in dates])
    expected = pd.Series([datetime.datetime.strptime(text, form) for text in column])
    pd.testing.assert_series_equal(_texts.dates_of(column), expected, check_dtype=False)


def test_hours_are_those_of_the_clock_in_any_zone(tmp_path):
    midnights = pd.date_range("2024-01-01", periods=200, tz="Europe/Berlin")
    frame = pd.DataFrame({"at": midnights.repeat(2)[::-1], "x": np.arange(400) % 7})
    frame.loc[0, "at"] = midnights[0]  # out of order
    frame.to_parquet(tmp_path / "f.parquet")
    frame.to_csv(tmp_path / "f.csv", index=False)
    for name in ("f.parquet", "f.csv"):
        features = read(tmp_path / name)[1]
        assert list(features) == ["at", "x"]
        assert set(features["at"]) == set(range(200))
    texts = pd.Series(["2024-01-01 05:00:00+02", "2024-01-01T06:00:00.5Z"])
    assert _texts.dates_of(texts).dt.hour.to_list() == [5, 6]


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "b"],
        ["1.5", "2.5"],
        ["1.2.3", "1.2.4"],
        ["192.168.1.1", "10.0.0.1"],
        ["2024-13-45", "2024-99-99"],
        ["555-123-4567", "555-123-4568"],
        ["2024-01-01", "soon"],
        ["12:30", "13:45"],
    ],
)
def test_other_texts_are_no_dates(texts):
    assert _texts.dates_of(pd.Series(texts)) is None


def test_dates_become_days_and_hours(run, tmp_path):
    days = pd.to_datetime("2024-03-01") + pd.to_timedelta(np.arange(20) * 7 % 20, unit="D")
    hours = pd.to_timedelta(np.arange(20) % 5 * 2.5, unit="h")
    frame = pd.DataFrame({"day": days, "both": days + hours, "log": np.sort(days) + hours})
    frame.loc[3, ["day", "log"]] = None
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame.assign(took=hours, due=days.date).to_parquet(tmp_path / "f.parquet")
    _, features, notes = read(tmp_path / "f.csv")
    assert list(features) == ["day", "both", "both (hour)", "log (hour)"]
    expected = (frame["day"] - frame["day"].min()) / pd.Timedelta(days=1)
    np.testing.assert_allclose(features["day"], expected)
    np.testing.assert_allclose(features["both (hour)"], np.arange(20) % 5 * 2.5)
    assert np.isnan(features["log (hour)"][3])
    assert "'day' (2024-03-01 to 2024-03-20, as days)" in notes
    assert "as days and hour of the day" in notes
    _, again, _ = read(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(again[list(features)], features)
    np.testing.assert_allclose(again["took"], np.arange(20) % 5 * 2.5)
    np.testing.assert_allclose(again["due"], np.arange(20) * 7 % 20)
    assert "both (hour)=" in run("detect", tmp_path / "f.csv", "--top", "20")[1]


def test_dates_that_are_none_are_missing_and_named(tmp_path):
    days = [f"{1 + i * 7 % 28}.{1 + i % 12}.2024" for i in range(40)]
    days[5], days[6] = "31.02.2024", None
    pd.DataFrame({"day": days, "x": range(0, 80, 2)}).to_csv(tmp_path / "f.csv", index=False)
    _, features, notes = read(tmp_path / "f.csv")
    assert features["day"].isna().sum() == 2
    assert "'day' holds dates and '31.02.2024' in 1 row, read as missing" in notes


def test_times_of_day_are_hours(tmp_path):
    path = write(tmp_path / "f.csv", "at,x\n8:30,1\n23:59:30,2\n,3\n0:00,5\n")
    _, features, _ = read(path)
    np.testing.assert_allclose(features["at"], [8.5, 23 + 59.5 / 60, np.nan, 0])
    times = [datetime.time(8, 30), None, datetime.time(12)]
    pd.DataFrame({"at": times}).to_parquet(tmp_path / "f.parquet")
    np.testing.assert_allclose(read(tmp_path / "f.parquet")[1]["at"], [8.5, np.nan, 12])


@pytest.mark.parametrize(
    ("texts", "decimal", "expected"),
    [
        (["1.5", "-2", "3e2", ".5"], ".", [1.5, -2, 300, 0.5]),
        (["1,234.5", "1,234,567", "9"], ".", [1234.5, 1234567, 9]),
        (["1.234,5", "7", "0,25"], ",", [1234.5, 7, 0.25]),
        (["12%", "5.5 %"], ".", [12, 5.5]),
        (["$1,200", "-$3.50", "€ 7"], ".", [1200, -3.5, 7]),
        (["1'234.5", "2.5"], ".", [1234.5, 2.5]),
        (["1\u202f234,5", "2\u00a0000", "-7\u00a0€"], ",", [1234.5, 2000, -7]),
        (["555 123 456", "555 123 457"], ".", [np.nan, np.nan]),
        (["1.2.3", "x1", "", None, "4"], ".", [np.nan, np.nan, np.nan, np.nan, 4]),
    ],
)
def test_numbers_as_people_write_them(texts, decimal, expected):
    read = _texts.numbers_of(pd.Series(texts, dtype="string"), decimal)
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("name", ["id", "ID", "order_id", "orderId", "customer key", "Nr", "uuid"])
def test_identifiers_are_left_out(tmp_path, name):
    frame = numbers().assign(**{name: np.arange(20) * 7 % 20, "amount": np.arange(20) * 3 % 20})
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert list(read(tmp_path / "f.csv")[1]) == ["a", "b", "c", "amount"]
    frame[[name]].to_csv(tmp_path / "f.csv", index=False)
    assert name in read(tmp_path / "f.csv")[1]  # there is nothing else
    frame[name] //= 2
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert name in read(tmp_path / "f.csv")[1]  # some are the same


@pytest.mark.parametrize("name", ["paid", "humid", "Android", "monkey"])
def test_names_that_end_alike_are_no_identifiers(tmp_path, name):
    numbers().assign(**{name: np.arange(20) * 7 % 20}).to_csv(tmp_path / "f.csv", index=False)
    assert name in read(tmp_path / "f.csv")[1]


def test_file_of_excel_is_read_without_options(tmp_path):
    content = "sep=;\nGröße;Straße;leer;\n" + "1,5;Süd;;\n2,25;Nord;;\n1.000,5;Süd;;\n;Nord;;\n"
    path = write(tmp_path / "f.csv", content.encode("cp1252"))
    table, features, notes = read(path)
    assert (list(features), table.decimal) == (["Größe", "Straße"], ",")
    np.testing.assert_array_equal(features["Größe"], [1.5, 2.25, 1000.5, np.nan])
    assert "read as cp1252; --encoding" in notes


def test_says_what_is_missing(tmp_path):
    frame = numbers(200).assign(kind=["x", "y"] * 100)
    frame.loc[:49, "a"], frame.loc[:0, ["b", "c", "kind"]] = np.nan, None
    frame.to_csv(tmp_path / "f.csv", index=False)
    notes = read(tmp_path / "f.csv")[2].splitlines()
    assert "missing values, left as they are: 'a' 25%, 'b' <1%, 'c' <1%, 'kind' <1%" in notes
    assert "note: 1 row without any value, scored like the median row" in notes


# -------------------------------------------------------------------------------- detecting


def test_prints_the_most_anomalous_rows(run, tmp_path):
    frame = numbers(50)
    frame["name"] = [f"part {i}" for i in range(50)]
    frame.loc[6, "b"], frame.loc[31, ["a", "c"]] = 40, [-30, 20]
    frame.to_csv(tmp_path / "f.csv", index=False)
    code, out, _ = run("detect", tmp_path / "f.csv", "--top", "2")
    assert code == 0
    assert out.startswith("Flagged as anomalies: 5 of 50 rows (10.0%)\n")
    _, second, first = out.splitlines()[-3:]
    expected = r" +(\d+) +-[\d.]+  yes      part (\d+) +(.*)"
    assert re.fullmatch(expected, second).groups()[:2] == ("32", "31")
    row, name, extremes = re.fullmatch(expected, first).groups()
    assert (row, name) == ("7", "6")
    deviation = (40 - frame["b"].mean()) / frame["b"].std(ddof=0)
    assert extremes == f"b=40 (+{deviation:.1f})"


def test_prints_rare_values_of_categories(run, tmp_path):
    frame = numbers(50).assign(kind=["x", "y"] * 25, ref=[f"r{i}" for i in range(50)])
    frame.loc[6, "kind"], frame["a"] = "odd one", frame["a"].clip(-1.5, 1.5)
    frame.to_csv(tmp_path / "f.csv", index=False)
    _, out, _ = run("detect", tmp_path / "f.csv", "--top", "50")
    assert "(standard deviations from the mean or share of rows)" in out
    assert re.search(r"^ +7 .* r6 .*kind=odd one \(2%\)", out, re.MULTILINE)
    assert not re.search(r", kind=[xy]", out)  # half of the rows have it


def test_top_zero_prints_no_rows(run, wine):
    assert run("detect", wine, "--top", "0")[1] == "Flagged as anomalies: 18 of 178 rows (10.1%)\n"


def test_text_cannot_disturb_the_terminal(run, tmp_path):
    names = [f"\x1b[2Jx\ny{i}" for i in range(10)]
    numbers(10).assign(name=names).to_csv(tmp_path / "f.csv", index=False)
    _, out, _ = run("detect", tmp_path / "f.csv")
    assert "\x1b" not in out
    assert " [2Jx y" in out


def test_table_fits_the_terminal(quick, wine, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert _main.main(["detect", str(wine), "--quiet"]) == 0
    lengths = [len(line) for line in sys.stdout.getvalue().splitlines()[3:]]
    assert (max(lengths), len(lengths)) == (60, 11)


def test_forwards_the_table_as_it_is(run, tmp_path):
    frame = numbers().assign(kind=["x", "y", None, "x"] * 5)
    frame.loc[3, "a"] = np.nan
    frame.to_csv(tmp_path / "f.csv", index=False)
    run("detect", tmp_path / "f.csv", "--contamination", "0.25", "--random-state", "7")
    detector, seen, y = FITS[-1]
    assert (detector.contamination, detector.random_state, detector.verbose) == (0.25, 7, 1)
    assert y is None
    np.testing.assert_allclose(seen[["a", "b", "c"]], frame[["a", "b", "c"]])
    assert seen["kind"].dtype == "category"
    assert seen["kind"].astype(object).fillna("").to_list() == ["x", "y", "", "x"] * 5


def test_quiet_says_nothing_beside_the_results(run, wine):
    code, out, err = run("detect", wine, "--quiet")
    assert (code, err) == (0, "")
    assert "Flagged" in out
    assert FITS[-1][0].verbose == 0
    assert run("detect", wine)[2] == f"{wine}: 178 rows, learning from 14 columns\n"


def test_warnings_are_lines_too(capsys, wine):
    class Worried(Distance):
        def fit(self, X, y=None):
            warnings.warn("still\nlearning", UserWarning, stacklevel=1)
            return super().fit(X)

    with stand_ins(AutoencoderDetector=Worried):
        assert _main.main(["detect", str(wine)]) == 0
    assert "skanomaly: warning: still learning\n" in capsys.readouterr().err


def test_demo_is_measured_against_the_diagnosis(run):
    code, out, err = run("detect")
    assert code == 0
    assert "379 rows, learning from 30 columns" in err
    assert "diagnosis" not in FITS[-1][1]
    assert re.search(r"^ +\d+ .*(malignant|benign)", out, re.MULTILINE)
    assert "Measured against the diagnosis" in out
    assert 0.5 < float(re.search(r"ROC AUC +([\d.]+)", out)[1]) <= 1


# ----------------------------------------------------------------------------------- labels


def test_labels_are_measured_on_rows_held_out(run, wine):
    code, out, err = run("detect", wine, "--label", "target")
    assert code == 0
    assert "labels in 'target': 48 anomalies (2), 130 normal, 0 unlabelled" in err
    assert "--anomaly-label names another" in err
    (_, first, _), (_, second, _) = FITS
    assert (first.shape, second.shape) == ((142, 13), (178, 13))
    assert "36 rows the model did not see, with 10 anomalies\n" in out
    assert re.findall(r"^  ([a-zA-Z1 ]+?) +[\d.]+(?:  .*)?$", out, re.MULTILINE)[:5] == [
        "ROC AUC",
        "average precision",
        "precision",
        "recall",
        "F1",
    ]
    assert re.search(r"Flagged as anomalies: \d+ of 178 rows", out)


def test_figures(capsys):
    labels, scores = np.array([-1, -1, 1, 1, 1]), np.array([-3.0, 1.0, -2.0, 2.0, 3.0])
    _report._print_figures(labels, scores)
    figures = re.findall(r"([\d.]{5})", capsys.readouterr().out)
    assert figures == ["0.833", "0.833", "0.500", "0.500", "0.500"]


def test_rows_without_a_label_are_unlabelled(run, tmp_path):
    frame = numbers(60)
    frame["ok"] = [True, False, None] * 20
    frame.to_csv(tmp_path / "f.csv", index=False)
    arguments = ["--label", "ok", "--anomaly-label", "False"]
    code, out, err = run("detect", tmp_path / "f.csv", *arguments)
    assert code == 0
    assert "20 anomalies (False), 20 normal, 20 unlabelled" in err
    assert "The most anomalous unlabelled rows" in out
    rows = [int(row) for row in re.findall(r"^ +(\d+) +-?[\d.]+  (?:yes|no)", out, re.MULTILINE)]
    assert len(rows) == 10
    assert all(row % 3 == 0 for row in rows)
    labels = FITS[-1][2]
    np.testing.assert_array_equal(labels, [1, -1, np.nan] * 20)
    assert np.isnan(FITS[0][2]).sum() == 20


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=4, max_size=60), st.integers(0, 5))
def test_split_is_stratified(labels, seed):
    labels = np.array([-1, -1, 1, 1, *labels])
    train, held_out = _main._split(labels, seed)
    np.testing.assert_array_equal(np.sort([*train, *held_out]), np.arange(len(labels)))
    for value in (-1, 1):
        expected = int(np.ceil(0.2 * np.sum(labels == value)))
        assert np.sum(labels[held_out] == value) == expected
    assert not np.any(labels[held_out] == 0)


@pytest.mark.parametrize("label", [[], ["--label", "target"]])
def test_contamination_is_the_share_flagged(run, wine, label):
    out = wine.parent / "o.csv"
    assert run("detect", wine, "--contamination", "0.2", *label, "--out", out)[0] == 0
    assert pd.read_csv(out)["is_anomaly"].sum() == 36


def test_few_held_out_anomalies_are_called_rough(run, wine):
    assert "rough" not in run("detect", wine, "--label", "target")[1]
    frame = pd.read_csv(wine).iloc[:140]
    frame.to_csv(wine, index=False)
    assert "with 2 anomalies" in run("detect", wine, "--label", "target")[1]
    assert "rough" in run("detect", wine, "--label", "target")[1]


@pytest.mark.parametrize(
    ("values", "wanted", "anomalies"),
    [
        ([3, 4, None], "3", "3"),
        ([3, 4, 4], "3", "3"),
        ([3.5, 4, 4], "3.5", "3.5"),
        (["a", "b", "b"], "a", "'a'"),
        ([True, False, False], "True", "True"),
    ],
)
@pytest.mark.parametrize("name", ["f.csv", "f.parquet"])
def test_anomaly_label_is_read_as_the_column_is(run, tmp_path, values, wanted, anomalies, name):
    frame = numbers(30).assign(label=values * 10)
    if name == "f.csv":
        frame.to_csv(tmp_path / name, index=False)
    else:
        frame.to_parquet(tmp_path / name)
    code, _, err = run("detect", tmp_path / name, "--label", "label", "--anomaly-label", wanted)
    assert code == 0
    assert re.search(rf"10 anomalies \({anomalies}(\.0)?\), \d0 normal", err)


def test_a_value_may_be_in_the_held_out_part_alone(run, tmp_path):
    frame = numbers(30).assign(label=[1, 0, 0] * 10, only=np.nan)
    train, held_out = _main._split(np.array([-1, 1, 1] * 10), 0)
    frame.loc[held_out[:2], "only"] = [1, 2]
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert run("detect", tmp_path / "f.csv", "--label", "label")[0] == 0
    (_, first, _), (_, second, _) = FITS
    assert (list(first), list(second)) == (["a", "b", "c"], ["a", "b", "c", "only"])
    assert len(first) == len(train)


# ---------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("name", ["o.csv", "o.csv.gz", "o.parquet"])
def test_writes_all_columns_and_the_scores(run, tmp_path, name):
    frame = numbers(30)
    frame["text"] = ["a\nb", 'q"', "ü"] * 10
    frame["whole"] = pd.array([1, None, 3] * 10, dtype="Int64")
    frame.to_csv(tmp_path / "f.csv", index=False)
    code, _, err = run("detect", tmp_path / "f.csv", "--out", tmp_path / name)
    assert code == 0
    assert f"wrote 30 rows to {tmp_path / name}" in err
    reader = pd.read_parquet if name.endswith("t") else pd.read_csv
    written = reader(tmp_path / name)
    assert list(written) == [*frame, "score", "is_anomaly"]
    pd.testing.assert_frame_equal(written[list(frame)], frame, check_dtype=False)
    np.testing.assert_array_equal(written["is_anomaly"], written["score"] < 0)
    assert written["is_anomaly"].sum() == 3
    assert sorted(os.listdir(tmp_path)) == sorted(["f.csv", name])


def test_writes_csv_as_it_was_read(run, tmp_path):
    path = write(tmp_path / "f.csv", "a;b\n1,5;1\n2,5;2\n-3,5;0\n")
    assert run("detect", path, "--out", tmp_path / "o.csv")[0] == 0
    header, first, *_ = (tmp_path / "o.csv").read_text().splitlines()
    assert header == "a;b;score;is_anomaly"
    assert re.fullmatch(r"1,5;1;-?\d+,\d+(e-\d+)?;(True|False)", first)


def test_index_of_parquet_is_written(run, tmp_path):
    frame = numbers()
    frame.index = pd.Index([f"r{i}" for i in range(20)], name="key")
    frame.to_parquet(tmp_path / "f.parquet")
    for name, reader in (("o.csv", pd.read_csv), ("o.parquet", pd.read_parquet)):
        assert run("detect", tmp_path / "f.parquet", "--out", tmp_path / name)[0] == 0
        assert list(reader(tmp_path / name).reset_index()["key"]) == list(frame.index)


def test_earlier_results_are_replaced_not_learnt_from(run, wine):
    first, second = wine.parent / "1.csv", wine.parent / "2.csv"
    run("detect", wine, "--out", first)
    code, _, err = run("detect", first, "--out", second)
    assert code == 0
    assert "'score' (an earlier result), 'is_anomaly' (an earlier result)" in err
    assert first.read_bytes() == second.read_bytes()


def test_corrected_results_can_be_the_label(run, wine):
    first, second = wine.parent / "1.csv", wine.parent / "2.csv"
    run("detect", wine, "--out", first)
    assert run("detect", first, "--label", "is_anomaly", "--out", second)[0] == 0
    assert FITS[-1][1].shape[1] == 14
    written = pd.read_csv(second)
    assert list(written)[-3:] == ["is_anomaly", "score", "skanomaly_is_anomaly"]
    assert written["is_anomaly"].equals(pd.read_csv(first)["is_anomaly"])


def test_own_score_column_is_kept(run, tmp_path):
    frame = numbers().rename(columns={"b": "score"})
    frame.to_csv(tmp_path / "f.csv", index=False)
    run("detect", tmp_path / "f.csv", "--out", tmp_path / "o.csv")
    written = pd.read_csv(tmp_path / "o.csv")
    assert list(written) == ["a", "score", "c", "skanomaly_score", "is_anomaly"]
    np.testing.assert_allclose(written["score"], frame["score"])


@pytest.mark.parametrize(
    ("failure", "code"), [(OSError(28, "No space left on device"), 2), (KeyboardInterrupt(), 130)]
)
def test_failed_write_leaves_the_old_file(run, wine, monkeypatch, failure, code):
    old = write(wine.parent / "o.csv", "old")

    def half(frame, file, name, table):
        file.write(b"half of it")
        raise failure

    monkeypatch.setattr(_files, "_write_frame", half)
    result = run("detect", wine, "--out", old)
    assert result[0] == code
    if code == 2:
        assert result[2].splitlines()[-1] == (
            f"skanomaly: error: cannot write {old}: No space left on device; it is unchanged"
        )
    assert old.read_text() == "old"
    assert sorted(os.listdir(wine.parent)) == ["o.csv", "wine.csv"]


def test_table_that_parquet_cannot_hold(run, tmp_path):
    frame = numbers().astype(object)
    frame["mixed"] = [1, "a"] * 10
    table = _files.Table(frame, "f")
    with pytest.raises(_files.CommandError, match="cannot write"):
        _files.write_table(table, np.zeros(20), tmp_path / "o.parquet", None)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="file modes and links of POSIX")
def test_replaced_file_keeps_its_mode_and_a_link_stays_a_link(run, wine):
    old, link = write(wine.parent / "o.csv", "old"), wine.parent / "link.csv"
    old.chmod(0o640)
    link.symlink_to(old)
    assert run("detect", wine, "--out", link)[0] == 0
    assert link.is_symlink()
    assert old.stat().st_mode & 0o777 == 0o640
    assert len(pd.read_csv(old)) == 178


# ---------------------------------------------------------------------------- interruptions


def test_interrupt_ends_in_130(capsys, wine):
    class Interrupted(Distance):
        def fit(self, X, y=None):
            raise KeyboardInterrupt

    with stand_ins(AutoencoderDetector=Interrupted):
        assert _main.main(["detect", str(wine), "--quiet"]) == 130
    assert capsys.readouterr() == ("", "skanomaly: interrupted\n")


def test_memory_error_is_one_line(capsys, wine):
    class Large(Distance):
        def fit(self, X, y=None):
            raise MemoryError

    with stand_ins(AutoencoderDetector=Large):
        code = _main.main(["detect", str(wine), "--quiet"])
    assert_refused((code, *capsys.readouterr()), "not enough memory")


@pytest.mark.parametrize("label", [[], ["--label", "target"]])
def test_closed_pipe_is_quiet_and_the_file_is_written(quick, wine, capsys, monkeypatch, label):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    out = wine.parent / "o.csv"
    assert _main.main(["detect", str(wine), "--out", str(out), "--quiet", *label]) == 141
    assert capsys.readouterr().err == ""
    assert len(pd.read_csv(out)) == 178


def test_full_disk_behind_standard_output_is_one_line(quick, wine, capsys, monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    assert _main.main(["detect", str(wine), "--quiet"]) == 2
    assert capsys.readouterr().err == "skanomaly: error: No space left on device\n"


# --------------------------------------------------------------------- with the real detectors


@pytest.mark.core
def test_real_detector_on_real_data_in_a_fresh_process(tmp_path):
    out = tmp_path / "scores.csv"
    done = in_new_process("detect", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "skanomaly: error" not in done.stderr
    assert float(re.search(r"ROC AUC +([\d.]+)", done.stdout)[1]) > 0.85
    written = pd.read_csv(out)
    assert len(written) == 379
    assert 0 < written["is_anomaly"].sum() < 190


@pytest.mark.core
def test_real_classifier_on_real_data(capsys):
    assert _main.main(["detect", "--label", "diagnosis"]) == 0
    out, err = capsys.readouterr()
    assert float(re.search(r"ROC AUC +([\d.]+)", out)[1]) > 0.97
    assert float(re.search(r"F1 +([\d.]+)", out)[1]) > 0.9
    assert "warning" not in err


@pytest.mark.parametrize("label", [[], ["--label", "bad"]])
def test_real_detectors_take_awkward_tables(tmp_path, capsys, label):
    rng = np.random.default_rng(0)
    frame = numbers(80).assign(bad=rng.random(80) < 0.2, kind=rng.choice(["x", "y"], 80))
    frame["a"] = frame["a"].mask(rng.random(80) < 0.3)
    frame["when"] = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.random(80) * 99, unit="D")
    unseen = _main._split(np.where(frame["bad"], -1, 1), 0)[1]
    frame.loc[unseen[:3], "kind"] = "held out"
    frame.loc[unseen[3], ["a", "b", "c", "kind", "when"]] = None
    frame.to_csv(tmp_path / "f.csv", index=False)
    names = ("AutoencoderDetector", "NeuralAnomalyClassifier")
    quick = {name: functools.partial(getattr(skanomaly, name), epochs=2) for name in names}
    with stand_ins(**quick):
        assert _main.main(["detect", str(tmp_path / "f.csv"), *label]) == 0
    out, err = capsys.readouterr()
    assert "Flagged as anomalies" in out
    assert "'kind' (3 values)" in err
    assert "'when' (2024-01-0" in err


def test_real_detector_is_reproducible(tmp_path, wine, capsys):
    runs = [tmp_path / name for name in ("1.csv", "2.csv", "3.csv")]
    for out, seed in zip(runs, "001", strict=True):
        assert _main.main(["detect", str(wine), "--out", str(out), "--random-state", seed]) == 0
    first, again, other = [out.read_bytes() for out in runs]
    assert first == again
    assert first != other
    assert capsys.readouterr().out.count("Flagged") == 3
