"""Figures: rounds that alternate between ours and the baseline, and what is made of them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

# A server cannot do more than its baseline in less time: below this the baseline is wrong, not the server good.
IMPOSSIBLE = 1 / 1.05


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

    ``judged`` is the one that the goal is about; None where CPU was to be judged and is not told. Where ``broken``
    holds a sentence, the ratios are not to be believed.
    """

    ours: Figures
    baseline: Figures
    ratio: Ratio
    cpu_ratio: Ratio | None
    judged: Ratio | None
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


Judged = Literal["value", "cpu", "rate"]


def compare(
    ours: Sequence[Lap],
    baseline: Sequence[Lap],
    quantity: str = "time",
    *,
    judged: Judged = "value",
    floor: bool = True,
) -> Outcome:
    """The outcome of a case from as many rounds of the one side as of the other, at least one.

    ``quantity`` is what the values are of. ``judged`` says which ratio counts: that of the values, that of the CPU,
    or, for requests a second, the worse of the two, since a client that is too slow makes both sides alike in
    requests but not in CPU. ``floor``: the baseline does less than we do, so that to be better is to be wrong.
    """
    ratio = _ratio(
        [statistics.median(lap.values) for lap in ours], [statistics.median(lap.values) for lap in baseline]
    )
    ours_cpu, baseline_cpu = _cpu(ours), _cpu(baseline)
    cpu_ratio = _ratio(ours_cpu, baseline_cpu) if ours_cpu and baseline_cpu else None
    looked_at = {"CPU": cpu_ratio} if judged == "cpu" else {quantity: ratio, "CPU": cpu_ratio}
    broken = _impossible(looked_at, rates=judged == "rate") if floor else None
    counts = {"value": ratio, "cpu": cpu_ratio, "rate": _worse(ratio, cpu_ratio)}[judged]
    return Outcome(figures(ours), figures(baseline), ratio, cpu_ratio, counts, broken)


def _worse(rate: Ratio, cpu: Ratio | None) -> Ratio:
    """Of a ratio of requests a second and one of CPU time, turned over, the lower."""
    if cpu is None:
        return rate
    turned = Ratio(1 / cpu.median, 1 / cpu.high, 1 / cpu.low)
    return min(rate, turned, key=lambda ratio: ratio.median)


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


def _impossible(ratios: dict[str, Ratio | None], *, rates: bool) -> str | None:
    wrong = []
    for name, ratio in ratios.items():
        if ratio is None:
            continue
        cost = 1 / ratio.median if rates and name != "CPU" else ratio.median
        if cost < IMPOSSIBLE:
            wrong.append(f"{name} {ratio.median:.2f} of it")
    return f"broken baseline: ours does more and takes {' and '.join(wrong)}" if wrong else None
