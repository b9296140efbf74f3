"""One progress line that behaves in a terminal, a notebook and a log file."""

import sys
import time

from skanomaly.backend import keras

_LOG_LINES = 10


class Progress(keras.callbacks.Callback):
    """Shows epoch, loss and time left on standard error.

    A terminal sees one line that is redrawn a few times a second, and so does a notebook, which
    keeps the last one alone. A file sees at most ten lines, one for every tenth of the epochs.
    The time left is told from the second epoch on: the first one holds the compilation.

    Parameters
    ----------
    label : str
        Name at the start of the line.
    stream : file, default=None
        Where to write; None takes ``sys.stderr`` as it is when training begins.
    """

    #: Tells the training loop that the model need not be up to date.
    reads_logs_alone = True

    def __init__(self, label, stream=None):
        super().__init__()
        self.label, self.given = label, stream

    def on_train_begin(self, logs=None):
        """Note the time and find out what kind of stream it is."""
        self.stream = self.given or sys.stderr
        self.output = _NotebookLine() if self.given is None and _in_notebook() else None
        self.redraws = self.output is not None or self.stream.isatty()
        self.started, self.drawn, self.width = time.monotonic(), 0.0, 0
        self.first = self.compiled = None

    def on_epoch_begin(self, epoch, logs=None):
        """Remember where this training started (a warm start goes on counting)."""
        self.first = epoch if self.first is None else self.first

    def on_epoch_end(self, epoch, logs=None):
        """Draw the line when it is due."""
        self.epoch, self.logs = epoch, dict(logs or {})
        done, total = epoch + 1 - self.first, self.params["epochs"] - self.first
        now = time.monotonic()
        self.compiled = now if self.compiled is None else self.compiled
        if self.redraws and (now - self.drawn > 0.1 or done == total):
            self.drawn = now
            self._redraw(self._line(done, total, now))
        elif not self.redraws and done * _LOG_LINES // total > (done - 1) * _LOG_LINES // total:
            self._write(self._line(done, total, now) + "\n")

    def on_train_end(self, logs=None):
        """Finish the line."""
        if self.redraws and self.width:
            total = self.params["epochs"] - self.first
            self._redraw(self._line(self.epoch + 1 - self.first, total, time.monotonic()))
            if self.output is None:
                self._write("\n")

    def _line(self, done, total, now):
        values = "  ".join(f"{name} {value:.4g}" for name, value in self.logs.items())
        times = f"{now - self.started:.1f}s"
        if 1 < done < total:
            left = (now - self.compiled) / (done - 1) * (total - done)
            times += f", {left:.0f}s left"
        return f"{self.label}: epoch {done}/{total}  {values}  [{times}]"

    def _redraw(self, line):
        if self.output is None:
            self._write("\r" + line.ljust(self.width))
        else:
            self.output.show(line)
        self.width = len(line)

    def _write(self, text):
        self.stream.write(text)
        self.stream.flush()


def _in_notebook():
    """Tell whether a Jupyter kernel runs this code, which shows what is displayed."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "ipykernel" in sys.modules and shell is not None


class _NotebookLine:
    """One line of a notebook's output, replaced by what comes later."""

    def __init__(self):
        self.handle = None

    def show(self, line):
        from IPython.display import display

        content = {"text/plain": line}
        if self.handle is None:
            self.handle = display(content, raw=True, display_id=True)
        else:
            self.handle.update(content, raw=True)
