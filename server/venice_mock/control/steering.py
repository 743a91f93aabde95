"""What the request headers ``X-Mock`` and ``Prefer`` order, and the table of everything that steers a mock. Pure.

``X-Mock: error=rate_limited; retry_after=2; latency=800ms; seed=7`` and ``Prefer: code=402``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from venice_mock.accounts.faults import FAULTS
from venice_mock.accounts.keys import magic_keys
from venice_mock.accounts.ordering import ITEMS, aliases, error_named, items_of, read_order, told, usual_error
from venice_mock.accounts.steering import AS_USUAL, Stage, Steering, stage_of
from venice_mock.contract import Contract
from venice_mock.errors import ApiError, plain

__all__ = ["HEADER", "PREFER", "Row", "error_named", "steering_of", "steering_table", "usual_error"]

HEADER = "X-Mock"
PREFER = "Prefer"
Kind = Literal["key", "header", "fault", "error", "prefer", "directive", "match", "then"]
_MATCHES: Mapping[str, str] = {
    '{"model": "qwen-edit"}': "edits with this model, also where it is the default",
    '{"prompt_contains": "sunset"}': "edits whose prompt has these words in it, in any case",
    '{"key": "mock_ok"}': "edits of this API key, or of this wallet's address",
    "{}": "every edit",
}
_DIRECTIVES: Mapping[str, str] = {
    "[[mock:content_violation]]": "a bare name is an error, short or long",
    "[[mock:reset]]": "or a fault",
    "[[mock:error=rate_limited; retry_after=2]]": "or items as in X-Mock",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the documentation's table: what to send, what happens, and for errors status and stage."""

    kind: Kind
    send: str
    text: str
    status: int | None = None
    stage: Stage | None = None


def steering_of(contract: Contract, mock: Sequence[str], prefer: Sequence[str]) -> Steering:
    """What the values of all ``X-Mock`` and ``Prefer`` headers of a request order; the first go before the second.

    Other preferences than ``code`` are not ours and pass. Raises ApiError 400 that names what is known.
    """
    if not mock and not prefer:
        return AS_USUAL
    preferred = _preferred(contract, prefer)
    return _ordered(contract, "; ".join(mock)).over(preferred)


def steering_table(contract: Contract) -> list[Row]:
    """Everything that steers: keys, items of ``X-Mock``, faults, errors, statuses of ``Prefer``, directives, rules."""
    errors, short_names = contract.edition.errors, aliases()
    rows = [
        Row("key", "any other word", "an account of its own"),
        *(Row("key", name, text) for name, text in magic_keys().items()),
        *(Row("header", f"{HEADER}: {item.example}", item.text) for item in ITEMS.values()),
    ]
    for kind, fault in FAULTS.items():
        forms = [kind] if fault.example is None else [kind, fault.example]
        rows.append(Row("fault", ", ".join(f"fault={form}" for form in forms), fault.whole))
    for name, spec in errors.items():
        short = [
            f"error={alias}"
            for alias, meant in short_names.items()
            if meant == name and alias != name.lower()
        ]
        send = ", ".join([f"error={name.lower()}", *short])
        rows.append(Row("error", send, spec.text, spec.status, stage_of(contract, name)))
    for status in sorted({spec.status for spec in errors.values()}):
        usual = usual_error(contract, status)
        assert usual is not None
        rows.append(Row("prefer", f"{PREFER}: code={status}", usual, status, stage_of(contract, usual)))
    rows += [Row("directive", send, text) for send, text in _DIRECTIVES.items()]
    rows += [Row("match", send, text) for send, text in _MATCHES.items()]
    rows += [Row("then", send, text) for send, text in _thens()]
    return rows


def _thens() -> list[tuple[str, str]]:
    """How a rule's ``then`` writes each item."""
    found = []
    for name, item in ITEMS.items():
        value = item.example.partition("=")[2]
        shown = "true" if name == "adult" else value if value.isdecimal() else f'"{value}"'
        found.append((f'{{"{name}": {shown}}}', item.text))
    return [*found, ('{"latency_ms": 800}', "the same pause, as a number")]


def _ordered(contract: Contract, text: str) -> Steering:
    if not text:
        return AS_USUAL
    try:
        items = items_of(text)
        order = read_order(contract, items)
    except ValueError as error:
        raise _bad(HEADER, str(error)) from error
    return replace(order, cause="header:" + told(items)) if items else AS_USUAL


def _preferred(contract: Contract, prefer: Sequence[str]) -> Steering:
    codes: set[str] = set()
    for part in re.split("[,;]", ",".join(prefer)):
        name, _, value = part.partition("=")
        if name.strip().lower() == "code":
            codes.add(value.strip().strip('"').strip())
    if not codes:
        return AS_USUAL
    text = min(codes)
    usual = usual_error(contract, int(text)) if re.fullmatch("[0-9]{3}", text) else None
    if usual is None or len(codes) > 1:
        known = ", ".join(str(code) for code in sorted({e.status for e in contract.edition.errors.values()}))
        raise _bad(PREFER, f"code is one of {known}, got {_shown(' and '.join(sorted(codes)))}.")
    return Steering(error=usual, cause=f"header:code={text}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _bad(header: str, reason: str) -> ApiError:
    error = plain(400, f"{header}: {reason}", name="MOCK_HEADER")
    error.cause = f"header:{header}"
    return error
