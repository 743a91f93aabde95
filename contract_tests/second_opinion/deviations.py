"""The list of deviations that have a reason, and which of them a failure is.

Standard library only, because two environments read it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LISTED = Path(__file__).with_name("deviations.toml")
_NEEDED = {"operation", "check", "says", "reason"}
_KNOWN = _NEEDED | {"runs"}


@dataclass(frozen=True, slots=True)
class Failure:
    """What a check found: the check's name, and all that it and the server's answer say."""

    operation: str
    check: str
    said: str


@dataclass(frozen=True, slots=True)
class Deviation:
    """One entry. ``says`` is searched in what was said; ``runs``, if any, are words of which a run's name has one."""

    operation: str
    check: str
    says: re.Pattern[str]
    reason: str
    runs: tuple[str, ...] = ()

    def applies_to(self, run: str) -> bool:
        """Whether the run can meet it."""
        return not self.runs or not set(self.runs).isdisjoint(run.split())

    def covers(self, failure: Failure) -> bool:
        """Whether the failure is this one."""
        return (
            failure.operation == self.operation
            and failure.check == self.check
            and self.says.search(failure.said) is not None
        )

    def __str__(self) -> str:
        only = f" ({', '.join(self.runs)})" if self.runs else ""
        return f"{self.operation}, {self.check}, /{self.says.pattern}/{only}"


def load_deviations(path: Path = LISTED) -> tuple[Deviation, ...]:
    """The entries in the file's order. Raises ValueError with the entry's number if one is not as it should be."""
    entries: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8")).get("deviation", [])
    return tuple(_read(number, entry) for number, entry in enumerate(entries, 1))


def first_covering(deviations: Iterable[Deviation], run: str, failure: Failure) -> Deviation | None:
    """The entry that explains the failure in this run, if there is one."""
    return next((d for d in deviations if d.applies_to(run) and d.covers(failure)), None)


def _read(number: int, entry: dict[str, Any]) -> Deviation:
    where = f"deviation {number}"
    if entry.keys() - _KNOWN or _NEEDED - entry.keys():
        raise ValueError(f"{where}: expected {', '.join(sorted(_NEEDED))} and perhaps runs")
    if not all(isinstance(entry[key], str) and entry[key].strip() for key in _NEEDED):
        raise ValueError(f"{where}: {', '.join(sorted(_NEEDED))} are texts")
    try:
        says = re.compile(entry["says"])
    except re.error as error:
        raise ValueError(f"{where}: says is no regular expression: {error}") from None
    return Deviation(entry["operation"], entry["check"], says, entry["reason"], tuple(entry.get("runs", ())))
