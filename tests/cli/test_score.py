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


def fitted(folder, frame, *options):
    """Fit a quick model to a table; return what scores a file by it, and the model's file."""
    frame.to_csv(folder / "fit.csv", index=False)
    quick = functools.partial(skanomaly.AutoencoderDetector, "plain", epochs=2)
    model = folder / "model.skops"
    with stand_ins(AutoencoderDetector=quick):
        said = ["fit", folder / "fit.csv", "--model", model, "--quiet", *options]
        assert _main.main([str(one) for one in said]) == 0

    def score(path, *more):
        said = ["score", path, "--model", model, "--out", folder / "scored.csv", *more]
        assert _main.main([str(one) for one in said]) == 0
        return pd.read_csv(folder / "scored.csv")["score"].to_numpy()

    return score, model


@pytest.fixture
def postcodes():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"zip": [f"0{k}00" for k in rng.integers(1, 6, 200)], "v": rng.normal(size=200)}
    )


def test_digits_that_stand_for_kinds_are_known_in_every_file(tmp_path, postcodes):
    score, model = fitted(tmp_path, postcodes, "--category", "zip")
    expected = score(tmp_path / "fit.csv")
    postcodes.to_parquet(tmp_path / "a.parquet")
    postcodes.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    postcodes.to_excel(tmp_path / "a.xlsx", index=False)
    postcodes.astype({"zip": float}).to_csv(tmp_path / "floats.csv", index=False)
    for name in ("a.parquet", "a.jsonl", "a.xlsx", "floats.csv"):
        np.testing.assert_allclose(score(tmp_path / name), expected, err_msg=name)
    odd = postcodes.copy()
    odd.loc[0, "zip"] = "K1A"
    odd.to_csv(tmp_path / "odd.csv", index=False)
    np.testing.assert_allclose(score(tmp_path / "odd.csv")[1:], expected[1:])
    table = pd.read_csv(tmp_path / "fit.csv")  # 100, not 0100
    np.testing.assert_allclose(skanomaly.io.load(model).decision_function(table), expected)
    table["zip"] = table["zip"].astype("Float64").mask(table.index == 0)
    np.testing.assert_allclose(skanomaly.io.load(model).decision_function(table)[1:], expected[1:])


def test_truths_of_workbooks_stay_truths(tmp_path, postcodes):
    frame = postcodes.assign(flag=[True, False, None, True] * 50)
    score, _ = fitted(tmp_path, frame)
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    np.testing.assert_allclose(score(tmp_path / "a.xlsx"), score(tmp_path / "fit.csv"))


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_texts_of_any_encoding_are_scored(tmp_path, encoding):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["größe", "v"])
    score, _ = fitted(tmp_path, frame)
    expected = score(tmp_path / "fit.csv")
    frame.to_csv(tmp_path / "a.csv", index=False, encoding=encoding)
    np.testing.assert_allclose(score(tmp_path / "a.csv"), expected)
    np.testing.assert_allclose(score(tmp_path / "a.csv", "--encoding", encoding), expected)


def test_what_fit_took_for_missing_stays_so(tmp_path, postcodes):
    frame = postcodes.assign(w=[-999, 1.5, 2.5, 3] * 50, zip=["a", "?"] * 100)
    score, model = fitted(tmp_path, frame, "--missing", "-999", "--missing", "?")
    blank = frame.replace({"zip": {"?": None}, "w": {-999: None}})
    blank.to_csv(tmp_path / "blank.csv", index=False)
    expected = score(tmp_path / "blank.csv")
    np.testing.assert_allclose(score(tmp_path / "fit.csv"), expected)
    np.testing.assert_allclose(skanomaly.io.load(model).decision_function(frame), expected)


def test_missing_numbers_of_the_fit_are_known_with_decimal_commas(tmp_path, postcodes, capsys):
    frame = postcodes.assign(w=[-999.0, 1.5, 2.5, 3] * 50)
    score, model = fitted(tmp_path, frame, "--missing", "-999")
    expected = score(tmp_path / "fit.csv")
    frame["w"] = frame["w"].map("{:.2f}".format).str.replace(".", ",")
    german, out = tmp_path / "a.csv", tmp_path / "scored.csv"
    frame.to_csv(german, sep=";", decimal=",", index=False)
    assert "-999,00" in german.read_text()
    said = ["score", german, "--model", model, "--out", out]
    assert _main.main([str(one) for one in said]) == 0
    scored = pd.read_csv(out, sep=";", decimal=",")
    np.testing.assert_allclose(scored["score"], expected)
    assert "could not be read" not in capsys.readouterr().out


def test_infinite_values_are_counted_as_not_read(tmp_path, postcodes, capsys):
    frame = postcodes.assign(w=np.random.default_rng(1).normal(size=200))
    score, _ = fitted(tmp_path, frame)
    frame.loc[5, "w"] = np.inf
    frame.to_csv(tmp_path / "inf.csv", index=False)
    assert np.isfinite(score(tmp_path / "inf.csv")).all()
    assert "'w': 1 value that could not be read" in capsys.readouterr().out


def test_columns_that_come_late_are_written_or_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_files, "CHUNK", 50)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["v", "w"])
    score, model = fitted(tmp_path, frame)
    lines = [{"v": a} if i < 60 else {"v": a, "x": 1} for i, a in enumerate(frame["v"])]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "late.jsonl").write_text(text)
    chunks = functools.partial(_files._json_lines, rows=50)
    monkeypatch.setattr(_files, "_json_lines", lambda source, rows: chunks(source))
    score(tmp_path / "late.jsonl")
    assert "not written: 'x'" in capsys.readouterr().err
    said = ["score", tmp_path / "late.jsonl", "--model", model, "--out", tmp_path / "o.jsonl"]
    assert _main.main([str(one) for one in said]) == 0
    written = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert [line.get("x") for line in written[59:62]] == [None, 1, 1]


def test_parquet_holds_what_comes_late_in_an_empty_column(tmp_path, monkeypatch):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["v", "w"])
    _, model = fitted(tmp_path, frame)
    notes = [None] * 60 + ["late"] * 40
    frame.assign(note=notes).to_csv(tmp_path / "late.csv", index=False)
    chunks = _files._csv_chunks
    monkeypatch.setattr(_files, "_csv_chunks", lambda *a: chunks(*a[:-1], 50))
    said = ["score", tmp_path / "late.csv", "--model", model, "--out", tmp_path / "o.parquet"]
    assert _main.main([str(one) for one in said]) == 0
    again = pd.read_parquet(tmp_path / "o.parquet")["note"]
    assert again.astype(object).where(again.notna(), None).tolist() == notes


def test_files_without_rows_are_no_error_in_any_format(call, tmp_path):
    frame = rows(3, 1).head(0)
    frame.to_parquet(tmp_path / "a.parquet")
    write(tmp_path / "a.json", "[]")
    write(tmp_path / "a.jsonl", "")
    for name in ("a.parquet", "a.json", "a.jsonl"):
        for form in ("o.csv", "o.parquet", "o.xlsx", "o.json"):
            code, said, err = call("score", tmp_path / name, "--out", tmp_path / form)
            assert (code, "0 of 0 rows" in said) == (0, True), err
        assert json.loads((tmp_path / "o.json").read_text()) == []
        assert list(pd.read_excel(tmp_path / "o.xlsx"))[-3:] == ["score", "is_anomaly", "reason"]
        written = pd.read_parquet(tmp_path / "o.parquet")
        assert written.dtypes[["score", "is_anomaly"]].tolist() == [float, bool]
        assert set(frame) <= set(written) or name != "a.parquet"
    rows(30, 1).to_parquet(tmp_path / "b.parquet")
    both = tmp_path / "a.parquet", tmp_path / "b.parquet"
    assert call("score", *both, "--out", tmp_path / "o.parquet")[0] == 0
    assert pd.read_parquet(tmp_path / "o.parquet")["temp"].dtype == float


@pytest.mark.parametrize("named", ["--id", "index"])
def test_files_of_which_one_lacks_the_column_that_tells_rows_apart(call, tmp_path, named):
    new = rows(20, 1)
    new["no"] = [f"row {i}" for i in range(20)]
    new.drop(columns="no").to_csv(tmp_path / "b.csv", index=False)
    if named == "index":
        new.set_index("no").to_parquet(tmp_path / "a")
    else:
        new.to_csv(tmp_path / "a", index=False)
    (tmp_path / "a").rename(tmp_path / ("a.parquet" if named == "index" else "a.csv"))
    first = next(tmp_path.glob("a.*"))
    more = ["--id", "no"] if named == "--id" else []
    for files in ((first, tmp_path / "b.csv"), (tmp_path / "b.csv", first)):
        code, said, _ = call("score", *files, *more, "--top", "40")
        assert code == 0
        assert said.count("row ") >= 20
        assert "row 19" in said


def test_a_column_that_no_file_has_tells_no_rows_apart(call, tmp_path):
    rows(20, 1).to_csv(tmp_path / "a.csv", index=False)
    for files in (["a.csv"], ["a.csv", "a.csv"]):
        files = [tmp_path / name for name in files]
        code, out, err = call("score", *files, "--id", "reff", "--quiet")
        assert_refused((code, out, err), "no column 'reff' in")
        assert "did you mean 'ref'?" in err
