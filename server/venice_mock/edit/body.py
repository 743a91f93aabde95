"""Receiving a request's body within bounds of size and time. Raw ASGI: sizes are judged while bytes arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Admit = Callable[
    [int], Awaitable[None] | None
]  # told how many bytes there are; what to await before there are more

Guess = Callable[[bytes], bytes | None]  # told how a body begins; the whole, if one came before that began so

_JOINED = 4 << 20  # ours: bytes that may be held twice for a moment, as it is faster
_FINE = 0.001  # ours: the part of a pause that is not worth a timer of its own
_WHOLE_BODY_FACTOR = 4  # ours: a body may take four times the pause that ends it


class ClientLeft(Exception):
    """The client closed the connection; nobody is there to answer."""


class BodyTooSlow(Exception):
    """No byte for too long, or the whole took too long."""


class BodyTooLarge(Exception):
    """More bytes than the limit were announced or arrived."""


def _unknown(_: bytes) -> None:
    """Whoever remembers no bodies."""


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
    guess: Guess = _unknown,
) -> bytes | bytearray:
    """The whole body in one piece. Arguments and errors are those of ``stream_body``.

    One clock is set anew for every chunk, where a stream, which may stand still in between, takes a new one: a body
    of megabytes comes in dozens of chunks. ``guess``: a body that came before is not gathered again.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout * _WHOLE_BODY_FACTOR
    body, more = _Gathered(guess), True
    try:
        began = loop.time()
        async with asyncio.timeout_at(began + timeout) as patience:
            while more:
                waits = admit(body.size)
                if waits is not None:
                    patience.reschedule(None)
                    before = loop.time()
                    await waits
                    deadline += loop.time() - before
                now = loop.time()
                if waits is not None or now - began > timeout * _FINE:
                    patience.reschedule(min(now + timeout, deadline))
                    began = now
                chunk, more = _part(await receive(), limit - body.size)
                body.add(chunk, last=not more)
    except TimeoutError as error:
        raise BodyTooSlow from error
    return body.whole()


class _Gathered:
    """What came of a body so far.

    It is compared with the one that it is guessed to be as long as it is the same; else its chunks are joined in the
    end, and those of a long one at once: it grows where it lies, as it would be held twice for a moment.
    """

    __slots__ = ("_chunks", "_grown", "_guess", "_known", "size")

    def __init__(self, guess: Guess) -> None:
        self.size = 0
        self._guess = guess
        self._known: bytes | None = None
        self._chunks: list[bytes] = []
        self._grown = bytearray()

    def add(self, chunk: bytes, *, last: bool) -> None:
        """The next chunk."""
        before, self.size = self.size, self.size + len(chunk)
        if before == 0 and not last:
            self._known = self._guess(chunk)
        if self._known is not None:
            if self._known.startswith(chunk, before):
                return
            chunk, self._known = self._known[:before] + chunk, None
        if self.size <= _JOINED:
            self._chunks.append(chunk)
            return
        if self._chunks:
            self._grown = bytearray().join(self._chunks)
            self._chunks.clear()
        self._grown += chunk

    def whole(self) -> bytes | bytearray:
        """The body: if it is the one that was guessed, that very object."""
        if self._known is not None:
            return self._known[: self.size]
        return self._grown or (self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks))


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
