"""How the server's process keeps its memory: what is large goes back to the system, what is small stays at hand.

glibc raises the size from which it maps memory whenever a larger block is freed, up to 32 MB. From then on bodies
of 25 MB lie between small things and do not go back: after 24 JSON edits of 33 MB each, eight at a time, 305 MB
stayed, and 170 with these thresholds. The pictures of an ordinary edit, of 4 MB each, are no longer asked of the
system and given back one by one: 118 ms of CPU for a 1 MP edit instead of 125. With two arenas instead of one a thread
the peak of 16 such edits at once fell from 462 MB over the idle server to 401, at the same CPU.
"""

from __future__ import annotations

import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt(3)
_LARGE = 16 << 20  # four times the pixels of an ordinary output
_KEPT = 32 << 20
_ARENAS = 2  # each keeps as much for itself


def settle() -> bool:
    """Set it for this process; False where the C library is not glibc and knows better or worse by itself."""
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    wanted = ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _KEPT), (_ARENA_MAX, _ARENAS))
    return all(mallopt(name, value) for name, value in wanted)
