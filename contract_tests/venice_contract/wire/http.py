"""The transport over a socket: the standard library's client, so that broken requests can be sent as they are."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from venice_contract.wire.message import Reply, Request, TransportFault

_MOST_BYTES = 96 << 20  # of an answer; the largest picture of the contract is far below
_PIECE = 1 << 16
_AT_ONCE = 64
_FRESH_S = 2.0  # a connection idle for longer may be closed by the server at the moment it is used again
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class HttpTransport:
    """Sends requests to ``scheme://host:port``; keeps one connection alive. Not for several threads at once,
    but ``send_all`` is concurrent by itself."""

    scheme: str
    host: str
    port: int | None
    timeout_s: float = 30.0
    _kept: http.client.HTTPConnection | None = field(default=None, repr=False)
    _kept_at: float = 0.0

    in_process = False

    @property
    def authority(self) -> str:
        """``host:port`` as the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def send(self, request: Request) -> Reply | None:
        """Exchange one request; None when the request leaves before its answer. Raises TransportFault."""
        kept, self._kept = self._kept, None
        answered: tuple[Reply | None, http.client.HTTPConnection | None] | None = None
        if kept is not None and kept.sock is not None and self._is_fresh() and _is_idle(kept.sock):
            try:
                answered = self._exchange(kept, request)
            except TransportFault as fault:
                # The server may have closed it meanwhile; what could be charged is never sent twice.
                if fault.kind != "closed" or request.method not in _REPEATABLE:
                    raise
        elif kept is not None:
            kept.close()
        reply, self._kept = answered or self._exchange(self._connect(), request)
        self._kept_at = time.monotonic()
        return reply

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._kept_at < _FRESH_S

    def send_all(self, requests: Sequence[Request]) -> list[Reply | TransportFault | None]:
        """All at once, each on a connection of its own; faults stand where their replies would."""

        def one(request: Request) -> Reply | TransportFault | None:
            try:
                reply, connection = self._exchange(self._connect(), request)
            except TransportFault as fault:
                return fault
            if connection is not None:
                connection.close()
            return reply

        with ThreadPoolExecutor(max(1, min(len(requests), _AT_ONCE))) as pool:
            return list(pool.map(one, requests))

    def close(self) -> None:
        """Close the kept connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=self.timeout_s)
        where = f"{self.scheme}://{self.authority}"
        try:
            connection.connect()
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", None) or error.reason or "handshake failed"
            raise TransportFault("tls", f"TLS with {where} failed: {reason}.") from error
        except TimeoutError as error:
            raise TransportFault("unreachable", f"{where} cannot be reached: timed out.") from error
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise TransportFault("unreachable", f"{where} cannot be reached: {reason}.") from error
        return connection

    def _exchange(
        self, connection: http.client.HTTPConnection, request: Request
    ) -> tuple[Reply | None, http.client.HTTPConnection | None]:
        """The reply, and the connection when it may serve again."""
        started = time.monotonic()
        where = f"{request.method} {request.path.partition('?')[0]}"
        with _deadline(connection.sock, self.timeout_s) as late:
            try:
                sent_whole = self._write(connection, request)
                if request.then == "leave":
                    connection.close()
                    return None, None
                answer = connection.getresponse()
                body = answer.read(_MOST_BYTES + 1)
            except ConnectionError as error:
                connection.close()
                if late.is_set():
                    raise self._hung(where) from error
                raise TransportFault(
                    "closed", f"{where}: the connection was closed without an answer."
                ) from error
            except http.client.IncompleteRead as error:  # of a chunked body
                connection.close()
                if late.is_set():
                    raise self._hung(where) from error
                raise _cut(where, len(error.partial)) from error
            except (TimeoutError, ssl.SSLError, OSError, http.client.HTTPException) as error:
                connection.close()
                if late.is_set() or isinstance(error, TimeoutError):
                    raise self._hung(where) from error
                if isinstance(error, http.client.RemoteDisconnected):
                    raise TransportFault(
                        "closed", f"{where}: the connection was closed without an answer."
                    ) from error
                raise TransportFault(
                    "protocol", f"{where}: what came back is no HTTP answer ({type(error).__name__})."
                ) from error
        if late.is_set():
            connection.close()
            raise self._hung(where)
        if answer.length and len(body) <= _MOST_BYTES:  # what is left of the promised Content-Length
            connection.close()
            raise _cut(where, len(body))
        if len(body) > _MOST_BYTES:
            connection.close()
            raise TransportFault("protocol", f"{where}: the answer is larger than any picture could be.")
        headers = tuple((name.lower(), value) for name, value in answer.getheaders())
        reply = Reply(answer.status, headers, body, time.monotonic() - started)
        if answer.will_close or not sent_whole:
            connection.close()
            return reply, None
        return reply, connection

    def _write(self, connection: http.client.HTTPConnection, request: Request) -> bool:
        """Send it; False when the server stopped reading, which is no fault: its answer may be there already."""
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        if request.header("host") is None:
            connection.putheader("Host", self.authority)
        for name, value in request.headers:
            connection.putheader(name, value.encode("latin-1"))
        body = request.body
        if request.framing == "chunked":
            connection.putheader("Transfer-Encoding", "chunked")
        elif request.header("content-length") is None and (
            body or request.method in ("POST", "PUT", "PATCH")
        ):
            connection.putheader("Content-Length", str(len(body)))
        cut = body if request.sends is None else body[: request.sends]
        try:
            connection.endheaders()
            for start in range(0, len(cut), _PIECE):
                piece = cut[start : start + _PIECE]
                if request.framing == "chunked":
                    piece = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
                connection.send(piece)
            if request.framing == "chunked" and request.sends is None:
                connection.send(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return False
        return request.sends is None

    def _hung(self, where: str) -> TransportFault:
        return TransportFault("timeout", f"{where}: no whole answer within {self.timeout_s:g} seconds.")


def _cut(where: str, count: int) -> TransportFault:
    return TransportFault("closed", f"{where}: the answer ended after {count} bytes of its body.")


def _is_idle(sock: socket.socket) -> bool:
    """Whether the server left the kept connection open: nothing may be readable before we asked."""
    sock.setblocking(False)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except (OSError, ValueError):  # an SSL socket takes no flags: a new connection is always right
        return False
    finally:
        with contextlib.suppress(OSError):
            sock.setblocking(True)
    return False


@contextlib.contextmanager
def _deadline(sock: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Hang up after ``seconds``: a socket's own timeout counts from byte to byte, and a server may drip."""
    late = threading.Event()
    sock.settimeout(seconds)

    def hang_up() -> None:
        late.set()
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
