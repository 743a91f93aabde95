"""What a case is, what would be good, and what all cases are given."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.measuring import Outcome
from benchmarks.pictures import Pictures

PER_LAP = 100_000  # numbers that one lap may use, so that no two laps ask for the same picture


class CannotMeasureError(Exception):
    """This machine does not tell what the case needs. The text is a sentence for the reader."""


@dataclass(frozen=True)
class Bench:
    """How much to measure, with which pictures, and a folder of this run for what must be written."""

    rounds: int
    quick: bool
    pictures: Pictures
    folder: Path
    _laps: Iterator[int] = field(default_factory=itertools.count)

    def operations(self, full: int) -> int:
        """Operations in a round: ``full``, or a tenth when it has to be quick."""
        return max(2, full // 10) if self.quick else full

    def seconds(self, full: float) -> float:
        """How long a round of load is: ``full``, or a good deal less when it has to be quick."""
        return min(full, 0.4) if self.quick else full

    def fresh_numbers(self) -> int:
        """The first of as many numbers as a lap may use, given to no other: a number makes a new picture."""
        return next(self._laps) * PER_LAP


@dataclass(frozen=True)
class Goal:
    """How good the ratio is to be. ``more``: the larger the better; ``limit``: what physics allows, in words."""

    bound: float
    limit: str
    more: bool = False

    def reached(self, ratio: float) -> bool:
        """Whether a ratio, as it is shown, is as good as that."""
        shown = round(ratio, 2)
        return shown >= self.bound if self.more else shown <= self.bound


@dataclass(frozen=True)
class Case:
    """One line of the table: what is measured, against what, and how good it is to be.

    The values of an outcome are seconds, bytes or requests a second, as ``unit`` says.
    """

    name: str
    ours: str
    baseline: str
    unit: Literal["seconds", "bytes", "rate"]
    run: Callable[[Bench], Outcome]
    goal: Goal | None = None
