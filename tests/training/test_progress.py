"""One line in a terminal, ten in a file."""

import io
import re

import pytest

from skanomaly import AutoencoderDetector
from skanomaly.training._progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def trained(stream, epochs, first=0, total=None):
    """Play the epochs of a training to a `Progress`."""
    progress = Progress("fit", stream)
    progress.set_params({"epochs": total or first + epochs})
    progress.on_train_begin()
    for epoch in range(first, first + epochs):
        progress.on_epoch_begin(epoch)
        progress.on_epoch_end(epoch, {"loss": 1 / (epoch + 1), "val_loss": 0.5})
    progress.on_train_end()
    return stream.getvalue()


@pytest.mark.parametrize(("epochs", "lines"), [(1, 1), (7, 7), (10, 10), (100, 10), (1234, 10)])
def test_a_file_sees_at_most_ten_lines(epochs, lines):
    text = trained(io.StringIO(), epochs)
    assert len(text.splitlines()) == lines
    assert "\r" not in text
    last = rf"fit: epoch {epochs}/{epochs}  loss {1 / epochs:.4g}  val_loss 0\.5  \[.*s\]"
    assert re.fullmatch(last, text.splitlines()[-1])


def test_a_terminal_sees_one_line():
    text = trained(Terminal(), 300)
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert text.startswith("\rfit: epoch 1/300")
    assert "epoch 300/300" in text.rsplit("\r", 1)[1]
    assert text.count("\r") < 30  # a few times a second, not at every epoch


def test_a_notebook_sees_one_line_though_it_is_no_terminal(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ipykernel", object())
    text = trained(io.StringIO(), 50)
    assert text.count("\n") == 1
    assert "\r" in text


def test_a_shorter_line_covers_a_longer_one():
    progress = Progress("fit", Terminal())
    progress.on_train_begin()
    progress._redraw("long line")
    progress._redraw("short")
    assert progress.stream.getvalue() == "\rlong line\rshort    "


def test_a_warm_start_counts_its_own_epochs():
    assert "epoch 5/5" in trained(io.StringIO(), 5, first=10).splitlines()[-1]


def test_stopping_early_finishes_the_line():
    text = trained(Terminal(), 3, total=50)
    assert text.endswith("\n")
    assert "epoch 3/50" in text


def test_training_without_epochs_writes_nothing():
    assert trained(Terminal(), 0, total=5) == ""


def test_a_detector_writes_to_standard_error(capsys):
    AutoencoderDetector("plain", epochs=2, verbose=1).fit([[0.0], [1.0], [2.0]])
    written = capsys.readouterr()
    assert written.out == ""
    assert "AutoencoderDetector: epoch 2/2  loss" in written.err
    AutoencoderDetector("plain", epochs=2).fit([[0.0], [1.0], [2.0]])
    assert capsys.readouterr().err == ""
