"""Arrays of workers share pages."""

import sys

import pytest

CODE = """
import numpy as np, resource
from skanomaly.distributed._malloc import keep_pages

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        np.ones(2**18)  # two MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
before = faults()
print(keep_pages())
faults()
print(faults() < before / 5)
"""


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch):
    """A cluster of another test leaves its variables in this process."""
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that is set")
def test_arrays_of_a_worker_do_not_come_with_new_pages_each(fresh_python):
    assert fresh_python(CODE, MALLOC_TRIM_THRESHOLD_="65536").split() == ["True", "True"]


@pytest.mark.parametrize(
    "named", [{}, {"MALLOC_TRIM_THRESHOLD_": "1", "MALLOC_MMAP_THRESHOLD_": "1"}]
)
def test_what_the_user_decided_stays(fresh_python, named):
    code = "from skanomaly.distributed._malloc import keep_pages; print(keep_pages())"
    assert fresh_python(code, **named) == "False"
