"""A small HTTP host on loopback, for the time of one case: it serves pictures, and misbehaves where it is told to.

Only what bytes go out lives here, and what was asked for. Nothing of it is ever called by the suite itself: a
server under test is given an address.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from venice_contract.wire.message import Headers

_MOST_HEAD = 1 << 16  # bytes of a request
_PATIENCE_S = 20.0  # for a client that neither sends nor reads
_TRICKLE_S = 0.2  # between two bytes of a slow page
_TLS_HELLO = b"\x16"


@dataclass(frozen=True, slots=True)
class Page:
    """What one path answers: ``body``, ``times`` over.

    ``length``: what Content-Length says, ``right`` or another number, or nothing, and then the end of the
    connection ends the body. ``slow_s``: for so many seconds the body comes byte by byte before the rest.
    ``raw``: these bytes instead of an HTTP answer.
    """

    body: bytes = b""
    status: int = 200
    headers: Headers = ()
    length: int | Literal["right", "untold"] = "right"
    times: int = 1
    slow_s: float = 0.0
    raw: bytes | None = None


def redirect(address: str) -> Page:
    """A page that leads to an address, absolute or a path of this host."""
    return Page(status=302, headers=(("Location", address),))


@dataclass
class PictureHost:
    """A host that is up. ``asked``: the paths of its requests; ``sent``: bytes of bodies; ``tls``: greetings in TLS."""

    pages: Mapping[str, Page]
    port: int
    asked: list[str] = field(default_factory=list)
    sent: int = 0
    tls: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """The address of a page; ``host`` may be any name of this machine."""
        return f"{scheme}://{host}:{self.port}{path}"

    def serve(self, connection: socket.socket) -> None:
        """Answer one connection's one request."""
        connection.settimeout(_PATIENCE_S)
        with self._lock:
            self._open.add(connection)
        try:
            with contextlib.suppress(OSError):  # the client left, or the case is over
                head = _read_head(connection)
                if head.startswith(_TLS_HELLO):
                    self.tls += 1
                elif head:
                    self._answer(connection, head.split(b" ")[1].decode("latin-1"))
        finally:
            with self._lock:
                self._open.discard(connection)

    def end(self) -> None:
        """Cut what is still going on."""
        self.over.set()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, connection: socket.socket, path: str) -> None:
        self.asked.append(path)
        page = self.pages.get(path, Page(status=404))
        if page.raw is not None:
            connection.sendall(page.raw)
            return
        headers = [*page.headers, ("Connection", "close")]
        if page.length != "untold":
            length = len(page.body) * page.times if page.length == "right" else page.length
            headers.append(("Content-Length", str(length)))
        lines = [f"HTTP/1.1 {page.status} Told", *(f"{name}: {value}" for name, value in headers)]
        connection.sendall("\r\n".join((*lines, "", "")).encode("latin-1"))
        at = 0
        for _ in range(int(page.slow_s / _TRICKLE_S)):
            self._send(connection, page.body[at : at + 1])
            at += 1
            if self.over.wait(_TRICKLE_S):
                return
        self._send(connection, page.body[at:])
        for _ in range(page.times - 1):
            self._send(connection, page.body)

    def _send(self, connection: socket.socket, piece: bytes) -> None:
        connection.sendall(piece)
        self.sent += len(piece)


def _read_head(connection: socket.socket) -> bytes:
    """A request up to its empty line; of a greeting in TLS the beginning; nothing when the client says nothing."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _MOST_HEAD:
        piece = connection.recv(_MOST_HEAD)
        if not piece:
            return b""
        head += piece
        if head.startswith(_TLS_HELLO):
            break
    return head


class _Server(socketserver.ThreadingTCPServer):
    host: PictureHost

    def finish_request(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's
        assert isinstance(request, socket.socket)
        self.host.serve(request)


@contextlib.contextmanager
def picture_host(pages: Mapping[str, Page]) -> Iterator[PictureHost]:
    """A host with these pages by path, on a free port of 127.0.0.1; other paths are 404. Ends with the block."""
    with _Server(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        server.host = host = PictureHost(pages, int(server.server_address[1]))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="picture-host")
        thread.start()
        try:
            yield host
        finally:
            host.end()
            server.shutdown()
            thread.join()


def closed_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
