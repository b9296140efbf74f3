"""Output in each format, and formulas that stay texts."""

import io
import json
import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import numbers

from skanomaly.cli import _files, _writing

READERS = {
    "csv": pd.read_csv,
    "json": pd.read_json,
    "jsonl": lambda path: pd.read_json(path, lines=True),
    "parquet": pd.read_parquet,
    "xlsx": pd.read_excel,
}


@pytest.mark.parametrize("form", READERS)
def test_each_format(run, tmp_path, form):
    frame = numbers(40).assign(kind=["=1+1", "b"] * 20)
    frame.loc[3, "a"] = np.nan
    frame.to_csv(tmp_path / "f.csv", index=False)
    out = tmp_path / "o.any"
    code, _, err = run("detect", tmp_path / "f.csv", "--out", out, "--format", form)
    assert code == 0, err
    written = READERS[form](out)
    assert list(written["kind"]) == list(frame["kind"])
    np.testing.assert_allclose(written[["a", "b", "c"]].astype(float), frame[["a", "b", "c"]])
    flagged = written["is_anomaly"].astype(bool)
    assert list(written["rank"].sort_values()) == list(range(1, 41))
    assert set(written["rank"][flagged]) == {1, 2, 3, 4}
    assert written["reason"][flagged].str.contains("expected").all()
    assert (written["reason"][~flagged].fillna("") == "").all()


def test_format_without_a_file_goes_to_standard_output(run, tmp_path):
    numbers().to_csv(tmp_path / "f.csv", index=False)
    code, out, err = run("detect", tmp_path / "f.csv", "--format", "jsonl", "--quiet")
    assert code == 0
    assert len(out.splitlines()) == 20
    assert out.startswith('{"a": ')
    assert "Flagged as anomalies" in err


def test_formulas_are_escaped_on_request(run, tmp_path):
    frame = numbers().assign(**{"=cmd": ["@SUM(1)", "b"] * 10})
    frame.to_csv(tmp_path / "f.csv", index=False)
    for more, first in (([], "@SUM(1)"), (["--escape-formulas"], "'@SUM(1)")):
        assert run("detect", tmp_path / "f.csv", "--out", tmp_path / "o.csv", *more)[0] == 0
        written = pd.read_csv(tmp_path / "o.csv")
        assert written.iloc[0, 3] == first
        assert written.columns[3] == ("'=cmd" if more else "=cmd")
        assert written["a"].dtype == float


@pytest.mark.parametrize("form", ["json", "jsonl", "xlsx", "csv", "parquet"])
def test_infinity_is_written(tmp_path, form):
    values = [np.inf, -np.inf, np.nan, 1.5]
    frame = pd.DataFrame({"v": values, "list": [[value] for value in values]})
    _writing.write_table(_files.Table(frame, "f"), {}, str(tmp_path / f"o.{form}"), None)
    said = READERS[form](tmp_path / f"o.{form}")["v"]
    np.testing.assert_array_equal(said, values)
    if form == "jsonl":
        lines = (tmp_path / "o.jsonl").read_text().splitlines()
        assert [json.loads(line)["list"] for line in lines] == [["inf"], ["-inf"], [None], [1.5]]


def test_nested_columns_of_parquet_are_written_as_they_are(run, tmp_path):
    import pyarrow
    import pyarrow.parquet

    pairs = pyarrow.map_(pyarrow.string(), pyarrow.int64())
    columns = {
        "v": pyarrow.array(np.sqrt(range(40))),
        "map": pyarrow.array([[("a", 1)], None] * 20, type=pairs),
        "maps": pyarrow.array([[[("a", 1)]], []] * 20, type=pyarrow.list_(pairs)),
        "struct": pyarrow.array([{"x": 1, "y": [1.5]}, None] * 20),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    code, _, err = run("detect", tmp_path / "t.parquet", "--out", tmp_path / "o.parquet")
    assert code == 0, err
    written = pyarrow.parquet.read_table(tmp_path / "o.parquet")
    for name, column in columns.items():
        assert written[name].to_pylist() == column.to_pylist()


@pytest.mark.skipif(os.name == "nt", reason="pipes with names")
@pytest.mark.parametrize("form", READERS)
def test_a_pipe_with_a_name_is_written_to(run, tmp_path, form):
    numbers().to_csv(tmp_path / "f.csv", index=False)
    os.mkfifo(tmp_path / "p")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "p").read_bytes()))
    reader.start()
    code, _, err = run("detect", tmp_path / "f.csv", "--out", tmp_path / "p", "--format", form)
    reader.join(30)
    assert code == 0, err
    assert (tmp_path / "p").is_fifo()
    assert len(READERS[form](io.BytesIO(read[0]))) == 20
    assert sorted(os.listdir(tmp_path)) == ["f.csv", "p"]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full")
@pytest.mark.parametrize("form", READERS)
def test_a_device_that_is_full_ends_in_one_line(run, tmp_path, form):
    numbers().to_csv(tmp_path / "f.csv", index=False)
    (tmp_path / "full").symlink_to("/dev/full")
    result = run("detect", tmp_path / "f.csv", "--out", tmp_path / "full", "--format", form)
    assert result[0] == 2
    said = result[2].splitlines()[-1]
    assert said == f"skanomaly: error: cannot write {tmp_path / 'full'}: No space left on device"
    assert Path("/dev/full").is_char_device()
