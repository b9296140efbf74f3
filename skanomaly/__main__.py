"""Let ``python -m skanomaly`` run the command line."""

import sys

from skanomaly._cli import main

if __name__ == "__main__":
    sys.exit(main())
