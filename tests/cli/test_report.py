"""What the command line prints."""

import io
import re
import sys

import numpy as np
import pandas as pd
from command_line import numbers

from skanomaly.cli import _main, _report


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
    seen, expected = re.fullmatch(r"b=([\d.]+) \(expected (-?[\d.]+)\)", extremes).groups()
    assert seen == "40"
    assert -3 < float(expected) < 3


def test_reasons_name_categories(run, tmp_path):
    frame = pd.DataFrame(
        {"a": [1, 2] * 30, "kind": ["x"] * 60, "ref": [f"r{i}" for i in range(60)]}
    )
    frame.loc[6, "kind"] = "odd one"
    frame.to_csv(tmp_path / "f.csv", index=False)
    _, out, _ = run("detect", tmp_path / "f.csv", "--top", "1")
    assert re.search(r"^ +row +score +anomaly +ref +reason$", out, re.MULTILINE)
    assert re.search(r"^ +7 .* r6 +kind=odd one \(expected x\)$", out, re.MULTILINE)


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


def test_figures(capsys):
    labels, scores = np.array([-1, -1, 1, 1, 1]), np.array([-3.0, 1.0, -2.0, 2.0, 3.0])
    _report.print_figures(labels, scores)
    figures = re.findall(r"([\d.]{5})", capsys.readouterr().out)
    assert figures == ["0.833", "0.833", "0.500", "0.500", "0.500"]


def test_few_held_out_anomalies_are_called_rough(run, wine):
    assert "rough" not in run("detect", wine, "--label", "target")[1]
    frame = pd.read_csv(wine).iloc[:140]
    frame.to_csv(wine, index=False)
    assert "with 2 anomalies" in run("detect", wine, "--label", "target")[1]
    assert "rough" in run("detect", wine, "--label", "target")[1]


def test_the_page_counts_labels_as_the_command_does(run, tmp_path):
    frame = numbers(60)
    frame["state"] = ["ok"] * 50 + ["broken"] * 6 + [None] * 4
    frame.to_csv(tmp_path / "f.csv", index=False)
    page = tmp_path / "r.html"
    told = ["--label", "state", "--anomaly-label", "broken", "--report", page]
    code, printed, _ = run("detect", tmp_path / "f.csv", *told)
    assert code == 0
    text = page.read_text(encoding="utf-8")
    held_out = re.search(r"Held-out part: (\d+) rows", printed)[1]
    assert f"On {held_out} rows that were held out" in text
    figure = re.search(r"ROC AUC +([\d.]+)", printed)[1]
    assert f"<b>{figure}</b><span>ROC AUC of held-out rows" in text
    alerts = re.search(r"Flagged as anomalies: (\d+)", printed)[1]
    assert f'<b class="orange">{alerts}</b>' in text
    assert "anomaly (6 rows)" in text
    assert "normal (50 rows)" in text


def test_an_unknown_argument_points_to_the_help_of_its_command(run, wine):
    code, _, errors = run("detect", wine, "--output", "x.csv")
    assert code == 2
    assert "unrecognized arguments: --output x.csv (see skanomaly detect --help)" in errors
