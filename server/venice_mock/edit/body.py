"""Receiving a request's body within bounds of size and time. Raw ASGI: sizes are judged while bytes arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Admit = Callable[[int], Awaitable[None]]  # told how many bytes are there; returns when more may be received

_WHOLE_BODY_FACTOR = 4  # ours: a body may take four times the pause that ends it


class ClientLeft(Exception):
    """The client closed the connection; nobody is there to answer."""


class BodyTooSlow(Exception):
    """No byte for too long, or the whole took too long."""


class BodyTooLarge(Exception):
    """More bytes than the limit were announced or arrived."""


async def _anything(_: int) -> None:
    """Whoever has no budget admits every byte."""


async def stream_body(
    receive: Receive,
    *,
    limit: int,
    timeout: float,  # noqa: ASYNC109
    admit: Admit = _anything,
) -> AsyncIterator[bytes]:
    """Chunks of the body. Raises ClientLeft, BodyTooSlow, or BodyTooLarge as soon as ``limit`` bytes are passed.

    ``timeout``: seconds without a byte; those that ``admit`` takes do not count.
    """
    received, clock = 0, asyncio.get_running_loop().time
    deadline = clock() + timeout * _WHOLE_BODY_FACTOR
    while True:
        before = clock()
        await admit(received)
        deadline += clock() - before
        try:
            async with asyncio.timeout(timeout), asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as error:
            raise BodyTooSlow from error
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk: bytes = message.get("body", b"")
        received += len(chunk)
        if received > limit:
            raise BodyTooLarge
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return


async def read_body(
    receive: Receive,
    *,
    limit: int,
    timeout: float,  # noqa: ASYNC109
    admit: Admit = _anything,
) -> bytearray:
    """The whole body in one piece. Arguments and errors are those of ``stream_body``."""
    body = bytearray()  # it grows where it lies; chunks that are joined in the end would be held twice
    async for chunk in stream_body(receive, limit=limit, timeout=timeout, admit=admit):
        body += chunk
    return body


def announced_length(headers: Mapping[str, str]) -> int | None:
    """Content-Length as a number, or None when there is none that can be read."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
