"""Faults of an answer on its way to the client: their names, how they are written, what each does. Data and reading.

A fault spoils how an answer is sent, never what was decided: what the edit cost stays charged, but for the one
that says otherwise.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from venice_mock.settings_values import patience

FaultKind = Literal[
    "reset",
    "cut",
    "stall",
    "slow",
    "corrupt",
    "wrong_media_type",
    "charge_then_reset",
    "charge_then_504",
    "reset_before_charge",
]
Argument = Literal["point", "place", "time", "media_type", "none"]
HALF = -1  # of the body
_POINT = re.compile(r"headers|body(?::([0-9]{1,10}))?")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
_SLOW_S = 2.0  # ours
_SIGNATURE = 16  # bytes that tell what kind of picture a file is


_AS_USUAL = "charged as usual"
_OF_CHARGE = "refusals are sent as usual"


class FaultRow(msgspec.Struct, frozen=True):
    """One fault in the documentation: what it does, what else with an argument, what is charged or spared."""

    text: str
    rest: str = _AS_USUAL
    argument: Argument = "none"
    example: str | None = None
    more: str = ""

    @property
    def alone(self) -> str:
        """What it does without an argument."""
        return f"{self.text}; {self.rest}"

    @property
    def whole(self) -> str:
        """What it does, with an argument or without."""
        return f"{self.text}{self.more}; {self.rest}"


FAULTS: Mapping[FaultKind, FaultRow] = {
    "reset": FaultRow(
        "the connection is reset (TCP RST) instead of an answer",
        argument="point",
        example="reset@body:1024",
        more=", or at that point of it",
    ),
    "cut": FaultRow(
        "the connection is closed after half of the body, short of Content-Length",
        argument="point",
        example="cut@body:1024",
        more=", or at that point",
    ),
    "stall": FaultRow(
        "no answer comes until the client gives up, for ten minutes at most",
        argument="point",
        example="stall@headers",
        more=", or no more of it after that point",
    ),
    "slow": FaultRow(
        "the body comes in twenty pieces over two seconds",
        argument="time",
        example="slow@500ms",
        more=", or over that time",
    ),
    "corrupt": FaultRow(
        "the body has its usual length, but all behind its first 16 bytes is zeros",
        argument="place",
        example="corrupt@body:200",
        more=", or all behind that point",
    ),
    "wrong_media_type": FaultRow(
        "the body is as usual and Content-Type says text/html",
        argument="media_type",
        example="wrong_media_type@text/plain",
        more=", or that type",
    ),
    "charge_then_reset": FaultRow(
        "the edit is made and charged, and the connection is reset instead of its answer", _OF_CHARGE
    ),
    "charge_then_504": FaultRow(
        "the edit is made and charged, and its answer is the 504 of a time-out", _OF_CHARGE
    ),
    "reset_before_charge": FaultRow(
        "the connection is reset before the edit is made, and nothing is charged", _OF_CHARGE
    ),
}


class Fault(msgspec.Struct, frozen=True):
    """One fault as it was ordered. ``text``: in the words of who ordered it.

    ``after``: how many bytes of the body come first (HALF: half of it); None: not even the headers. ``seconds``
    and ``media_type`` belong to the kinds that take them.
    """

    kind: FaultKind
    text: str
    after: int | None = None
    seconds: float = _SLOW_S
    media_type: str = "text/html"

    @property
    def spoils_every_answer(self) -> bool:
        """Whether refusals are spoilt too; the others are about the charge."""
        return self.kind not in ("charge_then_reset", "charge_then_504", "reset_before_charge")


def read_fault(text: str) -> Fault:
    """The fault that ``NAME`` or ``NAME@ARGUMENT`` means, in any case. Raises ValueError that says what is known."""
    name, at, argument = (part.strip() for part in text.lower().partition("@"))
    said = name + at + argument
    kind = next((known for known in get_args(FaultKind) if known == name), None)
    if kind is None:
        near = difflib.get_close_matches(name, FAULTS, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no such fault.{meant} Known: {', '.join(FAULTS)}")
    takes = FAULTS[kind].argument
    if at and takes == "none":
        raise ValueError(f"{kind} takes nothing behind @")
    if takes in ("point", "place"):
        return Fault(kind, said, _after(kind, argument if at else None))
    if takes == "time" and at:
        return Fault(kind, said, seconds=patience(argument))
    if takes == "media_type" and at:
        if not _MEDIA_TYPE.fullmatch(argument):
            raise ValueError(f"expected {kind} or a media type behind it, such as {FAULTS[kind].example}")
        return Fault(kind, said, media_type=argument)
    return Fault(kind, said)


def _after(kind: FaultKind, point: str | None) -> int | None:
    if point is None:
        return {"cut": HALF, "corrupt": _SIGNATURE}.get(kind)
    match = _POINT.fullmatch(point)
    if match is None or (point == "headers" and kind == "corrupt"):
        headers = "" if kind == "corrupt" else f"{kind}@headers, "
        raise ValueError(f"expected {kind}, {headers}{kind}@body (half of it) or {kind}@body:BYTES")
    if point == "headers":
        return 0
    return HALF if match[1] is None else int(match[1])
