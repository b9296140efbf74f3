"""Output in each format, formulas that stay texts, and nothing left by processes that end."""

import os
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from command_line import numbers, write

from skanomaly.cli import _writing

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


def test_new_files_have_the_usual_mode_and_others_are_left_alone(run, tmp_path):
    numbers().to_csv(tmp_path / "f.csv", index=False)
    stale = write(tmp_path / f".skanomaly-{os.getpid()}.tmp", "not ours")
    assert run("detect", tmp_path / "f.csv", "--out", tmp_path / "o.csv")[0] == 0
    usual = write(tmp_path / "usual", "").stat().st_mode
    assert stat.S_IMODE((tmp_path / "o.csv").stat().st_mode) == stat.S_IMODE(usual)
    assert stale.read_text() == "not ours"
    assert not _writing.UNFINISHED


SLOW = """
import signal, sys, time
from skanomaly.cli import _main, _writing
def command(argv=None):
    with _writing.replacing(sys.argv[1]) as file:
        file.write(b"half")
        print("ready", flush=True)
        try:
            time.sleep(60)
        except BaseException:
            print("swallowed")
        time.sleep(60)
_main.main = command
_main.run()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_the_process_and_leave_nothing(tmp_path, number, code):
    old = write(tmp_path / "o.csv", "old")
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(old)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in err
    assert b"swallowed" not in out
    assert os.listdir(tmp_path) == ["o.csv"]
    assert old.read_text() == "old"


@pytest.mark.skipif(os.name == "nt", reason="streams of a POSIX shell")
def test_closed_standard_error(tmp_path):
    path = write(tmp_path / "f.csv", "a,b\n1,2\n")
    command = f"'{sys.executable}' -m skanomaly detect '{path}' --out '{tmp_path}/o.csv' 2>&-"
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert os.listdir(tmp_path) == ["f.csv"]
