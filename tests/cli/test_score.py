"""Fitting once and scoring for ever: models as files, columns by name, drift."""

import functools
import json

import numpy as np
import pandas as pd
import pytest
from command_line import assert_refused, stand_ins, write

import skanomaly
from skanomaly.cli import _files, _main
from skanomaly.cli._score import _moved
from skanomaly.cli._training import new_detector


def rows(n, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal((shift, 0), size=(n, 2)), columns=["temp", "load"])
    frame["kind"] = rng.choice(["a", "b"], n)
    frame["weight"] = [f"{value:.1f} kg" for value in rng.uniform(1, 9, n)]
    frame["when"] = [f"{1 + i * 7 % 28}.{1 + i * 5 % 12}.2024" for i in range(n)]
    frame["ref"] = [f"r{i}" for i in range(n)]
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model and the table it was fitted to."""
    folder = tmp_path_factory.mktemp("models")
    rows(400, 0).to_csv(folder / "fit.csv", index=False)
    quick = functools.partial(skanomaly.AutoencoderDetector, "plain", epochs=3)
    with stand_ins(AutoencoderDetector=quick):
        arguments = ["fit", str(folder / "fit.csv"), "--model", str(folder / "m.skops")]
        assert _main.main([*arguments, "--alerts", "2", "--per", "100", "--quiet"]) == 0
    return folder


@pytest.fixture
def call(folder, capsys, tmp_path):
    def call(command, *arguments):
        capsys.readouterr()
        model = ["--model", folder / "m.skops"] if command != "info" else [folder / "m.skops"]
        code = _main.main([str(one) for one in (command, *arguments, *model)])
        return code, *capsys.readouterr()

    return call


def test_scores_like_new_rows_without_drift(call, tmp_path):
    new = rows(300, 1)
    new.loc[7, "temp"] = 50
    new.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "o.csv"
    code, said, err = call(
        "score", tmp_path / "new.csv", "--out", out, "--fail-on-drift", "--id", "ref"
    )
    assert code == 0
    assert "No drift" in said
    assert "note:" not in err
    assert " 8 " in said.splitlines()[4]
    assert "r7" in said.splitlines()[4]
    assert "temp=50 (expected" in said
    written = pd.read_csv(out)
    assert list(written) == [*new, "score", "is_anomaly", "reason"]
    assert 0 < written["is_anomaly"].mean() < 0.1
    assert written["reason"][7].startswith("temp=50")


def test_parts_make_no_difference(call, folder, tmp_path, monkeypatch):
    new = rows(90, 2)
    new.to_csv(tmp_path / "new.csv", index=False)
    new.to_json(tmp_path / "new.jsonl", orient="records", lines=True)
    new.to_parquet(tmp_path / "new.parquet")
    pipeline = skanomaly.io.load(folder / "m.skops")
    expected = pipeline.decision_function(new)
    reader = functools.partial(_files.read_chunks, rows=20)
    monkeypatch.setattr("skanomaly.cli._score.read_chunks", reader)
    for name in ("new.csv", "new.jsonl", "new.parquet"):
        out = tmp_path / "o.jsonl"
        assert call("score", tmp_path / name, "--out", out, "--reasons", "0", "--quiet")[0] == 0
        scores = [json.loads(line)["score"] for line in out.read_text().splitlines()]
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)


def test_drift_is_told_with_its_columns(call, tmp_path):
    new = rows(300, 3, shift=3.0).drop(columns="load").assign(more=1)
    new["kind"] = "new"
    new[new.columns[::-1]].to_csv(tmp_path / "new.csv", index=False)
    code, said, err = call("score", tmp_path / "new.csv", "--fail-on-drift")
    assert code == 3
    assert "lacks 1 column of the model, taken as missing: 'load'" in err
    assert "the model does not know them: 'more'" in err
    assert "'kind': 300 values not seen in training" in said
    assert "Drift: from row" in said
    for text in ("'temp' moved: median", "'load' moved", "'kind' moved: mostly"):
        assert text in said
    assert call("score", tmp_path / "new.csv")[0] == 0


def test_a_column_that_came_back_is_told_as_such():
    column = {"reference": 1.0, "batch": 1.01, "missing_batch": 0.0, "missing_reference": 0.0}
    column |= {"unseen": 0.0}
    assert _moved(column | {"psi": 0.02}).startswith("in earlier rows")
    moved = _moved(column | {"psi": 0.5, "batch": 3.0})
    assert moved == "median 1 before, median 3 in the last rows"


def test_explains_a_row(call, tmp_path):
    new = rows(60, 4)
    new.loc[41, "weight"] = "90 kg"
    new.to_csv(tmp_path / "new.csv", index=False)
    code, said, _ = call("explain", tmp_path / "new.csv", "--row", "42", "--top", "2")
    assert code == 0
    assert "Row 42 of" in said
    assert said.splitlines()[3].split()[:2] == ["weight", "90"]
    assert_refused(call("explain", tmp_path / "new.csv", "--row", "61"), "the file has 60 rows")


def test_says_what_a_model_is(call):
    code, said, _ = call("info")
    assert code == 0
    for text in ("AutoencoderDetector", "400 rows of", "100 rows held out", "'weight'", "'ref'"):
        assert text in said


def test_other_files_are_no_models(call, folder, tmp_path, capsys):
    new = write(tmp_path / "new.csv", "x,y\n1,2\n")
    assert_refused(call("score", new), "none of the columns that the model learnt from")
    wrong = ["score", str(new), "--model"]
    for name, expected in ((new, "no file of skanomaly.io.save"), ("none", "no such file")):
        code = _main.main([*wrong, str(name)])
        assert_refused((code, *capsys.readouterr()), expected)


def test_compares_detectors(folder, capsys, tmp_path):
    frame = rows(120, 5).assign(y=[1, *[0] * 5] * 20)
    frame.to_csv(tmp_path / "f.csv", index=False)
    quick = {
        "AutoencoderDetector": functools.partial(skanomaly.AutoencoderDetector, "plain", epochs=1),
        "NeuralAnomalyClassifier": functools.partial(
            skanomaly.NeuralAnomalyClassifier, "plain", epochs=1
        ),
    }
    out = tmp_path / "o.csv"
    with stand_ins(**quick):
        arguments = ["compare", str(tmp_path / "f.csv"), "--label", "y", "--folds", "2"]
        assert _main.main([*arguments, "--out", str(out), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "roc_auc over 2 folds, the best first:" in said
    assert "IsolationForest" in said
    assert len(pd.read_csv(out)) == 8


def parsed(*options):
    return _main._parser().parse_args(["fit", "a.csv", "--model", "m.skops", "--quiet", *options])


def test_what_is_said_of_the_rows_reaches_the_detector():
    detector = new_detector(False, parsed("--clean", "--recipe", "fast", "--contamination", ".1"))
    assert detector.novelty is True
    assert (detector.recipe, detector.contamination) == ("fast", 0.1)
    assert new_detector(False, parsed()).novelty is False


@pytest.mark.parametrize("option", [["--clean"], ["--recipe", "fast"]])
def test_what_means_nothing_beside_labels_is_refused(call, folder, option):
    before = (folder / "m.skops").read_bytes()
    code, said, err = call("fit", folder / "fit.csv", "--label", "kind", *option)
    assert_refused((code, said, err), " ".join(option))
    assert (folder / "m.skops").read_bytes() == before


def test_a_row_alone_is_compared_with_rows_of_the_training(call, tmp_path):
    new = rows(1, 1)
    new["temp"] = 50
    new.to_csv(tmp_path / "new.csv", index=False)
    _, said, _ = call("explain", tmp_path / "new.csv", "--row", "1")
    line = next(line for line in said.splitlines() if line.strip().startswith("temp"))
    _, value, expected, share = line.split()
    assert value == "50"
    assert abs(float(expected)) < 3
    assert float(share) > 0.5
    _, said, _ = call("score", tmp_path / "new.csv")
    assert "temp=50 (expected" in said


def test_what_is_wrong_in_all_rows_is_named(call, tmp_path):
    new = rows(200, 1)
    new["temp"], new["kind"] = 50, "z"
    new.to_csv(tmp_path / "new.csv", index=False)
    _, said, _ = call("score", tmp_path / "new.csv", "--top", "1")
    assert "temp=50 (expected" in said


def test_no_rows_are_kept_where_none_are_wanted(tmp_path, capsys):
    rows(200, 0).to_csv(tmp_path / "fit.csv", index=False)
    model = tmp_path / "m.skops"
    quick = functools.partial(skanomaly.AutoencoderDetector, "plain", epochs=1)
    with stand_ins(AutoencoderDetector=quick):
        arguments = ["fit", str(tmp_path / "fit.csv"), "--model", str(model), "--keep-rows", "0"]
        assert _main.main([*arguments, "--quiet"]) == 0
    assert _main.main(["info", str(model)]) == 0
    assert "kept rows    0 rows" in capsys.readouterr().out
    assert skanomaly.io.load(model)[0].background() is None


def test_a_day_without_rows_is_no_error(call, tmp_path):
    rows(3, 1).head(0).to_csv(tmp_path / "new.csv", index=False)
    code, said, _ = call("score", tmp_path / "new.csv", "--out", tmp_path / "o.csv")
    assert code == 0
    assert "0 of 0 rows" in said
    written = pd.read_csv(tmp_path / "o.csv")
    assert len(written) == 0
    assert {"temp", "score", "reason"} <= {*written}


@pytest.mark.parametrize("told", [(), ("--decimal", ",")])
def test_the_decimal_mark_is_that_of_the_file(call, tmp_path, told):
    new = rows(50, 1)
    new.to_csv(tmp_path / "point.csv", index=False)
    new["weight"] = new["weight"].str.replace(".", ",")
    new.to_csv(tmp_path / "comma.csv", index=False, sep=";", decimal=",")
    outs = tmp_path / "a.csv", tmp_path / "b.csv"
    call("score", tmp_path / "point.csv", "--out", outs[0])
    _, said, _ = call("score", tmp_path / "comma.csv", "--out", outs[1], *told)
    assert "could not be read" not in said
    point, comma = pd.read_csv(outs[0]), pd.read_csv(outs[1], sep=";", decimal=",")
    np.testing.assert_allclose(comma["score"], point["score"])
