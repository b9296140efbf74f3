"""Progress, notes and warnings on standard error, if there is one."""

import sys
import time

from skanomaly.cli._words import one_line


def say(line):
    """Say a line; a closed standard error hears nothing."""
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)


def say_nothing(line):
    """Hear a line and keep it."""


def sayer(arguments):
    """Return what says notes, or keeps them where the user asked for quiet."""
    return say_nothing if arguments.quiet else say


def show_warning(message, category, filename, lineno, file=None, line=None):
    """Show a warning as one line."""
    say(f"skanomaly: warning: {one_line(message)}")


class ScoringProgress:
    """One line of how far scoring is, redrawn in a terminal; silent elsewhere.

    The time left is estimated without the first rows: those wait for compilation.
    """

    def __init__(self, quiet):
        self.shows = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self.begun = None

    def update(self, rows, share):
        """Tell how many rows are scored, and the share of the file that is read, if known."""
        if not self.shows:
            return
        now, left = time.monotonic(), ""
        if self.begun is None:
            self.begun = now, rows, share
        elif share is not None and share > self.begun[2]:
            seconds = (now - self.begun[0]) / (share - self.begun[2]) * (1 - share)
            left = f", {share:.0%}, about {seconds:.0f} s left"
        sys.stderr.write(f"\r{rows:,} rows scored{left}".ljust(60))
        sys.stderr.flush()

    def close(self):
        """Finish the line."""
        if self.shows and self.begun is not None:
            sys.stderr.write("\r" + " " * 60 + "\r")
            sys.stderr.flush()
