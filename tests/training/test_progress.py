"""One line in a terminal, ten in a file."""

import io
import re
import sys
from types import ModuleType, SimpleNamespace

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
    return stream and stream.getvalue()


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


class Shell:
    """What a notebook's output holds: one content for each handle, the last one."""

    def __init__(self):
        self.outputs = []

    def display(self, content, raw, display_id):
        assert raw
        assert display_id
        self.outputs.append([content])
        return SimpleNamespace(update=lambda content, raw: self.outputs[-1].append(content))


def test_a_notebook_keeps_one_line_in_an_output_of_its_own(monkeypatch, capsys):
    shell = Shell()
    for name in ("ipykernel", "IPython"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["IPython"].get_ipython = lambda: shell
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shell.display))
    trained(None, 50)
    (shown,) = shell.outputs
    assert "epoch 50/50" in shown[-1]["text/plain"]
    assert len(shown) < 10  # a few times a second
    assert capsys.readouterr().err == ""


def test_without_a_shell_nothing_is_displayed(monkeypatch, capsys):
    for name in ("ipykernel", "IPython"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["IPython"].get_ipython = lambda: None
    trained(None, 50)
    written = capsys.readouterr()
    assert written.out == ""
    assert "epoch 50/50" in written.err


def test_the_time_left_does_not_count_the_first_epoch(monkeypatch):
    clock = iter([0.0, 100.0, 101.0, 102.0, 103.0, 103.0])
    monkeypatch.setattr("skanomaly.training._progress.time.monotonic", lambda: next(clock))
    lines = trained(io.StringIO(), 4).splitlines()
    assert "left" not in lines[0]
    assert lines[1].endswith("[101.0s, 2s left]")
    assert lines[2].endswith("[102.0s, 1s left]")


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
