"""Receiving a request's body within bounds of size and time. Raw ASGI: sizes are judged while bytes arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_WHOLE_BODY_FACTOR = 4  # ours: a body may take four times the pause that ends it


class ClientLeft(Exception):
    """The client closed the connection; nobody is there to answer."""


class BodyTooSlow(Exception):
    """No byte for too long, or the whole took too long."""


class BodyTooLarge(Exception):
    """More bytes than the limit were announced or arrived."""


async def stream_body(receive: Receive, *, limit: int, timeout: float) -> AsyncIterator[bytes]:  # noqa: ASYNC109
    """Chunks of the body. Raises ClientLeft, BodyTooSlow, or BodyTooLarge as soon as ``limit`` bytes are passed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout * _WHOLE_BODY_FACTOR
    room, more = limit, True
    while more:
        try:
            async with asyncio.timeout_at(min(loop.time() + timeout, deadline)):
                message = await receive()
        except TimeoutError as error:
            raise BodyTooSlow from error
        chunk, more = _part(message, room)
        room -= len(chunk)
        if chunk:
            yield chunk


async def read_body(receive: Receive, *, limit: int, timeout: float) -> bytes:  # noqa: ASYNC109
    """The whole body in one piece. Raises as ``stream_body`` does.

    One clock is set anew for every chunk, where a stream, which may stand still in between, takes a new one: a body
    of megabytes comes in dozens of chunks.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout * _WHOLE_BODY_FACTOR
    chunks: list[bytes] = []
    room, more = limit, True
    try:
        async with asyncio.timeout_at(deadline) as patience:
            while more:
                patience.reschedule(min(loop.time() + timeout, deadline))
                chunk, more = _part(await receive(), room)
                room -= len(chunk)
                chunks.append(chunk)
    except TimeoutError as error:
        raise BodyTooSlow from error
    return b"".join(chunks)


def _part(message: MutableMapping[str, Any], room: int) -> tuple[bytes, bool]:
    """A message's chunk, and whether there are more. Raises ClientLeft, or BodyTooLarge beyond ``room`` bytes."""
    if message["type"] == "http.disconnect":
        raise ClientLeft
    chunk: bytes = message.get("body", b"")
    if len(chunk) > room:
        raise BodyTooLarge
    return chunk, message.get("more_body", False)


def announced_length(headers: Mapping[str, str]) -> int | None:
    """Content-Length as a number, or None when there is none that can be read."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
