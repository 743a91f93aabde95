"""One client's way to the server: a connection that is kept, answers that may be cut, and when the store was away."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PATIENCE_S = 120.0
_STORE_503 = "1"  # Retry-After of an answer for want of the store


@dataclass(frozen=True, slots=True)
class Reply:
    """What came: header names in lower case; ``whole`` is false where the body ended early."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


class LostError(Exception):
    """The connection ended before an answer began."""


@dataclass(slots=True)
class Outages:
    """When the store was away, as monotonic seconds. Whoever asked in such a time may be refused for it."""

    _times: list[tuple[float, float]] = field(default_factory=list)
    _since: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def one(self) -> Iterator[None]:
        """The store is away in here."""
        with self._lock:
            self._since = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._times.append((self._since, time.monotonic()))
                self._since = None

    def met(self, start: float, end: float) -> bool:
        """Whether the store was away at some moment between the two."""
        with self._lock:
            now_away = self._since is not None and self._since <= end
            return now_away or any(since <= end and start <= until for since, until in self._times)


class Caller:
    """Requests over one kept connection. Not for several threads at once."""

    def __init__(self, port: int, outages: Outages) -> None:
        self._port = port
        self._outages = outages
        self._connection: http.client.HTTPConnection | None = None
        self.met_outage = False

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request and what came of it. Raises LostError; ``met_outage`` then tells whether the store was away."""
        start = time.monotonic()
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        try:
            self._connection.request(method, path, body, dict(headers or {}))
            answer = self._connection.getresponse()
            said = {name.lower(): value for name, value in answer.getheaders()}
            try:
                reply = Reply(answer.status, said, answer.read())
            except http.client.IncompleteRead as error:
                reply = Reply(answer.status, said, error.partial, whole=False)
            except OSError:
                reply = Reply(answer.status, said, b"", whole=False)
        except (http.client.HTTPException, OSError) as error:
            self.hang_up()
            raise LostError(f"{type(error).__name__}: {error}") from error
        finally:
            self.met_outage = self._outages.met(start, time.monotonic())
        if not reply.whole or said.get("connection") == "close":
            self.hang_up()
        return reply

    def refused_for_the_store(self, reply: Reply) -> bool:
        """Whether the answer is the 503 that stands for a store that is away, and it was."""
        return self.met_outage and reply.status == 503 and reply.headers.get("retry-after") == _STORE_503

    def leave(self, request: bytes, *, after: float, abruptly: bool) -> None:
        """Send these bytes on a connection of their own, wait so many seconds, and go; ``abruptly``: by a reset."""
        start = time.monotonic()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), PATIENCE_S) as connection:
            connection.sendall(request)
            time.sleep(after)
            if abruptly:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.met_outage = self._outages.met(start, time.monotonic())

    def read_head_and_leave(self, request: bytes) -> bytes:
        """Send these bytes, read the head of the answer, and go. Nothing where none came."""
        start, head = time.monotonic(), b""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), PATIENCE_S) as connection:
            connection.sendall(request)
            while b"\r\n\r\n" not in head and (part := connection.recv(1 << 12)):
                head += part
        self.met_outage = self._outages.met(start, time.monotonic())
        return head

    def hang_up(self) -> None:
        """Close the connection; the next request makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
