"""What of an answer can be compared between two servers: never texts, numbers that differ by nature, or pixels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from venice_contract.judging.facts import Facts
from venice_contract.pictures.look import NotAPicture, probe_image
from venice_contract.running.results import RunResult, Verdict
from venice_contract.wire.message import BadReply, Exchange, Reply

Projection = dict[str, Any]
_ALWAYS = ("content-type", "allow", "retry-after")
_TOLD = ("model_id", "violation", "blurred", "deprecated")  # headers whose values are compared too
_NOT_JUDGED = frozenset({Verdict.UNTESTED_COST, Verdict.UNTESTED_CREDENTIAL, Verdict.NA})
_FIELDS = ("status", "media_type", "error", "image", "headers", "charge")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two servers differ. ``what``: a field of the projection, or ``verdict``."""

    rule: str
    check: str
    value: Any
    step: int
    what: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, and how many cases both servers answered."""

    differences: tuple[Difference, ...]
    compared: int
    left_only: int
    right_only: int


def project(exchanges: Sequence[Exchange], facts: Facts) -> list[Projection]:
    """The answers of one case, in order. A charge is what the balance header fell by since the last answer."""
    told: list[Projection] = []
    balance: Decimal | None = None
    names = facts.edition.headers
    for exchange in exchanges:
        reply = exchange.reply
        step: Projection = {"asked": f"{exchange.request.method} {_place(exchange.request.path)}"}
        if reply is None:
            told.append({**step, "status": None})
            continue
        now = _number(reply.header(names["balance_usd"]))
        charge = None if now is None or balance is None else f"{(balance - now).normalize():f}"
        balance = now if now is not None else balance
        told.append({
            **step,
            "status": reply.status,
            "media_type": reply.media_type,
            "error": _error_shape(reply),
            "image": _image(reply),
            "headers": _headers(reply, facts),
            "charge": charge,
        })  # fmt: skip
    return told


def record(result: RunResult, facts: Facts) -> dict[str, Any]:
    """A run as JSON that can be kept and compared with later. Holds no credential, no text and no picture."""
    cases = [
        {
            "rule": case.rule,
            "check": case.check,
            "value": case.value,
            "verdict": str(case.verdict),
            "exchanges": project(case.exchanges, facts),
        }
        for rule in result.rules
        for case in rule.cases
        if case.source == "witness" and case.verdict not in _NOT_JUDGED
    ]
    return {
        "format": 1,
        "target": result.target,
        "server": result.server,
        "edition": result.edition,
        "recorded": result.started,
        "cases": cases,
    }


def compare(left: Mapping[str, Any], right: Mapping[str, Any]) -> Comparison:
    """Two records, case by case. Cases that only one of them has are counted, not told."""
    ours, theirs = _by_case(left["cases"]), _by_case(right["cases"])
    found: list[Difference] = []
    both = [key for key in ours if key in theirs]
    for key in both:
        a, b = ours[key], theirs[key]
        where = (a["rule"], a["check"], a["value"])
        if _passed(a["verdict"]) != _passed(b["verdict"]):
            found.append(Difference(*where, 0, "verdict", a["verdict"], b["verdict"]))
        for number, (first, second) in enumerate(zip(a["exchanges"], b["exchanges"], strict=False), 1):
            found += [
                Difference(*where, number, name, first.get(name), second.get(name))
                for name in _FIELDS
                if first.get(name) != second.get(name) and _both_known(name, first, second)
            ]
    return Comparison(tuple(found), len(both), len(ours) - len(both), len(theirs) - len(both))


def _both_known(name: str, first: Projection, second: Projection) -> bool:
    """A charge is compared only where both servers let it be seen."""
    return name != "charge" or (first.get(name) is not None and second.get(name) is not None)


def _by_case(cases: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {f"{case['check']} {json.dumps(case['value'], sort_keys=True)}": case for case in cases}


def _passed(verdict: str) -> bool:
    return verdict in (Verdict.PASS, Verdict.OBSERVED)


def _place(path: str) -> str:
    """The path without query, session and base: what both servers have in common."""
    bare = path.partition("?")[0]
    return bare.partition("/api/v1")[2] or bare


def _error_shape(reply: Reply) -> Any:
    """The members of an error's body by type, the faulty fields, and the issues by code and place."""
    if reply.status == 200 or not reply.body:
        return None
    try:
        body = reply.json()
    except BadReply:
        return "no JSON"
    if not isinstance(body, dict):
        return type(body).__name__
    shape: dict[str, Any] = {name: _kind(value) for name, value in sorted(body.items())}
    details, issues = body.get("details"), body.get("issues")
    if isinstance(details, dict):
        shape["details"] = sorted(str(name) for name in details)
    if isinstance(issues, list):
        shape["issues"] = [
            [str(issue.get("code")), issue.get("path")] for issue in issues if isinstance(issue, dict)
        ]
    if isinstance(body.get("code"), str):
        shape["code"] = body["code"]
    return shape


def _kind(value: Any) -> str:
    return {dict: "object", list: "array", str: "text", bool: "boolean", int: "number", float: "number"}.get(
        type(value), "null"
    )


def _image(reply: Reply) -> Any:
    if not reply.media_type.startswith("image/"):
        return None
    try:
        seen = probe_image(reply.body)
    except NotAPicture:
        return "no picture"
    return [seen.format, seen.width, seen.height]


def _headers(reply: Reply, facts: Facts) -> dict[str, str | None]:
    """Which headers of the contract are there; of some of them what they say."""
    names = {name.lower() for name in facts.edition.headers.values()} | set(_ALWAYS)
    told = {facts.edition.headers[key].lower() for key in _TOLD if key in facts.edition.headers}
    return {
        name: reply.header(name) if name in told else None
        for name in sorted(names)
        if reply.header(name) is not None
    }


def _number(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None
