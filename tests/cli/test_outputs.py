"""Outputs: the whole new file or the old one, and nothing left by processes that end."""

import os
import signal
import stat
import subprocess
import sys
import time

import pytest
from command_line import in_new_process, numbers, write

from skanomaly.cli import _outputs


def test_new_files_have_the_usual_mode_and_others_are_left_alone(run, tmp_path):
    numbers().to_csv(tmp_path / "f.csv", index=False)
    stale = write(tmp_path / f".skanomaly-{os.getpid()}.tmp", "not ours")
    assert run("detect", tmp_path / "f.csv", "--out", tmp_path / "o.csv")[0] == 0
    usual = write(tmp_path / "usual", "").stat().st_mode
    assert stat.S_IMODE((tmp_path / "o.csv").stat().st_mode) == stat.S_IMODE(usual)
    assert stale.read_text() == "not ours"
    assert not _outputs.UNFINISHED


SLOW = """
import signal, sys, time
from skanomaly.cli import _main, _outputs
def command(argv=None):
    with _outputs.replacing(sys.argv[1]) as file:
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


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="needs /dev/stdout")
def test_other_names_of_standard_output(tmp_path):
    numbers().to_csv(tmp_path / "f.csv", index=False)
    done = in_new_process(
        "detect", str(tmp_path / "f.csv"), "--out", "/dev/stdout", "--recipe", "plain", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a,b,c,score,")
    assert len(done.stdout.splitlines()) == 21
