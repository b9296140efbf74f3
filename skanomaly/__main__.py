"""Let ``python -m skanomaly`` run the command line, as the console script does."""

from skanomaly.cli._main import run

if __name__ == "__main__":
    run()
