"""Figures: rounds that alternate between ours and the baseline, and what is made of them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# A server cannot do more than its baseline in less time: below this the baseline is wrong, not the server good.
IMPOSSIBLE = 0.95


@dataclass(frozen=True, slots=True)
class Lap:
    """One round of one side: a value for each operation, and CPU seconds an operation, where known."""

    values: list[float]
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """One side of a case over all rounds. With fewer than 100 values p99 is the largest of them.

    ``cpu`` is the median over the rounds of the CPU seconds an operation.
    """

    count: int
    median: float
    p99: float
    cpu: float | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours divided by the baseline, by round: the median round, the lowest and the highest."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one case gave. ``ratio`` is of the medians of a round, ``cpu_ratio`` of its CPU time.

    Where ``broken`` holds a sentence, the ratios are not to be believed.
    """

    ours: Figures
    baseline: Figures
    ratio: Ratio
    cpu_ratio: Ratio | None
    broken: str | None


def in_process(work: Callable[[], object], operations: int) -> Lap:
    """One round of something that runs in this process."""
    seconds, cpu = [], time.process_time()
    for _ in range(operations):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return Lap(seconds, (time.process_time() - cpu) / operations)


def interleave(
    rounds: int, ours: Callable[[], Lap], baseline: Callable[[], Lap]
) -> tuple[list[Lap], list[Lap]]:
    """Both sides in turn, A B A B, after one round that only warms them up."""
    laps: list[tuple[Lap, Lap]] = [(ours(), baseline()) for _ in range(rounds + 1)]
    return [lap for lap, _ in laps[1:]], [lap for _, lap in laps[1:]]


def compare(ours: Sequence[Lap], baseline: Sequence[Lap], quantity: str = "time") -> Outcome:
    """The outcome of a case from as many rounds of the one side as of the other, at least one.

    ``quantity`` is what the values are of.
    """
    ratio = _ratio(
        [statistics.median(lap.values) for lap in ours], [statistics.median(lap.values) for lap in baseline]
    )
    ours_cpu, baseline_cpu = _cpu(ours), _cpu(baseline)
    cpu_ratio = _ratio(ours_cpu, baseline_cpu) if ours_cpu and baseline_cpu else None
    broken = _impossible({quantity: ratio, "CPU": cpu_ratio})
    return Outcome(figures(ours), figures(baseline), ratio, cpu_ratio, broken)


def figures(laps: Sequence[Lap]) -> Figures:
    """Median and p99 of all values of all rounds."""
    values = sorted(value for lap in laps for value in lap.values)
    cpu = _cpu(laps)
    p99 = values[math.ceil(0.99 * len(values)) - 1]
    return Figures(len(values), statistics.median(values), p99, statistics.median(cpu) if cpu else None)


def _cpu(laps: Sequence[Lap]) -> list[float]:
    """CPU by round; nothing at all when a round lacks it."""
    known = [lap.cpu for lap in laps if lap.cpu is not None]
    return known if len(known) == len(laps) else []


def _ratio(ours: Sequence[float], baseline: Sequence[float]) -> Ratio:
    by_round = [above / below for above, below in zip(ours, baseline, strict=True)]
    return Ratio(statistics.median(by_round), min(by_round), max(by_round))


def _impossible(ratios: dict[str, Ratio | None]) -> str | None:
    wrong = [
        f"{name} {ratio.median:.2f} of it"
        for name, ratio in ratios.items()
        if ratio is not None and ratio.median < IMPOSSIBLE
    ]
    return f"broken baseline: ours does more and takes {' and '.join(wrong)}" if wrong else None
