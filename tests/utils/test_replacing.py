"""Files that are written whole or not at all."""

import os
import threading

import pytest

from skanomaly.utils._replacing import replace


def test_errors_name_the_path_that_was_given(tmp_path):
    for path in (tmp_path / "none" / "f", tmp_path):
        with pytest.raises(OSError) as caught:
            replace(path, b"new")
        assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="pipes with names")
def test_a_pipe_stays_one(tmp_path):
    os.mkfifo(tmp_path / "p")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "p").read_bytes()))
    reader.start()
    replace(tmp_path / "p", b"new")
    reader.join(10)
    assert read == [b"new"]
    assert (tmp_path / "p").is_fifo()
