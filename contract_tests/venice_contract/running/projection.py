"""What of an answer can be compared between two servers: never texts, numbers that differ by nature, or pixels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """One thing in which two servers differ in one case.

    ``what``: a field of the projection or ``verdict``; ``error MEMBER`` for one member of the error's shape;
    ``headers`` with the names that the left or the right alone has; ``header NAME`` where both have it and say
    different things. ``step``: which answer of the case, from 1; 0 for the case as a whole.
    """

    rule: str
    check: str
    value: Any
    step: int
    what: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, how many cases both servers answered, and by rule how many only one of them did."""

    differences: tuple[Difference, ...]
    compared: int
    left_only: dict[str, int]
    right_only: dict[str, int]


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
    """Two records, case by case. Cases that only one of them has are counted by rule, not told."""
    ours, theirs = _by_case(left["cases"]), _by_case(right["cases"])
    found: list[Difference] = []
    both = [key for key in ours if key in theirs]
    for key in both:
        a, b = ours[key], theirs[key]
        where = (a["rule"], a["check"], a["value"])
        if _passed(a["verdict"]) != _passed(b["verdict"]):
            found.append(Difference(*where, 0, "verdict", a["verdict"], b["verdict"]))
        for number, (first, second) in enumerate(zip(a["exchanges"], b["exchanges"], strict=False), 1):
            found += [Difference(*where, number, *row) for row in _differing(first, second)]
    alone = [
        Counter(case["rule"] for key, case in one.items() if key not in other)
        for one, other in ((ours, theirs), (theirs, ours))
    ]
    return Comparison(tuple(found), len(both), dict(alone[0]), dict(alone[1]))


def _differing(first: Projection, second: Projection) -> Iterator[tuple[str, Any, Any]]:
    """What differs between two answers, and what each says. Of a missing answer only that it is missing."""
    fields = ("status",) if None in (first["status"], second["status"]) else _FIELDS
    for name in fields:
        a, b = first.get(name), second.get(name)
        if a == b or (name == "charge" and None in (a, b)):  # a charge is not always to be seen
            continue
        if not (isinstance(a, dict) and isinstance(b, dict)):
            yield name, a, b
        elif name == "headers":
            alone = [key for key in a if key not in b], [key for key in b if key not in a]
            if any(alone):
                yield (name, *alone)
            yield from ((f"header {key}", a[key], b[key]) for key in a if key in b and a[key] != b[key])
        else:
            members = sorted({*a, *b})
            yield from (
                (f"{name} {key}", a.get(key), b.get(key)) for key in members if a.get(key) != b.get(key)
            )


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
