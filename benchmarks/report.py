"""How outcomes are shown: a table for the terminal, 100 columns wide at most, and JSON for programs."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Sequence
from typing import Any

import PIL

from benchmarks.cases import Case
from benchmarks.measuring import Figures, Outcome, Ratio

WIDTH = 100
_COLUMNS = (
    # title, width: 100 in all with one blank between two
    ("case", 16),
    ("n", 5),
    ("median", 9),
    ("p99", 9),
    ("baseline", 9),
    ("ratio", 7),
    ("spread", 12),
    ("CPU", 9),
    ("base", 9),
    ("ratio", 6),
)
_LEGEND = """\
ratio   ours / baseline, both measured in this run in alternating rounds; 1.0 is the least possible.
spread  the lowest and the highest ratio of a round. n: our operations. p99 of n < 100: the largest.
CPU     of the server for one operation, all threads, and of its baseline: steadier than the time."""


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "python": platform.python_version(),
        "pillow": PIL.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def heading(rounds: int, facts: dict[str, Any]) -> str:
    """The lines above the first case."""
    load = "" if facts["load"] is None else f", load {facts['load']} at the start"
    return "\n".join(
        [
            f"venice-mock benchmarks, {rounds} rounds of each side in turn",
            f"Python {facts['python']}, Pillow {facts['pillow']}, {facts['system']}, {facts['cores']} cores{load}",
            "",
            _line([title for title, _ in _COLUMNS]),
            "-" * WIDTH,
        ]
    )


def row(case: Case, outcome: Outcome) -> str:
    """One case as a line, and a second one when its baseline is broken."""
    ours, baseline, broken = outcome.ours, outcome.baseline, outcome.broken
    cells = [case.name, str(ours.count), *(_amount(value, case.unit) for value in (ours.median, ours.p99))]
    cells.append(_amount(baseline.median, case.unit))
    cells += ["broken", ""] if broken else [_number(outcome.ratio.median), _spread(outcome.ratio)]
    if outcome.cpu_ratio is not None:
        cells += [_cpu(ours), _cpu(baseline), "broken" if broken else _number(outcome.cpu_ratio.median)]
    line = _line(cells)
    return f"{line}\n  {broken}" if broken else line


def skipped(case: Case, reason: str) -> str:
    """The line of a case that cannot be measured here."""
    return f"{case.name:<{_COLUMNS[0][1]}} skipped: {reason}"


def footer(cases: Sequence[Case]) -> str:
    """What the columns and the cases mean."""
    lines = ["-" * WIDTH, _LEGEND, ""]
    for case in cases:
        lines += [f"{case.name:<{_COLUMNS[0][1]}} {case.ours}", f"{'':<{_COLUMNS[0][1]}} / {case.baseline}"]
    return "\n".join(lines)


def record(case: Case, outcome: Outcome | None, reason: str | None) -> dict[str, Any]:
    """One case for the JSON file. Values are seconds or bytes, as ``unit`` says; CPU is seconds."""
    told = {"name": case.name, "ours_is": case.ours, "baseline_is": case.baseline, "unit": case.unit}
    empty = {field.name: None for field in dataclasses.fields(Outcome)}
    found = empty if outcome is None else dataclasses.asdict(outcome)
    if found["broken"]:
        found |= {"ratio": None, "cpu_ratio": None}
    return {**told, **found, "skipped": reason}


def _line(cells: Sequence[str]) -> str:
    first, *rest = cells
    widths = [width for _, width in _COLUMNS]
    padded = [
        f"{first:<{widths[0]}}",
        *(f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=False)),
    ]
    return " ".join(padded).rstrip()


def _amount(value: float, unit: str) -> str:
    return f"{value / 2**20:.1f} MiB" if unit == "bytes" else _time(value)


def _time(seconds: float) -> str:
    milliseconds = seconds * 1000
    decimals = 0 if milliseconds >= 100 else 1 if milliseconds >= 10 else 2
    return f"{milliseconds:.{decimals}f} ms"


def _cpu(side: Figures) -> str:
    return "" if side.cpu is None else _time(side.cpu)


def _number(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def _spread(ratio: Ratio) -> str:
    return f"{_number(ratio.low)}..{_number(ratio.high)}"
