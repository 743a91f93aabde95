"""Reading and setting a session's clock: what the routes under /__mock/clock do. No HTTP here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from venice_mock.control.reading import bad, decode
from venice_mock.errors import ApiError
from venice_mock.state.session import Session
from venice_mock.state.store import ClockState
from venice_mock.times import iso_time

_WHAT = "Clock"
_CENTURY_S = 100 * 366 * 86_400.0  # ours: dates stay within what ISO 8601 with four digits can say
_LATEST = _CENTURY_S + 1.8e9


class ClockSetting(msgspec.Struct, forbid_unknown_fields=True):
    frozen_at: str | msgspec.UnsetType | None = msgspec.UNSET
    offset_s: float | msgspec.UnsetType = msgspec.UNSET


class ClockAdvance(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


async def read_clock(session: Session) -> dict[str, Any]:
    """``now`` by the session, and whether it stands (``frozen_at``) or runs ahead (``offset_s``)."""
    state = await session.store.clock()
    frozen = None if state.frozen_at is None else iso_time(state.frozen_at)
    return {"now": iso_time(await session.now()), "frozen_at": frozen, "offset_s": state.offset_s}


async def set_clock(session: Session, body: bytes) -> dict[str, Any]:
    """Freeze at ``{"frozen_at": ISO 8601}``, run on with ``{"frozen_at": null}``, or shift with ``{"offset_s"}``.

    Raises ApiError 400.
    """
    wanted = decode(body, ClockSetting, _WHAT)
    frozen, offset = wanted.frozen_at, wanted.offset_s
    if (frozen is msgspec.UNSET) == (offset is msgspec.UNSET):
        raise _bad('give either "frozen_at" or "offset_s"')
    if isinstance(frozen, str):
        await session.store.set_clock(ClockState(frozen_at=_seconds(frozen)))
    else:
        shift = 0.0 if isinstance(offset, msgspec.UnsetType) else _bounded(offset)
        await session.store.set_clock(ClockState(offset_s=shift))
    return await read_clock(session)


async def advance_clock(session: Session, body: bytes) -> dict[str, Any]:
    """Move the clock by ``{"seconds": 60}``, frozen or not. Raises ApiError 400."""
    seconds = _bounded(decode(body, ClockAdvance, _WHAT).seconds)
    if seconds < 0:
        raise _bad("time does not run backwards here; PUT the clock to set it back")
    if not await session.store.advance_clock(seconds, most_frozen=_LATEST, most_offset_s=_CENTURY_S):
        raise _bad("that is too far ahead; PUT the clock to set it back")
    return await read_clock(session)


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _bad(f"{text[:40]!r} is no ISO 8601 time") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = moment.timestamp()
    if not 0 <= seconds <= _LATEST:
        raise _bad("the time must lie between 1970 and 2127")
    return seconds


def _bounded(seconds: float) -> float:
    if not abs(seconds) <= _CENTURY_S:
        raise _bad("at most a hundred years")
    return seconds


def _bad(reason: str) -> ApiError:
    return bad(_WHAT, reason)
