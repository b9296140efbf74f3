"""Tables of the command line: formats, dialects, damage, and writing."""

import gzip
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import FITS, PARQUET, assert_refused, numbers, read, write
from hypothesis import given, settings
from hypothesis import strategies as st

from skanomaly.cli import _files, _sources, _writing
from skanomaly.cli._words import CommandError

TABLE = "a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(20))
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
    "spreadsheet": ("f.xlsx", b"PK\x03\x04" + bytes(30), "damaged zip file"),
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
    def refuse(path, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_sources, "open", refuse, raising=False)
    assert_refused(run("detect", tmp_path / "f.csv"), "Permission denied")


def test_unknown_encoding(run, wine):
    assert_refused(run("detect", wine, "--encoding", "klingon"), "unknown encoding: klingon")


def test_parquet_without_pyarrow(run, tmp_path, wine, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = write(tmp_path / "f.parquet", PARQUET.getvalue())
    assert_refused(run("detect", path), "skanomaly[parquet]")
    assert_refused(run("detect", wine, "--out", tmp_path / "o.parquet"), "skanomaly[parquet]")
    assert not FITS


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none/o.csv", "no such folder"),
        ("o.txt", "must end in .csv, .csv.gz, .json"),
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


def test_numbers_with_thousands_marks(tmp_path):
    european = write(tmp_path / "e.csv", "x;y\n1.234,5;1.2.3\n2,25;1.3.0\n-7;x\n")
    table, features, _ = read(european)
    assert (list(features), list(features["x"]), table.decimal) == (["x"], [1234.5, 2.25, -7], ",")
    american = write(tmp_path / "a.csv", 'x,y\n"1,234.5",1\n2.25,2\n"12,000",4\n')
    table, features, _ = read(american)
    assert (list(features["x"]), table.decimal) == ([1234.5, 2.25, 12000], ".")
    _, features, _ = read(american, "--decimal", ",")
    assert list(features) == ["y"]


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


def test_repeated_names_in_parquet_are_refused(run, tmp_path):
    import pyarrow
    import pyarrow.parquet

    columns = pyarrow.table([[1, 2], [3, 4]], names=["a", "a"])
    pyarrow.parquet.write_table(columns, tmp_path / "f.parquet")
    code, out, err = run("detect", tmp_path / "f.parquet")
    assert (code, out) == (2, "")
    assert "a" in err


def test_file_of_excel_is_read_without_options(tmp_path):
    content = "sep=;\nGröße;Straße;leer;\n" + "1,5;Süd;;\n2,25;Nord;;\n1.000,5;Süd;;\n;Nord;;\n"
    path = write(tmp_path / "f.csv", content.encode("cp1252"))
    table, features, notes = read(path)
    assert (list(features), table.decimal) == (["Größe", "Straße"], ",")
    np.testing.assert_array_equal(features["Größe"], [1.5, 2.25, 1000.5, np.nan])
    assert "read as cp1252; --encoding" in notes


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
    assert list(written) == [*frame, "score", "is_anomaly", "rank", "reason"]
    pd.testing.assert_frame_equal(written[list(frame)], frame, check_dtype=False)
    np.testing.assert_array_equal(written["is_anomaly"], written["score"] < 0)
    assert written["is_anomaly"].sum() == 3
    assert sorted(os.listdir(tmp_path)) == sorted(["f.csv", name])


def test_writes_csv_as_it_was_read(run, tmp_path):
    path = write(tmp_path / "f.csv", "a;b\n1,5;1\n2,5;2\n-3,5;0\n")
    assert run("detect", path, "--out", tmp_path / "o.csv")[0] == 0
    header, first, *_ = (tmp_path / "o.csv").read_text().splitlines()
    assert header == "a;b;score;is_anomaly;rank;reason"
    assert re.fullmatch(r"1,5;1;-?\d+,\d+(e-\d+)?;(True|False);\d+;.*", first)


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
    assert list(written)[-4:] == ["score", "skanomaly_is_anomaly", "rank", "reason"]
    assert written["is_anomaly"].equals(pd.read_csv(first)["is_anomaly"])


def test_own_score_column_is_kept(run, tmp_path):
    frame = numbers().rename(columns={"b": "score"})
    frame.to_csv(tmp_path / "f.csv", index=False)
    run("detect", tmp_path / "f.csv", "--out", tmp_path / "o.csv")
    written = pd.read_csv(tmp_path / "o.csv")
    assert list(written)[:5] == ["a", "score", "c", "skanomaly_score", "is_anomaly"]
    np.testing.assert_allclose(written["score"], frame["score"])


@pytest.mark.parametrize(
    ("failure", "code"), [(OSError(28, "No space left on device"), 2), (KeyboardInterrupt(), 130)]
)
def test_failed_write_leaves_the_old_file(run, wine, monkeypatch, failure, code):
    old = write(wine.parent / "o.csv", "old")

    def half(frame, file, name, table):
        file.write(b"half of it")
        raise failure

    monkeypatch.setattr(_writing, "_write_frame", half)
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
    with pytest.raises(CommandError, match="cannot write"):
        _writing.write_table(table, {"score": np.zeros(20)}, tmp_path / "o.parquet", None)
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


def test_digits_with_zeros_before_them_are_written_as_they_were(run, tmp_path):
    frame = pd.DataFrame({"account": [f"{i % 9:05d}" for i in range(60)], "v": range(60)})
    frame["zip"] = ["1000", "0200"] * 30
    frame["v"] = np.sqrt(frame["v"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    code, _, _ = run(
        "detect", tmp_path / "t.csv", "--category", "zip", "--out", tmp_path / "o.csv"
    )
    assert code == 0
    again = pd.read_csv(tmp_path / "o.csv", dtype=str)
    pd.testing.assert_frame_equal(
        again[["account", "zip"]], frame[["account", "zip"]].astype("str")
    )


def test_na_is_a_text_among_texts_and_missing_among_numbers(run, tmp_path):
    country = ["NA", "DE", "ZA", ""] * 30
    frame = pd.DataFrame({"country": country, "v": ["NA", *map(str, np.sqrt(range(119)))]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    code, _, said = run("detect", tmp_path / "t.csv", "--out", tmp_path / "o.csv")
    assert code == 0
    assert "'country' (3 values)" in said
    assert "'v' <1%" in said
    assert "'country' 25%" in said
    again = pd.read_csv(tmp_path / "o.csv", keep_default_na=False)
    assert again["country"].tolist() == country


def test_lists_in_parquet_are_written(run, tmp_path):
    frame = pd.DataFrame({"v": np.sqrt(range(40)), "tags": [["a", "b"]] * 40})
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("o.csv", "o.jsonl", "o.json", "o.xlsx", "o.parquet"):
        assert run("detect", tmp_path / "t.parquet", "--out", tmp_path / name)[0] == 0
    assert pd.read_json(tmp_path / "o.json")["tags"].tolist() == [["a", "b"]] * 40


def test_columns_may_be_called_anything(run, tmp_path):
    frame = pd.DataFrame({"self": np.sqrt(range(40)), "cls": ["NA", ""] * 20})
    frame.to_csv(tmp_path / "t.csv", index=False)
    code, *_ = run("detect", tmp_path / "t.csv", "--escape-formulas", "--out", tmp_path / "o.csv")
    assert code == 0
    again = pd.read_csv(tmp_path / "o.csv", keep_default_na=False)
    assert again["cls"].tolist() == frame["cls"].tolist()
    np.testing.assert_allclose(again["self"], frame["self"])


def test_numbers_that_stand_for_missing_ones_are_known_however_they_are_written(tmp_path):
    lines = [
        f"{'-999,00' if i % 5 == 0 else f'{i},25'};{'007' if i % 2 else '7'}" for i in range(40)
    ]
    path = write(tmp_path / "t.csv", "\n".join(["x;code", *lines]))
    table, features, _ = read(path, "--missing=-999", "--missing=7")
    assert table.decimal == ","
    assert features["x"].isna().sum() == 8
    assert features["x"].min() == 1.25
    assert read(path)[1]["x"].min() == -999


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.jsonl", "t.xlsx"])
def test_numbers_that_stand_for_missing_ones_in_every_format(tmp_path, name):
    values = [-999 if i % 5 == 0 else i for i in range(40)]
    frame = pd.DataFrame(
        {"whole": values, "part": np.array(values) * 1.0, "kind": ["a", "?"] * 20}
    )
    frame.loc[1, "part"] = 0.5
    write_as = {
        "t.csv": lambda path: frame.to_csv(path, index=False),
        "t.parquet": frame.to_parquet,
        "t.jsonl": lambda path: frame.to_json(path, orient="records", lines=True),
        "t.xlsx": lambda path: frame.to_excel(path, index=False),
    }
    write_as[name](tmp_path / name)
    table, features, notes = read(tmp_path / name, "--missing=-999", "--missing=?")
    assert "'whole' 20%, 'part' 20%" in notes
    assert features.min().tolist() == [1, 0.5]
    assert str(table.frame["whole"].iloc[1]) == "1"
