"""badge.json for shields.io's endpoint badge, and the same as one line of Markdown."""

from __future__ import annotations

import json
from urllib.parse import quote

from venice_contract.reports.figures import unreached, whole
from venice_contract.reports.wording import count, state
from venice_contract.running.results import RunResult

_COLOURS = {0: "brightgreen", 1: "red", 2: "lightgrey", 3: "yellow", 4: "lightgrey"}


def badge_json(result: RunResult) -> str:
    """The text of badge.json."""
    shape = {
        "schemaVersion": 1,
        "label": _label(result),
        "message": _message(result),
        "color": _COLOURS[result.exit_code],
    }
    return json.dumps(shape) + "\n"


def badge_line(result: RunResult) -> str:
    """A picture for a README. It holds the result itself, and so is drawn anew after each run."""
    words = "-".join(_escaped(word) for word in (_label(result), _message(result)))
    alt = f"{_label(result)}: {_message(result)}"
    return f"![{alt}](https://img.shields.io/badge/{words}-{_COLOURS[result.exit_code]})"


def _label(result: RunResult) -> str:
    kept = "".join(c for c in result.edition if c.isalnum() or c in "-._ ")
    return f"venice-contract {kept}".strip()


def _message(result: RunResult) -> str:
    counts = whole(result)
    if not result.rules:
        return state(result).lower()
    parts = [f"{counts.passed} passed"]
    parts += [f"{counts.failed} failed"] if counts.failed else []
    missing = len(unreached(result))
    errors = counts.harness - missing
    parts += [count(errors, "harness error")] if errors else []
    parts += [f"{missing} not reached"] if missing else []
    parts += [f"{len(result.untested)} untested"] if result.untested else []
    return f"{state(result).lower()}, {', '.join(parts)}"


def _escaped(word: str) -> str:
    """shields.io's own escapes (a dash parts the fields), then those of an address."""
    return quote(word.replace("-", "--").replace("_", "__"), safe="")
