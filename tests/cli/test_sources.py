"""Files of all formats and packings, and small ones that would fill the memory."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest
from command_line import assert_refused, numbers, read, write

from skanomaly.cli import _sources


def zipped(data, *names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names or ("f.csv",):
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "pack"),
    [("f.csv.bz2", bz2.compress), ("f.csv.xz", lzma.compress), ("f.zip", zipped)],
)
def test_packed_files(tmp_path, name, pack):
    data = numbers().to_csv(index=False).encode()
    _, features, _ = read(write(tmp_path / name, pack(data)))
    np.testing.assert_allclose(features, numbers())


def test_json_and_workbooks(tmp_path):
    frame = numbers().assign(kind=["x", "y"] * 10, n=[*range(19), None])
    records = json.loads(frame.to_json(orient="records"))
    records[0]["deep"], records[1]["deep"], records[2]["deep"] = {"a": 1}, {"a": 2}, {"a": 2.5}
    records[3]["a"] = "n/a"
    write(tmp_path / "f.json", json.dumps(records))
    write(tmp_path / "f.jsonl", "\n".join(map(json.dumps, records)))
    for name in ("f.json", "f.jsonl"):
        _, features, notes = read(tmp_path / name)
        assert list(features) == ["a", "b", "c", "kind", "n", "deep.a"]
        assert np.isnan(features["a"][3])
        assert "'a' holds numbers and 'n/a' in 1 row, read as missing" in notes
    with pd.ExcelWriter(tmp_path / "f.xlsx") as book:
        pd.DataFrame().to_excel(book, sheet_name="empty")
        frame.to_excel(book, sheet_name="rows", index=False)
    _, features, _ = read(tmp_path / "f.xlsx")
    np.testing.assert_allclose(features[["a", "b", "c", "n"]], frame[["a", "b", "c", "n"]])


def test_several_files_are_one_table(run, tmp_path):
    for name in ("1.csv", "2.csv"):
        numbers(30, int(name[0])).to_csv(tmp_path / name, index=False)
    out = tmp_path / "o.csv"
    code, _, err = run("detect", tmp_path / "1.csv", tmp_path / "2.csv", "--out", out)
    assert code == 0
    assert "2 files: 60 rows, learning from 3 columns" in err
    assert set(pd.read_csv(out)["file"]) == {str(tmp_path / "1.csv"), str(tmp_path / "2.csv")}
    numbers(30).rename(columns={"c": "d"}).to_csv(tmp_path / "3.csv", index=False)
    result = run("detect", tmp_path / "1.csv", tmp_path / "3.csv")
    assert_refused(result, "have different columns: 'c', 'd'")


def test_standard_input(run, monkeypatch):
    data = numbers().to_csv(index=False).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    code, out, err = run("detect", "-", "--top", "1")
    assert code == 0
    assert "standard input: 20 rows" in err
    assert out.startswith("Flagged as anomalies: 2 of 20 rows")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("f.zip", zipped(b"a,b\n1,2\n", "a", "b"), "an archive of 2 files"),
        ("f.xlsx", zipped(b"x", "[Content_Types].xml"), "not a readable Excel file"),
        ("f.xls", b"\xd0\xcf\x11\xe0" + bytes(100), "old Excel file"),
        ("f.json", b"[1, 2]", "no list of JSON objects"),
        ("f.json", b"[", "is no JSON"),
        ("f.json", b"[]", "0 rows"),
        ("f.jsonl", b'{"a": 1}\n{"a": \n', "line 2 of"),
        ("f.csv.bz2", bz2.compress(b"a,b\n1,2\n")[:-8], "damaged bzip2"),
    ],
)
def test_other_bad_files(run, tmp_path, name, content, expected):
    assert_refused(run("detect", write(tmp_path / name, content)), expected)


def test_small_file_that_expands_without_end(run, tmp_path, monkeypatch):
    monkeypatch.setattr(_sources, "ALWAYS", 2**20)
    path = write(tmp_path / "f.csv.gz", gzip.compress(b"a,b\n" + b"0,0\n" * 2**20))
    assert_refused(run("detect", path), "200 times larger once decompressed")


def test_file_larger_than_the_memory(run, tmp_path, monkeypatch):
    monkeypatch.setattr(_sources, "_room", lambda: 1000)
    path = write(tmp_path / "f.csv", numbers(200).to_csv(index=False))
    assert_refused(run("detect", path), "too large for this computer's memory (1000 bytes are")


def test_late_nul_and_many_columns_take_no_time(tmp_path):
    rows = "".join(f"{i},{i * 7 % 13}\n" for i in range(400_000))
    _, features, notes = read(write(tmp_path / "f.csv", f"a,b\n{rows}1,\0\n2,3\n"))
    assert len(features) == 400_002
    assert "'b' holds numbers and '\\x00' in 1 row, read as missing" in notes
    names = ",".join(f"c{i}" for i in range(2000))
    lines = "\n".join(",".join(str((i * 7 + j) % 97) for i in range(2000)) for j in range(12))
    assert read(write(tmp_path / "w.csv", f"{names}\n{lines}\n"))[1].shape == (
        12,
        1999,
    )  # the first counts rows


def test_index_of_parquet_tells_rows_apart(run, tmp_path):
    frame = numbers().set_index(pd.Index([f"r{i}" for i in range(20)], name="key"))
    frame.to_parquet(tmp_path / "f.parquet")
    _, out, err = run("detect", tmp_path / "f.parquet", "--top", "2")
    assert "the index 'key' tells rows apart and is not learnt from" in err
    assert " key " in out
