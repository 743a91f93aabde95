"""report.json: everything a run knows, for programs; and the way back to a ``RunResult``.

The shape (``"format": 1``; members may be added, none is taken away or changed without a new number)::

    {"format": 1, "target", "server", "edition", "accepted", "profile", "seed", "started", "seconds", "waited_s",
     "requests", "spent": "0.04", "budget": "0.50" or null, "stopped": "" or why,
     "opening_code": the exit code of a run that could not begin, or null, "exit_code", "conclusion",
     "counts": {verdict: rules}, "untested": [rule id], "sides": {difference: [side]},
     "rules": [{"rule": {"id", "group", "level", "text", "check", "source", "certainty", "cost", "since", "until",
                         "difference"},
                "verdict", "reason", "counts": {verdict: cases},
                "cases": [{"check", "value", "verdict", "sentence", "source", "notes": [], "sides": {}, "spent",
                           "seconds", "exchanges": [...]}]}]}

Amounts are decimal strings in USD, times are seconds. Exchanges and bodies: see ``shape``. Bodies over 4 KiB are
whole in cases that failed and cut in the others: a run sends and receives hundreds of pictures.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from venice_contract.reports.figures import FAILED_CASE
from venice_contract.reports.shape import FORMAT, dumped, exchange_from_json, exchange_to_json, reading
from venice_contract.running.results import CaseResult, RuleResult, RunResult, Verdict
from venice_mock.contract import Rule

_MOST_BODY = 4 << 10  # bytes, of a case that did not fail


def report_json(result: RunResult) -> str:
    """The text of report.json."""
    return dumped(
        {
            "format": FORMAT,
            "target": result.target,
            "server": result.server,
            "edition": result.edition,
            "accepted": result.accepted,
            "profile": result.profile,
            "seed": result.seed,
            "started": result.started,
            "seconds": round(result.seconds, 3),
            "waited_s": round(result.waited_s, 3),
            "requests": result.requests,
            "spent": str(result.spent),
            "budget": None if result.budget is None else str(result.budget),
            "stopped": result.stopped,
            "opening_code": result.opening_code,
            "exit_code": result.exit_code,
            "conclusion": result.conclusion,
            "counts": {str(verdict): number for verdict, number in result.counts.items()},
            "untested": [rule.rule.id for rule in result.untested],
            "sides": result.sides,
            "rules": [_rule(rule) for rule in result.rules],
        }
    )


def read_report(path: Path) -> RunResult:
    """The run that a report.json tells of, but for the bodies that were cut. Raises ReportError."""
    return reading(path, "report", _run_from)


def _rule(rule: RuleResult) -> dict[str, Any]:
    return {
        "rule": msgspec.to_builtins(rule.rule),
        "verdict": str(rule.verdict),
        "reason": rule.reason,
        "counts": {str(verdict): number for verdict, number in rule.counts.items()},
        "cases": [_case(case) for case in rule.cases],
    }


def _case(case: CaseResult) -> dict[str, Any]:
    most = None if case.verdict in FAILED_CASE else _MOST_BODY
    return {
        "check": case.check,
        "value": case.value,
        "verdict": str(case.verdict),
        "sentence": case.sentence,
        "source": case.source,
        "notes": case.notes,
        "sides": dict(case.sides),
        "spent": str(case.spent),
        "seconds": round(case.seconds, 6),
        "exchanges": [exchange_to_json(exchange, most) for exchange in case.exchanges],
    }


def _run_from(shape: dict[str, Any]) -> RunResult:
    return RunResult(
        target=shape["target"],
        server=shape["server"],
        edition=shape["edition"],
        accepted=shape["accepted"],
        profile=shape["profile"],
        seed=shape["seed"],
        started=shape["started"],
        seconds=float(shape["seconds"]),
        rules=tuple(_rule_from(rule) for rule in shape["rules"]),
        spent=Decimal(shape["spent"]),
        budget=None if shape["budget"] is None else Decimal(shape["budget"]),
        requests=shape["requests"],
        stopped=shape["stopped"],
        sides=_sides(shape["sides"]),
        waited_s=float(shape["waited_s"]),
        opening_code=shape["opening_code"],
    )


def _rule_from(shape: dict[str, Any]) -> RuleResult:
    rule = msgspec.convert(shape["rule"], Rule)
    cases = tuple(_case_from(rule.id, case) for case in shape["cases"])
    return RuleResult(rule, Verdict(shape["verdict"]), cases, shape["reason"])


def _case_from(rule: str, shape: dict[str, Any]) -> CaseResult:
    return CaseResult(
        check=shape["check"],
        rule=rule,
        value=shape["value"],
        verdict=Verdict(shape["verdict"]),
        sentence=shape["sentence"],
        source=shape["source"],
        exchanges=tuple(exchange_from_json(exchange) for exchange in shape["exchanges"]),
        notes=tuple(shape["notes"]),
        sides=_sides(shape["sides"]),
        spent=Decimal(shape["spent"]),
        seconds=float(shape["seconds"]),
    )


def _sides(shape: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {difference: tuple(seen) for difference, seen in shape.items()}
