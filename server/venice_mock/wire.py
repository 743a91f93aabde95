"""Bounds on what a connection may send before and beside its body: uvicorn's httptools protocol has none.

Size and time of the header section, and what is still swallowed after an answer was given early. The connection
also goes along in the scope, so that it can be broken to order. Imported only when httptools is there; the h11
protocol bounds its headers itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from venice_mock.breaking import EXTENSION, Connection

HEAD_LIMIT = 64 << 10  # bytes of request line and headers: four times the longest wallet header
HEAD_TIMEOUT_S = 20.0  # from a request's first byte to the end of its headers
DRAIN_LIMIT = (
    64 << 20
)  # bytes read and dropped after an early refusal, so that a client that only sends hears it

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b'content-length: 45\r\nconnection: close\r\n\r\n{"error":"The request headers are too large"}'
)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. ``head_timeout_s`` is a class attribute so that a test can make one that is impatient."""

    head_timeout_s = HEAD_TIMEOUT_S

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._head_bytes = 0
        self._in_head = True
        self._drained = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Count, parse, and close a connection that goes too far."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(self.head_timeout_s, self._head_too_slow)
        elif self.cycle is not None and self.cycle.response_complete:
            self._drained += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._stop_timer()
        elif self._in_head and self._head_bytes > HEAD_LIMIT:
            self.transport.write(_TOO_LARGE)
            self._give_up()
        elif self._drained > DRAIN_LIMIT:
            self._give_up()

    def on_message_begin(self) -> None:
        """A request's first line begins."""
        self._in_head = True
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"connection": Connection(self.transport)}}

    def on_headers_complete(self) -> None:
        """Headers are over: what follows is the body's affair."""
        self._in_head = False
        self._head_bytes = self._drained = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is whole: the next byte begins another's head."""
        super().on_message_complete()
        self._in_head = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_too_slow(self) -> None:
        self._head_timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            # A byte behind a body, as old clients send, must not end the answer that is being made.
            self._head_timer = self.loop.call_later(self.head_timeout_s, self._head_too_slow)
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._stop_timer()
        self.transport.close()
