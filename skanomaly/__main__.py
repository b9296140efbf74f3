"""Let ``python -m skanomaly`` run the command line, as the console script does."""

import os
import signal


def run():
    """Run the command line, which an interrupt ends with code 130 even while it is loaded."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from skanomaly.cli._main import run

    run()


if __name__ == "__main__":
    run()
