"""The header Date of every answer on a connection: by the clock of the session that answers, as all its other times.

The server beneath would write the machine's time, which a client that sets its clock by Date would believe while the
session's stands still or runs ahead. Whoever finds the session puts its clock into the scope.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOW = "venice_mock.now"  # key of the ASGI scope: a function that tells Unix seconds, and waits for nothing


class Dated:
    """ASGI wrapper for a server that writes no Date itself. ``wall_clock``: for answers of no session."""

    def __init__(self, app: ASGIApp, wall_clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._wall_clock = wall_clock
        self._last = (0, b"")  # the second that was written last, and how

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and date what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", self._date(scope.get(NOW, self._wall_clock)()))
                message = {**message, "headers": [date, *message.get("headers", ())]}
            await send(message)

        await self._app(scope, receive, dated)

    def _date(self, now: float) -> bytes:
        second = int(now)
        if self._last[0] != second:
            self._last = (second, formatdate(second, usegmt=True).encode("ascii"))
        return self._last[1]
