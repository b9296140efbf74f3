"""The parts of benchmarks/series.py that decide what its figures mean."""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

FOLDER = Path(__file__).parents[1] / "benchmarks"
if not (FOLDER / "series.py").exists():
    pytest.skip("the benchmarks do not come with an installed package", allow_module_level=True)
sys.path.append(str(FOLDER))
series, data = import_module("series"), import_module("_series_data")


@pytest.fixture
def folder(tmp_path):
    """Return a folder as NAB's and SKAB's, with one labelled series each."""
    times = pd.date_range("2020-01-01", periods=200, freq="h")
    values = np.random.default_rng(0).normal(size=200)
    values[100:110] = 20.0
    nab, skab = tmp_path / "nab", tmp_path / "skab"
    (nab / "some").mkdir(parents=True)
    skab.mkdir()
    for name in ("spiky", "calm"):
        table = pd.DataFrame({"timestamp": times, "value": values})
        table.to_csv(nab / "some" / f"{name}.csv", index=False)
    windows = {"some/spiky.csv": [[str(times[100]), str(times[109])]], "some/calm.csv": []}
    (nab / "combined_windows.json").write_text(json.dumps(windows))
    table = pd.DataFrame({"datetime": times, "a": values, "b": values})
    table["anomaly"], table["changepoint"] = (values == 20.0).astype(float), 0.0
    table.to_csv(skab / "valve.csv", sep=";", index=False)
    return tmp_path


def test_collections_are_read_with_their_labels(folder):
    nab, skab = data.read_nab(folder / "nab"), data.read_skab(folder / "skab")
    assert list(nab) == ["spiky"]
    values, labels, n_train = nab["spiky"]
    assert values.shape == (200, 1)
    assert n_train == 30
    np.testing.assert_array_equal(np.flatnonzero(labels), np.arange(100, 110))
    values, labels, n_train = skab["valve"]
    assert values.shape == (200, 2)
    assert (labels.sum(), n_train) == (10, 400)


def test_made_up_series_have_anomalies_where_they_say_and_none_in_the_training_part():
    for name, (values, labels, n_train) in data.make_series(seeds=[0]).items():
        assert labels.any(), name
        assert not labels[:n_train].any(), name
        assert np.isfinite(values).all()
    values, labels, _ = data.make_series(seeds=[0])["spikes_0"]
    assert np.abs(np.diff(values[:, 0]))[np.flatnonzero(labels) - 1].min() > 1.5


def test_a_run_goes_on_where_it_stopped(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(series, "vus_pr", lambda labels, scores: 0.25)
    out = tmp_path / "results.csv"
    arguments = ["--data", str(folder), "--collections", "nab", "--methods", "z-score"]
    arguments += ["--out", str(out)]
    assert series.main(arguments) == 0
    first = out.read_text()
    assert series.main(arguments) == 0
    assert out.read_text() == first
    line = pd.read_csv(out).iloc[0]
    assert (line["roc_auc"], line["average_precision"], line["vus_pr"]) == (1.0, 1.0, 0.25)
    assert (line["tp"], line["fn"], line["onset_error"], line["found"]) == (10, 0, 0, 1)
    assert "nab: means over the series" in capsys.readouterr().out


def test_ranks_are_judged_behind_the_training_part_and_counts_on_the_whole(monkeypatch):
    labels = np.r_[np.zeros(100), np.ones(20), np.zeros(80)].astype(int)

    def method(train, whole, seed):
        assert (len(train), len(whole)) == (30, 200)
        flags = labels.copy()
        flags[:5] = 1
        return np.r_[np.full(30, 1e9), labels[30:]], flags  # absurd where it does not count

    monkeypatch.setitem(series.METHODS, "z-score", method)
    monkeypatch.setattr(series, "vus_pr", roc_auc_score)
    figures = dict(
        zip(series.COLUMNS[4:], series.run_one("z-score", np.zeros((200, 1)), labels, 30, 0),
            strict=True)
    )  # fmt: skip
    assert figures["roc_auc"] == figures["average_precision"] == 1.0
    assert figures["roc_auc_whole"] < 1
    assert (figures["tp"], figures["fp"], figures["fn"], figures["tn"]) == (20, 5, 0, 175)
    assert figures["range_f1"] == 1.0


def test_what_cannot_be_run_is_said(tmp_path, capsys):
    (tmp_path / "nab").mkdir()
    assert series.main(["--data", str(tmp_path), "--collections", "nab"]) == 2
    assert "combined_windows.json" in capsys.readouterr().err
    assert series.main([]) == 2
