"""Hostile input gives a finite answer of the right shape, or a refusal that helps.

The generator is in ``tests/hostile``; ``benchmarks/fuzz.py`` runs more of it.
"""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from hostile import cases
from hostile.outcomes import ANSWER, REFUSAL, outcome

#: Cases, in as many tests as share them out well over processes.
N_CASES, N_PARTS = 1000, 10


@pytest.mark.parametrize("part", range(N_PARTS))
def test_hostile_input_is_answered_or_refused(part):
    faults = []
    for number in range(part, N_CASES, N_PARTS):
        name, call = cases.make(number)
        kind, detail = outcome(call)
        if kind not in (ANSWER, REFUSAL):
            faults.append(f"case {number}, {name}: {kind}. {detail}")
    assert not faults, "\n".join(faults)


def test_the_generator_repeats_itself():
    for number in range(20):
        assert cases.make(number)[0] == cases.make(number)[0]
