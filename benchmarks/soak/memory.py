"""Is memory flat? Pure: samples go in, a verdict comes out.

A process grows while it meets its first requests and fills its caches. So the first third of a run does not count,
and the median of the last third is held against that of the middle one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SHORTEST_S = 180.0  # a run that is over sooner is all warm-up
MOST_BYTES = 24 << 20
MOST_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident memory of one process. ``at``: seconds since the load began."""

    at: float
    resident: int


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes of one process. ``allowed``: how much more than ``before`` it may be at the end; None: not judged."""

    before: int
    after: int
    highest: int
    allowed: int | None

    @property
    def is_flat(self) -> bool:
        """False only for one that was judged and grew by more than is allowed."""
        return self.allowed is None or self.after - self.before <= self.allowed


def growth(samples: Sequence[Sample]) -> Growth:
    """What became of a process's memory. Raises ValueError without samples."""
    if not samples:
        raise ValueError("there are no samples of memory")
    end = samples[-1].at
    middle = [each.resident for each in samples if end / 3 <= each.at < end * 2 / 3]
    last = [each.resident for each in samples if each.at >= end * 2 / 3]
    before, after = int(median(middle or last)), int(median(last))
    allowed = None if end < SHORTEST_S else max(MOST_BYTES, int(before * MOST_SHARE))
    return Growth(before, after, max(each.resident for each in samples), allowed)
