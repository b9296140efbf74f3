"""The parts of benchmarks/nab.py that decide what its figures mean."""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

FOLDER = Path(__file__).parents[1] / "benchmarks"
if not (FOLDER / "nab.py").exists():
    pytest.skip("the benchmarks do not come with an installed package", allow_module_level=True)
sys.path.append(str(FOLDER))
nab = import_module("nab")


@pytest.fixture
def folder(tmp_path):
    """Return a folder as NAB's, with one labelled series and one without labels."""
    times = pd.date_range("2020-01-01", periods=200, freq="h")
    values = np.random.default_rng(0).normal(size=200)
    values[100:110] = 20.0
    (tmp_path / "some").mkdir()
    for name in ("spiky", "calm"):
        table = pd.DataFrame({"timestamp": times, "value": values})
        table.to_csv(tmp_path / "some" / f"{name}.csv", index=False)
    windows = {"some/spiky.csv": [[str(times[100]), str(times[109])]], "some/calm.csv": []}
    (tmp_path / "combined_windows.json").write_text(json.dumps(windows))
    return tmp_path


def test_series_are_read_with_their_windows(folder):
    series = nab.read_nab(folder)
    assert list(series) == ["spiky"]
    values, labels = series["spiky"]
    assert values.shape == (200, 1)
    np.testing.assert_array_equal(np.flatnonzero(labels), np.arange(100, 110))


def test_a_run_goes_on_where_it_stopped(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(nab, "vus_pr", lambda labels, scores: 0.25)
    out = tmp_path / "results.csv"
    arguments = ["--data", str(folder), "--methods", "z-score", "--out", str(out)]
    assert nab.main(arguments) == 0
    first = out.read_text()
    assert nab.main(arguments) == 0
    assert out.read_text() == first
    line = pd.read_csv(out).iloc[0]
    assert (line["roc_auc"], line["average_precision"]) == (1.0, 1.0)
    assert "| z-score | 1.000 | 1.000 | 0.250 |" in capsys.readouterr().out


def test_scores_are_judged_behind_the_training_part_alone(monkeypatch):
    seen = {}

    def method(train, whole, seed):
        seen["train"], seen["whole"] = len(train), len(whole)
        return np.r_[np.full(30, 1e9), labels[30:]]  # absurd where it does not count

    labels = np.r_[np.zeros(100), np.ones(20), np.zeros(80)].astype(int)
    monkeypatch.setitem(nab.METHODS, "z-score", method)
    monkeypatch.setattr(nab, "vus_pr", roc_auc_score)
    figures = nab.run_one("z-score", np.zeros((200, 1)), labels, 0)
    assert seen == {"train": 30, "whole": 200}
    assert figures[:3] == [1.0, 1.0, 1.0]


def test_what_cannot_be_run_is_said(tmp_path, capsys):
    assert nab.main(["--data", str(tmp_path)]) == 2
    assert "combined_windows.json" in capsys.readouterr().err
    assert nab.main([]) == 2
