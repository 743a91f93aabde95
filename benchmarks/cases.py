"""What a case is, and what all of them are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.measuring import Outcome
from benchmarks.pictures import Pictures


class CannotMeasureError(Exception):
    """This machine does not tell what the case needs. The text is a sentence for the reader."""


@dataclass(frozen=True)
class Bench:
    """How much to measure, with which pictures, and a folder of this run for what must be written."""

    rounds: int
    quick: bool
    pictures: Pictures
    folder: Path

    def operations(self, full: int) -> int:
        """Operations in a round: ``full``, or a tenth when it has to be quick."""
        return max(2, full // 10) if self.quick else full


@dataclass(frozen=True)
class Case:
    """One line of the table: what is measured, against what, in seconds or bytes."""

    name: str
    ours: str
    baseline: str
    unit: Literal["seconds", "bytes"]
    run: Callable[[Bench], Outcome]
