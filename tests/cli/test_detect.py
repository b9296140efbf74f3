"""``skanomaly detect``: what is refused before the time for training is spent."""

import pytest
from command_line import FITS, assert_refused


@pytest.mark.parametrize("report", ["r.html", "./r.html", "link.html"])
def test_one_file_cannot_be_both_outputs(run, wine, report):
    folder = wine.parent
    (folder / "link.html").symlink_to(folder / "r.html")
    said = ["--out", folder / "r.html", "--format", "csv", "--report", f"{folder}/{report}"]
    assert_refused(run("detect", wine, *said), "--out and --report are the same file")
    assert not FITS
