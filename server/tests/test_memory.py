"""What the server's process does with memory that it no longer needs."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# Bodies come and go while small things stay, as sessions and journal entries do.
TRAFFIC = """
import resource
from pathlib import Path
from venice_mock import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

assert memory.settle()
before, small = resident(), []
for _ in range(3):
    large = []
    for _ in range(4):
        large.append(bytearray(b"x") * (24 << 20))
        small.append(bytearray(100_000))
    del large
assert resident() - before < 48 << 20, (resident() - before) >> 20
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_memory_of_large_bodies_goes_back_to_the_system_while_small_things_stay() -> None:
    subprocess.run([sys.executable, "-c", TRAFFIC], check=True, timeout=60)
