"""Case files: one failing case each, with all that ``venice-contract replay`` needs to send it again.

The shape: ``{"format": 1, "rule", "check", "value", "edition", "accepted", "seed", "verdict", "sentence", "source",
"target", "curl": [one line for each exchange], "exchanges": [...]}``; exchanges as in ``shape``, bodies whole.
A body that no curl line can hold lies beside the case file, under the name that the line has.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from venice_contract.reports.figures import failing_cases
from venice_contract.reports.requests import Address, curl, judged, stands_in_line
from venice_contract.reports.shape import FORMAT, dumped, exchange_from_json, exchange_to_json, reading
from venice_contract.running.results import CaseResult, RunResult, Verdict
from venice_contract.wire.message import Exchange
from venice_contract.wire.target import is_loopback

FOLDER = "cases"
_MOCK = "asgi:venice_mock.asgi:make_app"
_LONGEST_NAME = 120
_CASE_NAME = re.compile(r"(?:[A-Z0-9]+-)+[0-9]{3}-[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class FailingCase:
    """What a case file says."""

    rule: str
    check: str
    value: Any
    edition: str
    accepted: str
    seed: int
    sentence: str
    curl: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    verdict: Verdict = Verdict.FAIL
    source: str = "witness"
    target: str = ""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A failing case and its file's name, without folder and suffix."""

    name: str
    case: CaseResult

    @property
    def path(self) -> str:
        """The file, as seen from the reports' folder."""
        return f"{FOLDER}/{self.name}.json"

    @property
    def body_path(self) -> str:
        """The judged request's body, as seen from the reports' folder."""
        return f"{FOLDER}/{self.name}.body"

    @property
    def body(self) -> bytes | None:
        """The judged request's body where it needs a file."""
        last = judged(self.case)
        needs = last is not None and last.request.body and not stands_in_line(last.request.body)
        return last.request.body if last is not None and needs else None


def case_files(result: RunResult) -> list[CaseFile]:
    """Every failing case with the name of its file: rule and check, and a number from the second on."""
    taken: set[str] = set()
    found = []
    for rule in result.rules:
        for case in failing_cases(rule):
            base = _name(case)
            name, number = base, 1
            while name.lower() in taken:  # not every file system tells letter cases apart
                number += 1
                name = f"{base}-{number}"
            taken.add(name.lower())
            found.append(CaseFile(name, case))
    return found


def case_json(file: CaseFile, result: RunResult, address: Address) -> str:
    """The text of a case file."""
    case = file.case
    lines = [curl(exchange.request, address) for exchange in case.exchanges[:-1]]
    if case.exchanges:
        lines.append(curl(case.exchanges[-1].request, address, f"{file.name}.body"))
    return dumped(
        {
            "format": FORMAT,
            "rule": case.rule,
            "check": case.check,
            "value": case.value,
            "edition": result.edition,
            "accepted": result.accepted,
            "seed": result.seed,
            "verdict": str(case.verdict),
            "sentence": case.sentence,
            "source": case.source,
            "target": result.target,
            "curl": lines,
            "exchanges": [exchange_to_json(exchange) for exchange in case.exchanges],
        }
    )


def names_its_server(target: str) -> bool:
    """Whether ``replay`` takes the server from the case file.

    A file from elsewhere must not choose who is sent this machine's keys, nor which code is run: only a server on
    this machine and the mock in process are taken from it.
    """
    host = urlsplit(target).hostname if target.startswith(("http://", "https://")) else None
    return target == _MOCK or (host is not None and is_loopback(host))


def replay_command(path: str, target: str) -> str:
    """The command that sends a case again that was seen at ``target``."""
    where = "" if names_its_server(target) else f" --base-url {shlex.quote(target)}"
    return f"venice-contract replay {shlex.quote(path)}{where}"


def read_case(path: Path) -> FailingCase:
    """What a case file says. Raises ReportError."""
    return reading(path, "case file", _from)


def has_case_name(stem: str) -> bool:
    """Whether a file's name without its suffix is one that ``case_files`` gives: a rule's id and a check's name."""
    return _CASE_NAME.fullmatch(stem) is not None


def is_case_file(path: Path) -> bool:
    """Whether a file holds a failing case, in the format of this version or of any other."""
    try:
        shape = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(shape, dict) and {"format", "rule", "check", "exchanges"} <= shape.keys()


def _from(shape: dict[str, Any]) -> FailingCase:
    return FailingCase(
        rule=str(shape["rule"]),
        check=str(shape["check"]),
        value=shape["value"],
        edition=str(shape["edition"]),
        accepted=str(shape["accepted"]),
        seed=int(shape["seed"]),
        sentence=str(shape["sentence"]),
        curl=tuple(str(line) for line in shape["curl"]),
        exchanges=tuple(exchange_from_json(exchange) for exchange in shape["exchanges"]),
        verdict=Verdict(shape.get("verdict", Verdict.FAIL)),
        source=str(shape.get("source", "witness")),
        target=str(shape.get("target", "")),
    )


def _name(case: CaseResult) -> str:
    check = case.check.removeprefix(case.rule + "/")
    name = re.sub(r"[^A-Za-z0-9._]+", "-", f"{case.rule}-{check}").strip("-.")
    return name[:_LONGEST_NAME] or "case"
