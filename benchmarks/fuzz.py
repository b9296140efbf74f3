"""Hostile input for every public estimator, function and rule: what becomes of it, by class.

    python benchmarks/fuzz.py --cases 20000
    python benchmarks/fuzz.py --case 1234  # one case again, with its traceback

The cases are those of ``tests/hostile``; the tests run the first thousand. Exit status 1 tells
that some case ended in a fault.
"""

import argparse
import collections
import sys
import time
import warnings
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from hostile import cases
from hostile.outcomes import ANSWER, REFUSAL, outcome

#: A case that takes longer, in seconds, is told: something may hang or grow.
_SLOW = 60.0


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20_000, help="number of cases")
    parser.add_argument("--start", type=int, default=0, help="number of the first case")
    parser.add_argument("--case", type=int, help="run this one case and show its traceback")
    parser.add_argument("--quick", action="store_true", help="few cases, to see that it runs")
    options = parser.parse_args(arguments)
    if options.case is not None:
        name, call = cases.make(options.case)
        print(name)
        call()
        return 0
    numbers = range(options.start, options.start + (50 if options.quick else options.cases))
    table, faults = run(numbers)
    print(report(table))
    print(*faults, sep="\n")
    return int(bool(faults))


def run(numbers):
    """Return how many cases of each kind ended in each class, and a line for every fault."""
    table, faults = collections.defaultdict(collections.Counter), []
    warnings.simplefilter("ignore")
    for number in numbers:
        started = time.perf_counter()
        name, call = cases.make(number)
        kind, detail = outcome(call)
        table[name.split()[0]][kind] += 1
        seconds = time.perf_counter() - started
        if kind not in (ANSWER, REFUSAL):
            faults.append(f"case {number}, {name}: {kind}. {detail}")
        elif seconds > _SLOW:
            print(f"case {number}, {name} took {seconds:.0f} s", file=sys.stderr)
    return table, faults


def report(table):
    """Return the table of outcomes as text: kinds of cases down, classes across."""
    classes = [ANSWER, REFUSAL]
    classes += sorted({c for row in table.values() for c in row} - set(classes))
    lines = [f"{'kind of case':<14}" + "".join(f"{c[:22]:>24}" for c in classes)]
    total = collections.Counter()
    for kind, row in sorted(table.items()):
        total.update(row)
        lines.append(f"{kind:<14}" + "".join(f"{row[c]:>24}" for c in classes))
    lines.append(f"{'all':<14}" + "".join(f"{total[c]:>24}" for c in classes))
    faults = sum(total.values()) - total[ANSWER] - total[REFUSAL]
    lines.append(f"{faults} of {sum(total.values())} outside the first two classes")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
