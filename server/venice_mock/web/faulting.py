"""What spoils answers to order: a wrapper that stands inside the recording, so that the journal tells what was sent.

On a connection of our own server a reset is a real one. Where there is none (an application in process, a foreign
server) the application raises ``AnswerLost`` instead.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from venice_mock.accounts.faults import HALF, Fault
from venice_mock.breaking import EXTENSION, Connection
from venice_mock.edit.waiting import departure
from venice_mock.web.recording import LOST, story_of

_FAULT = "venice_mock.fault"  # key of the ASGI scope
_STALL_S = 600.0  # ours
_PIECES = 20  # of a slow body
_NOBODY_THERE = 499


class AnswerLost(ConnectionResetError):
    """The answer, or the rest of it, was lost to order."""


class Faulting:
    """ASGI wrapper: sends the answer as it was ordered to be spoilt."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and spoil what comes back. Raises AnswerLost where no connection can be broken."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        await self._app(scope, receive, answer.send)
        if answer.lost:
            raise AnswerLost(f"The mock lost this answer to order: {answer.lost}")


def spoil_answer(scope: Scope, fault: Fault) -> None:
    """Have the answer to this request spoilt; the last fault that is told counts."""
    scope[_FAULT] = fault


class _Answer:
    """One answer on its way. ``lost``: the fault that ended it, where an exception must tell."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.lost: str | None = None
        self._scope = scope
        self._receive = receive
        self._send = send
        self._fault: Fault | None = None
        self._room = 0  # bytes of the body that go before the fault
        self._ended = False

    async def send(self, message: Message) -> None:
        """The application's ``send``."""
        if self._ended:
            return
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self._fault is None:
            await self._send(message)
        else:
            await self._body(self._fault, message)

    async def _start(self, message: Message) -> None:
        fault: Fault | None = self._scope.get(_FAULT)
        if fault is None or message["status"] == _NOBODY_THERE:
            await self._send(message)
            return
        self._fault = fault
        story = story_of(self._scope)
        if story is not None:
            story.fault = fault.text
        if fault.kind in ("reset", "stall") and fault.after is None:
            await self._end(fault)
            return
        length = _length(message)
        self._room = length // 2 if fault.after == HALF else fault.after or 0
        if fault.kind == "wrong_media_type":
            told = [pair for pair in message["headers"] if pair[0].lower() != b"content-type"]
            message = {**message, "headers": [*told, (b"content-type", fault.media_type.encode())]}
        await self._send(message)

    async def _body(self, fault: Fault, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        sound, rest = body[: self._room], body[self._room :]
        self._room -= len(sound)
        if fault.kind == "slow":
            await self._trickle(fault.seconds, body, more)
        elif fault.kind == "wrong_media_type" or not rest:
            await self._send(message)
        elif fault.kind == "corrupt":
            await self._send({**message, "body": sound + bytes(len(rest))})
        else:
            await self._send({**message, "body": sound, "more_body": True})
            await self._end(fault)

    async def _trickle(self, seconds: float, body: bytes, more: bool) -> None:
        size = max(1, -(-len(body) // _PIECES))
        for at in range(0, len(body), size):
            await asyncio.sleep(seconds / _PIECES)
            piece, last = body[at : at + size], at + size >= len(body)
            await self._send({"type": "http.response.body", "body": piece, "more_body": more or not last})
        if not body:
            await self._send({"type": "http.response.body", "body": b"", "more_body": more})

    async def _end(self, fault: Fault) -> None:
        """Nothing more comes."""
        self._ended = True
        if story_of(self._scope) is not None:
            await self._send({"type": LOST})  # whoever sees the loss finds it in the journal
        connection: Connection | None = (
            (self._scope.get("extensions") or {}).get(EXTENSION, {}).get("connection")
        )
        if fault.kind == "stall":
            try:
                await asyncio.wait_for(departure(self._receive), _STALL_S)
            except TimeoutError:
                pass
            else:
                return
        if connection is None:
            self.lost = fault.text
            return
        await (connection.close() if fault.kind == "cut" else connection.reset())
        await departure(self._receive)  # a server must know that it is over before the application returns


def _length(message: Message) -> int:
    """What Content-Length says."""
    return next((int(value) for name, value in message["headers"] if name.lower() == b"content-length"), 0)
