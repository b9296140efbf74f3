"""The command line, on stand-ins for the detectors where only the command is tested."""

import contextlib
import functools
import io
import re
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import FITS, Distance, assert_refused, in_new_process, numbers, stand_ins, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import skanomaly
from skanomaly.cli import _main, _training


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
        (["fit", "f.csv"], "required: --model"),
        (["score"], "required: FILE, --model"),
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


def test_forwards_the_table_as_it_is(run, tmp_path):
    frame = numbers().assign(kind=["x", "y", None, "x"] * 5)
    frame.loc[3, "a"] = np.nan
    frame.to_csv(tmp_path / "f.csv", index=False)
    run("detect", tmp_path / "f.csv", "--contamination", "0.25", "--random-state", "7")
    detector, seen, y = FITS[-1]
    assert (detector.contamination, detector.random_state, detector.verbose) == (0.25, 7, 0)
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


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=4, max_size=60), st.integers(0, 5))
def test_split_is_stratified(labels, seed):
    labels = np.array([-1, -1, 1, 1, *labels])
    train, held_out = _training.split(labels, seed)
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
    unseen = _training.split(np.where(frame["bad"], -1, 1), 0)[1]
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
