"""Files of every release load in this version, and give the scores that they gave then."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from skanomaly.io import info, load

HERE = Path(__file__).parent
FILES = sorted((HERE / "data").glob("*/*.skops"))
GOLDEN = runpy.run_path(str(HERE / "golden.py"))

pytestmark = pytest.mark.core


def test_there_are_files_of_this_version_or_an_earlier_one():
    assert {path.stem for path in FILES} >= {"autoencoder", "plain", "windowed", "conformal"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_file_scores_as_it_did(path):
    rows = GOLDEN["rows_of"](path.stem)
    expected = np.load(path.parent / "scores.npz")[path.stem]
    np.testing.assert_allclose(load(path).score_samples(rows), expected, rtol=1e-4, atol=1e-6)
    assert info(path)["skanomaly"] == path.parent.name


def test_golden_files_are_small():
    assert max(path.stat().st_size for path in FILES) < 200_000
