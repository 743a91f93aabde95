"""What the request headers ``X-Mock`` and ``Prefer`` order: from their text to a ``Steering``. Pure.

``X-Mock: error=rate_limited; retry_after=2; latency=800ms; seed=7`` and ``Prefer: code=402``. The table of
everything that steers a mock, for the documentation, is made here as well.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from venice_mock import settings_values as values
from venice_mock.accounts.keys import error_aliases, magic_keys
from venice_mock.accounts.steering import Stage, Steering, stage_of
from venice_mock.contract import Contract
from venice_mock.errors import ApiError, plain

HEADER = "X-Mock"
PREFER = "Prefer"
_LONGEST_RETRY_S = 86_400  # ours
_MORE_ALIASES = {"content_violation": "CONTENT_POLICY_VIOLATION"}
_USUAL = {422: "CONTENT_POLICY_VIOLATION", 500: "IMAGE_EDIT_ERROR"}  # of the others the table's first


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that ``X-Mock`` can order: how it is written, what it does, how its value is read."""

    example: str
    text: str
    read: values.Reader


_ITEMS: Mapping[str, Item] = {
    "error": Item(
        "error=rate_limited",
        "this error, at the stage of an edit at which it belongs",
        str,  # looked up in the edition
    ),
    "retry_after": Item(
        "retry_after=2",
        "so many seconds in Retry-After of the error that was ordered",
        values.whole(0, _LONGEST_RETRY_S),
    ),
    "latency": Item(
        "latency=800ms",
        "a pause before the answer, also 0.5s or 200ms..2s, at most 600s; goes before --latency",
        values.latency,
    ),
    "seed": Item("seed=7", "another picture for the same request", values.whole(0, 2**63 - 1)),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the documentation's table: what to send, what happens, and for errors status and stage."""

    kind: str
    send: str
    text: str
    status: int | None = None
    stage: Stage | None = None


def steering_of(contract: Contract, mock: Sequence[str], prefer: Sequence[str]) -> Steering:
    """What the values of all ``X-Mock`` and ``Prefer`` headers of a request order; the first go before the second.

    Other preferences than ``code`` are not ours and pass. Raises ApiError 400 that names what is known.
    """
    preferred = _preferred(contract, prefer)
    return _ordered(contract, "; ".join(mock)).over(preferred)


def error_named(contract: Contract, text: str) -> str | None:
    """The name in the edition's table that ``text`` means in whatever case, short names included; None: unknown."""
    known = {name.lower(): name for name in contract.edition.errors}
    name = (_aliases() | known).get(text.lower())
    return name if name in contract.edition.errors else None


def usual_error(contract: Contract, status: int) -> str | None:
    """The error that ``Prefer: code=STATUS`` means; None when the table has none of that status."""
    having = [name for name, spec in contract.edition.errors.items() if spec.status == status]
    usual = _USUAL.get(status)
    return usual if usual in having else next(iter(having), None)


def steering_table(contract: Contract) -> list[Row]:
    """Every magic key, every item of ``X-Mock``, every error it can order, every status of ``Prefer``."""
    errors, aliases = contract.edition.errors, _aliases()
    rows = [
        Row("key", "any other word", "an account of its own"),
        *(Row("key", name, text) for name, text in magic_keys().items()),
        *(Row("header", f"{HEADER}: {item.example}", item.text) for item in _ITEMS.values()),
    ]
    for name, spec in errors.items():
        short = [
            f"error={alias}" for alias, meant in aliases.items() if meant == name and alias != name.lower()
        ]
        send = ", ".join([f"error={name.lower()}", *short])
        rows.append(Row("error", send, spec.text, spec.status, stage_of(contract, name)))
    for status in sorted({spec.status for spec in errors.values()}):
        usual = usual_error(contract, status)
        assert usual is not None
        rows.append(Row("prefer", f"{PREFER}: code={status}", usual, status, stage_of(contract, usual)))
    return rows


def _ordered(contract: Contract, text: str) -> Steering:
    found: dict[str, Any] = {}
    said: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        name = name.lower()
        if name not in _ITEMS or not equals:
            known = ", ".join(item.example for item in _ITEMS.values())
            raise _bad(f"{HEADER}: cannot read {_shown(part)}. Known: {known}; separated by semicolons.")
        if name in found:
            raise _bad(f"{HEADER}: {name} is given twice.")
        if name == "error":
            found[name] = _error(contract, value)
        else:
            try:
                found[name] = _ITEMS[name].read(value)
            except ValueError as error:
                raise _bad(f"{HEADER}: {name}: {error}, got {_shown(value)}.") from error
        said.append(f"{name}={value.lower()}")
    return Steering(**found, cause="header:" + "; ".join(said)) if found else Steering()


def _error(contract: Contract, text: str) -> str:
    name = error_named(contract, text)
    if name is None:
        known = sorted({name.lower() for name in contract.edition.errors} | set(_aliases()))
        near = difflib.get_close_matches(text.lower(), known, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise _bad(f"{HEADER}: there is no error {_shown(text)}.{meant} Known: {', '.join(known)}.")
    return name


def _preferred(contract: Contract, prefer: Sequence[str]) -> Steering:
    codes: set[str] = set()
    for part in re.split("[,;]", ",".join(prefer)):
        name, _, value = part.partition("=")
        if name.strip().lower() == "code":
            codes.add(value.strip().strip('"').strip())
    if not codes:
        return Steering()
    text = min(codes)
    usual = usual_error(contract, int(text)) if re.fullmatch("[0-9]{3}", text) else None
    if usual is None or len(codes) > 1:
        known = ", ".join(str(code) for code in sorted({e.status for e in contract.edition.errors.values()}))
        raise _bad(f"{PREFER}: code is one of {known}, got {_shown(' and '.join(sorted(codes)))}.")
    return Steering(error=usual, cause=f"header:code={text}")


def _aliases() -> dict[str, str]:
    return error_aliases() | _MORE_ALIASES


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _bad(text: str) -> ApiError:
    return plain(400, text, name="MOCK_HEADER")
