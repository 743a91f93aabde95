"""GET /__mock/events: server-sent events, one for each finished request of the session.

A listener holds nothing but the number of the last story it was told; the rest is in the journal, which is bounded.
Where processes share a journal, each looks for the stories of the others a few times a second while somebody listens.
Whoever comes back with ``Last-Event-ID`` goes on where it was. One that does not read is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from venice_mock.errors import plain
from venice_mock.state.journal import Journal, TooManyListeners
from venice_mock.state.store import StoreUnavailable
from venice_mock.state.story import Story
from venice_mock.tenancy import Tenants
from venice_mock.tenant import Tenant

_KEEP_ALIVE_S = 15.0  # ours: a comment, so that nobody takes the connection for dead
_PATIENCE_S = 10.0  # ours: for a listener that does not read
_LIFE_S = 60.0  # ours: under a server that cannot tell of its end a stream must end by itself
_RETRY_MS = 1000


@dataclass(slots=True)
class Streams:
    """All streams of a process. ``life_s`` None: they last until ``stop`` is called."""

    tenants: Tenants
    life_s: float | None = _LIFE_S
    stopped: bool = False

    def stop(self) -> None:
        """End every stream, and begin none any more."""
        self.stopped = True
        for tenant in self.tenants:
            tenant.journal.stop_listening()

    def stream(self, tenant: Tenant, request: Request, tell: Callable[[Story], Any]) -> Response:
        """The answer to a listener. ``tell``: a story as JSON. Raises ApiError 503."""
        if self.stopped:
            raise plain(503, "The server is stopping", name="CONTROL_STOPPING")
        journal = tenant.journal
        try:
            listener = journal.listen()
        except TooManyListeners as error:
            text = "Too many listen to this session already"
            raise plain(503, text, name="CONTROL_TOO_MANY") from error
        said = request.headers.get("last-event-id", "")
        last = int(said) if said.isascii() and said.isdecimal() and len(said) < 16 else journal.last
        return _Stream(journal, listener, min(last, journal.last), tell, self.life_s)


class _Stream(Response):
    """Not Starlette's: that does not see a listener leave under every server, nor one that does not read."""

    media_type = "text/event-stream"

    def __init__(
        self,
        journal: Journal,
        listener: asyncio.Event,
        last: int,
        tell: Callable[[Story], Any],
        life_s: float | None,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._journal = journal
        self._listener = listener
        self._last = last
        self._tell = tell
        self._life_s = life_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Tell until the listener leaves, the session or the server ends, or the stream's life is over."""
        leaving = asyncio.ensure_future(_departure(receive))
        try:
            with contextlib.suppress(TimeoutError):  # its life is over, or it does not read
                async with asyncio.timeout(self._life_s):
                    await self._run(send, leaving)
            if not leaving.done():
                with contextlib.suppress(TimeoutError):
                    await self._send(send, "", more=False)
        finally:
            self._journal.leave(self._listener)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    async def _run(self, send: Send, leaving: asyncio.Future[None]) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await self._send(send, f"retry: {_RETRY_MS}\n: {self._journal.last} so far\n\n")
        pause_s, silence_s = min(_KEEP_ALIVE_S, self._journal.look_again_s), 0.0
        while self._journal.is_listening(self._listener) and not leaving.done():
            self._listener.clear()
            with contextlib.suppress(StoreUnavailable):  # it will be back, and so are the stories
                await self._journal.refresh()
            for story in self._journal.after(self._last):
                if story.number > self._last + 1:
                    missed = msgspec.json.encode({"missed": story.number - self._last - 1}).decode()
                    await self._send(send, f"event: missed\ndata: {missed}\n\n")
                self._last = story.number
                data = msgspec.json.encode(self._tell(story)).decode()
                await self._send(send, f"event: request\nid: {story.number}\ndata: {data}\n\n")
            if self._listener.is_set():
                continue
            waiting = asyncio.ensure_future(self._listener.wait())
            either: set[asyncio.Future[Any]] = {waiting, leaving}
            try:
                done, _ = await asyncio.wait(either, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
            silence_s = 0.0 if done else silence_s + pause_s
            if silence_s >= _KEEP_ALIVE_S:
                silence_s = 0.0
                await self._send(send, ": still here\n\n")

    async def _send(self, send: Send, text: str, *, more: bool = True) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": more})


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
