"""Let ``python -m skanomaly`` run the command line."""

import sys

from skanomaly.cli._main import main

if __name__ == "__main__":
    sys.exit(main())
