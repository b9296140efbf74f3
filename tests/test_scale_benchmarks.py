"""The benchmarks of scale and of a GPU run at their smallest size, on any machine."""

import sys
from pathlib import Path

import keras
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
if not (FOLDER / "scale.py").exists():
    pytest.skip("the benchmarks do not come with an installed package", allow_module_level=True)
sys.path.append(str(FOLDER))
import gpu  # noqa: E402
import scale  # noqa: E402

from skanomaly.detectors import _recipes  # noqa: E402


def named(figures):
    return {line[-3]: float(line[-2]) for line in figures.lines}


@pytest.fixture(autouse=True)
def briefly(monkeypatch):
    """Train the default recipe for 20 steps: what is tested is that the scripts work."""
    monkeypatch.setitem(_recipes.AUTOENCODER["multiscale"], "max_steps", 20)


def test_stages_agreement_and_many_models(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scale, "RESULTS", tmp_path)
    found = named(scale.main(["--quick", "--only", "stages", "agreement", "models"]))
    assert found["correlation of scores"] > 0.9
    assert min(found["hash"], found["each further model, median"]) > 0
    assert len((tmp_path / "scale_quick.csv").read_text().splitlines()) == len(found) + 1


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="the roofline is measured on JAX")
def test_a_gpu_is_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "RESULTS", tmp_path)
    found = named(gpu.main(["--quick"]))
    assert found["training, wide, batch 256"] > 0
    assert found["training, default, batch 256, of the roofline"] > 0
    assert found["scores here and on the CPU: rank correlation"] > 0.9999


def test_what_would_come_too_late_is_left_out_and_named(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "LIMIT_S", -1)
    figures = gpu.Figures()
    gpu.agreement(figures, quick=True)
    assert figures.lines == []
    assert "left out after -1 s: scores on the CPU" in capsys.readouterr().out
