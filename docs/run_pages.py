"""Runs the code of every page in a process of its own; ``python docs/run_pages.py [PAGE ...]``.

A reader copies a page's code into a new interpreter, where nobody has chosen a backend or imported
anything. Doctests of all pages in one process would not notice what one page owes to another. What
is printed is compared, and a deprecation warning is an error. Exit status 1 where a page fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
CODE = (
    "import doctest, sys; options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS;"
    "found = doctest.testfile(sys.argv[1], module_relative=False, optionflags=options);"
    "sys.exit(found.failed and f'{found.failed} of {found.attempted} examples failed')"
)


def pages_with_code():
    """Return the pages that hold examples, long ones first."""
    pages = [page for page in HERE.glob("*.rst") if ">>> " in page.read_text("utf-8")]
    return sorted(pages, key=lambda page: (-page.read_text("utf-8").count(">>> "), page))


def run(page):
    """Run a page; return it, the seconds it took, and what went wrong."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        keep = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
        environment = {**keep, "KERAS_HOME": folder, "MPLBACKEND": "agg", "COLUMNS": "80"}
        command = [sys.executable, "-W", "error::DeprecationWarning", "-c", CODE, str(page)]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    wrong = done.stdout + done.stderr if done.returncode else ""
    return page, time.monotonic() - start, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path, help="some pages; all of them by default")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    arguments = parser.parse_args()
    pages = [page.resolve() for page in arguments.pages] or pages_with_code()
    n_failed = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for page, seconds, wrong in pool.map(run, pages):
            print(f"{page.name:28} {seconds:5.1f} s  {'FAILED' if wrong else 'ok'}", flush=True)
            n_failed += bool(wrong)
            print(wrong, end="")
    print(f"{len(pages)} pages, {n_failed} failed")
    return bool(n_failed)


if __name__ == "__main__":
    sys.exit(main())
