"""Freed memory is kept for the next allocation."""

import subprocess
import sys

import pytest

# Page faults of a hundred arrays of 8 MB, each filled and freed.
FAULTS = """
import resource
import numpy as np
from advmip.memory import keep_freed_memory
if {kept}:
    keep_freed_memory()
def work():
    for _ in range(100):
        np.ones(2**20)
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is Linux's")
def test_large_short_lived_arrays_no_longer_fault_in_their_pages():
    def faults(kept):
        code = FAULTS.format(kept=kept)
        return int(subprocess.check_output([sys.executable, "-c", code], text=True))

    assert faults(True) < 1000
