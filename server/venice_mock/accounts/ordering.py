"""Orders in words: from ``error=rate_limited; retry_after=2`` to a ``Steering``, whoever wrote it. Pure.

The header X-Mock, rules and prompt directives share these items, and this one reader.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from venice_mock import settings_values as values
from venice_mock.accounts.faults import FAULTS, read_fault
from venice_mock.accounts.keys import error_aliases
from venice_mock.accounts.steering import AS_USUAL, Steering
from venice_mock.contract import Contract
from venice_mock.errors import plain

_LONGEST_RETRY_S = 86_400  # ours
_MORE_ALIASES = {"content_violation": "CONTENT_POLICY_VIOLATION"}
_USUAL = {422: "CONTENT_POLICY_VIOLATION", 500: "IMAGE_EDIT_ERROR"}  # of the others the table's first
_DIRECTIVE = re.compile(r"\[\[mock:([^\[\]]{0,500})\]\]", re.IGNORECASE)
_LOOKED_AT = 50_000  # ours: characters of a prompt, more than the longest has
_MOST_DIRECTIVES = 20  # ours


class Item(msgspec.Struct, frozen=True):
    """One thing that can be ordered: how it is written, what it does, how its value is read."""

    example: str
    text: str
    read: values.Reader


ITEMS: Mapping[str, Item] = {
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
    "fault": Item(
        "fault=reset@body:1024",
        "this fault of the answer on its way to the client",
        read_fault,
    ),
    "latency": Item(
        "latency=800ms",
        "a pause before the answer, also 0.5s or 200ms..2s, at most 600s; goes before --latency",
        values.latency,
    ),
    "seed": Item("seed=7", "another picture for the same request", values.whole(0, 2**63 - 1)),
    "adult": Item(
        "adult=yes",
        "the content counts as adult (or with no: as not adult), whatever marks and words say",
        values.switch,
    ),
}


def read_order(contract: Contract, items: Sequence[tuple[str, str]]) -> Steering:
    """The order of these names and values, without a cause. Raises ValueError that says what is known."""
    found: dict[str, Any] = {}
    for name, value in items:
        if name not in ITEMS:
            raise ValueError(f"cannot read {_shown(name)}. Known: {_examples()}; separated by semicolons.")
        if name in found:
            raise ValueError(f"{name} is given twice.")
        if name == "error":
            found[name] = _error(contract, value)
        else:
            try:
                found[name] = ITEMS[name].read(value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}, got {_shown(value)}.") from error
    return Steering(**found)


def items_of(text: str) -> list[tuple[str, str]]:
    """The items of ``name=value; name=value``, names in lower case. Raises ValueError for what is none."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name.lower() not in ITEMS or not equals:
            raise ValueError(f"cannot read {_shown(part)}. Known: {_examples()}; separated by semicolons.")
        found.append((name.lower(), value))
    return found


def told(items: Sequence[tuple[str, str]]) -> str:
    """The items as a cause names them."""
    return "; ".join(f"{name}={value.lower()}" for name, value in items)


def directive_of(contract: Contract, prompt: str) -> Steering:
    """What ``[[mock:...]]`` in a prompt orders; a bare word there is an error or a fault. Raises ApiError 400."""
    items: list[tuple[str, str]] = []
    try:
        for number, match in enumerate(_DIRECTIVE.finditer(prompt, 0, _LOOKED_AT), 1):
            if number > _MOST_DIRECTIVES:
                raise ValueError(f"more than {_MOST_DIRECTIVES} directives.")  # noqa: TRY301 - told in one place
            words = match[1].strip()
            items += [(_kind(words), words)] if "=" not in words else items_of(words)
        order = read_order(contract, items)
    except ValueError as error:
        refusal = plain(400, f"[[mock:...]] in the prompt: {error}", name="MOCK_DIRECTIVE")
        refusal.cause = "prompt:directive"
        raise refusal from error
    return replace(order, cause="prompt:" + told(items)) if items else AS_USUAL


def error_named(contract: Contract, text: str) -> str | None:
    """The name in the edition's table that ``text`` means in whatever case, short names included; None: unknown."""
    known = {name.lower(): name for name in contract.edition.errors}
    name = (aliases() | known).get(text.lower())
    return name if name in contract.edition.errors else None


def usual_error(contract: Contract, status: int) -> str | None:
    """The error that ``Prefer: code=STATUS`` means; None when the table has none of that status."""
    having = [name for name, spec in contract.edition.errors.items() if spec.status == status]
    usual = _USUAL.get(status)
    return usual if usual in having else next(iter(having), None)


def aliases() -> dict[str, str]:
    """Short name of an error -> its name in the vendor's table."""
    return error_aliases() | _MORE_ALIASES


def _kind(word: str) -> str:
    return "fault" if word.lower().partition("@")[0].strip() in FAULTS else "error"


def _error(contract: Contract, text: str) -> str:
    name = error_named(contract, text)
    if name is None:
        known = sorted({name.lower() for name in contract.edition.errors} | set(aliases()))
        near = difflib.get_close_matches(text.lower(), known, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no error {_shown(text)}.{meant} Known: {', '.join(known)}.")
    return name


def _examples() -> str:
    return ", ".join(item.example for item in ITEMS.values())


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
