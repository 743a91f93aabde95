"""Receiving a request's body within bounds of size and time. Raw ASGI: sizes are judged while bytes arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Admit = Callable[
    [int], Awaitable[None] | None
]  # told how many bytes there are; what to await before there are more

_JOINED = 4 << 20  # ours: bytes that may be held twice for a moment, as it is faster
_FINE = 0.001  # ours: the part of a pause that is not worth a timer of its own
_WHOLE_BODY_FACTOR = 4  # ours: a body may take four times the pause that ends it


class ClientLeft(Exception):
    """The client closed the connection; nobody is there to answer."""


class BodyTooSlow(Exception):
    """No byte for too long, or the whole took too long."""


class BodyTooLarge(Exception):
    """More bytes than the limit were announced or arrived."""


def _at_once(_: int) -> None:
    """Whoever has no budget admits every byte."""


async def stream_body(
    receive: Receive,
    *,
    limit: int,
    timeout: float,  # noqa: ASYNC109
    admit: Admit = _at_once,
) -> AsyncIterator[bytes]:
    """Chunks of the body. Raises ClientLeft, BodyTooSlow, or BodyTooLarge as soon as ``limit`` bytes are passed.

    ``timeout``: seconds without a byte; those that ``admit`` takes do not count.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout * _WHOLE_BODY_FACTOR
    room, more = limit, True
    while more:
        waits = admit(limit - room)
        if waits is not None:
            before = loop.time()
            await waits
            deadline += loop.time() - before
        try:
            async with asyncio.timeout_at(min(loop.time() + timeout, deadline)):
                message = await receive()
        except TimeoutError as error:
            raise BodyTooSlow from error
        chunk, more = _part(message, room)
        room -= len(chunk)
        if chunk:
            yield chunk


async def read_body(
    receive: Receive,
    *,
    limit: int,
    timeout: float,  # noqa: ASYNC109
    admit: Admit = _at_once,
) -> bytes | bytearray:
    """The whole body in one piece. Arguments and errors are those of ``stream_body``.

    One clock is set anew for every chunk, where a stream, which may stand still in between, takes a new one: a body
    of megabytes comes in dozens of chunks. A long body grows where it lies: chunks joined in the end would be held
    twice.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout * _WHOLE_BODY_FACTOR
    chunks: list[bytes] = []
    body, size, more = bytearray(), 0, True
    try:
        began = loop.time()
        async with asyncio.timeout_at(began + timeout) as patience:
            while more:
                waits = admit(size)
                if waits is not None:
                    patience.reschedule(None)
                    before = loop.time()
                    await waits
                    deadline += loop.time() - before
                now = loop.time()
                if waits is not None or now - began > timeout * _FINE:
                    patience.reschedule(min(now + timeout, deadline))
                    began = now
                chunk, more = _part(await receive(), limit - size)
                size += len(chunk)
                if size <= _JOINED:
                    chunks.append(chunk)
                    continue
                if chunks:
                    body = bytearray().join(chunks)
                    chunks.clear()
                body += chunk
    except TimeoutError as error:
        raise BodyTooSlow from error
    return body or (chunks[0] if len(chunks) == 1 else b"".join(chunks))


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
