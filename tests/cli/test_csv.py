"""CSV files: separators, decimal marks, and cells that are written as they were read."""

import numpy as np
import pandas as pd
import pytest
from command_line import read, write

from skanomaly.cli import _main


def table(path, sep, names, rows):
    """Write a table of cells."""
    return write(path, "\n".join(sep.join(row) for row in [names, *rows]) + "\n")


def german(value, decimals=2):
    return f"{value:,.{decimals}f}".translate(str.maketrans(".,", ",."))


def amounts(n=40):
    rng = np.random.default_rng(0)
    return rng.integers(100, 99_999, n), rng.normal(5, 1, n).round(2)


@pytest.mark.parametrize("told", [(), ("--decimal", ",")])
def test_thousands_beside_decimal_commas_are_thousands(run, tmp_path, told):
    whole, small = amounts()
    cells = [[german(a, 0), german(b)] for a, b in zip(whole, small, strict=True)]
    path = table(tmp_path / "f.csv", ";", ["whole", "small"], cells)
    _, features, _ = read(path, *told)
    np.testing.assert_array_equal(features["whole"], whole)
    np.testing.assert_array_equal(features["small"], small)
    assert run("detect", path, "--out", tmp_path / "o.csv", *told)[0] == 0
    written = pd.read_csv(tmp_path / "o.csv", sep=";", dtype=str)
    assert written[["whole", "small"]].to_numpy().tolist() == cells


def test_numbers_with_points_stay_what_they_are(tmp_path):
    _, small = amounts()
    cells = [[f"{b:.2f}", f"0.{100 + i}", german(b)] for i, b in enumerate(small)]
    _, features, _ = read(table(tmp_path / "f.csv", ";", ["a", "b", "c"], cells))
    np.testing.assert_array_equal(features["a"], small)
    np.testing.assert_allclose(features["b"], 0.1 + np.arange(40) / 1000)
    np.testing.assert_array_equal(features["c"], small)


@pytest.mark.parametrize(
    "codes", ["192.168.100.{}", "10.0.0.{}", "1.100.{}", "555.123.{}", "{}.5.1", "1.{}.2024"]
)
@pytest.mark.parametrize("sep", [",", ";"])
def test_addresses_and_codes_do_not_tell_the_decimal_mark(tmp_path, codes, sep):
    whole, small = amounts(150)
    cells = [
        [codes.format(100 + i), f"{b:.2f}", f'"{a:,}"']
        for i, (a, b) in enumerate(zip(whole, small, strict=True))
    ]
    found, features, _ = read(table(tmp_path / "f.csv", sep, ["code", "b", "a"], cells))
    assert found.decimal == "."
    assert list(features) == ["b", "a"]
    np.testing.assert_array_equal(features["a"], whole)


def test_each_of_several_files_has_its_own_decimal_mark(run, tmp_path):
    small = np.random.default_rng(0).normal(5, 1, 40).round(3)
    frame = pd.DataFrame({"v": small, "kg": [f"{one:.2f} kg" for one in small]})
    frame.to_csv(tmp_path / "us.csv", sep=";", index=False)
    frame["kg"] = frame["kg"].str.replace(".", ",")
    frame.to_csv(tmp_path / "eu.csv", sep=";", index=False, decimal=",")
    for names in (("us.csv", "eu.csv"), ("eu.csv", "us.csv")):
        files = [str(tmp_path / name) for name in names]
        _, features, _ = read(files[0], files[1])
        np.testing.assert_array_equal(features["v"], [*small, *small])
        np.testing.assert_allclose(features["kg"], [*small, *small], atol=0.0051)
        assert run("detect", *files, "--out", tmp_path / "o.parquet")[0] == 0
        np.testing.assert_array_equal(pd.read_parquet(tmp_path / "o.parquet")["v"], [*small] * 2)


@pytest.mark.parametrize("told", [(), ("--decimal", ",")])
@pytest.mark.parametrize("sep", [";", "\t", "|"])
@pytest.mark.parametrize("names", [["4,52", "2,71"], ["Saldo, EUR", "Rest, EUR"], ["a", "b"]])
def test_decimal_commas_separate_no_columns(tmp_path, names, sep, told):
    _, small = amounts()
    cells = [[german(one), german(one + 1)] for one in small]
    found, features, _ = read(table(tmp_path / "f.csv", sep, names, cells), *told)
    assert (found.sep, features.shape[1]) == (sep, 2)
    np.testing.assert_allclose(features.iloc[-40:, 0], small)


def test_commas_may_separate_columns_that_hold_other_marks(tmp_path):
    for names, row in ((["id", "list"], ["{}", "2;{}"]), (["a", "b|c"], ["1.{}", "x|{}"])):
        cells = [[cell.format(i % 7) for cell in row] for i in range(30)]
        assert read(table(tmp_path / "f.csv", ",", names, cells))[0].sep == ","


def test_zeros_before_digits_are_kept_wherever_they_are(run, tmp_path):
    frame = pd.DataFrame({"v": np.sqrt(range(300)), "code": [*map(str, range(100, 399)), "007"]})
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert run("detect", tmp_path / "f.csv", "--out", tmp_path / "o.csv")[0] == 0
    assert pd.read_csv(tmp_path / "o.csv", dtype=str)["code"].tolist() == frame["code"].tolist()


def test_numbers_where_each_has_a_unit(tmp_path):
    for unit in ("{} kg", "CHF {}"):
        for mark, decimals in ((",", 2), (",", 3)):
            values = np.random.default_rng(0).normal(50, 9, 40).round(decimals)
            texts = [unit.format(german(one, decimals)) for one in values]
            cells = [[text, str(i % 3)] for i, text in enumerate(texts)]
            found, features, _ = read(table(tmp_path / "f.csv", ";", ["a", "b"], cells))
            assert found.decimal == mark
            np.testing.assert_array_equal(features["a"], values)


def test_decimal_mark_of_texts_in_a_typed_file(tmp_path):
    _, small = amounts()
    frame = pd.DataFrame({"x": [german(one, 3) for one in small], "v": small})
    frame.to_parquet(tmp_path / "f.parquet")
    _, features, _ = read(tmp_path / "f.parquet", "--number", "x", "--decimal", ",")
    np.testing.assert_allclose(features["x"], small)


@pytest.fixture
def score(tmp_path, capsys):
    """Fit a quick model to a table; return what scores a file by it."""
    rng = np.random.default_rng(0)
    model = str(tmp_path / "m.skops")

    def fitted(frame):
        frame.to_csv(tmp_path / "fit.csv", index=False)
        said = ["fit", str(tmp_path / "fit.csv"), "--model", model, "--recipe", "plain"]
        assert _main.main([*said, "--quiet"]) == 0

        def call(command, path, *more):
            capsys.readouterr()
            assert _main.main([command, str(path), "--model", model, *map(str, more)]) == 0
            return capsys.readouterr().out

        return call

    return fitted, pd.DataFrame({"v": rng.normal(4000, 900, 200).round(3), "k": [1, 2] * 100})


def test_score_writes_cells_as_they_were_read(score, tmp_path):
    fit, frame = score
    call = fit(frame)
    frame["name"], frame["code"] = "NA", [f"{100 + i}" for i in range(199)] + ["007"]
    frame["some"] = ["NA", "x", "null", ""] * 50
    frame.to_csv(tmp_path / "f.csv", index=False)
    call("score", tmp_path / "f.csv", "--out", tmp_path / "o.csv")
    written = pd.read_csv(tmp_path / "o.csv", dtype=str, keep_default_na=False)
    for name in ("name", "code", "some"):
        assert written[name].tolist() == frame[name].tolist()


def test_score_reads_thousands_as_fit_would(score, tmp_path):
    fit, frame = score
    frame["v"] = frame["v"].round()
    frame["w"] = frame["v"] / 1000 + 0.01
    call = fit(frame)
    cells = [[german(v, 0), "1", german(w)] for v, w in zip(frame["v"], frame["w"], strict=True)]
    path = table(tmp_path / "f.csv", ";", ["v", "k", "w"], cells)
    assert f"v={cells[7][0]}" not in call("explain", path, "--row", "8")
    call("score", path, "--out", tmp_path / "o.csv")
    written = pd.read_csv(tmp_path / "o.csv", sep=";", dtype=str)
    assert written["v"].tolist() == [cell[0] for cell in cells]
    assert "not read" not in call("score", path)
    assert "'v' moved" not in call("score", path)


def test_explain_and_score_read_a_row_alike(score, tmp_path):
    fit, frame = score
    call = fit(frame.assign(v=frame["v"] / 1000))
    n = 50_100
    values = ["4"] * 50_000 + ["3,77"] * 100
    table(tmp_path / "f.csv", ";", ["v", "k"], [[values[i], "1"] for i in range(n)])
    call("score", tmp_path / "f.csv", "--out", tmp_path / "o.jsonl")
    scored = pd.read_json(tmp_path / "o.jsonl", lines=True)["score"].iloc[-1]
    said = call("explain", tmp_path / "f.csv", "--row", n)
    assert f"score {scored:.4g}," in said
