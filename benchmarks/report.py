"""How outcomes are shown: a table for the terminal, 100 columns wide at most, and JSON for programs."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Sequence
from typing import Any

import PIL

from benchmarks.cases import Case, Goal
from benchmarks.edit_cases import fast_extra
from benchmarks.load import generator
from benchmarks.measuring import Figures, Outcome, Ratio

WIDTH = 100
_COLUMNS = (
    # title, width: 100 in all with one blank between two
    ("case", 13),
    ("ratio", 6),
    ("spread", 12),
    ("goal", 7),
    ("reached", 7),
    ("limit", 5),
    ("ours", 10),
    ("baseline", 10),
    ("CPU", 9),
    ("base", 9),
)
_LEGEND = """\
ratio     ours / baseline: of CPU where the baseline says so, else of what is shown; of requests a
          second or the CPU of each, whichever is worse. Both sides in turn in this run: medians.
spread    the lowest and the highest ratio of a round. limit: what physics would allow.
CPU       of the server for one operation, all threads, and of its baseline."""


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "python": platform.python_version(),
        "pillow": PIL.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "client": generator(),
        "fast_extra": fast_extra(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def heading(rounds: int, facts: dict[str, Any]) -> str:
    """The lines above the first case."""
    load = "" if facts["load"] is None else f", load {facts['load']} at the start"
    return "\n".join(
        [
            f"venice-mock benchmarks, {rounds} rounds of each side in turn",
            f"Python {facts['python']}, Pillow {facts['pillow']}, {facts['system']}, {facts['cores']} cores{load}",
            f"load by {facts['client']}; the fast extra is {'' if facts['fast_extra'] else 'not '}installed",
            "",
            _line([title for title, _ in _COLUMNS]),
            "-" * WIDTH,
        ]
    )


def row(case: Case, outcome: Outcome) -> str:
    """One case as a line, and a second one when its baseline is broken."""
    ours, baseline, judged = outcome.ours, outcome.baseline, outcome.judged
    goal = case.goal
    cells = [case.name]
    if outcome.broken:
        cells += ["broken", ""]
    else:
        cells += ["", ""] if judged is None else [_number(judged.median), _spread(judged)]
    cells += ["", "", ""] if goal is None else [bound(goal), verdict(case, outcome), _limit(goal)]
    cells += [_amount(side.median, case.unit) for side in (ours, baseline)]
    cells += [_cpu(ours), _cpu(baseline)]
    line = _line(cells)
    return f"{line}\n  {outcome.broken}" if outcome.broken else line


def _limit(goal: Goal) -> str:
    """The limit's number; a limit in words has no place in the table."""
    number = goal.limit.split()[0]
    return number if number[0].isdigit() else ""


def bound(goal: Goal) -> str:
    """The goal in a word: >=0.8 or <=1.15."""
    return f"{'>=' if goal.more else '<='}{goal.bound:g}"


def verdict(case: Case, outcome: Outcome) -> str:
    """Whether the goal was reached: yes, no, or ? where nothing is known."""
    if case.goal is None:
        return ""
    if outcome.broken or outcome.judged is None:
        return "?"
    return "yes" if case.goal.reached(outcome.judged.median) else "no"


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
    told: dict[str, Any] = {
        "name": case.name,
        "ours_is": case.ours,
        "baseline_is": case.baseline,
        "unit": case.unit,
    }
    told["goal"] = None if case.goal is None else dataclasses.asdict(case.goal)
    told["reached"] = None if outcome is None else {"yes": True, "no": False}.get(verdict(case, outcome))
    empty = {field.name: None for field in dataclasses.fields(Outcome)}
    found = empty if outcome is None else dataclasses.asdict(outcome)
    if found["broken"]:
        found |= {"ratio": None, "cpu_ratio": None, "judged": None}
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
    if unit == "rate":
        return f"{value:.{0 if value >= 100 else 1}f} rps"
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
