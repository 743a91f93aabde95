"""Small words for what a server's answer must be. Each raises Broken with a sentence for the report."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any, NoReturn

from venice_contract.wire.message import BadReply, Reply, shown


class Broken(Exception):
    """The server does not do what the rule says. The text is one sentence."""


class Masked(Exception):
    """A limit or a lack of credit answered first, so the rule was not seen."""


class NotApplicable(Exception):
    """The rule says nothing of this server or of this way to reach it."""


class UntestedCost(Exception):
    """It would cost more than the run may spend."""


class UntestedCredential(Exception):
    """It needs a credential that the run was not given."""


def fail(sentence: str) -> NoReturn:
    """The rule is broken."""
    raise Broken(sentence)


def expect(holds: bool, sentence: str) -> None:
    """The rule is broken unless ``holds``."""
    if not holds:
        raise Broken(sentence)


def equal(found: object, wanted: object, what: str) -> None:
    """``what`` must be ``wanted``. Numbers are compared as numbers, but true is not 1."""
    same = found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
    expect(same, f"{what} is {_short(found)}, expected {_short(wanted)}")


def at(value: Any, *path: str | int) -> Any:
    """The member under ``path`` of decoded JSON; a missing one breaks the rule."""
    here, walked = value, "the body"
    for step in path:
        fits = isinstance(here, dict) if isinstance(step, str) else isinstance(here, list)
        if not fits or (step not in here if isinstance(step, str) else not -len(here) <= step < len(here)):
            raise Broken(f"{walked} has no {step!r}: {_short(here)}")
        here = here[step]
        walked = f"{walked}.{step}" if walked != "the body" else str(step)
    return here


def text_at(value: Any, *path: str | int) -> str:
    """A string under ``path`` that is not empty."""
    found = at(value, *path)
    expect(isinstance(found, str) and found != "", f"{_named(path)} is {_short(found)}, expected a text")
    return str(found)


def number_at(value: Any, *path: str | int) -> float | int:
    """A JSON number under ``path``; true and false are none."""
    found = at(value, *path)
    expect(isinstance(found, int | float) and not isinstance(found, bool),
           f"{_named(path)} is {_short(found)}, expected a number")  # fmt: skip
    return found  # type: ignore[no-any-return]


def list_at(value: Any, *path: str | int) -> list[Any]:
    """A list under ``path``."""
    found = at(value, *path)
    expect(isinstance(found, list), f"{_named(path)} is {_short(found)}, expected a list")
    return list(found)


def object_at(value: Any, *path: str | int) -> dict[str, Any]:
    """An object under ``path``."""
    found = at(value, *path)
    expect(isinstance(found, dict), f"{_named(path)} is {_short(found)}, expected an object")
    return dict(found)


def members(
    value: Any, required: Collection[str], optional: Collection[str] = (), what: str = "the body"
) -> None:
    """``value`` is an object of exactly these members."""
    expect(isinstance(value, dict), f"{what} is {_short(value)}, expected an object")
    missing = sorted(set(required) - set(value))
    expect(not missing, f"{what} lacks {', '.join(missing)}")
    extra = sorted(set(value) - set(required) - set(optional))
    expect(not extra, f"{what} has members that no documented shape has: {', '.join(extra)}")


def has_status(reply: Reply, *statuses: int) -> Reply:
    """The answer has one of these statuses."""
    wanted = " or ".join(str(status) for status in statuses)
    expect(reply.status in statuses, f"answered {reply.status}, expected {wanted}: {shown(reply.body)}")
    return reply


def json_of(reply: Reply) -> Any:
    """The body as JSON; anything else breaks the rule."""
    try:
        return reply.json()
    except BadReply as bad:
        raise Broken(f"answered {reply.status}, and {bad}") from None


def header_of(reply: Reply, name: str) -> str:
    """The value of a header that must be there."""
    value = reply.header(name)
    if value is None:
        raise Broken(f"the header {name} is missing")
    return value


def packed_json(text: str, what: str) -> Any:
    """Base64 of JSON, as x402 headers carry it."""
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise Broken(f"{what} is not base64 of JSON: {_short(text)}") from None


def fields_at_fault(reply: Reply) -> set[str]:
    """The fields that a validation error's ``details`` names; the root is ``_errors``."""
    details = object_at(json_of(reply), "details")
    found = set()
    for name, value in details.items():
        errors = value if name == "_errors" else value.get("_errors") if isinstance(value, dict) else None
        expect(isinstance(errors, list), f"details.{name} is {_short(value)}, expected lists under _errors")
        if errors:
            found.add(name)
    return found


def faults_told(reply: Reply) -> set[str] | None:
    """As ``fields_at_fault``; None for an answer that tells no details, which other rules judge."""
    try:
        body = reply.json()
    except BadReply:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("details"), dict):
        return None
    return fields_at_fault(reply)


def error_text(reply: Reply) -> str | None:
    """What stands under ``error``; None for an answer that tells none, which other rules judge."""
    try:
        body = reply.json()
    except BadReply:
        return None
    text = body.get("error") if isinstance(body, dict) else None
    return text if isinstance(text, str) else None


def messages_of(reply: Reply, field: str) -> list[str]:
    """The messages that a validation error has for a field; ``_errors`` is the root."""
    details = object_at(json_of(reply), "details")
    if field not in details:
        raise Broken(f"details does not name {field}: {_short(details)}")
    errors = details[field] if field == "_errors" else object_at(details, field).get("_errors")
    if not isinstance(errors, list):
        raise Broken(f"details.{field} has no list under _errors")
    return [str(error) for error in errors]


def _named(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path) or "the body"


def _short(value: object) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 160 else text[:157] + "..."
